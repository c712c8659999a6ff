//! What is written beside the page: charts as SVG and CSV, thresholds as JUnit XML.

use std::collections::BTreeSet;

use e3_model::ThresholdState;
use e3_report::{figures, html, junit};

use crate::fixture;

#[test]
fn every_figure_of_the_page_is_a_file_and_none_else() {
    for analysis in [fixture::analysis(), fixture::open_model(), fixture::both_models()] {
        assert_same_figures(&analysis);
    }
    let files = figures(&fixture::analysis());
    let stems: BTreeSet<&str> = files.iter().map(|file| file.stem.as_str()).collect();
    for stem in ["throughput", "latency-p99", "errors", "order", "thread-001-stage-002-timeline"] {
        assert!(stems.contains(stem), "{stem}");
    }
}

fn assert_same_figures(analysis: &e3_model::Analysis) {
    let page = html(analysis).unwrap();
    let files = figures(analysis);
    let stems: BTreeSet<&str> = files.iter().map(|file| file.stem.as_str()).collect();
    assert_eq!(stems.len(), files.len(), "names are taken once");
    let shown: BTreeSet<&str> = page
        .split("data-stem=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().expect("split gives a first part"))
        .collect();
    assert_eq!(stems, shown);
}

#[test]
fn a_chart_stands_alone() {
    for file in figures(&fixture::analysis()).into_iter().chain(figures(&fixture::both_models())) {
        assert_well_formed(&file.svg);
        assert!(file.svg.contains(r#"xmlns="http://www.w3.org/2000/svg""#));
        assert!(!file.svg.contains("var(") && !file.svg.contains("class=\"alone\""), "{}", file.stem);
        assert!(file.svg.contains("Stamps: "), "{} says what limits it", file.stem);
    }
}

#[test]
fn its_csv_has_the_numbers_behind_a_chart() {
    let analysis = fixture::analysis();
    let files = figures(&analysis);
    let csv =
        |stem: &str| &files.iter().find(|file| file.stem == stem).unwrap_or_else(|| panic!("{stem}")).csv;
    let total = &analysis.threads[0].stages[1].total;
    let throughput = csv("throughput");
    assert!(throughput.starts_with("thread,clients,ops/s,"), "{throughput}");
    assert!(throughput.contains(&format!("one node,16,{},", total.rate_per_s)), "{throughput}");
    let p95 = total.latency.as_ref().unwrap();
    let ends = p95.intervals.p95.unwrap();
    let row = format!("one node,16,954,{},{},{},", p95.p95_ms.unwrap(), ends.low, ends.high);
    assert!(csv("latency-p95").contains(&row), "{row}");
    let cpu = csv("thread-001-stage-002-metrics-proc-percent-machine-cpu");
    let series = analysis.threads[0].stages[2].metrics.iter().find(|one| one.name == "cpu/user").unwrap();
    for second in [0, 19] {
        let row = format!("proc,machine,cpu/user,%,{second},{}\n", series.values[second].unwrap());
        assert!(cpu.contains(&row), "{row} in {cpu}");
    }
    let columns = cpu.lines().map(|line| line.matches(',').count()).collect::<BTreeSet<_>>();
    assert_eq!(columns, [5].into());
}

#[test]
fn thresholds_are_cases_of_junit() {
    let mut analysis = fixture::analysis();
    analysis.thresholds[2].state = ThresholdState::Undecided;
    let xml = junit(&analysis);
    assert_valid(&xml);
    assert_eq!(xml.matches("<testsuite ").count(), 3);
    assert_eq!(xml.matches("<testcase ").count(), analysis.thresholds.len());
    for (element, state) in [("<failure ", ThresholdState::Broken), ("<error ", ThresholdState::Undecided)] {
        let count = analysis.thresholds.iter().filter(|result| result.state == state).count();
        assert!(count > 0, "{element}");
        assert_eq!(xml.matches(element).count(), count, "{element}");
    }
    assert!(xml.contains(r#"<testsuite name="p95(scm.GitCloneOverHttp) &lt; 900ms" tests="6""#), "{xml}");
    analysis.thresholds.clear();
    assert_valid(&junit(&analysis));
}

/// Fails unless the text is JUnit XML by the schema of Jenkins' xUnit plug-in, as far as thresholds need it.
pub(crate) fn assert_valid(xml: &str) {
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
    for (name, attributes, parent) in assert_well_formed(xml) {
        let (within, needed): (&str, &[&str]) = match name.as_str() {
            "testsuites" => ("", &["name", "tests", "failures", "errors", "time"]),
            "testsuite" => {
                ("testsuites", &["name", "tests", "failures", "errors", "time", "skipped", "timestamp"])
            }
            "testcase" => ("testsuite", &["classname", "name", "time"]),
            "failure" | "error" => ("testcase", &["type", "message"]),
            "skipped" | "system-out" => ("testcase", &[]),
            other => panic!("<{other}> is not of JUnit"),
        };
        assert_eq!(parent, within, "<{name}>");
        assert_eq!(
            attributes.iter().collect::<BTreeSet<_>>(),
            needed.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>().iter().collect(),
            "<{name}>"
        );
    }
}

/// Fails unless the text is well-formed XML; returns each element's name, its attributes' names, and its parent's name.
///
/// Source: XML 1.0, sections 2.2 (characters), 2.4 (character data), 3.1 (tags, unique attributes) and 4.1 (references).
pub(crate) fn assert_well_formed(xml: &str) -> Vec<(String, Vec<String>, String)> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(xml.chars().all(allowed), "only characters that XML may have");
    let mut rest = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").unwrap_or(xml);
    let mut open: Vec<String> = Vec::new();
    let mut found = Vec::new();
    while let Some(start) = rest.find('<') {
        assert_references(&rest[..start]);
        assert!(!rest[..start].contains("]]>"));
        let end = start + tag_end(&rest[start..]);
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name.trim_end()), "</{name}>");
            continue;
        }
        let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once([' ', '\n']).unwrap_or((tag, ""));
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && !name.is_empty(), "<{name}>");
        found.push((name.to_owned(), attribute_names(attributes), open.last().cloned().unwrap_or_default()));
        if !is_empty {
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "left open: {open:?}; after the end: {rest:?}");
    assert_eq!(found.iter().filter(|(_, _, parent)| parent.is_empty()).count(), 1, "one root");
    found
}

/// Returns where a tag ends: at the first `>` that is in no quotes.
fn tag_end(text: &str) -> usize {
    let mut quoted = false;
    let end = text.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == '>' && !quoted
    });
    end.expect("a tag ends").0
}

fn attribute_names(mut rest: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    while !rest.trim().is_empty() {
        let (name, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("no value in {rest:?}"));
        let (value, after) = after.split_once('"').expect("a value ends");
        assert!(!value.contains('<'), "{value}");
        assert_references(value);
        let name = name.trim().to_owned();
        assert!(
            !name.is_empty() && !name.contains(char::is_whitespace) && !names.contains(&name),
            "{name:?}"
        );
        names.push(name);
        rest = after;
    }
    names
}

/// Fails unless every `&` begins a reference that XML knows without a DTD.
fn assert_references(text: &str) {
    for rest in text.split('&').skip(1) {
        let (name, _) = rest.split_once(';').unwrap_or_else(|| panic!("a bare & before {rest:?}"));
        let is_number = name.strip_prefix('#').is_some_and(|number| number.parse::<u32>().is_ok());
        assert!(is_number || ["amp", "lt", "gt", "quot", "apos"].contains(&name), "&{name};");
    }
}
