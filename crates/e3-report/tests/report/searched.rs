//! What the report says of capacity searches, of the versions that answered, and of the properties that differ.

use std::collections::BTreeMap;

use e3_model::{
    Analysis, ProbePoint, ProbeVerdict, ProbedCondition, ProductVersion, Relation, SearchAnalysis, SearchEnd,
    StageAnalysis, StageId, Statistic, Threshold, ThresholdState,
};
use e3_report::{csv, figures, html, junit, markdown};

use crate::files::assert_valid;
use crate::fixture;
use crate::markup::assert_balanced;

/// Two threads of which each searched for the highest rate with a p95 below 500 ms and few failures. The loads are those
/// that the procedure asks for where one system bears 127/s and the other 181/s; one probe was client-bound.
pub(crate) fn searched() -> Analysis {
    let mut analysis = fixture::open_model();
    analysis.comparisons.clear();
    analysis.thresholds.clear();
    analysis.headlines.clear();
    analysis.answer = e3_model::Answer {
        text: "“two nodes” bears more load than “one node”: its conditions held at 175.625/s, those of “one node” were broken at 129.684/s.".to_owned(),
        confidence: "From 8 and 9 probes.".to_owned(),
        verdict: Some(e3_model::Verdict::Better),
    };
    let loads: [&[f64]; 2] = [
        &[50.0, 100.0, 200.0, 141.421, 118.921, 129.684, 124.186, 124.186, 124.186],
        &[50.0, 100.0, 200.0, 141.421, 168.179, 183.401, 175.625, 175.625],
    ];
    for ((index, thread), (loads, knee)) in
        (0..).zip(&mut analysis.threads).zip(loads.iter().zip([127.0, 181.0]))
    {
        let shape = thread.stages[0].clone();
        thread.stages.truncate(1);
        let mut probes = Vec::new();
        for (number, load) in (2..).zip(*loads) {
            let mut stage = probe(&shape, number, (*load, knee));
            let condition = conditions(&mut stage, (index, number) == (0, 8));
            let states: Vec<_> = condition.iter().map(|own| own.state).collect();
            let verdict = if states.contains(&ThresholdState::Broken) {
                ProbeVerdict::Broken
            } else if states.contains(&ThresholdState::Undecided) {
                ProbeVerdict::Undecided
            } else {
                ProbeVerdict::Held
            };
            probes.push(ProbePoint {
                stage: StageId(number),
                load: *load,
                verdict: Some(verdict),
                reason: condition.iter().map(|own| own.detail.as_str()).collect::<Vec<_>>().join(" "),
                conditions: condition,
            });
            thread.stages.push(stage);
        }
        let stage = e3_model::StageRef { stage: StageId(1), ..shape.stage };
        analysis.searches.push(search(stage, &thread.name, probes));
    }
    analysis.stamps = vec![e3_model::Stamp::CoLocated, e3_model::Stamp::ClientBound];
    analysis
}

fn probe(shape: &StageAnalysis, number: u32, (load, knee): (f64, f64)) -> StageAnalysis {
    let mut stage = shape.clone();
    (stage.stage.stage, stage.probed_load) = (StageId(number), Some(load));
    stage.position = 2 * number + shape.position;
    stage.started_unix_ns += u64::from(stage.position) * 26_000_000_000;
    let arrivals = stage.arrivals.as_mut().unwrap();
    (arrivals.from, arrivals.to) = (load, load);
    stage.total.rate_per_s = load.min(knee + 5.0);
    stage.total.error_rate = Some(if load > knee { 0.02 } else { 0.001 });
    let slow = 190.0 + 0.2 * load + 300.0 * ((load - knee) / 6.0).exp().min(12.0);
    stage.total.latency.as_mut().unwrap().p95_ms = Some(slow + 3.0 * f64::from(number));
    stage
}

fn conditions(stage: &mut StageAnalysis, is_client_bound: bool) -> Vec<ProbedCondition> {
    if is_client_bound {
        stage.stamps.push(e3_model::Stamp::ClientBound);
    }
    let seen = |value: f64, limit: f64, detail: String| ProbedCondition {
        value: Some(value),
        state: match (is_client_bound, value < limit) {
            (true, _) => ThresholdState::Undecided,
            (_, true) => ThresholdState::Held,
            _ => ThresholdState::Broken,
        },
        detail,
    };
    let p95 = stage.total.latency.as_ref().unwrap().p95_ms.unwrap();
    let errors = stage.total.error_rate.unwrap();
    vec![
        seen(p95, 500.0, format!("The 95th percentile of latency is {p95:.0} ms.")),
        seen(errors, 0.01, format!("The share of failures is {} %.", 100.0 * errors)),
    ]
}

fn search(stage: e3_model::StageRef, thread: &str, probes: Vec<ProbePoint>) -> SearchAnalysis {
    let threshold = |text: &str, statistic, limit| Threshold {
        text: text.to_owned(),
        statistic,
        target: None,
        relation: Relation::Below,
        limit,
    };
    let conditions = vec![
        threshold("p95 < 500ms", Statistic::P95, 500.0),
        threshold("errors < 1%", Statistic::Errors, 0.01),
    ];
    let loads = |verdict| probes.iter().filter(move |own| own.verdict == Some(verdict)).map(|own| own.load);
    let highest_held = loads(ProbeVerdict::Held).fold(0.0, f64::max);
    let lowest_broken = loads(ProbeVerdict::Broken).fold(f64::INFINITY, f64::min);
    SearchAnalysis {
        stage,
        thread: thread.to_owned(),
        slo: conditions.iter().map(|own| own.text.clone()).collect(),
        conditions,
        is_open: true,
        highest_held: Some(highest_held),
        lowest_broken: Some(lowest_broken),
        end: SearchEnd::Found,
        sentence: format!("“{thread}” meets p95 < 500ms and errors < 1% up to {highest_held}/s."),
        probes,
    }
}

fn text(page: &str) -> String {
    page.replace('\u{a0}', " ").replace("&nbsp;", " ").replace("&#x2f;", "/").replace("&lt;", "<")
}

#[test]
fn the_summary_of_a_search_reads_as_before() {
    insta::assert_snapshot!("markdown_of_a_search", markdown(&searched()));
}

#[test]
fn the_capacity_is_a_section_with_charts_and_a_line_for_every_probe() {
    let analysis = searched();
    let page = html(&analysis).unwrap();
    assert_balanced(&page);
    let page = text(&page);
    let section =
        &page[page.find(r#"<section id="capacity">"#).unwrap()..page.find(r#"<section id="load">"#).unwrap()];
    let probes = analysis.searches.iter().map(|search| search.probes.len()).sum::<usize>();
    assert_eq!(section.matches(r##"<td><a href="#thread-"##).count(), probes);
    for words in [
        "“one node” meets p95 < 500ms and errors < 1% up to 124.186/s.",
        r##"<a href="#thread-001-stage-008">7</a>"##,
        "p95 < 500ms at the loads that were probed: one node",
        "The 95th percentile of latency is",
    ] {
        assert!(section.contains(words), "{words}");
    }
    assert!(page.contains(r#"id="thread-001-stage-008""#), "where the link leads");
    for words in
        ["open model, probe 7: undecided", "Probe 7 of 9 of the search for p95 < 500ms and errors < 1%."]
    {
        assert!(page.contains(words), "{words}");
    }
    let files = figures(&analysis);
    let numbers = |stem: &str| files.iter().find(|file| file.stem == stem).map(|file| file.csv.clone());
    let own = numbers("capacity-thread-001-stage-001-1").unwrap();
    assert_eq!(own.lines().count(), 1 + 9);
    assert!(own.lines().nth(1).unwrap().starts_with("1,stage-002,50,50,"), "{own}");
    assert!(numbers("capacity-thread-002-stage-001-2").is_some());
    let nothing = html(&fixture::open_model()).unwrap();
    assert!(!nothing.contains(r##"#capacity""##), "no search, no section");
}

#[test]
fn probes_are_not_shown_load_by_load_beside_the_stages_of_the_plan() {
    let mut analysis = searched();
    let stems = |analysis: &Analysis| -> Vec<String> {
        figures(analysis)
            .into_iter()
            .map(|file| file.stem)
            .filter(|stem| stem.starts_with("over-time"))
            .collect()
    };
    assert_eq!(stems(&analysis), ["over-time-50-per-s"]);
    let page = html(&analysis).unwrap();
    assert!(text(&page).contains("one node, 124.186/s (stage-008): "), "of several at one load, which");
    for thread in &mut analysis.threads {
        thread.stages.remove(0);
    }
    assert_eq!(stems(&analysis), [] as [String; 0]);
    let page = html(&analysis).unwrap();
    assert!(!page.contains(r#"<section id="time">"#) && !page.contains(r##"href="#time""##));
}

#[test]
fn the_files_name_every_probe_and_a_search_is_no_failure() {
    let mut analysis = searched();
    let table = csv(&analysis);
    let columns: Vec<&str> = table.lines().next().unwrap().split(',').collect();
    assert!(columns.ends_with(&["product", "probe_of", "probe", "probed_load", "probe_verdict"]));
    let row = table.lines().find(|line| line.starts_with("one node,stage-004,")).unwrap();
    assert!(row.ends_with(",stage-001,3,200,broken"), "{row}");
    let planned = table.lines().find(|line| line.starts_with("one node,stage-000,")).unwrap();
    assert!(planned.ends_with(",,,,,"), "{planned}");
    let xml = junit(&analysis);
    assert_valid(&xml);
    assert_eq!((xml.matches("<testcase ").count(), xml.matches("<skipped/>").count()), (2, 0));
    assert!(xml.contains("up to 124.186/s.</system-out>"), "{xml}");
    analysis.searches[1].highest_held = None;
    let xml = junit(&analysis);
    assert_valid(&xml);
    assert_eq!(xml.matches("<skipped/>").count(), 1);
    assert!(!xml.contains("<failure") && !xml.contains("<error"), "{xml}");
}

#[test]
fn whatever_a_search_holds_it_is_drawn() {
    let mut analysis = searched();
    for probe in &mut analysis.searches[0].probes {
        probe.conditions.iter_mut().for_each(|own| own.value = None);
        probe.verdict = None;
    }
    analysis.searches[1].probes.clear();
    (analysis.searches[1].highest_held, analysis.searches[1].lowest_broken) = (None, None);
    let page = html(&analysis).unwrap();
    assert_balanced(&page);
    assert!(page.contains("did not end") && page.contains("No probe was begun."));
    assert!(!page.contains("NaN") && !page.contains("inf "));
    assert_valid(&junit(&analysis));
    markdown(&analysis);
}

#[test]
fn the_version_that_answered_and_the_properties_that_differ_are_said() {
    let mut analysis = fixture::open_model();
    let strategy = "throttle.resource.scm-hosting.strategy";
    let lines = |own: &str| {
        BTreeMap::from([(strategy.to_owned(), own.to_owned()), ("page.max".to_owned(), "100".to_owned())])
    };
    analysis.threads[0].properties = lines("fixed");
    analysis.threads[1].properties = lines("adaptive");
    analysis.threads[1].properties.insert("jmx.enabled".to_owned(), "true".to_owned());
    for thread in &mut analysis.threads {
        thread.stages.iter_mut().for_each(|stage| stage.product = Some(ProductVersion::new(8, 19, 0)));
    }
    analysis.threads[0].stages[1].product = None;
    analysis.threads[1].stages[2].product = Some(ProductVersion::new(9, 0, 1));
    let page = text(&html(&analysis).unwrap());
    for words in [
        "<dd>Answered as Bitbucket 8.19.0.</dd>",
        r#"<dd class="changed">Answered as Bitbucket 8.19.0, from stage-002 on as 9.0.1, from stage-003 on as 8.19.0: its version changed between stages.</dd>"#,
        "<code>throttle.resource.scm-hosting.strategy = adaptive</code>",
        "<code>jmx.enabled is not set</code>",
        "<dt>Properties of all</dt><dd><code>page.max = 100</code></dd>",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert_eq!(page.matches("page.max").count(), 1, "what is the same is said once");
    let summary = markdown(&analysis);
    assert!(summary.contains("- one node: Answered as Bitbucket 8.19.0. Properties: jmx.enabled is not set, throttle.resource.scm-hosting.strategy = fixed."), "{summary}");
    analysis.threads.truncate(1);
    let alone = text(&html(&analysis).unwrap());
    assert!(alone.contains("<code>page.max = 100</code>") && !alone.contains("Properties of all"));
}
