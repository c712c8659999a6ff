//! How findings show values, choices and numbers.

use serde_json::Value;

/// Returns a value as a finding shows it: short, on one line, without control characters.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => format!("the text {}", quoted(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// Returns text in quotation marks, shortened, with control characters escaped.
pub(crate) fn quoted(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return format!("{text:?}");
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{start:?}…")
}

/// Returns choices as `"a", "b" or "c"`.
pub(crate) fn choices<S: AsRef<str>>(choices: &[S]) -> String {
    let quoted: Vec<String> = choices.iter().map(|choice| quoted(choice.as_ref())).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// Returns a number of things, such as `1 client` or `4 clients`.
pub(crate) fn counted(number: impl Into<u64>, singular: &str) -> String {
    match (number.into(), singular.strip_suffix('y')) {
        (1, _) => format!("1 {singular}"),
        (number, Some(stem)) => format!("{number} {stem}ies"),
        (number, None) => format!("{number} {singular}s"),
    }
}

/// Returns a number with at most six decimals and no idle zeros.
pub(crate) fn decimal(number: f64) -> String {
    let text = format!("{number:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Returns the candidate that was probably meant, whatever its case and separators.
pub(crate) fn meant<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if typed.len() > LONGEST {
        return None;
    }
    let typed = plain(typed);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&typed, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Returns the hint that names what was probably meant.
pub(crate) fn did_you_mean(meant: &str) -> String {
    format!("did you mean {meant:?}?")
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

const LONGEST: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_across_case_and_separators() {
        let keys = ["duration", "warmUp", "rampUp", "thinkTime"];
        for (typed, expected) in [
            ("durration", Some("duration")),
            ("warm_up", Some("warmUp")),
            ("THINK-TIME", Some("thinkTime")),
            ("clients", None),
            ("", None),
        ] {
            assert_eq!(meant(typed, keys), expected, "{typed}");
        }
    }

    #[test]
    fn shows_values_on_one_short_line() {
        assert_eq!(shown(&Value::from("a\u{1b}[31m\n")), r#"the text "a\u{1b}[31m\n""#);
        assert!(shown(&Value::from("x".repeat(1_000_000))).len() < 100);
        assert_eq!(choices(&["a", "b", "c"]), r#""a", "b" or "c""#);
        assert_eq!(choices(&["a"]), r#""a""#);
    }

    #[test]
    fn counts_and_rounds_as_people_do() {
        assert_eq!(counted(1_u32, "entry"), "1 entry");
        assert_eq!(counted(0_u32, "entry"), "0 entries");
        assert_eq!(counted(2_u32, "client"), "2 clients");
        assert_eq!(decimal(0.1 + 0.2), "0.3");
        assert_eq!(decimal(10.0), "10");
    }
}
