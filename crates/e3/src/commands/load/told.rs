//! What the script is told: `--arg KEY=VALUE`, as a job's arguments.

use e3_model::{ArgumentForm, Arguments, ScriptDescriptor};
use serde_json::Value;

use super::place::Place;
use crate::exit::Exit;
use crate::failure::Failure;

/// Returns the arguments: a key that is there several times has a list, and JSON is read where a script wants some.
///
/// # Errors
/// When one has no `=`, is no JSON where it looks like some, or says another path than the URL.
pub(super) fn arguments(
    told: &[String],
    place: &Place,
    script: Option<&ScriptDescriptor>,
) -> Result<Arguments, Failure> {
    let usage = |message: String| Failure::new(Exit::Usage, anyhow::Error::msg(message));
    let mut arguments = Arguments::new();
    for pair in told {
        let Some((key, value)) = pair.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(usage(format!("--arg {pair:?} is not KEY=VALUE")).hint("such as --arg method=POST"));
        };
        let value = value_of(key, value, script).map_err(usage)?;
        match arguments.get_mut(key) {
            None => drop(arguments.insert(key.to_owned(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    if !place.rest.is_empty() {
        if arguments.contains_key("path") {
            let message = format!("--url ends with {:?}, but --arg path says what is asked for", place.rest);
            return Err(usage(message).hint("keep one of them"));
        }
        arguments.insert("path".to_owned(), Value::String(place.rest.clone()));
    }
    Ok(arguments)
}

fn value_of(key: &str, value: &str, script: Option<&ScriptDescriptor>) -> Result<Value, String> {
    let known = script.and_then(|script| script.arguments.iter().find(|argument| argument.name == key));
    let is_json = known.is_some_and(|known| known.form == ArgumentForm::JsonOrFile)
        && value.trim_start().starts_with(['[', '{']);
    if !is_json {
        return Ok(Value::String(value.to_owned()));
    }
    serde_json::from_str(value).map_err(|error| format!("--arg {key} is no JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::load::descriptor;

    fn told(script: &str, url: &str, told: &[&str]) -> Result<Value, String> {
        let script = descriptor(script);
        let place = Place::of(url, script.as_ref()).unwrap();
        let told: Vec<String> = told.iter().map(|pair| (*pair).to_owned()).collect();
        arguments(&told, &place, script.as_ref())
            .map(|arguments| json!(arguments))
            .map_err(|failure| failure.error.to_string())
    }

    #[test]
    fn pairs_become_texts_lists_and_json() {
        for (script, url, pairs, expected) in [
            (
                "http.Request",
                "http://h/x",
                &["method=POST", "body={\"a\":1}"] as &[&str],
                json!({"method": "POST", "body": "{\"a\":1}"}),
            ),
            (
                "http.Request",
                "http://h/x?a=b",
                &["headers=A: b", "headers=C: d=e", "headers=F: g"],
                json!({"headers": ["A: b", "C: d=e", "F: g"], "path": "?a=b"}),
            ),
            (
                "http.Sequence",
                "http://h",
                &["steps=[{\"name\": \"a\"}]", "user=ada"],
                json!({"steps": [{"name": "a"}], "user": "ada"}),
            ),
            ("http.Sequence", "http://h", &["steps=steps.json"], json!({"steps": "steps.json"})),
            ("http.Request", "http://h", &["path="], json!({"path": ""})),
        ] {
            assert_eq!(told(script, url, pairs).unwrap(), expected);
        }
        for (script, url, pairs, expected) in [
            ("http.Request", "http://h", &["method"] as &[&str], "--arg \"method\" is not KEY=VALUE"),
            ("http.Request", "http://h", &["=x"], "--arg \"=x\" is not KEY=VALUE"),
            ("http.Sequence", "http://h", &["steps=[{"], "--arg steps is no JSON: "),
            ("http.Request", "http://h/x/", &["path=/y"], "--url ends with \"/\""),
        ] {
            let error = told(script, url, pairs).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
