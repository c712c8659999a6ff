//! Comparisons as the terminal shows them: a table per thread and load, one line per measure of each op.

use std::fmt::Write as _;

use e3_model::{Comparison, LoadLevel, Measure, Verdict, quantity};

use crate::printer::several;
use crate::terminal::Style;
use crate::text;

/// Returns the comparisons, a table for each thread and load, in their order. Why there is no verdict is said once below
/// each table; a measure that too few ops speak for in both arms is left out, and counted.
pub(crate) fn tables<'a>(
    comparisons: &'a [Comparison],
    title: impl Fn(&'a Comparison) -> String,
    columns: usize,
    style: Style,
) -> String {
    let mut out = String::new();
    for group in comparisons.chunk_by(|one, other| place(one) == place(other)) {
        let Some(first) = group.first() else { continue };
        let title = format!("{}, {}", text::one_line(&title(first)), first.load());
        let _ = writeln!(out, "{}", style.bold(&text::shortened(&title, columns)));
        let shown: Vec<&Comparison> = group.iter().filter(|one| has_value(one)).collect();
        let reasons = reasons(&shown);
        out.push_str(&table(&shown, &reasons, columns, style));
        for (number, reason) in (1..).zip(&reasons) {
            let reason = text::wrap(reason, columns.saturating_sub(REASON), REASON);
            let _ = writeln!(out, "  [{number}] {reason}");
        }
        if shown.len() < group.len() {
            let left_out = several(group.len() - shown.len(), "measure");
            let note = format!("{left_out} with too few ops in both runs left out; --json has all.");
            let _ = writeln!(out, "  {}", text::wrap(&note, columns.saturating_sub(2), 2));
        }
        out.push('\n');
    }
    out
}

fn place(comparison: &Comparison) -> (usize, LoadLevel) {
    (comparison.thread.index(), comparison.load())
}

fn has_value(comparison: &Comparison) -> bool {
    comparison.value.is_some() || comparison.baseline_value.is_some()
}

/// Returns every reason once, in the order of the lines.
fn reasons<'a>(group: &[&'a Comparison]) -> Vec<&'a str> {
    let mut reasons = Vec::new();
    for reason in group.iter().filter_map(|one| one.reason.as_deref()) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons
}

fn table(group: &[&Comparison], reasons: &[&str], columns: usize, style: Style) -> String {
    let lines = |with_interval: bool| {
        let heading =
            [" ", "baseline", "run", if with_interval { "effect (95 %)" } else { "effect" }, "verdict"];
        let rows: Vec<Vec<String>> = std::iter::once(heading.map(str::to_owned).to_vec())
            .chain(group.iter().map(|one| row(one, reasons, with_interval)))
            .collect();
        text::table(&rows, &[1, 2, 3])
    };
    let room = columns.saturating_sub(INDENT);
    let whole = lines(true);
    let fits = whole.lines().all(|line| text::columns(line) <= room);
    let shown = if fits { whole } else { lines(false) };
    let mut lines = shown.lines().map(|line| text::shortened(line, room));
    let mut out = String::new();
    if let Some(heading) = lines.next() {
        let _ = writeln!(out, "{:INDENT$}{}", "", style.dim(&heading));
    }
    let mut last = None;
    for (line, one) in lines.zip(group) {
        let op = (one.script.as_str(), one.op.as_str());
        if last.replace(op) != Some(op) {
            let name = if op == ("", "") { "all ops".to_owned() } else { format!("{} {}", op.0, op.1) };
            let _ = writeln!(out, "  {}", text::shortened(&name, columns.saturating_sub(2)));
        }
        let line = match one.verdict {
            Verdict::Better => style.good(&line),
            Verdict::Worse => style.bad(&line),
            Verdict::NoEvidence | Verdict::Invalid => line,
        };
        let _ = writeln!(out, "{:INDENT$}{line}", "");
    }
    out
}

fn row(one: &Comparison, reasons: &[&str], with_interval: bool) -> Vec<String> {
    let number = one.reason.as_deref().and_then(|reason| reasons.iter().position(|known| *known == reason));
    let note = number.map_or_else(String::new, |number| format!(" [{}]", number + 1));
    vec![
        name(one.measure).to_owned(),
        value(one.measure, one.baseline_value),
        value(one.measure, one.value),
        effect(one, with_interval),
        format!("{}{note}", one.verdict.name()),
    ]
}

fn name(measure: Measure) -> &'static str {
    match measure {
        Measure::Throughput => "rate",
        Measure::P50 => "p50",
        Measure::P95 => "p95",
        Measure::P99 => "p99",
    }
}

fn value(measure: Measure, value: Option<f64>) -> String {
    value.map_or_else(
        || "–".to_owned(),
        |value| if measure == Measure::Throughput { quantity::rate(value) } else { quantity::latency(value) },
    )
}

/// Returns the ratio as a change, with its interval: `+12.3 % (+4.1 to +21.0 %)`.
fn effect(comparison: &Comparison, with_interval: bool) -> String {
    let change = |ratio: f64| format!("{:+.1}", (ratio - 1.0) * 100.0);
    match (comparison.ratio, comparison.ratio_interval.filter(|_| with_interval)) {
        (Some(ratio), Some(interval)) => {
            format!("{} % ({} to {} %)", change(ratio), change(interval.low), change(interval.high))
        }
        (Some(ratio), None) => format!("{} %", change(ratio)),
        (None, _) => "–".to_owned(),
    }
}

/// Where the measures of an op begin.
const INDENT: usize = 4;
/// Where reasons begin.
const REASON: usize = 6;

#[cfg(test)]
mod tests {
    use e3_model::{Confidence, ThreadId};

    use super::*;

    fn comparison(op: &str, measure: Measure, values: Option<(f64, f64)>, verdict: Verdict) -> Comparison {
        let ratio = values.map(|(baseline, value)| value / baseline);
        Comparison {
            thread: ThreadId(1),
            baseline: ThreadId(0),
            clients: 16,
            offered: None,
            stages: Vec::new(),
            baseline_stages: Vec::new(),
            script: if op.is_empty() { String::new() } else { "scm.GitCloneOverHttp".to_owned() },
            op: op.to_owned(),
            measure,
            value: values.map(|(_, value)| value),
            baseline_value: values.map(|(baseline, _)| baseline),
            ratio,
            ratio_interval: ratio.map(|ratio| Confidence {
                low: ratio - 0.1,
                high: ratio + 0.1,
                level: 0.95,
            }),
            verdict,
            reason: (verdict == Verdict::NoEvidence || verdict == Verdict::Invalid)
                .then(|| "the interval around the effect includes no difference".to_owned()),
        }
    }

    #[test]
    fn a_comparison_reads_as_a_table() {
        let other_load = Comparison {
            clients: 32,
            ..comparison("", Measure::Throughput, Some((100.0, 101.0)), Verdict::NoEvidence)
        };
        let comparisons = [
            comparison("", Measure::Throughput, Some((200.0, 252.0)), Verdict::Better),
            comparison("", Measure::P99, Some((812.0, 1430.0)), Verdict::Worse),
            comparison("Clone", Measure::P50, Some((20.0, 21.5)), Verdict::NoEvidence),
            comparison("Clone", Measure::P99, None, Verdict::Invalid),
            other_load,
        ];
        let mut out = String::new();
        for columns in [60, 80, 120] {
            let shown = tables(&comparisons, |_| "2 nodes".to_owned(), columns, Style::PLAIN);
            for line in shown.lines() {
                assert!(text::columns(line) <= columns, "{columns}: {line}");
            }
            out.push_str(&format!("{columns}\n{shown}\n"));
        }
        insta::assert_snapshot!(out);
    }
}
