//! What is sent: a text, or JSON whose texts may have variables.

use bytes::Bytes;
use e3_model::ArgumentFault;
use serde_json::{Map, Value};

use super::template::Template;
use super::variables::Variables;

/// What is sent.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// The same every time; clients share it.
    Fixed(Bytes),
    /// A text with variables.
    Text(Template),
    /// JSON with variables in its texts; a text that is a variable and nothing else becomes its value, of whatever type.
    Json(Value),
}

impl Body {
    /// Reads a body, and whether it is JSON: a text stands for itself, anything else is JSON.
    pub(crate) fn parse(value: &Value, at: &str, faults: &mut Vec<ArgumentFault>) -> (Self, bool) {
        match value {
            Value::String(text) => match Template::parse(text) {
                Ok(template) if template.names().next().is_some() => (Self::Text(template), false),
                Ok(_) => (Self::Fixed(Bytes::from(text.clone())), false),
                Err(message) => {
                    faults.push(ArgumentFault::new(at, message));
                    (Self::Fixed(Bytes::new()), false)
                }
            },
            other => {
                let mut has_variables = false;
                for_each_text(other, at, &mut |pointer, text| match Template::parse(text) {
                    Ok(template) => has_variables |= template.names().next().is_some(),
                    Err(message) => faults.push(ArgumentFault::new(pointer, message)),
                });
                let json = if has_variables {
                    Self::Json(other.clone())
                } else {
                    Self::Fixed(Bytes::from(other.to_string()))
                };
                (json, true)
            }
        }
    }

    /// Returns every variable with the pointer of the text that has it.
    pub(crate) fn names(&self, at: &str) -> Vec<(String, String)> {
        match self {
            Self::Fixed(_) => Vec::new(),
            Self::Text(template) => template.names().map(|name| (at.to_owned(), name.to_owned())).collect(),
            Self::Json(value) => {
                let mut names = Vec::new();
                for_each_text(value, at, &mut |pointer, text| {
                    let template = Template::parse(text).ok();
                    names.extend(
                        template
                            .iter()
                            .flat_map(Template::names)
                            .map(|name| (pointer.to_owned(), name.to_owned())),
                    );
                });
                names
            }
        }
    }

    /// Returns the bytes to send.
    pub(crate) fn fill(&self, variables: &Variables<'_>) -> Bytes {
        match self {
            Self::Fixed(bytes) => bytes.clone(),
            Self::Text(template) => Bytes::from(template.fill(variables)),
            Self::Json(value) => Bytes::from(filled(value, variables).to_string()),
        }
    }
}

fn for_each_text(value: &Value, at: &str, see: &mut impl FnMut(&str, &str)) {
    match value {
        Value::String(text) => see(at, text),
        Value::Array(entries) => {
            for (position, entry) in entries.iter().enumerate() {
                for_each_text(entry, &format!("{at}/{position}"), see);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                let key = key.replace('~', "~0").replace('/', "~1");
                for_each_text(member, &format!("{at}/{key}"), see);
            }
        }
        _ => {}
    }
}

fn filled(value: &Value, variables: &Variables<'_>) -> Value {
    match value {
        Value::String(text) => match Template::parse(text) {
            Ok(template) => match template.only() {
                Some(name) => variables.value(name),
                None => Value::String(template.fill(variables)),
            },
            Err(_) => value.clone(),
        },
        Value::Array(entries) => entries.iter().map(|entry| filled(entry, variables)).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(key, member)| (key.clone(), filled(member, variables)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn json_keeps_the_types_of_values_that_stand_alone() {
        let known = BTreeMap::from([("id".to_owned(), json!(7)), ("list".to_owned(), json!([1, 2]))]);
        let variables = Variables::of(&known, 0, 0, 0);
        for (value, expected, is_json) in [
            (json!("id={{id}}"), "id=7", false),
            (json!("plain {\"a\":1}"), "plain {\"a\":1}", false),
            (
                json!({"a": "{{id}}", "b": ["x{{id}}", "{{list}}"], "c": null}),
                r#"{"a":7,"b":["x7",[1,2]],"c":null}"#,
                true,
            ),
            (json!({"a": 1}), r#"{"a":1}"#, true),
            (json!(5), "5", true),
        ] {
            let mut faults = Vec::new();
            let (body, json) = Body::parse(&value, "/body", &mut faults);
            assert_eq!((faults.len(), json), (0, is_json), "{value}");
            assert_eq!(body.fill(&variables), expected.as_bytes());
        }
    }

    #[test]
    fn faults_and_names_have_their_places() {
        let mut faults = Vec::new();
        let (body, _) = Body::parse(&json!({"a/b": ["{{x}}", "{{y"]}), "/body", &mut faults);
        assert_eq!(faults[0].pointer, "/body/a~1b/1");
        assert_eq!(body.names("/body"), [("/body/a~1b/0".to_owned(), "x".to_owned())]);
    }
}
