//! The report as its readers see it, made from the fixed `analysis.json` beside this file.

use e3_model::{Analysis, from_json};
use e3_report::{csv, html, markdown};

fn analysis() -> Analysis {
    from_json(include_bytes!("analysis.json")).expect("the fixture is an analysis")
}

#[test]
fn the_summary_reads_as_before() {
    insta::assert_snapshot!("markdown", markdown(&analysis()));
}

#[test]
fn the_table_reads_as_before() {
    insta::assert_snapshot!("csv", csv(&analysis()));
}

#[test]
fn the_first_chart_looks_as_before() {
    let page = html(&analysis()).unwrap();
    let start = page.find(r#"<svg viewBox="0 0 720 330""#).unwrap();
    let end = start + page[start..].find("</svg>").unwrap() + "</svg>".len();
    insta::assert_snapshot!("throughput", page[start..end].replace("><", ">\n<"));
}

#[test]
fn the_page_says_all_that_the_first_screen_needs() {
    let analysis = analysis();
    let page = html(&analysis).unwrap();
    let text = page.replace('\u{a0}', " ").replace("&#x2f;", "/");
    assert!(text.contains(analysis.description.as_deref().unwrap()));
    assert_eq!(analysis.headlines.len(), 3);
    for headline in &analysis.headlines {
        assert!(text.contains(&format!(r#"<p class="value">{}</p>"#, headline.value)), "{}", headline.value);
    }
    for words in [
        "You may not read these numbers as capacity",
        "1 of 4 stages did not run to their end",
        "one node, 16 clients: node 1 stopped answering",
        "Throughput against clients, by thread",
        "p99 is shown from 500 successes on, so that at least five lie beyond it; there were",
    ] {
        assert!(text.contains(words), "{words}");
    }
    // Charts: throughput, two of latency, one per op, one per stage, job mix, order.
    assert_eq!(page.matches(r#"<figure class="chart">"#).count(), 1 + 2 + 4 + 4 + 1 + 1);
    assert_eq!(page.matches("Show the numbers").count(), 13, "every chart has its table");
}

#[test]
fn the_page_needs_nothing_but_itself() {
    let page = html(&analysis()).unwrap();
    for reference in ["http://", "https://", "src=", "<link", "@import", "url(", "fetch("] {
        assert!(!page.contains(reference), "{reference}");
    }
    assert!(page.contains("default-src 'none'"), "and the browser is told so");
    assert_eq!(page, html(&analysis()).unwrap(), "equal analyses give equal pages");
}

#[test]
fn every_element_is_closed() {
    assert_balanced(&html(&analysis()).unwrap());
}

#[test]
fn no_name_is_markup() {
    let mut analysis = analysis();
    let hostile = "</title><script>alert(\"1\")</script>\n'&amp; | `x` <img src=x>";
    analysis.experiment = hostile.to_owned();
    analysis.run = hostile.to_owned();
    analysis.description = Some(hostile.to_owned());
    analysis.headlines[0].detail = hostile.to_owned();
    for thread in &mut analysis.threads {
        thread.name = hostile.to_owned();
        thread.instance = hostile.to_owned();
        for stage in &mut thread.stages {
            stage.workload = hostile.to_owned();
            stage.outcome = e3_model::StageOutcome::Failed { reason: hostile.to_owned() };
            for op in &mut stage.ops {
                op.op = hostile.to_owned();
                op.script = hostile.to_owned();
                op.errors.insert(hostile.to_owned(), 1);
            }
            for job in &mut stage.jobs {
                job.script = hostile.to_owned();
            }
        }
    }
    let page = html(&analysis).unwrap();
    assert!(!page.contains("<script>alert") && !page.contains("<img"));
    assert_eq!(page.matches("<script>").count(), 1, "only the page's own");
    assert_balanced(&page);

    let summary = markdown(&analysis);
    assert!(!summary.contains("<script") && !summary.contains("<img"));
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let rows: Vec<usize> = summary.lines().filter(|line| line.starts_with('|')).map(cells).collect();
    assert!(rows.iter().all(|cells| [10, 11].contains(cells)), "{rows:?}");

    let table = csv(&analysis);
    assert!(
        table.contains("\"</title><script>alert(\"\"1\"\")</script>\n'&amp;"),
        "CSV quotes, and changes nothing"
    );
}

#[test]
fn a_run_that_measured_nothing_has_a_page_too() {
    let mut analysis = analysis();
    analysis.headlines.clear();
    analysis.stamps.clear();
    for thread in &mut analysis.threads {
        thread.stages.clear();
    }
    let page = html(&analysis).unwrap();
    assert!(page.contains("No op ended in the measured part of any stage."));
    assert_balanced(&page);
    analysis.threads.clear();
    assert_balanced(&html(&analysis).unwrap());
    assert!(markdown(&analysis).starts_with("## Does a second node"));
    assert_eq!(csv(&analysis).lines().count(), 1);
}

/// Fails unless every element that has to be closed is, in order.
fn assert_balanced(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let end = rest.find('>').expect("a tag ends");
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        let name: &str =
            tag.trim_start_matches('/').split([' ', '/', '\n']).next().expect("split gives a first part");
        if name.starts_with('!') || tag.ends_with('/') || name == "meta" {
            continue;
        }
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> closes what was opened last");
        } else if name == "script" || name == "style" {
            rest = &rest[rest.find(&format!("</{name}>")).expect("raw text ends") + name.len() + 3..];
        } else {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}
