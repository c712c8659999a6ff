//! What jobs tell their scripts: names, forms, files, and what the script itself has to say.

use serde_json::{Value, json};

use super::library::{QUICKSTART, STEPS, Shelf, planned_with};
use crate::{Kind, Planned};

fn with(arguments: &Value, shelf: Shelf) -> Planned {
    let workload = json!([{"script": STEPS, "weight": 1, "arguments": arguments}]);
    let shelf = shelf.with(Kind::Workload, "quickstart", &serde_json::to_string_pretty(&workload).unwrap());
    planned_with(QUICKSTART, &shelf)
}

/// Returns each finding as `place: message | hint`.
fn found(arguments: &Value, shelf: Shelf) -> Vec<String> {
    let line = |finding: e3_model::Finding| {
        assert_eq!(finding.rule, "argument", "{finding:?}");
        let location = finding.location.unwrap();
        let (message, hint) = (finding.message, finding.hint.unwrap_or_default());
        format!("{} {}: {message} | {hint}", location.file, finding.pointer)
    };
    with(arguments, shelf).findings.0.into_iter().map(line).collect()
}

#[test]
fn what_the_script_is_told_is_in_the_plan_with_the_content_of_files() {
    let shelf = Shelf::embedded().with_file("steps.json", r#"["a", "b"]"#).with_file("body.txt", "hello");
    let arguments =
        json!({"steps": "steps.json", "method": "POST", "headers": ["a: b"], "body_file": "body.txt"});
    let plan = with(&arguments, shelf).plan.unwrap();
    let job = &plan.threads[0].stages[0].jobs[0];
    let expected = json!({"steps": ["a", "b"], "method": "POST", "headers": ["a: b"], "body": "hello"});
    assert_eq!(json!(job.arguments), expected);
    let ops: Vec<_> = job.ops.iter().map(|op| op.name.as_str()).collect();
    assert_eq!(ops, ["a", "b"], "the ops follow from the arguments");
}

#[test]
fn every_fault_is_where_it_is_written() {
    let (workload, base) = ("workloads/quickstart.json", "/0/arguments");
    for (arguments, expected) in [
        (
            json!({}),
            format!(
                "{workload} {base}: http.Steps lacks its argument \"steps\" | \"steps\" is: What is done"
            ),
        ),
        (
            json!({"steps": ["a"], "methd": "GET"}),
            format!(
                "{workload} {base}/methd: http.Steps takes no argument \"methd\" | did you mean \"method\"?"
            ),
        ),
        (
            json!({"steps": ["a"], "xyz": "GET"}),
            format!(
                "{workload} {base}/xyz: http.Steps takes no argument \"xyz\" | known are steps, method, headers, body, body_file"
            ),
        ),
        (
            json!({"steps": ["a"], "method": ["GET"]}),
            format!("{workload} {base}/method: the argument \"method\" is a list; it must be a text | "),
        ),
        (
            json!({"steps": ["a"], "headers": [["a"]]}),
            format!(
                "{workload} {base}/headers: the argument \"headers\" is a list; it must be a text or a list of texts | "
            ),
        ),
        (
            json!({"steps": 5}),
            format!(
                "{workload} {base}/steps: the argument \"steps\" is 5; it must be JSON or the path of a file that holds it | "
            ),
        ),
        (
            json!({"steps": ["a"], "body": "x", "body_file": "body.txt"}),
            format!(
                "{workload} {base}/body_file: both \"body\" and \"body_file\" are given | keep one of them"
            ),
        ),
        (
            json!({"steps": "none.json"}),
            format!(
                "{workload} {base}/steps: the file \"none.json\" cannot be read: it is not there | a path is relative to the file that names it, or on the command line to the current directory"
            ),
        ),
        (json!({"steps": ["a", 5]}), format!("{workload} {base}/steps/1: a step is a text | ")),
        (json!({"steps": "five.json"}), "five.json /1: a step is a text | ".to_owned()),
    ] {
        let shelf = Shelf::embedded().with_file("five.json", "[\"a\",\n5]");
        assert_eq!(found(&arguments, shelf), [expected]);
    }
}

#[test]
fn a_file_that_is_no_json_is_said_once() {
    let planned =
        with(&json!({"steps": "broken.json"}), Shelf::embedded().with_file("broken.json", "[\n\"a\",]"));
    let places: Vec<_> = planned
        .findings
        .0
        .iter()
        .map(|it| (it.rule.as_str(), it.location.as_ref().unwrap().to_string()))
        .collect();
    assert_eq!(places.len(), 1, "{places:?}");
    assert!(places[0].1.starts_with("broken.json:2:"), "{places:?}");
}

#[test]
fn scripts_without_arguments_take_none_and_open_ones_take_any_text() {
    let workload = json!([{"script": "web.Status", "weight": 1, "arguments": {"a": 1}}]);
    let shelf = Shelf::embedded().with(Kind::Workload, "quickstart", &workload.to_string());
    let findings = planned_with(QUICKSTART, &shelf).findings.0;
    assert_eq!(findings[0].message, "web.Status takes no argument \"a\"");
    assert_eq!(findings[0].hint.as_deref(), Some("it takes none at all"));
    let open = || Shelf::embedded().with_other_arguments();
    assert!(with(&json!({"steps": ["a"], "project": "P", "count": 5}), open()).plan.is_some());
    let message = found(&json!({"steps": ["a"], "project": {}}), open());
    assert!(message[0].contains("\"project\" is an object; it must be a text"), "{message:?}");
}
