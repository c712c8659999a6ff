//! The three most telling numbers, in plain words.
//!
//! An engineer asks first how much the systems did, then how long one waits at the highest load, then what failed; of a
//! search first what it found, while how long one waits beyond that says nothing. Each headline names its unit and its
//! population; none says that something is better.

use std::collections::BTreeMap;

use e3_model::{
    Headline, Latency, LoadLevel, OpStatistics, SearchAnalysis, SearchEnd, Span, StageAnalysis, Stamp,
    ThreadAnalysis, quantity,
};
use e3_stats::wilson;

/// Returns the headlines that can be given, the most telling first; without any op there is none.
pub(crate) fn headlines(threads: &[ThreadAnalysis], searches: &[SearchAnalysis]) -> Vec<Headline> {
    let arms = arms(threads);
    let telling = match capacity(searches) {
        Some(capacity) => [Some(capacity), throughput(&arms), failures(threads)],
        None => [throughput(&arms), slowest(&arms), failures(threads)],
    };
    telling.into_iter().flatten().collect()
}

/// The highest load of any thread's search, with those of the other threads that searched the same stage; loads of
/// different models have no order.
fn capacity(searches: &[SearchAnalysis]) -> Option<Headline> {
    let first = searches.first()?;
    let is_like = |own: &&SearchAnalysis| {
        own.is_open == first.is_open && own.stage.stage == first.stage.stage && own.slo == first.slo
    };
    let found = |own: &SearchAnalysis| own.highest_held.unwrap_or(0.0);
    let alike = searches.iter().filter(is_like);
    let best = alike.fold(first, |best, own| if found(own) > found(best) { own } else { best });
    let shown = |own: &SearchAnalysis| match (own.highest_held, own.end) {
        (Some(load), _) => own.level(load).to_string(),
        (None, SearchEnd::HeldNowhere) => "none".to_owned(),
        (None, _) => "not known".to_owned(),
    };
    let others = searches.iter().filter(is_like).filter(|own| own.stage != best.stage);
    let others: String =
        others.take(MOST_OTHERS).map(|own| format!(" “{}”: {}.", own.thread, shown(own))).collect();
    Some(Headline {
        label: "Highest load that held".to_owned(),
        value: shown(best),
        detail: format!("{}{others}", best.sentence),
    })
}

/// One stage and the name of its thread.
#[derive(Clone, Copy)]
struct Arm<'a> {
    thread: &'a str,
    stage: &'a StageAnalysis,
}

/// Returns the stages that numbers can be taken from: those that are valid and ran to their end, or all when none is.
fn arms(threads: &[ThreadAnalysis]) -> Vec<Arm<'_>> {
    let all: Vec<Arm<'_>> = threads
        .iter()
        .flat_map(|thread| thread.stages.iter().map(|stage| Arm { thread: &thread.name, stage }))
        .filter(|arm| arm.stage.total.ok > 0)
        .collect();
    let valid: Vec<Arm<'_>> = all.iter().copied().filter(|arm| is_valid(arm.stage)).collect();
    if valid.is_empty() { all } else { valid }
}

fn is_valid(stage: &StageAnalysis) -> bool {
    !stage
        .stamps
        .iter()
        .any(|stamp| matches!(stamp, Stamp::ClientBound | Stamp::SamplesLost | Stamp::Incomplete))
}

fn throughput(arms: &[Arm<'_>]) -> Option<Headline> {
    let best = highest_rate(arms.iter().copied())?;
    let total = &best.stage.total;
    let interval = total.rate_interval.map_or_else(String::new, |ends| {
        format!(" (95 % interval {} to {})", quantity::number(ends.low), quantity::rate(ends.high))
    });
    let others = each_other_thread(arms, best.thread, |own| {
        let top = highest_rate(own.iter().copied())?;
        let (rate, load) = (top.stage.total.rate_per_s, top.stage.load());
        let shown = format!("{} at {load}", quantity::rate(rate));
        // Of different loads, a ratio would say more about the loads than about the systems; in the open model, more about
        // the schedule.
        let is_like = load == best.stage.load() && !load.is_open();
        let ratio = || format!("{shown}, {} times that", quantity::number(rate / total.rate_per_s));
        Some(if is_like { ratio() } else { shown.clone() })
    });
    Some(Headline {
        label: "Highest throughput".to_owned(),
        value: quantity::rate(total.rate_per_s),
        detail: format!(
            "“{}” at {}; {} successes of all ops in {}{interval}.{}{others}{}",
            best.thread,
            best.stage.load(),
            quantity::count(total.ok),
            window(best.stage),
            scheduled(best.stage),
            caveat(best.stage),
        ),
    })
}

/// Says of the open model what a throughput is then worth.
fn scheduled(stage: &StageAnalysis) -> String {
    match (stage.load().is_open(), stage.total.cancelled) {
        (false, _) => String::new(),
        (true, 0) => {
            " The schedule set this rate, and all that was due was done: it may not be the limit.".to_owned()
        }
        (true, cancelled) => format!(
            " The schedule set this rate; {} of {} ops that were due had not ended when the stage did.",
            quantity::count(cancelled),
            quantity::count(stage.due())
        ),
    }
}

fn highest_rate<'a>(arms: impl Iterator<Item = Arm<'a>>) -> Option<Arm<'a>> {
    arms.fold(None, |best: Option<Arm<'_>>, arm| match best {
        Some(best) if best.stage.total.rate_per_s >= arm.stage.total.rate_per_s => Some(best),
        _ => Some(arm),
    })
}

/// The slowest op is the one with the highest mean, among those with enough successes for a median: one op that was
/// seen once tells nothing. What is shown is its highest percentile of p95, p90 and p50 that enough successes speak for.
fn slowest(arms: &[Arm<'_>]) -> Option<Headline> {
    let load = arms.iter().map(|arm| arm.stage.load()).max()?;
    let loaded: Vec<Arm<'_>> = arms.iter().copied().filter(|arm| arm.stage.load() == load).collect();
    let candidates = || {
        loaded
            .iter()
            .flat_map(|arm| arm.stage.ops.iter().filter_map(|op| Some((*arm, op, op.latency.as_ref()?))))
    };
    let slower = |a: &(_, _, &Latency), b: &(_, _, &Latency)| a.2.mean_ms.total_cmp(&b.2.mean_ms);
    let known = candidates().filter(|(_, _, latency)| latency.p50_ms.is_some()).max_by(slower);
    let (arm, op, latency) = known.or_else(|| candidates().max_by(slower))?;
    let passed_over = if candidates().any(|(_, _, other)| other.mean_ms > latency.mean_ms) {
        " Ops with fewer than 10 successes are left out."
    } else {
        ""
    };
    let (name, value, of) = telling(latency);
    let others = each_other_thread(&loaded, arm.thread, |own| {
        let same = own
            .iter()
            .find_map(|arm| arm.stage.ops.iter().find(|o| (&o.script, &o.op) == (&op.script, &op.op)))?;
        let other = same.latency.as_ref().and_then(of)?;
        let shown = quantity::latency(other);
        // Where many had not ended, successes are a choice of their own in each thread.
        let is_like = unfinished(op, load).is_empty() && unfinished(same, load).is_empty();
        Some(if is_like { format!("{shown}, {} times that", quantity::number(other / value)) } else { shown })
    });
    Some(Headline {
        label: format!("{name} of the slowest op at {load}"),
        value: quantity::latency(value),
        detail: format!(
            "{} on “{}”; {} successes in {}.{others}{passed_over}{}{}",
            full_name(op),
            arm.thread,
            quantity::count(op.ok),
            window(arm.stage),
            unfinished(op, load),
            caveat(arm.stage),
        ),
    })
}

/// Says of the open model how many ops a percentile of the successes leaves out.
fn unfinished(op: &OpStatistics, load: LoadLevel) -> String {
    if op.cancelled == 0 || !load.is_open() {
        return String::new();
    }
    format!(
        " {} more were due and had not ended when the stage did; they took longer than they had waited, and are not in this number.",
        quantity::count(op.cancelled)
    )
}

type Figure = fn(&Latency) -> Option<f64>;

fn telling(latency: &Latency) -> (&'static str, f64, Figure) {
    let figures: [(&'static str, Figure); 3] = [
        ("95th percentile", |latency| latency.p95_ms),
        ("90th percentile", |latency| latency.p90_ms),
        ("Median", |latency| latency.p50_ms),
    ];
    let first = figures.into_iter().find_map(|(name, figure)| Some((name, figure(latency)?, figure)));
    first.unwrap_or(("Mean", latency.mean_ms, |latency| Some(latency.mean_ms)))
}

fn failures(threads: &[ThreadAnalysis]) -> Option<Headline> {
    let stages = || threads.iter().flat_map(|thread| &thread.stages);
    let (mut count, mut failed, mut cancelled) = (0, 0, 0);
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for total in stages().map(|stage| &stage.total) {
        count += total.count;
        failed += total.count - total.ok;
        cancelled += total.cancelled;
        for (kind, errors) in &total.errors {
            *kinds.entry(kind).or_default() += errors;
        }
    }
    let interval = wilson(failed, count)?;
    let kinds: Vec<String> =
        kinds.iter().map(|(kind, n)| format!("{} {kind}", quantity::count(*n))).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" They were {}.", kinds.join(", ")) };
    let cut_off = match cancelled {
        0 => String::new(),
        1 => " 1 more op was cut off by the end of its stage and counts as neither.".to_owned(),
        more => format!(
            " {} more ops were cut off by the end of their stages and count as neither.",
            quantity::count(more)
        ),
    };
    let never: u64 = stages().filter_map(|stage| stage.honesty.arrivals).map(|own| own.unstarted).sum();
    let never = if never > 0 {
        format!(
            " {} arrivals of the open model never began, since every client was busy.",
            quantity::count(never)
        )
    } else {
        String::new()
    };
    let has_probes = stages().any(|stage| stage.probed_load.is_some());
    let probes = if has_probes { " Probes beyond what a system bears are among them." } else { "" };
    let stages = match stages().count() {
        1 => "1 stage".to_owned(),
        more => format!("{more} stages"),
    };
    let value = if failed == 0 { "0 %".to_owned() } else { quantity::percent(ratio(failed, count)) };
    Some(Headline {
        label: "Failed ops".to_owned(),
        value,
        detail: format!(
            "{} of {} ops in {stages}, warm-up excluded (95 % interval {} to {}).{probes}{kinds}{cut_off}{never}",
            quantity::count(failed),
            quantity::count(count),
            quantity::percent(interval.low),
            quantity::percent(interval.high),
        ),
    })
}

/// Returns a sentence about each thread but the named one, as ` “two”: …;`, for up to three of them.
fn each_other_thread(arms: &[Arm<'_>], named: &str, say: impl Fn(&[Arm<'_>]) -> Option<String>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for arm in arms {
        if arm.thread != named && !names.contains(&arm.thread) {
            names.push(arm.thread);
        }
    }
    let mut sentences = String::new();
    for name in names.iter().take(MOST_OTHERS) {
        let own: Vec<Arm<'_>> = arms.iter().copied().filter(|arm| arm.thread == *name).collect();
        if let Some(said) = say(&own) {
            sentences.push_str(&format!(" “{name}”: {said}."));
        }
    }
    sentences
}

fn window(stage: &StageAnalysis) -> Span {
    Span::from_millis(stage.window_end_ms - stage.window_start_ms)
}

fn caveat(stage: &StageAnalysis) -> &'static str {
    if is_valid(stage) { "" } else { " No stage is both valid and complete: see the stamps." }
}

fn full_name(op: &OpStatistics) -> String {
    if op.op.is_empty() { op.script.clone() } else { format!("{} ({})", op.op, op.script) }
}

fn ratio(part: u64, whole: u64) -> f64 {
    to_f64(part) / to_f64(whole)
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn to_f64(value: u64) -> f64 {
    value as f64
}

/// With more threads than this, the chart says it better.
const MOST_OTHERS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;
    use crate::{analyze, gather};

    fn analyzed() -> Vec<ThreadAnalysis> {
        let fixture = Fixture::whole();
        gather(&fixture.run).unwrap();
        analyze(&fixture.run).unwrap().threads
    }

    #[test]
    fn the_headlines_name_unit_population_and_the_other_thread() {
        let threads = analyzed();
        let shown: Vec<String> = headlines(&threads, &[])
            .iter()
            .map(|h| format!("{}: {}: {}", h.label, h.value, h.detail))
            .collect();
        assert_eq!(shown, EXPECTED);
    }

    #[test]
    fn of_the_open_model_the_headlines_name_the_rate_and_what_had_not_ended() {
        let fixture = Fixture::whole_of(crate::fixture::open);
        gather(&fixture.run).unwrap();
        let mut threads = analyze(&fixture.run).unwrap().threads;
        let found = headlines(&threads, &[]);
        assert_eq!(found[0].detail, OPEN);
        assert_eq!(found[1].label, "95th percentile of the slowest op at 200/s");
        let behind = &mut threads[0].stages[1];
        (behind.total.cancelled, behind.ops[0].cancelled) = (300, 150);
        behind.honesty.arrivals =
            Some(e3_model::Arrivals { unstarted: 299, ..e3_model::Arrivals::default() });
        let found = headlines(&threads, &[]);
        assert!(found[1].detail.contains("“two nodes”: 51.0 ms. 150 more were due"), "{found:?}");
        assert!(found[2].detail.contains("299 arrivals of the open model never began"), "{found:?}");
    }

    #[test]
    fn an_invalid_stage_makes_no_headline_while_there_is_a_valid_one() {
        let mut threads = analyzed();
        for thread in &mut threads {
            thread.stages[1].stamps.push(Stamp::ClientBound);
        }
        assert!(headlines(&threads, &[])[1].label.ends_with("at 4 clients"));
        for thread in &mut threads {
            thread.stages[0].stamps.push(Stamp::SamplesLost);
        }
        let all_invalid = headlines(&threads, &[]);
        assert!(all_invalid[1].label.ends_with("at 8 clients"));
        assert!(all_invalid[0].detail.ends_with("No stage is both valid and complete: see the stamps."));
    }

    #[test]
    fn a_stage_that_was_cut_short_makes_no_headline() {
        let mut threads = analyzed();
        // Interrupted in the first moments of its window: one op in a millisecond.
        let cut = &mut threads[0].stages[1];
        cut.stamps.push(Stamp::Incomplete);
        (cut.window_end_ms, cut.total.rate_per_s) = (1_001, 1_000.0);
        let throughput = &headlines(&threads, &[])[0];
        assert_eq!(throughput.value, "100 ops/s", "{throughput:?}");
    }

    #[test]
    fn different_loads_have_no_ratio() {
        let mut threads = analyzed();
        threads[1].stages[0].stamps.push(Stamp::ClientBound);
        let throughput = &headlines(&threads, &[])[0];
        assert!(throughput.detail.ends_with("“two nodes”: 100 ops/s at 8 clients."), "{throughput:?}");
    }

    #[test]
    fn an_op_that_was_seen_once_is_not_the_slowest() {
        let mut threads = analyzed();
        for thread in &mut threads {
            for stage in &mut thread.stages {
                let once = Latency { mean_ms: 900.0, min_ms: 900.0, max_ms: 900.0, ..Latency::default() };
                (stage.ops[1].ok, stage.ops[1].latency) = (1, Some(once));
            }
        }
        let slowest = &headlines(&threads, &[])[1];
        assert!(slowest.label.starts_with("95th percentile"), "{slowest:?}");
        assert!(slowest.detail.contains("Ops with fewer than 10 successes are left out."), "{slowest:?}");
    }

    #[test]
    fn a_run_without_ops_has_no_headlines() {
        assert_eq!(headlines(&[], &[]), []);
        let mut threads = analyzed();
        for thread in &mut threads {
            thread.stages.clear();
        }
        assert_eq!(headlines(&threads, &[]), []);
    }

    const OPEN: &str = "“one node” at 100/s; 500 successes of all ops in 5 s. The schedule set this rate, and all that was due was done: it may not be the limit. “two nodes”: 100 ops/s at 100/s.";
    const EXPECTED: [&str; 3] = [
        "Highest throughput: 100 ops/s: “one node” at 4 clients; 500 successes of all ops in 5 s (95 % interval 91.4 to 109 ops/s). “two nodes”: 100 ops/s at 4 clients, 1.00 times that.",
        "95th percentile of the slowest op at 8 clients: 102 ms: clone (scm.GitCloneOverHttp) on “one node”; 250 successes in 5 s. “two nodes”: 51.0 ms, 0.500 times that.",
        "Failed ops: 0 %: 0 of 2,000 ops in 4 stages, warm-up excluded (95 % interval 0 % to 0.192 %).",
    ];
}
