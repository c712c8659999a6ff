//! The display at several widths, as a plan and its events bring it about.

use e3_fleet::{FleetEvent, Probing, Recent};
use e3_model::{
    Arrival, ArrivalPlan, ProbeVerdict, SearchEnd, Seed, Span, StageId, StageOutcome, StageRef, ThreadId,
};
use e3_stats::SearchState;

use super::*;
use crate::display::state::State;

/// Two rounds of 60 s for as many threads as there are names, after 12 s of the first.
fn state(names: &[&str]) -> State {
    let threads = u16::try_from(names.len()).unwrap();
    let round = |stage: u16| (0..threads).map(|thread| (at(thread, stage), 60, None)).collect();
    let mut state = State::of_rounds(vec![round(0), round(1)]);
    for (thread, name) in (0..threads).zip(names) {
        let position = usize::from(thread) + 1;
        state.hear(&started(at(thread, 0), name, position, 2 * names.len()), Duration::ZERO);
    }
    for thread in 0..threads {
        state.hear(
            &progress(at(thread, 0), 3000 + u64::from(thread), u64::from(thread)),
            Duration::from_secs(12),
        );
    }
    state
}

fn at(thread: u16, stage: u16) -> StageRef {
    StageRef { thread: ThreadId(thread.into()), stage: StageId(stage.into()) }
}

fn started(stage: StageRef, thread: &str, position: usize, of: usize) -> FleetEvent {
    let (thread, clients, duration) = (thread.to_owned(), 16, Span::from_secs(60));
    let (arrivals, probe) = (None, None);
    FleetEvent::StageStarted { stage, thread, clients, arrivals, duration, position, of, probe }
}

fn progress(stage: StageRef, ok: u64, errors: u64) -> FleetEvent {
    let recent = Recent { rate_per_s: 254.3, error_rate: Some(0.0), p50_ms: Some(3.24), p99_ms: Some(41.2) };
    FleetEvent::Progress { stage, ok, errors, elapsed_s: 12.0, recent }
}

fn ended(stage: StageRef) -> FleetEvent {
    let outcome = StageOutcome::Completed;
    FleetEvent::StageEnded { stage, outcome, ok: 1, errors: 0, max_ms: 1.0, failures: Vec::new() }
}

fn shown(state: &State, columns: usize, rows: usize, seconds: u64) -> String {
    let lines = lines(state, Size { columns, rows }, Duration::from_secs(seconds), Style::PLAIN);
    for line in &lines {
        assert_eq!(line.columns, text::columns(&line.shown), "{:?}", line.shown);
        assert!(line.columns < columns, "{} columns in {columns}: {:?}", line.columns, line.shown);
    }
    assert!(lines.len() < rows, "{} lines in {rows} rows", lines.len());
    lines.into_iter().map(|line| line.shown + "\n").collect()
}

#[test]
fn a_thread_has_as_many_figures_as_there_is_room_for() {
    let mut state = state(&["1 node", "a system with a long name", "日本語のノード"]);
    state.hear(&progress(at(1, 0), 12_345, 1_234), Duration::from_secs(12));
    let widths = [60, 80, 120, 200].map(|columns| format!("{columns}\n{}", shown(&state, columns, 24, 12)));
    insta::assert_snapshot!(widths.join("\n"));
}

#[test]
fn no_width_and_no_height_breaks_a_line() {
    let state = state(&["1 node", "2 nodes", "日本語のノード", "4 nodes"]);
    for columns in 2..220 {
        for rows in [2, 3, 4, 24] {
            // The assertions are in there.
            assert_ne!(shown(&state, columns, rows.max(3), 12), "", "{columns} x {rows}");
        }
    }
}

#[test]
fn threads_that_do_not_fit_are_counted() {
    let state = state(&["a", "b", "c", "d", "e"]);
    let shown = shown(&state, 80, 6, 12);
    let lines: Vec<_> = shown.lines().collect();
    assert!(lines[0].starts_with('a') && lines[1].starts_with('b'), "{shown}");
    assert_eq!(lines[2], "… and 3 more threads");
    assert!(lines[3].starts_with("run"), "the line about the whole run stays: {shown}");
}

#[test]
fn the_time_left_follows_the_plan() {
    let mut state = state(&["1 node"]);
    for (seconds, stage, run) in [(0, "1 min", "2 min"), (12, "48 s", "1 min 48 s"), (60, "ending", "1 min")]
    {
        let shown = shown(&state, 120, 24, seconds);
        assert!(
            shown.contains(stage) && shown.contains(&format!("about {run} left")),
            "{seconds} s: {shown}"
        );
    }
    state.hear(&ended(at(0, 0)), Duration::from_secs(61));
    assert_eq!(shown(&state, 120, 24, 61).lines().count(), 1, "between stages there is the run alone");
    state.hear(&started(at(0, 1), "1 node", 2, 2), Duration::from_secs(65));
    assert!(shown(&state, 120, 24, 95).contains("about 30 s left"), "{}", shown(&state, 120, 24, 95));
    state.hear(&ended(at(0, 1)), Duration::from_secs(126));
    assert!(
        shown(&state, 120, 24, 126).contains("2 of 2 stages done")
            && shown(&state, 120, 24, 126).contains("done")
    );
    state.end();
    assert_eq!(lines(&state, Size { columns: 80, rows: 24 }, Duration::ZERO, Style::PLAIN), []);
}

#[test]
fn the_time_between_stages_counts_for_those_to_come() {
    let round = |stage| vec![(at(0, stage), 60, None)];
    let mut state = State::of_rounds((0..4).map(round).collect());
    state.hear(&started(at(0, 0), "a", 1, 4), Duration::ZERO);
    state.hear(&ended(at(0, 0)), Duration::from_secs(60));
    state.hear(&started(at(0, 1), "a", 2, 4), Duration::from_secs(70));
    // 60 s of this stage and of two others, and ten seconds before each of these.
    assert!(shown(&state, 80, 24, 70).contains("about 3 min 20 s left"), "{}", shown(&state, 80, 24, 70));
}

#[test]
fn a_stage_that_ends_by_a_count_is_as_far_as_its_ops() {
    let mut state = State::of_rounds(vec![vec![(at(0, 0), 600, Some(6000))]]);
    state.hear(&started(at(0, 0), "a", 1, 1), Duration::ZERO);
    state.hear(&progress(at(0, 0), 2990, 10), Duration::from_secs(12));
    let shown = shown(&state, 120, 24, 12);
    assert!(shown.contains("12 s left"), "half of the ops took 12 s: {shown}");
    assert_eq!(shown.lines().count(), 1, "a run of one stage is the stage: {shown}");
}

#[test]
fn an_open_stage_shows_the_rate_that_is_wanted_just_now() {
    let arrivals = ArrivalPlan {
        arrival: Arrival::Poisson,
        from: 0.0,
        to: 500.0,
        ramp: Span::from_secs(20),
        seed: Seed(1),
    };
    let mut state = State::of_rounds(vec![vec![(at(0, 0), 60, None)]]);
    let FleetEvent::StageStarted { stage, thread, clients, duration, position, of, probe, .. } =
        started(at(0, 0), "a", 1, 1)
    else {
        unreachable!("it is one")
    };
    let arrivals = Some(arrivals);
    let event = FleetEvent::StageStarted { stage, thread, clients, arrivals, duration, position, of, probe };
    state.hear(&event, Duration::ZERO);
    state.hear(&progress(at(0, 0), 3000, 0), Duration::from_secs(12));
    for (seconds, target) in [(1, "target 25.0/s"), (12, "target 300/s"), (30, "target 500/s")] {
        let shown = shown(&state, 120, 24, seconds);
        assert!(shown.contains(target) && shown.contains("254 ops/s"), "{seconds} s: {shown}");
        assert!(!shown.contains("clients"), "they are no load: {shown}");
    }
    assert_eq!(state.load(at(0, 0), 1_000), "0 → 500/s (Poisson) within 20 s by at most 1,000 clients");
    assert_eq!(state.load(at(0, 1), 1), "1 client", "what does not run has no rate");
}

#[test]
fn a_plain_line_is_due_every_so_often() {
    let mut state = state(&["1 node"]);
    let every = Duration::from_secs(10);
    let mut due = |seconds| state.line_due(at(0, 0), Duration::from_secs(seconds), every);
    let line = due(12).unwrap();
    assert_eq!(
        line,
        "     254 ops/s, 0 errors, p50 3.24 ms, p99 41.2 ms; 48 s left, about 1 min 48 s of the run"
    );
    assert_eq!(due(13), None, "one was just written");
    assert!(due(22).is_some());
    assert_eq!(due(60), None, "its end is told anyway");
}

#[test]
fn a_threads_name_cannot_move_the_cursor() {
    let state = state(&["a\u{1b}[2J\nb"]);
    assert!(!shown(&state, 80, 24, 12).contains('\u{1b}'));
}

#[test]
fn a_stage_that_ends_by_a_count_says_so() {
    let mut state = State::of_rounds(vec![vec![(at(0, 0), 3600, Some(1500))], vec![(at(0, 1), 60, None)]]);
    let hour = Span::from_secs(3600);
    for stage in [at(0, 0), at(0, 1)] {
        state.hear(&started(stage, "one", 1, 2), Duration::ZERO);
    }
    assert_eq!(state.length(at(0, 0), hour), "for 1,500 ops, at most 1 h");
    assert_eq!(state.length(at(0, 1), Span::from_secs(60)), "for 1 min");
}

#[test]
fn a_search_says_which_probe_runs_and_takes_no_longer_than_all_of_them() {
    let mut state = State::of_rounds(vec![vec![(at(0, 0), 60, None)]]).with_searches(12);
    let search = at(0, 0);
    let probe = |stage, number| {
        let (thread, clients, duration) = ("a".to_owned(), 16, Span::from_secs(60));
        let (arrivals, probe) = (None, Some(Probing { search, number, of: 12 }));
        FleetEvent::StageStarted { stage, thread, clients, arrivals, duration, position: 1, of: 1, probe }
    };
    let judged = |next, end| {
        let held = SearchState { next, end, highest_held: None, lowest_broken: None };
        let (thread, reason) = ("a".to_owned(), String::new());
        let (is_open, verdict) = (false, ProbeVerdict::Held);
        FleetEvent::ProbeJudged { stage: at(0, 1), search, thread, is_open, verdict, reason, state: held }
    };
    state.hear(&probe(at(0, 1), 1), Duration::ZERO);
    let first = shown(&state, 120, 24, 12);
    assert!(first.contains("1/1 probe  1"), "{first}");
    assert!(first.contains("0 of 1 stages done") && first.contains("at most 11 min 48 s left"), "{first}");
    state.hear(&ended(at(0, 1)), Duration::from_secs(60));
    state.hear(&judged(Some(32.0), SearchEnd::CutShort), Duration::from_secs(60));
    state.hear(&probe(at(0, 2), 2), Duration::from_secs(65));
    // Ten more probes, and the five seconds between two of them before each.
    let second = shown(&state, 120, 24, 65);
    assert!(second.contains("at most 11 min 50 s left"), "{second}");
    state.hear(&ended(at(0, 2)), Duration::from_secs(125));
    state.hear(&judged(None, SearchEnd::Found), Duration::from_secs(125));
    assert_eq!(state.stages(), (1, 1));
    assert!(!state.searches());
}
