//! Texts with places for variables, such as `/users/{{id}}`.

use std::fmt::Write as _;

use serde_json::Value;

use super::variables::Variables;

/// A text with places for variables; empty by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
}

impl Template {
    /// Reads a text in which `{{NAME}}` stands for a variable.
    ///
    /// # Errors
    /// A sentence that says which place is not closed or names nothing.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, behind)) = after.split_once("}}") else {
                return Err("\"{{\" is never closed by \"}}\"".to_owned());
            };
            let name = name.trim();
            if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c)) {
                return Err(format!(
                    "{name:?} between \"{{{{\" and \"}}}}\" is no variable's name: letters, digits, \"_\", \"-\" and \".\" are"
                ));
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Variable(name.to_owned()));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// Returns the text as it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the names of its variables, each as often as it stands there.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Variable(name) => Some(name.as_str()),
        })
    }

    /// Returns the parts that are no variables.
    pub(crate) fn literals(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Variable(_) => None,
        })
    }

    /// Returns the variable that is all of it, if one is.
    pub(crate) fn only(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Variable(name)] => Some(name),
            _ => None,
        }
    }

    /// Returns the text with every variable's value.
    pub(crate) fn fill(&self, variables: &Variables<'_>) -> String {
        self.filled(variables, String::push_str)
    }

    /// Returns the path with every variable's value, percent-encoded but for slashes, unless the value is all of it: what
    /// a server names as the next path is one already.
    ///
    /// Source: RFC 3986, section 2.3, unreserved characters.
    pub(crate) fn fill_path(&self, variables: &Variables<'_>) -> String {
        if self.only().is_some() {
            return self.fill(variables);
        }
        self.filled(variables, |filled, value| {
            for byte in value.bytes() {
                if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
                    filled.push(char::from(byte));
                } else {
                    // Writing to a string cannot fail.
                    let _ = write!(filled, "%{byte:02X}");
                }
            }
        })
    }

    fn filled(&self, variables: &Variables<'_>, push: impl Fn(&mut String, &str)) -> String {
        let mut filled = String::with_capacity(self.text.len());
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Variable(name) => push(&mut filled, &as_text(&variables.value(name))),
            }
        }
        filled
    }
}

/// Returns a value as a text holds it: texts without quotation marks, all else as JSON.
fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn filled(text: &str) -> String {
        let known = BTreeMap::from([("id".to_owned(), json!(7)), ("name".to_owned(), json!("a b/ü&"))]);
        Template::parse(text).unwrap().fill(&Variables::of(&known, 3, 4, 5))
    }

    #[test]
    fn variables_get_their_values() {
        for (text, expected) in [
            ("plain", "plain"),
            ("", ""),
            ("{{id}}-{{ name }}", "7-a b/ü&"),
            ("{{client}}/{{iteration}}/{{random}}", "3/4/5"),
            ("a } } { b", "a } } { b"),
            ("{{id}}{{id}}", "77"),
        ] {
            assert_eq!(filled(text), expected);
        }
        for bad in ["{{", "{{a", "x {{}} y", "{{a b}}", "{{{a}}}"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_are_encoded_unless_a_variable_is_all_of_them() {
        let known = BTreeMap::from([
            ("name".to_owned(), json!("a b/ü&")),
            ("next".to_owned(), json!("/x?start=25&a=b")),
        ]);
        let variables = Variables::of(&known, 0, 0, 0);
        let path = |text: &str| Template::parse(text).unwrap().fill_path(&variables);
        assert_eq!(path("/files/{{name}}?at=1"), "/files/a%20b/%C3%BC%26?at=1");
        assert_eq!(path("{{next}}"), "/x?start=25&a=b");
    }
}
