//! Replay servers answer, and scripts ask, as recordings and Atlassian's descriptions have it.
//!
//! Both are other people's and lie outside of the project, beside it or where `E3_TEST_DATA` says; where they are absent
//! nothing is checked, and the tests say so.

use std::path::PathBuf;

use e3_model::ProductVersion;
use e3_testkit::{Replay, ReplayCall, ReplayFamily};
use serde_json::Value;

use crate::versions::play_all;

/// Returns the folder of test data; none where it is absent.
fn data() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let folder = std::env::var_os("E3_TEST_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let folder = folder.join("bitbucket");
    folder.is_dir().then_some(folder)
}

const ABSENT: &str = "skipped: there are no recordings beside the project, and E3_TEST_DATA names none";

fn read(file: &std::path::Path) -> Value {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap()
}

async fn calls_of(family: ReplayFamily) -> Vec<ReplayCall> {
    let replay = Replay::start(family).await;
    play_all(&replay, ProductVersion::parse(family.version())).await
}

/// The description of a family, as far as there is one.
struct Description {
    document: Value,
    /// How its paths begin.
    prefix: &'static str,
}

impl Description {
    /// Returns what is said of a call: its path's template, and the operation.
    fn find(&self, call: &ReplayCall) -> Option<(&str, &Value)> {
        let (method, target) = call.line.split_once(' ')?;
        let path = target.split('?').next()?.strip_prefix("/rest")?;
        let (old, new) = if self.prefix == "1.0" { ("/latest/", "/1.0/") } else { ("/1.0/", "/latest/") };
        let path = path.replacen(old, new, 1);
        let paths = self.document.get("paths")?.as_object()?;
        let fitting = paths.iter().filter(|(template, _)| fits(template, &path));
        let (template, operations) = fitting.min_by_key(|(template, _)| template.matches('{').count())?;
        Some((template, operations.get(method.to_ascii_lowercase())?))
    }

    /// Returns where an answer differs from the schema of its status; none where no schema is given.
    fn differences(&self, operation: &Value, call: &ReplayCall) -> Vec<String> {
        let Some(response) = operation.pointer(&format!("/responses/{}", call.status)) else {
            return Vec::new();
        };
        let of_content = response.get("content").and_then(Value::as_object);
        let schema = of_content.and_then(|content| content.values().next()?.get("schema"));
        let Some(schema) = schema.or_else(|| response.get("schema")) else { return Vec::new() };
        let mut root = schema.as_object().cloned().unwrap_or_default();
        for definitions in ["components", "definitions"] {
            if let Some(found) = self.document.get(definitions) {
                root.insert(definitions.to_owned(), found.clone());
            }
        }
        let validator = jsonschema::validator_for(&Value::Object(root)).unwrap();
        let answer: Value = serde_json::from_str(&call.answer).unwrap();
        validator
            .iter_errors(&answer)
            .map(|error| format!("{}: {error}", error.instance_path().as_str()))
            .collect()
    }
}

/// Returns whether a path is one of a template's; `{path}` at its end stands for any number of segments.
fn fits(template: &str, path: &str) -> bool {
    if let Some(begin) = template.strip_suffix("{path}") {
        let begin = begin.trim_end_matches('/');
        let depth = begin.split('/').count();
        let head: Vec<_> = path.split('/').take(depth).collect();
        return path.split('/').count() > depth && fits(begin, &head.join("/"));
    }
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given || wanted.starts_with('{') => {}
            _ => return false,
        }
    }
}

#[test]
fn templates_fit_whole_paths() {
    for (template, path, expected) in [
        ("/api/latest/projects/{key}/repos", "/api/latest/projects/P/repos", true),
        ("/api/latest/projects/{key}/repos", "/api/latest/projects/P", false),
        ("/a/compare/diff{path}", "/a/compare/diff/x/y.txt", true),
        ("/a/diff/{path}", "/a/diff/x/y.txt", true),
        ("/a/diff/{path}", "/a/diff", false),
    ] {
        assert_eq!(fits(template, path), expected, "{template} {path}");
    }
}

/// What is asked though no description has it, with why.
const UNDESCRIBED: [(&str, &str); 6] = [
    ("/rest/branch-utils/latest/projects/P/repos/r/automerge/", "the page's own; the first E3 asked it"),
    ("/rest/pull-request-source-branch-deletion/", "the page's own; in Atlassian's knowledge base"),
    ("/rest/pull-request-cleanup/", "the page's own; several clients call it"),
    ("/rest/audit/1.0/projects/", "the audit log's own description, before 8.0"),
    ("/rest/auditing/1.0/events", "described once for all of Atlassian's products"),
    ("/rest/tsv/1.0/authenticate", "described by `latest`, which the replay server serves too"),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_is_described_and_the_answers_are_as_described() {
    let Some(data) = data() else {
        println!("{ABSENT}");
        return;
    };
    for (family, file, prefix, is_whole) in [
        (ReplayFamily::Seven, "bitbucket-server-2020-core.swagger2.json", "1.0", false),
        (ReplayFamily::Eight, "bitbucket-dc-8.19.filtered-subset.openapi.json", "latest", false),
        (ReplayFamily::Nine, "bitbucket-dc-9.4.openapi.json", "latest", true),
    ] {
        let description = Description { document: read(&data.join("openapi").join(file)), prefix };
        let (mut described, mut problems) = (0, Vec::new());
        for call in calls_of(family).await {
            let is_rest = call.line.contains(" /rest/");
            let is_undescribed = UNDESCRIBED.iter().any(|(part, _)| call.line.contains(part));
            match description.find(&call) {
                Some((template, operation)) => {
                    described += 1;
                    let found = description.differences(operation, &call);
                    problems.extend(found.into_iter().map(|difference| format!("{template}: {difference}")));
                }
                None if is_rest && !is_undescribed && is_whole => {
                    problems.push(format!("{} is not described", call.line));
                }
                None => {}
            }
        }
        problems.retain(|problem| !KNOWN.iter().any(|(part, _)| problem.contains(part)));
        assert!(described >= 25, "{family:?}: {described} calls are described");
        assert_eq!(problems, Vec::<String>::new(), "{family:?}");
    }
}

/// Where a description is wrong, with what proves it.
const KNOWN: [(&str, &str); 1] =
    [("/settings/pull-requests: /required", "real servers send and take numbers there, not objects")];

/// An answer that was recorded, and the call whose answer it is.
struct Recorded {
    family: ReplayFamily,
    /// What the call's line ends with, before its query.
    call: &'static str,
    file: &'static str,
    /// Where in the file the body is.
    at: &'static str,
    /// Members that the recorded server sent for reasons of its own.
    not: &'static [&'static str],
}

const fn row(
    family: ReplayFamily,
    call: &'static str,
    file: &'static str,
    at: &'static str,
    not: &'static [&'static str],
) -> Recorded {
    Recorded { family, call, file, at, not }
}

const VCR: &str = "/interactions/0/response/body";

const RECORDED: &[Recorded] = &[
    row(ReplayFamily::Four, "/branches/default", "cdancy-bitbucket-rest/branch-default.json", "", &[]),
    // What was recorded is a move.
    row(ReplayFamily::Four, "/changes", "cdancy-bitbucket-rest/pull-request-changes.json", "", &["srcPath"]),
    row(ReplayFamily::Four, "/commits/stats/", "cdancy-bitbucket-rest/build-summary.json", "", &[]),
    row(
        ReplayFamily::Four,
        "GET /merge",
        "cdancy-bitbucket-rest/pull-request-can-merge-succeed.json",
        "",
        &[],
    ),
    row(
        ReplayFamily::Seven,
        "POST /pull-requests",
        "sourcegraph-vcr/CreatePullRequest-success.json",
        VCR,
        &[],
    ),
    row(ReplayFamily::Seven, "POST /merge", "sourcegraph-vcr/MergePullRequest-success.json", VCR, &[]),
    row(ReplayFamily::Seven, "GET /projects", "sourcegraph-vcr/Projects.json", VCR, &[]),
    row(
        ReplayFamily::Eight,
        "/branches/default",
        "mcejchan-bitbucket-server-8.19/getDefaultBranch.json",
        "",
        &[],
    ),
    row(ReplayFamily::Eight, "/branches", "mcejchan-bitbucket-server-8.19/listBranches.json", "", &[]),
    row(ReplayFamily::Eight, "GET /projects", "mcejchan-bitbucket-server-8.19/listProjects.json", "", &[]),
    row(
        ReplayFamily::Eight,
        "/repos",
        "mcejchan-bitbucket-server-8.19/listRepositories.json",
        "",
        &["description"],
    ),
    row(
        ReplayFamily::Eight,
        "/repos/r",
        "mcejchan-bitbucket-server-8.19/getRepository.json",
        "",
        // Where the default branch was set by hand.
        &["defaultBranch"],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn answers_have_the_members_that_were_recorded() {
    let Some(data) = data() else {
        println!("{ABSENT}");
        return;
    };
    let mut all = Vec::new();
    for family in [ReplayFamily::Four, ReplayFamily::Seven, ReplayFamily::Eight] {
        let calls = calls_of(family).await;
        for recorded in RECORDED.iter().filter(|row| row.family == family) {
            let file = read(&data.join("fixtures").join(recorded.file));
            let body = file.pointer(recorded.at).unwrap();
            let (method, end) = recorded.call.split_once(' ').unwrap_or(("", recorded.call));
            let is_it = |call: &&ReplayCall| {
                let path = call.line.split('?').next().unwrap_or_default();
                let ends = path.ends_with(end) || (end.ends_with('/') && path.contains(end));
                path.contains(" /rest/") && path.starts_with(method) && ends && !call.answer.is_empty()
            };
            let call = calls.iter().find(is_it).unwrap_or_else(|| panic!("{family:?}: nobody asked {end}"));
            let answer: Value = serde_json::from_str(&call.answer).unwrap();
            let mut missing = Vec::new();
            compare("", body, &answer, &mut missing);
            missing.retain(|problem| !recorded.not.iter().any(|not| problem.contains(not)));
            all.extend(missing.into_iter().map(|problem| format!("{family:?} {}: {problem}", recorded.file)));
        }
    }
    assert_eq!(all, Vec::<String>::new());
}

/// Notes which members of the recording the answer has not, or has as something else; of lists the first value counts.
fn compare(at: &str, recorded: &Value, answer: &Value, missing: &mut Vec<String>) {
    match (recorded, answer) {
        (Value::Object(recorded), Value::Object(answer)) => {
            for (name, value) in recorded {
                match answer.get(name) {
                    Some(found) => compare(&format!("{at}/{name}"), value, found, missing),
                    None => missing.push(format!("{at}/{name} is missing")),
                }
            }
        }
        (Value::Array(recorded), Value::Array(answer)) => {
            if let (Some(recorded), Some(answer)) = (recorded.first(), answer.first()) {
                compare(&format!("{at}/0"), recorded, answer, missing);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        _ if std::mem::discriminant(recorded) == std::mem::discriminant(answer) => {}
        _ => missing.push(format!("{at} is of another kind than recorded")),
    }
}
