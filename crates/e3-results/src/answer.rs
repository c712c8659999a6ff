//! The answer: what the comparison says, in a sentence, and what that rests on.

use e3_model::{Answer, Comparison, Measure, Stamp, ThreadId, Verdict, quantity};

use crate::compare::Contest;
use crate::evidence::AnalyzedStage;

/// The names under which sentences speak of the arms.
pub(crate) struct Names<'a> {
    pub(crate) of: &'a dyn Fn(ThreadId) -> String,
    pub(crate) of_baseline: &'a dyn Fn(ThreadId) -> String,
}

/// Returns the answer to a comparison: for each thread its throughput at the highest load that has a verdict, and its
/// latency there where that differs.
///
/// The verdict is that of the first thread that differs, or of the first thread where none does.
pub(crate) fn answer(contests: &[Contest<'_>], comparisons: &[Comparison], names: &Names<'_>) -> Answer {
    let mut threads: Vec<ThreadId> = contests.iter().map(|contest| contest.thread).collect();
    threads.dedup();
    let said: Vec<Said> =
        threads.iter().filter_map(|thread| of_thread(*thread, contests, comparisons, names)).collect();
    let differs = |said: &&Said| matches!(said.verdict, Verdict::Better | Verdict::Worse);
    let Some(telling) = said.iter().find(differs).or(said.first()) else { return Answer::default() };
    let texts: Vec<&str> = said.iter().take(MOST_THREADS).map(|said| said.text.as_str()).collect();
    let rest = said.len().saturating_sub(MOST_THREADS);
    let rest = if rest > 0 { format!(" {rest} more threads are in the table.") } else { String::new() };
    Answer {
        text: format!("{}{rest}", texts.join(" ")),
        confidence: telling.confidence.clone(),
        verdict: Some(telling.verdict),
    }
}

/// Returns what is found where there is one thread alone, and nothing to compare.
pub(crate) fn finding(name: &str, stages: &[&AnalyzedStage]) -> Answer {
    let measured = stages.iter().copied().filter(|stage| stage.analysis.total.ok > 0);
    let valid = measured.clone().filter(|stage| stage.is_valid());
    let best = valid.max_by(|a, b| a.analysis.total.rate_per_s.total_cmp(&b.analysis.total.rate_per_s));
    let Some(best) = best else {
        let text = match measured.count() {
            0 => String::new(),
            _ => format!("Nothing can be concluded: no stage of “{name}” is valid."),
        };
        return Answer { text, confidence: String::new(), verdict: None };
    };
    let total = &best.analysis.total;
    let is_open = best.is_open();
    let p95 = total.latency.as_ref().and_then(|latency| latency.p95_ms).map_or_else(String::new, |p95| {
        format!(", where 95 % of the ops that succeeded took {} or less", quantity::latency(p95))
    });
    let behind = match total.cancelled {
        cancelled if is_open && cancelled > 0 => format!(
            " {} of the {} ops that were due had not ended when the stage did, and so it was behind its schedule; how long they take is not in the percentiles.",
            quantity::count(cancelled),
            quantity::count(best.analysis.due())
        ),
        _ => String::new(),
    };
    let interval = total.rate_interval.map_or_else(String::new, |ends| {
        format!(" with a 95 % interval of {} to {}", quantity::number(ends.low), quantity::rate(ends.high))
    });
    Answer {
        text: format!(
            "“{name}” did {} at most, {} {}{p95}.",
            quantity::rate(total.rate_per_s),
            if is_open { "of the open model’s" } else { "at" },
            best.analysis.load()
        ),
        confidence: format!(
            "From {} successes{interval}.{behind}{}",
            quantity::count(total.ok),
            caveat(&[best])
        ),
        verdict: None,
    }
}

/// What is said of one thread.
struct Said {
    text: String,
    confidence: String,
    verdict: Verdict,
}

fn of_thread(
    thread: ThreadId,
    contests: &[Contest<'_>],
    comparisons: &[Comparison],
    names: &Names<'_>,
) -> Option<Said> {
    let own = || {
        let all_ops = comparisons.iter().filter(move |own| own.thread == thread && own.script.is_empty());
        all_ops.filter(|own| own.measure == Measure::Throughput)
    };
    let throughput = own().rfind(|own| own.verdict != Verdict::Invalid).or_else(|| own().next_back())?;
    let contest = contests.iter().find(|contest| {
        let stages = contest.stages.iter().map(|stage| stage.analysis.stage);
        contest.thread == thread && stages.eq(throughput.stages.iter().copied())
    })?;
    let latency = [Measure::P95, Measure::P50, Measure::P99].into_iter().find_map(|measure| {
        comparisons.iter().find(|own| {
            let is_same = own.thread == thread && own.script.is_empty() && own.stages == throughput.stages;
            is_same && own.measure == measure && matches!(own.verdict, Verdict::Better | Verdict::Worse)
        })
    });
    let (own, other) = ((names.of)(thread), (names.of_baseline)(contest.baseline));
    let verdict = match (throughput.verdict, latency) {
        (Verdict::NoEvidence, Some(latency)) => latency.verdict,
        (verdict, _) => verdict,
    };
    Some(Said {
        text: text(throughput, latency, &own, &other),
        confidence: rests_on(throughput, latency, contest),
        verdict,
    })
}

fn text(throughput: &Comparison, latency: Option<&Comparison>, own: &str, other: &str) -> String {
    let (load, at) = (throughput.load(), throughput.load().to_string());
    let latency =
        latency.and_then(|latency| Some((latency.measure.name(), change(latency.ratio?, "higher", "lower"))));
    let more = throughput.ratio.map(|ratio| change(ratio, "more", "fewer"));
    let (ops, alike) = if load.is_open() {
        ("of the ops that were due", "neither fell behind its schedule more than the other")
    } else {
        ("ops per second", "no difference in throughput could be shown")
    };
    match (throughput.verdict, more, latency) {
        (Verdict::Better | Verdict::Worse, Some(more), latency) => {
            let latency = latency
                .map_or_else(String::new, |(measure, change)| format!(", and its {measure} was {change}"));
            format!("{own} did {more} {ops} than {other} at {at}{latency}.")
        }
        (Verdict::Invalid, Some(more), _) => {
            format!("{own} did {more} {ops} than {other} at {at}, but nothing can be concluded from that.")
        }
        (Verdict::Invalid, None, _) => {
            format!("Nothing can be concluded about {own} and {other}, not even at {at}.")
        }
        (_, _, Some((measure, change))) => {
            format!("The {measure} of {own} was {change} than that of {other} at {at}; {alike}.")
        }
        _ => format!("No difference between {own} and {other} could be shown at {at}."),
    }
}

/// Returns what the sentence rests on: intervals, population, stages, limits.
fn rests_on(throughput: &Comparison, latency: Option<&Comparison>, contest: &Contest<'_>) -> String {
    if let (Verdict::Invalid, Some(reason)) = (throughput.verdict, &throughput.reason) {
        return reason.clone();
    }
    let ok = |stages: &[&AnalyzedStage]| {
        quantity::count(stages.iter().map(|stage| stage.analysis.total.ok).sum::<u64>())
    };
    let interval = |own: &Comparison| {
        let ends = own.ratio_interval?;
        let (low, high) = (quantity::number(ends.low), quantity::number(ends.high));
        Some(format!("that of the {} {low} to {high}", own.measure.name()))
    };
    let intervals: Vec<String> =
        [Some(throughput), latency].into_iter().flatten().filter_map(interval).collect();
    let intervals = match intervals.as_slice() {
        [] => "No interval of a ratio can be given".to_owned(),
        some => format!("95 % intervals of the ratios: {}", some.join(", ")),
    };
    let (own, other) = (contest.stages.len(), contest.baseline_stages.len());
    let stages = if own == 1 && other == 1 {
        "one stage each: this covers chance within the stages only, “repeat” shows how much stages differ"
            .to_owned()
    } else {
        format!("{own} and {other} stages, whose differences are part of it")
    };
    let all: Vec<&AnalyzedStage> = contest.stages.iter().chain(&contest.baseline_stages).copied().collect();
    format!(
        "{intervals}; from {} and {} successes in {stages}.{}",
        ok(&contest.stages),
        ok(&contest.baseline_stages),
        caveat(&all)
    )
}

/// Returns what limits these stages' numbers, as a sentence after a space; empty where nothing does.
pub(crate) fn caveat(stages: &[&AnalyzedStage]) -> &'static str {
    let any = |stamp| stages.iter().any(|stage| stage.analysis.stamps.contains(&stamp));
    match (any(Stamp::Disturbed), any(Stamp::CoLocated)) {
        (true, _) => {
            " The system was disturbed on purpose: this is a rehearsal, and says nothing about the product."
        }
        (false, true) => {
            " The workers shared the machine with what they measured: compare, but take no number for capacity."
        }
        (false, false) => "",
    }
}

/// Returns a ratio as a change, such as `12.3 % more`.
fn change(ratio: f64, more: &str, less: &str) -> String {
    let word = if ratio >= 1.0 { more } else { less };
    format!("{} {word}", quantity::percent((ratio - 1.0).abs()))
}

/// With more threads than this, the table says it better.
const MOST_THREADS: usize = 3;

#[cfg(test)]
mod tests {
    use e3_model::Confidence;

    use super::*;
    use crate::compare::contests;
    use crate::fixture::loaded;
    use crate::load::Loaded;

    /// The answer where throughput and 95th percentile came out like this at the highest load, 8 clients.
    fn said(loaded: &Loaded, throughput: (Verdict, f64), latency: (Verdict, f64)) -> Answer {
        said_at(loaded, "8 clients", throughput, latency)
    }

    fn said_at(loaded: &Loaded, load: &str, throughput: (Verdict, f64), latency: (Verdict, f64)) -> Answer {
        let (one, two) = (loaded.stages_of(ThreadId(0)), loaded.stages_of(ThreadId(1)));
        let contests = contests((ThreadId(1), &two), (ThreadId(0), &one), None);
        let mut comparisons = crate::compare::compare(&contests);
        let at_load = |own: &&mut Comparison| own.script.is_empty() && own.load().to_string() == load;
        for own in comparisons.iter_mut().filter(at_load) {
            let (verdict, ratio) = match own.measure {
                Measure::Throughput => throughput,
                Measure::P95 => latency,
                _ => (Verdict::NoEvidence, 1.0),
            };
            (own.verdict, own.ratio, own.reason) = (verdict, Some(ratio), Some("The reason.".to_owned()));
            own.ratio_interval = Some(Confidence { low: 0.9 * ratio, high: 1.1 * ratio, level: 0.95 });
        }
        let name = |id: ThreadId| if id.0 == 0 { "“A”".to_owned() } else { "“B”".to_owned() };
        answer(&contests, &comparisons, &Names { of: &name, of_baseline: &name })
    }

    #[test]
    fn the_sentence_says_what_differs_at_the_highest_load() {
        use Verdict::{Better, NoEvidence, Worse};
        let loaded = loaded();
        for (throughput, latency, verdict, text) in [
            (
                (Better, 1.123),
                (NoEvidence, 1.0),
                Better,
                "“B” did 12.3 % more ops per second than “A” at 8 clients.",
            ),
            (
                (Worse, 0.5),
                (Worse, 2.0),
                Worse,
                "“B” did 50.0 % fewer ops per second than “A” at 8 clients, and its 95th percentile of latency was 100 % higher.",
            ),
            (
                (NoEvidence, 1.01),
                (Better, 0.8),
                Better,
                "The 95th percentile of latency of “B” was 20.0 % lower than that of “A” at 8 clients; no difference in throughput could be shown.",
            ),
            (
                (NoEvidence, 1.01),
                (NoEvidence, 0.99),
                NoEvidence,
                "No difference between “B” and “A” could be shown at 8 clients.",
            ),
        ] {
            let found = said(&loaded, throughput, latency);
            assert_eq!((found.text.as_str(), found.verdict), (text, Some(verdict)));
            assert!(found.confidence.contains("from 500 and 500 successes in one stage each"), "{found:?}");
            assert!(found.confidence.ends_with("take no number for capacity."), "{found:?}");
        }
    }

    #[test]
    fn of_the_open_model_the_sentence_says_what_was_due() {
        use Verdict::{Better, NoEvidence, Worse};
        let fixture = crate::fixture::Fixture::whole_of(crate::fixture::open);
        crate::gather(&fixture.run).unwrap();
        let loaded = Loaded::read(&fixture.run).unwrap();
        for (throughput, latency, text) in [
            (
                (NoEvidence, 1.0),
                (Better, 0.8),
                "The 95th percentile of latency of “B” was 20.0 % lower than that of “A” at 200/s; neither fell behind its schedule more than the other.",
            ),
            (
                (Worse, 0.6),
                (NoEvidence, 1.0),
                "“B” did 40.0 % fewer of the ops that were due than “A” at 200/s.",
            ),
        ] {
            let found = said_at(&loaded, "200/s", throughput, latency);
            assert_eq!(found.text, text);
        }
        let alone = finding("A", &loaded.stages_of(ThreadId(0)));
        let text = "“A” did 100 ops/s at most, of the open model’s 200/s, where 95 % of the ops that succeeded took 98.0 ms or less.";
        assert_eq!(alone.text, text);
        assert!(alone.confidence.starts_with("From 500 successes. The workers"), "{alone:?}");
    }

    #[test]
    fn a_load_that_is_invalid_gives_way_to_the_next() {
        let loaded = loaded();
        let found = said(&loaded, (Verdict::Invalid, 1.5), (Verdict::Invalid, 0.5));
        assert!(found.text.contains("at 4 clients"), "{found:?}");
    }

    #[test]
    fn where_nothing_is_valid_the_answer_says_so() {
        let mut loaded = loaded();
        loaded.stages.iter_mut().for_each(|own| own.analysis.stamps.push(Stamp::ClientBound));
        let found = said(&loaded, (Verdict::Invalid, 1.5), (Verdict::Invalid, 0.5));
        assert_eq!(found.verdict, Some(Verdict::Invalid));
        assert!(found.text.ends_with("at 8 clients, but nothing can be concluded from that."), "{found:?}");
        assert_eq!(found.confidence, "The reason.");
        let alone = finding("A", &loaded.stages_of(ThreadId(0)));
        assert_eq!(alone.text, "Nothing can be concluded: no stage of “A” is valid.");
    }

    #[test]
    fn a_rehearsal_is_no_word_on_the_product() {
        let mut loaded = loaded();
        loaded.stages[0].analysis.stamps.push(Stamp::Disturbed);
        let found = said(&loaded, (Verdict::Better, 1.1), (Verdict::NoEvidence, 1.0));
        assert!(!found.confidence.contains("on purpose"), "another load was disturbed: {found:?}");
        loaded.stages[3].analysis.stamps.push(Stamp::Disturbed);
        let found = said(&loaded, (Verdict::Better, 1.1), (Verdict::NoEvidence, 1.0));
        assert!(found.confidence.ends_with("says nothing about the product."), "{found:?}");
    }

    #[test]
    fn one_thread_alone_has_a_finding_and_no_verdict() {
        let loaded = loaded();
        let found = finding("A", &loaded.stages_of(ThreadId(0)));
        let text = "“A” did 100 ops/s at most, at 8 clients, where 95 % of the ops that succeeded took 98.0 ms or less.";
        assert_eq!((found.text.as_str(), found.verdict), (text, None));
        assert!(found.confidence.starts_with("From 500 successes with a 95 % interval of 9"), "{found:?}");
        assert_eq!(finding("A", &[]), Answer::default());
    }
}
