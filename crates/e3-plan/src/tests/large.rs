//! Large files: found out quickly, and with a bounded number of findings.

use std::fmt::Write as _;

use super::library::planned;
use crate::report::MOST;

const SIZE: usize = 10_000_000;

fn assert_refused(text: &str) {
    assert!(text.len() >= SIZE);
    let planned = planned(text);
    assert!(planned.findings.errors() > 0);
    assert!(planned.findings.0.len() <= MOST + 1);
}

#[test]
fn ten_megabytes_of_numbers() {
    assert_refused(&format!("{{\"threads\": [{}1]}}", "1,".repeat(SIZE / 2)));
}

#[test]
fn ten_megabytes_of_stages() {
    assert_refused(&format!(
        "{{\"threads\": [{{\"stages\": [{}{{}}]}}]}}",
        "{\"clients\": 4},\n".repeat(SIZE / 15)
    ));
}

#[test]
fn ten_megabytes_of_keys() {
    let mut text = String::from("{");
    for key in 0..SIZE / 10 {
        let _ = write!(text, "\"k{key:07}\":1,");
    }
    text.push_str("\"threads\":[]}");
    assert_refused(&text);
}

#[test]
fn ten_megabytes_of_one_text() {
    assert_refused(&format!("{{\"workload\": {{}}, \"description\": \"{}\"}}", "ü".repeat(SIZE / 2)));
}

#[test]
fn as_many_faults_as_a_document_may_have_values() {
    let stages = format!("[{}7]", "7,".repeat(1_500));
    let threads = vec![format!("{{\"stages\": {stages}}}"); 100].join(",");
    let planned = planned(&format!("{{\"threads\": [{threads}]}}"));
    assert_eq!(planned.findings.0.len(), MOST + 1);
    let last = planned.findings.0.last().unwrap();
    assert_eq!((last.rule.as_str(), last.location.as_ref()), ("more", None));
    assert!(last.message.starts_with("and 15"), "{}", last.message);
}

#[test]
fn many_unknown_keys_in_one_object() {
    let keys: Vec<String> = (0..100_000).map(|key| format!("\"k{key}\": 1")).collect();
    let planned = planned(&format!("{{{}}}", keys.join(",\n")));
    assert_eq!(planned.findings.0.len(), MOST + 1);
    let lines: Vec<_> = planned.findings.0.iter().filter_map(|it| Some(it.location.as_ref()?.line)).collect();
    assert!(lines.is_sorted() && lines.len() == MOST, "{lines:?}");
}
