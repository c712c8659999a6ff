//! Headers as a job writes them, and those that it may not set.

use e3_model::ArgumentFault;
use http::{HeaderName, HeaderValue};
use serde_json::Value;

use super::template::Template;

/// A header whose value may have variables.
pub(crate) type Header = (HeaderName, Template);

/// Reads headers: `"Name: value"`, a list of these, or an object of names and values. What is wrong goes to the faults,
/// each under its pointer below `at`.
pub(crate) fn parse(value: &Value, at: &str, faults: &mut Vec<ArgumentFault>) -> Vec<Header> {
    let mut headers = Vec::new();
    let mut add = |pointer: String, name: &str, text: &Value| match header(name, text) {
        Ok(header) => headers.push(header),
        Err(fault) => faults.push(ArgumentFault { pointer, ..fault }),
    };
    match value {
        Value::String(line) => add_line(&mut add, at.to_owned(), line),
        Value::Array(lines) => {
            for (position, line) in lines.iter().enumerate() {
                let pointer = format!("{at}/{position}");
                match line {
                    Value::String(line) => add_line(&mut add, pointer, line),
                    other => add(pointer, "", other),
                }
            }
        }
        Value::Object(members) => {
            for (name, text) in members {
                add(format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), name, text);
            }
        }
        other => add(at.to_owned(), "", other),
    }
    headers
}

fn add_line(add: &mut impl FnMut(String, &str, &Value), pointer: String, line: &str) {
    match line.split_once(':') {
        Some((name, value)) => add(pointer, name.trim(), &Value::from(value.trim())),
        None => add(pointer, line, &Value::Null),
    }
}

fn header(name: &str, value: &Value) -> Result<Header, ArgumentFault> {
    let Some(text) = value.as_str() else {
        let message = format!(
            "{:?} is no header: write \"Name: value\"",
            if name.is_empty() { value.to_string() } else { name.to_owned() }
        );
        return Err(ArgumentFault::new("", message));
    };
    let fault = |message: String| ArgumentFault::new("", message);
    let known = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| fault(format!("{name:?} is no name that HTTP allows for a header")))?;
    match known.as_str() {
        "authorization" | "proxy-authorization" => {
            return Err(fault(format!("the header {name:?} would leave a secret in the run's plan")).hint(
                "the script logs in as one of the users: on the command line --username and --password-file",
            ));
        }
        "cookie" => {
            return Err(fault(format!("the header {name:?} is e3's to set"))
                .hint("each client keeps the cookies that the server sets, as a browser does"));
        }
        "host" | "content-length" | "transfer-encoding" | "connection" => {
            return Err(fault(format!("the header {name:?} is e3's to set")).hint("leave it out"));
        }
        _ => {}
    }
    let template = Template::parse(text).map_err(&fault)?;
    if template.literals().any(|literal| HeaderValue::from_str(literal).is_err()) {
        return Err(fault(format!(
            "the value of the header {name:?} has a character that HTTP does not allow"
        )));
    }
    Ok((known, template))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_form_gives_the_same() {
        for value in [json!("X-A: b c"), json!(["x-a:b c"]), json!({"X-A": "b c"})] {
            let mut faults = Vec::new();
            let headers = parse(&value, "/headers", &mut faults);
            assert_eq!(faults, []);
            assert_eq!((headers[0].0.as_str(), headers[0].1.text()), ("x-a", "b c"), "{value}");
        }
    }

    #[test]
    fn what_is_none_or_not_the_jobs_is_a_fault_at_its_place() {
        for (value, pointer, message) in [
            (json!("no colon"), "/headers", "\"no colon\" is no header"),
            (json!(["a: b", "bad name: x"]), "/headers/1", "\"bad name\" is no name"),
            (json!({"a": 5}), "/headers/a", "\"a\" is no header"),
            (json!([5]), "/headers/0", "\"5\" is no header"),
            (
                json!("Authorization: Bearer x"),
                "/headers",
                "the header \"Authorization\" would leave a secret",
            ),
            (json!("cookie: a=b"), "/headers", "the header \"cookie\" is e3's to set"),
            (json!("Host: x"), "/headers", "the header \"Host\" is e3's to set"),
            (json!("a: b\u{7}"), "/headers", "the value of the header \"a\" has a character"),
            (json!("a: {{b"), "/headers", "\"{{\" is never closed"),
        ] {
            let mut faults = Vec::new();
            parse(&value, "/headers", &mut faults);
            assert_eq!(faults.len(), 1, "{value}");
            assert_eq!(faults[0].pointer, pointer);
            assert!(faults[0].message.starts_with(message), "{}", faults[0].message);
            assert!(!faults[0].message.contains("Bearer"), "{}", faults[0].message);
        }
    }
}
