//! The report as its readers see it, made from the fixed `analysis.json` and what is made from that.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what a test shares may fail the test, as the test itself may"
)]

mod browser;
mod files;
mod fixture;
mod markup;
mod open_model;
mod searched;

use e3_report::{csv, html, markdown};
use fixture::analysis;
use markup::assert_balanced;

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
fn the_first_screen_is_question_answer_confidence_and_one_chart() {
    let analysis = analysis();
    let page = html(&analysis).unwrap();
    let text = page.replace('\u{a0}', " ").replace("&#x2f;", "/");
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words} is not on the page"));
    let places = [
        place(analysis.description.as_deref().unwrap()),
        place(&analysis.answer.text),
        place(&analysis.answer.confidence),
        place(r#"data-stem="throughput""#),
        place(&analysis.headlines[0].value),
        place("Threads compared</h2>"),
    ];
    assert!(places.is_sorted(), "{places:?}");
    assert!(text.contains(r#"<span class="verdict better"><i aria-hidden="true">▲</i>better</span>"#));
}

#[test]
fn the_page_says_what_limits_its_numbers_and_what_was_compared() {
    let page = html(&analysis()).unwrap();
    let text = page.replace('\u{a0}', " ").replace("&nbsp;", " ").replace("&#x2f;", "/");
    for words in [
        "You may not read these numbers as capacity",
        "The load generator was the bottleneck in 1 of 6 stages",
        "one node, 64 clients: 99th percentile of the scheduling lag 14.2 ms, limit 10 ms",
        "Closed model: each client waits for its last answer, so a stall is sampled once per client",
        "HTTP/1.1; web and HTTP clients keep their connection, Git clients open one for every op",
        "client-bound (1 of 6 stages)",
        "against one node",
        "+26 %",
        "+14 % to +40 %",
        "Too few ops succeeded to tell.",
        "Each op by itself: 9 better, 7 no evidence",
        "p95(scm.GitCloneOverHttp) &lt; 900ms",
        "4 held, 2 broken",
        "3 held, 1 broken, 2 undecided",
        "p99 is shown from 500 successes on, so that at least five lie beyond it; there were",
        "13 connection, 8 http-429, 24 http-5xx, 5 timeout",
        "1,080 – 1,230",
    ] {
        assert!(text.contains(words), "{words}");
    }
}

#[test]
fn every_chart_has_its_table_stamps_and_buttons() {
    let page = html(&analysis()).unwrap();
    let figures = page.matches(r#"<figure class="chart""#).count();
    // First the throughput, then the difference, three percentiles, four ops, three loads over time and distributed,
    // failures, jobs, two for each stage and the panels; last the order.
    let panels = page.matches("-metrics-").count() / 2;
    assert!(panels >= 6 * 12, "{panels}");
    assert_eq!(figures, 1 + 1 + 3 + 4 + 3 + 3 + 1 + 1 + 6 * 2 + panels + 1);
    for part in [
        "<summary>Show the numbers</summary>",
        r#"data-save="svg""#,
        r#"data-save="csv""#,
        r#"<p class="stamps">"#,
    ] {
        assert!(page.matches(part).count() >= figures, "{part}");
    }
}

#[test]
fn an_analysis_without_an_answer_says_why() {
    let mut older = analysis();
    older.answer = e3_model::Answer::default();
    assert!(html(&older).unwrap().contains("This analysis does not compare its threads"));
    let alone = html(&fixture::one_thread()).unwrap();
    assert!(alone.contains("There is one thread, so there is nothing to compare"));
    assert!(alone.contains("What was measured") && !alone.contains("Threads compared"));
    let nothing = html(&fixture::zero_ops()).unwrap();
    assert!(nothing.contains("No op ended in the measured part of any stage."));
    assert!(nothing.contains("No op failed in the measured part of any stage."));
    assert!(nothing.contains("No metrics were collected at this stage."));
}

#[test]
fn the_page_needs_nothing_but_itself() {
    let page = html(&analysis()).unwrap();
    let own = page.replace("http://www.w3.org/2000/svg", "");
    for reference in ["http://", "https://", "src=", "<link", "@import", "url(", "fetch(", "XMLHttp"] {
        assert!(!own.contains(reference), "{reference}");
    }
    assert!(page.contains("default-src 'none'"), "and the browser is told so");
    assert_eq!(page, html(&analysis()).unwrap(), "equal analyses give equal pages");
}

#[test]
fn the_page_stays_small() {
    for (what, analysis, most) in [
        ("the fixture", analysis(), 1_200_000),
        ("80 metrics of a minute at each of six stages", fixture::with_metrics(80, 60), 3_000_000),
        ("open and closed stages together", fixture::both_models(), 2_000_000),
        ("66 ops and 80 metrics of seven seconds, as quickstart has", fixture::with_ops(66), 3_000_000),
        ("30 metrics with as many values as there may be", fixture::with_metrics(30, 300), 3_000_000),
    ] {
        let size = html(&analysis).unwrap().len();
        println!("{what}: {size} bytes");
        assert!(size < most, "{what}: {size} bytes");
    }
}

#[test]
fn every_element_is_closed_whatever_was_measured() {
    for (what, analysis) in [
        ("the fixture", analysis()),
        ("an open load", fixture::open_model()),
        ("both load models", fixture::both_models()),
        ("one thread", fixture::one_thread()),
        ("no ops", fixture::zero_ops()),
        ("eight threads of twenty stages", fixture::large()),
        ("one metric without values", fixture::with_metrics(1, 0)),
        ("80 metrics", fixture::with_metrics(80, 20)),
        ("capacity searches", searched::searched()),
    ] {
        println!("{what}");
        let page = html(&analysis).unwrap();
        assert_balanced(&page);
        assert!(!page.contains("NaN") && !page.contains("inf "), "{what}: a place that is none");
        markdown(&analysis);
    }
}

#[test]
fn no_name_is_markup() {
    let analysis = fixture::hostile();
    let page = html(&analysis).unwrap();
    assert!(!page.contains("<script>alert") && !page.contains("<img"));
    assert_eq!(page.matches("<script>").count(), 1, "only the page's own");
    assert_balanced(&page);

    let summary = markdown(&analysis);
    assert!(!summary.contains("<script") && !summary.contains("<img"));
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let rows: Vec<usize> = summary.lines().filter(|line| line.starts_with('|')).map(cells).collect();
    assert!(rows.iter().all(|cells| [5, 6, 9, 10, 11].contains(cells)), "{rows:?}");

    let table = csv(&analysis);
    assert!(
        table.contains("\"</title><script>alert(\"\"1\"\")</script>\n'&amp;"),
        "CSV quotes, and changes nothing"
    );
    files::assert_valid(&e3_report::junit(&analysis));
    for file in e3_report::figures(&analysis) {
        files::assert_well_formed(&file.svg);
        assert!(
            file.stem.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{}",
            file.stem
        );
    }
}

#[test]
fn a_run_that_measured_nothing_has_a_page_too() {
    let mut analysis = analysis();
    analysis.answer = e3_model::Answer::default();
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
    assert!(!e3_report::figures(&analysis).is_empty(), "comparisons of threads that are gone harm nothing");
}

#[test]
fn unknown_bytes_are_no_zero_and_the_cipher_is_named() {
    let mut analysis = analysis();
    let stage = &mut analysis.threads[0].stages[0];
    stage.honesty.ssh_ciphers = vec!["aes128-gcm@openssh.com".to_owned()];
    for op in stage.ops.iter_mut().chain([&mut stage.total]) {
        (op.bytes_in, op.bytes_out) = (None, None);
    }
    let page = html(&analysis).unwrap();
    for words in ["cipher of SSH", "aes128-gcm@openssh.com", "unknown of one op at least"] {
        assert!(page.contains(words), "{words}");
    }
    let table = csv(&analysis);
    let mut lines = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let of = |line: &[&str], name| line[head.iter().position(|column| *column == name).unwrap()].to_owned();
    let (unknown, known): (Vec<_>, Vec<_>) = lines.partition(|line| of(line, "bytes_in").is_empty());
    assert_eq!(unknown.len(), analysis.threads[0].stages[0].ops.len() + 1);
    assert!(unknown.iter().all(|line| of(line, "bytes_out").is_empty() && !known.is_empty()));
}
