//! One answer, held against all evidence that its row names.

use anyhow::Result;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::Value;

use super::description::{Description, Saying};
use super::difference::{Difference, ends_as};
use super::headers;
use super::operation::{Operation, Recording};
use super::recordings::{Recorded, Recordings};
use super::shape::{Shape, page_differences};

/// What answers are held against.
pub(super) struct Evidence {
    pub(super) recordings: Recordings,
    pub(super) description: Description,
}

/// An answer, as far as it is judged.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// What was found about one answer.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) differences: Vec<Difference>,
    /// How many differences the row knows of.
    pub(super) known: usize,
    /// Whether a recording said something of the answer; what is stated in public without one does not count.
    pub(super) by_recordings: bool,
    /// Whether the description has a schema for it.
    pub(super) by_description: bool,
}

/// Returns in what an answer is not what its row's evidence says.
///
/// # Errors
/// When a row names evidence that is not there.
pub(super) fn judge(operation: &Operation, answer: &Answer, evidence: &Evidence) -> Result<Verdict> {
    let status = operation.status;
    let find = |recording: &Recording| evidence.recordings.find(*recording, status);
    let recorded: Vec<Recorded> = operation.recorded.iter().map(find).collect::<Result<_>>()?;
    let saying = evidence.description.says(operation, status)?;
    let is_real = |recording: &Recording| !matches!(recording, Recording::Stated(_));
    let by_recordings = operation.recorded.iter().any(is_real);
    let mut verdict = Verdict { by_recordings, ..Verdict::default() };
    if answer.status != status {
        let text: String = String::from_utf8_lossy(&answer.body).chars().take(300).collect();
        let what = format!("is {}, should be {status}; the body: {text}", answer.status);
        verdict.differences.push(Difference::new("status", what));
        return Ok(verdict);
    }
    let found = &mut verdict.differences;
    if saying == Saying::OtherStatus && !recorded.iter().any(|recorded| recorded.has_status) {
        found.push(Difference::new("status", format!("{status} is neither recorded nor described")));
    }
    found.extend(
        recorded.iter().flat_map(|recorded| headers::differences(&recorded.headers, &answer.headers)),
    );
    if status == 204 || recorded.iter().any(|recorded| recorded.is_empty) {
        if !answer.body.is_empty() {
            found
                .push(Difference::new("body", format!("has {} bytes, recorded are none", answer.body.len())));
        }
        return Ok(verdict);
    }
    if operation.accept == TEXT {
        let kind = answer.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with(TEXT) || answer.body.is_empty() {
            found.push(Difference::new("body", format!("has {} bytes of {kind:?}", answer.body.len())));
        }
        return Ok(verdict);
    }
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
        found.push(Difference::new("body", "is no JSON"));
        return Ok(verdict);
    };
    let kind = answer.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind != JSON {
        found.push(Difference::new(
            "header content-type",
            format!("is {kind:?}, recorded is always {JSON:?}"),
        ));
    }
    let bodies = recorded.into_iter().map(|recorded| recorded.bodies);
    let samples: Vec<Vec<Value>> = bodies.filter(|bodies| !bodies.is_empty()).collect();
    found.extend(Shape::differences(&samples, &body));
    found.extend(page_differences(&body));
    if let Saying::Schema(schema) = &saying {
        found.extend(evidence.description.differences(schema, &body)?);
        verdict.by_description = true;
    }
    verdict.differences.sort();
    verdict.differences.dedup();
    Ok(verdict)
}

/// Takes away the differences that the row knows of; adds one for each that is no longer there.
pub(super) fn without_known(operation: &Operation, verdict: &mut Verdict) {
    let found = &mut verdict.differences;
    let before = found.len();
    let mut gone = Vec::new();
    for (tail, _) in operation.known {
        let left = found.len();
        found.retain(|difference| !ends_as(&difference.pointer, tail));
        if found.len() == left {
            gone.push(Difference::new(*tail, "is known to differ but does not; take it out of the row"));
        }
    }
    verdict.known = before - found.len();
    found.extend(gone);
}

const TEXT: &str = "text/plain";
const JSON: &str = "application/json;charset=UTF-8";

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;
    use crate::conformance::operation::{delete, get};

    fn evidence() -> (tempfile::TempDir, Evidence) {
        let folder = tempfile::tempdir().unwrap();
        let registry = folder.path().join("live-errors/bitbucket-error-registry.json");
        std::fs::create_dir(registry.parent().unwrap()).unwrap();
        let entries = json!({"entries": [{"status": 204, "emptyBody": true}, {"status": 418}]});
        std::fs::write(&registry, entries.to_string()).unwrap();
        std::fs::write(registry.with_file_name("thing.json"), r#"{"id": 1, "type": "THING"}"#).unwrap();
        let schema = json!({"type": "object", "properties": {"id": {"type": "integer"}}});
        let content = json!({"content": {"application/json": {"schema": schema}}});
        let paths =
            json!({"/thing": {"get": {"responses": {"200": content}}, "delete": {"responses": {"204": {}}}}});
        let description = Description::new(json!({"components": {"schemas": {}}, "paths": paths}));
        let recordings = Recordings::open(folder.path()).unwrap();
        (folder, Evidence { recordings, description })
    }

    fn answer(status: u16, kind: &'static str, body: &'static str) -> Answer {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
        let body = body.into();
        Answer { status, headers, body }
    }

    #[test]
    fn an_answer_is_held_against_both() {
        let (_folder, evidence) = evidence();
        let thing = Operation { recorded: &[Recording::Body("live-errors/thing.json", "")], ..get("/thing") };
        let teapot = Operation { status: 418, ..thing };
        let seen = Operation { recorded: &[Recording::Error(None)], ..teapot };
        let gone = delete("/thing");
        for (operation, answer, expected) in [
            // The recording has `type`, the description has not; this is no place where it is known to be wrong.
            (thing, answer(200, JSON, r#"{"id": 2, "type": "THING"}"#), "/type"),
            (thing, answer(200, JSON, r#"{"id": 2}"#), "/type"),
            (thing, answer(200, JSON, r#"{"id": "2", "type": "THING"}"#), "/id /id /type"),
            (thing, answer(200, "text/html", r#"{"id": 2}"#), "/type header content-type"),
            (thing, answer(200, JSON, "<html>"), "body"),
            (thing, answer(404, JSON, "{}"), "status"),
            (teapot, answer(418, JSON, r#"{"id": 2, "type": "THING"}"#), "status"),
            (seen, answer(418, JSON, r#"{"any": "thing"}"#), ""),
            (gone, answer(204, "", ""), ""),
            (gone, answer(204, "", "{}"), "body"),
        ] {
            let verdict = judge(&operation, &answer, &evidence).unwrap();
            let pointers: Vec<&str> =
                verdict.differences.iter().map(|difference| difference.pointer.as_str()).collect();
            assert_eq!(pointers.join(" "), expected, "{:?} {:?}", operation.title(), answer.body);
        }
        let nowhere = Operation { recorded: &[Recording::Body("live-errors/nowhere.json", "")], ..thing };
        assert!(judge(&nowhere, &answer(200, JSON, "{}"), &evidence).is_err(), "no such recording");
    }

    #[test]
    fn known_differences_are_taken_away_and_must_be_there() {
        let operation = Operation { known: &[("scope", "later"), ("gone", "later")], ..get("/x") };
        let at = |pointer| Difference::new(pointer, "is missing");
        let differences = vec![at("/values/0/scope"), at("/values/1/scope"), at("/size")];
        let mut verdict = Verdict { differences, ..Verdict::default() };
        without_known(&operation, &mut verdict);
        assert_eq!(verdict.known, 2);
        let pointers: Vec<&str> =
            verdict.differences.iter().map(|difference| difference.pointer.as_str()).collect();
        assert_eq!(pointers, ["/size", "gone"]);
    }
}
