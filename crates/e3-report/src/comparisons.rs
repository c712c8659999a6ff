//! The comparison of the threads in words: load by load, each measure with effect size, interval and verdict.

use e3_model::{Analysis, Comparison, Confidence, LoadLevel, Measure, ThreadId, Verdict, quantity};
use serde::Serialize;

use crate::figure::thread_mark;
use crate::figures::sign;

/// The comparisons at one load.
#[derive(Debug, Serialize)]
pub(crate) struct ComparedLoad {
    pub(crate) title: String,
    /// All ops together.
    pub(crate) total: Vec<ComparedRow>,
    /// Each op by itself.
    pub(crate) ops: Vec<ComparedRow>,
    /// How often each verdict was given for the ops, in words.
    pub(crate) ops_summary: String,
}

/// One measure of one thread against the baseline.
#[derive(Debug, Serialize)]
pub(crate) struct ComparedRow {
    pub(crate) op: String,
    pub(crate) script: String,
    /// Over how many rows the op's name stands; 0 where a row above has it.
    pub(crate) span: usize,
    pub(crate) thread: String,
    pub(crate) mark: String,
    pub(crate) baseline: String,
    pub(crate) measure: &'static str,
    pub(crate) value: String,
    pub(crate) baseline_value: String,
    pub(crate) change: String,
    pub(crate) interval: String,
    pub(crate) verdict: VerdictWords,
    pub(crate) reason: String,
}

/// A verdict as it is shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct VerdictWords {
    pub(crate) class: &'static str,
    pub(crate) sign: &'static str,
    pub(crate) name: &'static str,
}

impl VerdictWords {
    /// Returns the words of a verdict.
    pub(crate) fn of(verdict: Verdict) -> Self {
        let class = match verdict {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::NoEvidence => "no-evidence",
            Verdict::Invalid => "invalid",
        };
        Self { class, sign: sign(verdict), name: verdict.name() }
    }
}

/// Returns the comparisons by load, ascending.
pub(crate) fn compared(analysis: &Analysis) -> Vec<ComparedLoad> {
    let mut loads: Vec<LoadLevel> = analysis.comparisons.iter().map(Comparison::load).collect();
    loads.sort_unstable();
    loads.dedup();
    let load = |load: LoadLevel| {
        let here = || analysis.comparisons.iter().filter(move |one| one.load() == load);
        let (total, ops): (Vec<&Comparison>, Vec<&Comparison>) = here().partition(|one| is_total(one));
        ComparedLoad {
            title: load.to_string(),
            ops_summary: tally(&ops),
            total: rows(analysis, &total),
            ops: rows(analysis, &ops),
        }
    };
    loads.into_iter().map(load).collect()
}

/// Returns whether a comparison is one of all ops together.
pub(crate) fn is_total(one: &Comparison) -> bool {
    one.script.is_empty() && one.op.is_empty()
}

/// Returns how often each verdict was given, such as `3 better, 1 no evidence`.
pub(crate) fn tally(comparisons: &[&Comparison]) -> String {
    let all = [Verdict::Better, Verdict::Worse, Verdict::NoEvidence, Verdict::Invalid];
    let counts = all.into_iter().filter_map(|verdict| {
        let count = comparisons.iter().filter(|one| one.verdict == verdict).count();
        (count > 0).then(|| format!("{count} {}", verdict.name()))
    });
    counts.collect::<Vec<_>>().join(", ")
}

fn rows(analysis: &Analysis, own: &[&Comparison]) -> Vec<ComparedRow> {
    let mut sorted = own.to_vec();
    let place = |one: &Comparison| {
        own.iter().position(|other| (&other.script, &other.op) == (&one.script, &one.op)).unwrap_or(0)
    };
    sorted.sort_by_key(|one| (place(one), one.thread));
    let group = |one: &Comparison| (one.script.clone(), one.op.clone(), one.thread);
    let mut rows = Vec::new();
    for (index, one) in sorted.iter().enumerate() {
        let begins = index == 0 || sorted.get(index - 1).is_some_and(|before| group(before) != group(one));
        let span = sorted.iter().filter(|other| group(other) == group(one)).count();
        let mut row = row(analysis, one, if begins { span } else { 0 });
        // Said once for the measures of an op that share it.
        let said = sorted.get(index.wrapping_sub(1)).is_some_and(|before| before.reason == one.reason);
        if !begins && said {
            row.reason.clear();
        }
        rows.push(row);
    }
    rows
}

fn row(analysis: &Analysis, one: &Comparison, span: usize) -> ComparedRow {
    ComparedRow {
        op: if is_total(one) { "all ops".to_owned() } else { one.op.clone() },
        script: one.script.clone(),
        span,
        thread: thread_name(analysis, one.thread).to_owned(),
        mark: thread_mark(one.thread.index()),
        baseline: thread_name(analysis, one.baseline).to_owned(),
        measure: measure_name(one.measure),
        value: value(one.measure, one.value),
        baseline_value: value(one.measure, one.baseline_value),
        change: one.ratio.map_or_else(|| "–".to_owned(), change),
        interval: change_ends(one.ratio_interval).trim().trim_matches(['(', ')']).to_owned(),
        verdict: VerdictWords::of(one.verdict),
        reason: one.reason.clone().unwrap_or_default(),
    }
}

/// Returns a thread's name; its number where the analysis has no such thread.
pub(crate) fn thread_name(analysis: &Analysis, thread: ThreadId) -> &str {
    analysis.threads.get(thread.index()).map_or("a thread that is not here", |thread| &thread.name)
}

/// Returns a measure's name in tables.
pub(crate) fn measure_name(measure: Measure) -> &'static str {
    match measure {
        Measure::Throughput => "throughput",
        Measure::P50 => "p50 latency",
        Measure::P95 => "p95 latency",
        Measure::P99 => "p99 latency",
    }
}

/// Returns a measure's value with its unit.
pub(crate) fn value(measure: Measure, value: Option<f64>) -> String {
    match (measure, value) {
        (_, None) => "–".to_owned(),
        (Measure::Throughput, Some(value)) => quantity::rate(value),
        (_, Some(value)) => quantity::latency(value),
    }
}

/// Returns a ratio as the difference it means, such as `+12 %`, `−3.5 %` or, from five on, `× 7.3`.
pub(crate) fn change(ratio: f64) -> String {
    if !ratio.is_finite() {
        return "–".to_owned();
    }
    if ratio >= 5.0 {
        return format!("× {}", quantity::short(ratio));
    }
    let percent = (ratio - 1.0) * 100.0;
    let digits = if percent.abs() < 9.95 { 1 } else { 0 };
    let shown = format!("{:.digits$}", percent.abs());
    let shown = shown.trim_end_matches(".0");
    let sign = match shown {
        "0" => "±",
        _ if percent < 0.0 => "−",
        _ => "+",
    };
    format!("{sign}{shown}\u{a0}%")
}

/// Returns a ratio's interval as differences in brackets, after a space; nothing where there is none.
pub(crate) fn change_ends(interval: Option<Confidence>) -> String {
    interval.map_or_else(String::new, |ends| format!(" ({} to {})", change(ends.low), change(ends.high)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_reads_as_a_difference() {
        for (ratio, shown) in [
            (1.0, "±0 %"),
            (1.0004, "±0 %"),
            (1.12, "+12 %"),
            (1.034, "+3.4 %"),
            (0.5, "−50 %"),
            (0.995, "−0.5 %"),
            (1.0996, "+10 %"),
            (4.9, "+390 %"),
            (7.312, "× 7.31"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(change(ratio).replace('\u{a0}', " "), shown, "{ratio}");
        }
    }
}
