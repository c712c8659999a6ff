//! What real servers answered, read from the folder of test data; nothing of it is kept here.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::operation::Recording;

/// The recordings' folder.
pub(super) struct Recordings {
    folder: PathBuf,
    registry: Value,
}

/// One recording, as far as it tells.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    /// Samples of the body; none if it is unknown or empty.
    pub(super) bodies: Vec<Value>,
    /// Whether the body is known to be empty.
    pub(super) is_empty: bool,
    /// Whether the status was seen, not only the body.
    pub(super) has_status: bool,
    /// Names and values, where they are recorded.
    pub(super) headers: Vec<(String, Vec<String>)>,
}

impl Recordings {
    /// Opens the folder.
    ///
    /// # Errors
    /// When the file of live errors cannot be read.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let registry = read(&file(folder, REGISTRY)?)?;
        Ok(Self { folder: folder.to_owned(), registry })
    }

    /// Returns what a recording tells of an answer with this status.
    ///
    /// # Errors
    /// When there is no such recording, or it has another status or shape.
    pub(super) fn find(&self, recording: Recording, status: u16) -> Result<Recorded> {
        match recording {
            Recording::Body(file, pointer) => {
                Ok(Recorded { bodies: self.samples(file, pointer)?, ..Recorded::default() })
            }
            Recording::Page(file, pointer) => {
                let values = self.samples(file, pointer)?;
                let last = json!({"size": 1, "limit": 25, "isLastPage": true, "values": values, "start": 0});
                let first = json!({
                    "size": 1, "limit": 25, "isLastPage": false, "values": values, "start": 0, "nextPageStart": 25
                });
                Ok(Recorded { bodies: vec![first, last], ..Recorded::default() })
            }
            Recording::Exchange(file, number) => {
                exchange(&self.read(file)?, number, status).with_context(|| file.to_owned())
            }
            Recording::Error(exception) => live_error(&self.registry, exception, status)
                .with_context(|| format!("{REGISTRY} has no error {status} {exception:?}")),
            Recording::Stated(text) => {
                let body = serde_json::from_str(text).with_context(|| format!("{text} is no JSON"))?;
                Ok(Recorded { bodies: vec![body], ..Recorded::default() })
            }
        }
    }

    fn read(&self, name: &str) -> Result<Value> {
        read(&file(&self.folder, name)?)
    }

    fn samples(&self, file: &str, pointer: &str) -> Result<Vec<Value>> {
        let document = self.read(file)?;
        let samples: Vec<Value> = at(&document, pointer).into_iter().cloned().collect();
        if samples.is_empty() {
            bail!("{file} has nothing at {pointer:?}");
        }
        Ok(samples)
    }
}

/// Returns where a file lies: a folder of recordings has its author's name before ours for it.
fn file(folder: &Path, name: &str) -> Result<PathBuf> {
    let (collection, file) = name.split_once('/').with_context(|| format!("{name} names no folder"))?;
    let unreadable = || format!("cannot read {}", folder.display());
    for entry in std::fs::read_dir(folder).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        let found = entry.file_name();
        let prefix = found.to_str().and_then(|found| found.strip_suffix(collection));
        if prefix.is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('-')) {
            return Ok(entry.path().join(file));
        }
    }
    bail!("{} has no folder that ends in {collection}", folder.display())
}

fn read(file: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", file.display()))
}

/// Returns the values at a pointer whose `*` stands for every item.
fn at<'a>(value: &'a Value, pointer: &str) -> Vec<&'a Value> {
    pointer.split('/').skip(1).fold(vec![value], |found, step| {
        let next = |value: &'a Value| -> Vec<&'a Value> {
            match value {
                Value::Array(items) if step == "*" => items.iter().collect(),
                Value::Array(items) => {
                    step.parse().ok().and_then(|n: usize| items.get(n)).into_iter().collect()
                }
                other => other.get(step).into_iter().collect(),
            }
        };
        found.into_iter().flat_map(next).collect()
    })
}

fn exchange(document: &Value, number: usize, status: u16) -> Result<Recorded> {
    let response =
        document.pointer(&format!("/interactions/{number}/response")).context("there is no such exchange")?;
    let found = response.get("status").and_then(Value::as_u64);
    if found != Some(u64::from(status)) {
        bail!("its status is {found:?}, not {status}");
    }
    let values = |value: &Value| -> Vec<String> {
        let texts = value.as_array().into_iter().flatten();
        texts.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let headers = response.get("headers").and_then(Value::as_object).into_iter().flatten();
    let body = response.get("body").filter(|body| !body.is_null());
    Ok(Recorded {
        is_empty: body.is_none(),
        bodies: body.cloned().into_iter().collect(),
        has_status: true,
        headers: headers.map(|(name, value)| (name.clone(), values(value))).collect(),
    })
}

/// Returns the live error of a status and an exception; its context was not noted, so it may be a text or null.
fn live_error(registry: &Value, exception: Option<&str>, status: u16) -> Option<Recorded> {
    let name = |entry: &Value| entry.get("exception").and_then(Value::as_str).map(str::to_owned);
    let fits = |entry: &&Value| {
        let short = name(entry).map(|name| name.rsplit('.').next().unwrap_or_default().to_owned());
        entry.get("status").and_then(Value::as_u64) == Some(u64::from(status))
            && short.as_deref() == exception
    };
    let entry = registry.get("entries")?.as_array()?.iter().find(fits)?;
    let has_message = entry.get("exampleMessage").is_some();
    let body = |context: Value| json!({"errors": [{"context": context, "message": "", "exceptionName": name(entry)}]});
    let bodies = if has_message { vec![body(Value::Null), body("".into())] } else { Vec::new() };
    let is_empty = entry.get("emptyBody").and_then(Value::as_bool) == Some(true);
    Some(Recorded { bodies, is_empty, has_status: true, headers: Vec::new() })
}

const REGISTRY: &str = "live-errors/bitbucket-error-registry.json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_found_by_how_their_names_end() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["somebody-rest", "interest"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        assert_eq!(file(folder.path(), "rest/a.json").unwrap(), folder.path().join("somebody-rest/a.json"));
        assert!(file(folder.path(), "vcr/a.json").is_err());
    }

    #[test]
    fn pointers_fan_out() {
        let document = json!({"values": [{"id": 1}, {"id": 2}, {}]});
        assert_eq!(at(&document, "/values/*/id"), [&json!(1), &json!(2)]);
        assert_eq!(at(&document, "/values/1/id"), [&json!(2)]);
        assert_eq!(at(&document, ""), [&document]);
        assert!(at(&document, "/values/9").is_empty());
    }

    #[test]
    fn live_errors_are_found_by_status_and_exception() {
        let registry = json!({"entries": [
            {"status": 404},
            {"status": 404, "exception": "a.b.NoSuchThing", "exampleMessage": "no"},
            {"status": 406, "emptyBody": true}
        ]});
        let thing = live_error(&registry, Some("NoSuchThing"), 404).unwrap();
        assert_eq!(thing.bodies.len(), 2);
        assert_eq!(thing.bodies[0]["errors"][0]["exceptionName"], "a.b.NoSuchThing");
        assert!(live_error(&registry, None, 404).unwrap().bodies.is_empty());
        assert!(live_error(&registry, None, 406).unwrap().is_empty);
        assert!(live_error(&registry, Some("NoSuchThing"), 409).is_none());
    }

    #[test]
    fn exchanges_have_headers_and_must_have_the_status() {
        let document = json!({"interactions": [{"response": {"status": 200, "headers": {"A": ["1", "2"]}, "body": {}}}]});
        let found = exchange(&document, 0, 200).unwrap();
        assert_eq!(found.headers, [("A".to_owned(), vec!["1".to_owned(), "2".to_owned()])]);
        assert!(exchange(&document, 0, 404).is_err() && exchange(&document, 1, 200).is_err());
    }
}
