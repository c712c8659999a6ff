//! What the report says of an open load: its rate is its load, a kept schedule is no evidence, nothing due vanishes.

use e3_model::{Connections, GitClient, HttpVersion, Measure, Stamp, Verdict, Verify};
use e3_report::{csv, figures, html, markdown};

use crate::fixture;

fn text(page: &str) -> String {
    page.replace('\u{a0}', " ").replace("&nbsp;", " ").replace("&#x2f;", "/")
}

#[test]
fn the_summary_of_an_open_load_reads_as_before() {
    insta::assert_snapshot!("markdown_open_model", markdown(&fixture::open_model()));
}

#[test]
fn the_load_is_the_rate_and_never_the_bound_on_clients() {
    let analysis = fixture::open_model();
    let page = text(&html(&analysis).unwrap());
    for words in [
        "Throughput against arrival rate, by thread",
        "arrivals per second, as scheduled",
        "Latency over time at 200/s, by thread",
        "one node, 20 → 200/s (Poisson)",
        "Open model: latency counts from when an arrival was due",
        "of the ops that were due",
        "Dashed: all that was due.",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("64 clients") && !page.contains("Closed model: each"), "64 is only a bound");
    for file in [markdown(&analysis), csv(&analysis), e3_report::junit(&analysis)] {
        assert!(file.contains("200/s") && !file.contains("64 clients"), "{file}");
    }
}

#[test]
fn what_never_began_is_shown_wherever_latency_is() {
    let analysis = fixture::open_model();
    let behind =
        analysis.threads[0].stages.iter().find(|stage| stage.honesty.arrivals.unwrap().unstarted > 0);
    let behind = behind.expect("one node falls behind");
    let arrivals = behind.honesty.arrivals.unwrap();
    let never = e3_model::quantity::count(arrivals.unstarted);
    assert!(behind.stamps.contains(&Stamp::ConcurrencyBound));
    let page = text(&html(&analysis).unwrap());
    for words in [
        format!("{never} never begun"),
        format!("{never} of these never began"),
        "had not ended when the stage did, so percentiles of the successes are too low.".to_owned(),
        "all due ?".to_owned(),
        "of 4,000 due".to_owned(),
        "all due ≥ ".to_owned(),
        "arrivals never began".to_owned(),
        "maxClients".to_owned(),
    ] {
        assert!(page.contains(&words), "{words}");
    }
    let bound = behind.total.all_due.unwrap().p95.unwrap();
    assert!(bound.at_least);
    let percentiles = behind.total.latency.as_ref().unwrap();
    assert!(percentiles.p95_ms.unwrap() > bound.ms, "what they had waited says less than the successes do");
    let shown = format!("{} (?)", e3_model::quantity::number(percentiles.p95_ms.unwrap()));
    assert!(markdown(&analysis).contains(&shown), "{shown}");
    let table = csv(&analysis);
    let columns: Vec<&str> = table.lines().next().unwrap().split(',').collect();
    let column = |name: &str| columns.iter().position(|column| *column == name).unwrap();
    let row = table.lines().find(|line| line.starts_with("one node,stage-002,")).unwrap();
    let fields: Vec<&str> = row.split(',').collect();
    assert_eq!(fields.len(), columns.len());
    for (name, value) in [
        ("clients", String::new()),
        ("load", "200/s".to_owned()),
        ("rate_to_per_s", "200".to_owned()),
        ("arrival", "constant".to_owned()),
        ("max_clients", "64".to_owned()),
        ("arrivals_unstarted", arrivals.unstarted.to_string()),
        ("all_due_p95_ms", format!(">={}", bound.ms)),
    ] {
        assert_eq!(fields[column(name)], value, "{name}");
    }
}

#[test]
fn a_schedule_that_was_kept_gets_no_verdict_on_throughput() {
    let analysis = fixture::open_model();
    let verdicts: Vec<(String, Verdict)> = analysis
        .comparisons
        .iter()
        .filter(|one| one.measure == Measure::Throughput)
        .map(|one| (one.load().to_string(), one.verdict))
        .collect();
    assert_eq!(verdicts[0], ("50/s".to_owned(), Verdict::NoEvidence));
    assert!(
        verdicts.contains(&("200/s".to_owned(), Verdict::Better)),
        "the other one fell behind: {verdicts:?}"
    );
    let page = text(&html(&analysis).unwrap());
    assert!(page.contains("The schedule sets the rate of the open model"));
}

#[test]
fn every_limit_that_a_worker_passed_is_named_with_what_was_measured() {
    let analysis = fixture::open_model();
    let bound = analysis.threads.iter().flat_map(|thread| &thread.stages);
    let bound = bound.filter(|stage| stage.stamps.contains(&Stamp::ClientBound)).collect::<Vec<_>>();
    assert_eq!(bound.len(), 1);
    let page = text(&html(&analysis).unwrap());
    for reason in bound[0].honesty.client_bound() {
        assert!(page.contains(&reason.to_string()), "{reason}");
        assert!(markdown(&analysis).contains(&reason.to_string()), "{reason}");
    }
    assert_eq!(page.matches(r#"<details class="load meter" open>"#).count(), 1, "that one is unfolded");
    let meters = figures(&analysis).iter().filter(|file| file.stem.ends_with("-scheduling-lag")).count();
    assert_eq!(meters, 8);
}

#[test]
fn stages_of_both_models_share_no_axis_and_no_table() {
    let analysis = fixture::both_models();
    let stems: Vec<String> = figures(&analysis).into_iter().map(|file| file.stem).collect();
    for stem in [
        "throughput",
        "throughput-by-rate",
        "latency-p95",
        "latency-p95-by-rate",
        "over-time-16-clients",
        "over-time-200-per-s",
        "distribution-20-to-200-per-s-poisson",
    ] {
        assert!(stems.iter().any(|own| own == stem), "{stem} in {stems:?}");
    }
    let files = figures(&analysis);
    let numbers = |stem: &str| &files.iter().find(|file| file.stem == stem).unwrap().csv;
    assert_eq!(numbers("throughput").lines().count(), 1 + 6);
    assert_eq!(numbers("throughput-by-rate").lines().count(), 1 + 8);
    let page = text(&html(&analysis).unwrap());
    assert!(page.contains("Closed model: each client") && page.contains("Open model: latency counts"));
}

#[test]
fn how_clients_talked_is_said_once_where_it_is_the_same() {
    let mut analysis = fixture::open_model();
    analysis.git_client = Some(GitClient::Native);
    for stage in analysis.threads.iter_mut().flat_map(|thread| &mut thread.stages) {
        stage.transport.connections = Some(Connections::KeepAlive);
        (stage.transport.http, stage.transport.verify) = (HttpVersion::Http2, Verify::Sampled);
    }
    let said = "HTTP/2; connections kept from op to op; an op times out after 30 s. Git ops by E3’s own client; the checksum of one pack in 16 was verified, of the others header, framing and end.";
    let page = text(&html(&analysis).unwrap());
    assert_eq!(page.matches(said).count(), 1);
    assert!(markdown(&analysis).contains(said));
    assert!(csv(&analysis).lines().nth(1).unwrap().ends_with(",30000,keepAlive,2,sampled,native,,,,,"));
    analysis.threads[0].stages[0].transport.verify = Verify::Always;
    let page = text(&html(&analysis).unwrap());
    assert_eq!(page.matches(said).count(), 7, "at each stage that has it");
    assert!(page.contains("Not the same at every stage"));
}
