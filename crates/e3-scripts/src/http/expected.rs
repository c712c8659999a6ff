//! Which statuses are no failure.

use std::ops::RangeInclusive;

use serde_json::Value;

/// The statuses that are no failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected(Vec<RangeInclusive<u16>>);

impl Default for Expected {
    /// Returns every success.
    fn default() -> Self {
        Self(vec![200..=299])
    }
}

impl Expected {
    /// Reads statuses and classes of them: `200`, `"2xx"`, `"200, 404"`, or a list of these.
    ///
    /// # Errors
    /// A sentence that says what is none.
    pub(crate) fn parse(value: &Value) -> Result<Self, String> {
        let entries = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
        let mut ranges = Vec::new();
        for entry in entries {
            let text = match entry {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            for word in text.split(',') {
                let word = word.trim();
                let range = range(word).ok_or_else(|| {
                    format!("{word:?} is no status: write one such as 200, or a class such as \"2xx\"")
                })?;
                ranges.push(range);
            }
        }
        if ranges.is_empty() { Err("no status is expected at all".to_owned()) } else { Ok(Self(ranges)) }
    }

    /// Returns whether a status is no failure.
    pub(crate) fn accepts(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}

fn range(word: &str) -> Option<RangeInclusive<u16>> {
    if let Some(class) = word.strip_suffix("xx").or_else(|| word.strip_suffix("XX")) {
        let class = class.parse::<u16>().ok().filter(|class| (1..=5).contains(class))?;
        return Some(class * 100..=class * 100 + 99);
    }
    let status = word.parse::<u16>().ok().filter(|status| (100..=599).contains(status) && word.len() == 3)?;
    Some(status..=status)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn statuses_and_classes_are_understood() {
        for (value, accepted, refused) in [
            (json!(200), 200, 201),
            (json!("2xx"), 299, 300),
            (json!("200, 404"), 404, 204),
            (json!(["3XX", 201]), 304, 200),
            (json!("503"), 503, 500),
        ] {
            let expected = Expected::parse(&value).unwrap();
            assert!(expected.accepts(accepted) && !expected.accepts(refused), "{value}");
        }
        assert!(Expected::default().accepts(204) && !Expected::default().accepts(302));
        for bad in [
            json!("ok"),
            json!(99),
            json!(600),
            json!("6xx"),
            json!([]),
            json!(""),
            json!(null),
            json!("+20"),
        ] {
            assert!(Expected::parse(&bad).is_err(), "{bad}");
        }
    }
}
