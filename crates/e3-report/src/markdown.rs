//! The summary for a pull request or a chat, as Markdown.

use std::fmt::Write as _;

use e3_model::{
    Analysis, Bound, Comparison, OpStatistics, StageAnalysis, ThreadAnalysis, ThresholdState, quantity,
};

use crate::arms::{arms, common_properties};
use crate::comparisons::{change, change_ends, is_total, measure_name, tally, thread_name, value};
use crate::figure::doubt;
use crate::figures::all_due_words;
use crate::model::Model;
use crate::page::extent;
use crate::searches::{probe_words, rate_of};
use crate::stamps::stamps;
use crate::talk::talk;
use crate::thresholds;

/// Returns question, answer, verdicts, thresholds and limits, short enough for a pull request; then, folded, one line per
/// thread and load, and one per thread, load and op where these are few.
pub fn markdown(analysis: &Analysis) -> String {
    let mut out = String::new();
    let question = analysis.description.as_deref().unwrap_or(&analysis.experiment);
    let _ = writeln!(out, "## {}\n", inline(question));
    answer(&mut out, analysis);
    capacity(&mut out, analysis);
    verdicts(&mut out, analysis);
    conditions(&mut out, analysis);
    for stamp in stamps(analysis) {
        let mut words = stamp.paragraphs.join(" ");
        if !stamp.stages.is_empty() {
            let (shown, rest) = stamp.stages.split_at(stamp.stages.len().min(MOST_STAGES));
            let more = if rest.is_empty() { String::new() } else { format!("; and {} more", rest.len()) };
            let _ = write!(words, " Stages: {}{more}.", shown.join("; "));
        }
        let _ = writeln!(out, "> **{}** (`{}`). {}\n", inline(&stamp.title), stamp.name, inline(&words));
    }
    let _ = writeln!(
        out,
        "Run {}: {}, begun {}.\n",
        inline(&analysis.run),
        extent(analysis),
        inline(&analysis.started_at)
    );
    systems(&mut out, analysis);
    how(&mut out, analysis);
    numbers(&mut out, analysis);
    out
}

/// Per search what it found, and its probes, folded.
fn capacity(out: &mut String, analysis: &Analysis) {
    if analysis.searches.is_empty() {
        return;
    }
    let _ = writeln!(out, "### Capacity\n");
    for search in &analysis.searches {
        let _ = writeln!(out, "{}\n", inline(&search.sentence));
        if search.probes.is_empty() {
            continue;
        }
        let _ = writeln!(out, "<details><summary>{} probes</summary>\n", search.probes.len());
        let _ = writeln!(out, "| probe | load | ops/s | verdict | what was seen |");
        let _ = writeln!(out, "|--:|--:|--:|---|---|");
        for (number, probe) in (1..).zip(&search.probes) {
            let _ = writeln!(
                out,
                "| {number} | {} | {} | {} | {} |",
                search.level(probe.load),
                rate_of(analysis, search, probe),
                probe_words(probe.verdict).name,
                inline(&probe.reason)
            );
        }
        out.push_str("\n</details>\n\n");
    }
}

/// Which versions answered, and in which lines of configuration the systems differ; nothing where neither is known.
fn systems(out: &mut String, analysis: &Analysis) {
    let mut lines = Vec::new();
    for thread in arms(analysis) {
        let answered = Some(thread.answered).filter(|answered| !answered.is_empty());
        let properties = thread.properties.join(", ");
        let properties = (!properties.is_empty()).then(|| format!("Properties: {properties}."));
        let said: Vec<String> = [answered, properties].into_iter().flatten().collect();
        if !said.is_empty() {
            lines.push(format!("- {}: {}", inline(&thread.name), inline(&said.join(" "))));
        }
    }
    let common = common_properties(analysis);
    if !common.is_empty() {
        lines.push(format!("- Properties of all: {}.", inline(&common.join(", "))));
    }
    if !lines.is_empty() {
        let _ = writeln!(out, "{}\n", lines.join("\n"));
    }
}

/// What the load model can show, and how clients talked.
fn how(out: &mut String, analysis: &Analysis) {
    for model in Model::all(analysis) {
        let _ = writeln!(out, "{}\n", model.note());
    }
    if let Some(talk) = talk(analysis) {
        let _ = writeln!(out, "{}\n", inline(&talk));
    }
}

fn answer(out: &mut String, analysis: &Analysis) {
    let answer = &analysis.answer;
    if !answer.text.is_empty() {
        let verdict = answer.verdict.map_or_else(String::new, |verdict| format!(" ({})", verdict.name()));
        let _ = writeln!(out, "**{}**{verdict}\n", inline(&answer.text));
    }
    if !answer.confidence.is_empty() {
        let _ = writeln!(out, "{}\n", inline(&answer.confidence));
    }
    for headline in &analysis.headlines {
        let (label, value, detail) =
            (inline(&headline.label), inline(&headline.value), inline(&headline.detail));
        let _ = writeln!(out, "- **{label}: {value}**. {detail}");
    }
    if !analysis.headlines.is_empty() {
        out.push('\n');
    }
}

/// One line per load, thread and measure of all ops together; the ops' verdicts are only counted.
fn verdicts(out: &mut String, analysis: &Analysis) {
    let (total, ops): (Vec<&Comparison>, Vec<&Comparison>) =
        analysis.comparisons.iter().partition(|one| is_total(one));
    if total.is_empty() {
        return;
    }
    let _ = writeln!(out, "### Threads compared\n");
    let _ = writeln!(
        out,
        "| thread | against | load | measure | value | baseline | difference (95 %) | verdict |"
    );
    let _ = writeln!(out, "|---|---|--:|---|--:|--:|--:|---|");
    for one in total.iter().take(MOST_VERDICTS) {
        let difference = one.ratio.map_or_else(
            || "–".to_owned(),
            |ratio| format!("{}{}", change(ratio), change_ends(one.ratio_interval)),
        );
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {difference} | {} |",
            inline(thread_name(analysis, one.thread)),
            inline(thread_name(analysis, one.baseline)),
            inline(&one.load().to_string()),
            measure_name(one.measure),
            value(one.measure, one.value),
            value(one.measure, one.baseline_value),
            one.verdict.name()
        );
    }
    if total.len() > MOST_VERDICTS {
        let _ = writeln!(out, "\n{} more are in the report.", total.len() - MOST_VERDICTS);
    }
    if !ops.is_empty() {
        let _ = writeln!(out, "\nEach op by itself: {}.", tally(&ops));
    }
    let mut reasons: Vec<&str> = total.iter().filter_map(|one| one.reason.as_deref()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    if !reasons.is_empty() {
        let reasons: Vec<String> = reasons.iter().take(MOST_REASONS).map(|reason| inline(reason)).collect();
        let _ = writeln!(out, "\nWhy there is no better or worse: {}", reasons.join(" "));
    }
    out.push('\n');
}

/// One line per threshold; the stages are named where it does not hold.
fn conditions(out: &mut String, analysis: &Analysis) {
    if analysis.thresholds.is_empty() {
        return;
    }
    let _ = writeln!(out, "### Thresholds\n");
    let _ = writeln!(out, "| threshold | state | stages | where it does not hold |");
    let _ = writeln!(out, "|---|---|---|---|");
    for (text, results) in thresholds::by_text(analysis) {
        let state = thresholds::StateWords::of(thresholds::overall(&results));
        let wrong: Vec<String> = results
            .iter()
            .filter(|result| result.state != ThresholdState::Held)
            .map(|result| {
                let stage = format!("{}, {}", result.thread, thresholds::load_of(analysis, result));
                format!("{} ({})", inline(&stage), inline(&result.detail))
            })
            .collect();
        let (shown, rest) = wrong.split_at(wrong.len().min(MOST_STAGES));
        let more = if rest.is_empty() { String::new() } else { format!("; and {} more", rest.len()) };
        let _ = writeln!(
            out,
            "| {} | **{}** | {} | {}{more} |",
            inline(text),
            state.name,
            thresholds::tally(&results),
            shown.join("; ")
        );
    }
    out.push('\n');
}

fn numbers(out: &mut String, analysis: &Analysis) {
    let stages = || analysis.threads.iter().flat_map(|thread| &thread.stages);
    let _ = writeln!(out, "<details><summary>All ops together</summary>\n");
    let _ = writeln!(
        out,
        "Latency in ms, of successes; warm-up excluded. – : too few ops to tell.{}\n",
        if bounded(analysis) { BOUNDED } else { "" }
    );
    table(out, analysis, false);
    out.push_str("\n</details>\n");
    let rows: usize = stages().filter(|stage| stage.probed_load.is_none()).map(|stage| stage.ops.len()).sum();
    if rows == 0 {
        return;
    }
    if rows <= MOST_ROWS {
        let _ = writeln!(out, "\n<details><summary>Each op by itself</summary>\n");
        table(out, analysis, true);
        out.push_str("\n</details>\n");
    } else {
        let _ = writeln!(out, "\nEach op by itself: {rows} rows, in ops.csv.");
    }
}

/// Returns whether some percentile stands with what that of all due ops is at least.
fn bounded(analysis: &Analysis) -> bool {
    let stages = analysis.threads.iter().flat_map(|thread| &thread.stages);
    let mut all =
        stages.flat_map(|stage| std::iter::once(&stage.total).chain(&stage.ops)).filter_map(|op| op.all_due);
    all.any(|own| [own.p50, own.p95, own.p99].into_iter().flatten().any(|bound| bound.at_least))
}

fn table(out: &mut String, analysis: &Analysis, by_op: bool) {
    let op = if by_op { " op |" } else { "" };
    let line = if by_op { "---|" } else { "" };
    let _ = writeln!(out, "| thread | load |{op} ok / ended | ops/s | failed | p50 | p95 | p99 | max |");
    let _ = writeln!(out, "|---|--:|{line}--:|--:|--:|--:|--:|--:|--:|");
    for thread in &analysis.threads {
        // Of probes, ops.csv has each op.
        for stage in thread.stages.iter().filter(|stage| !by_op || stage.probed_load.is_none()) {
            let ops = if by_op { stage.ops.as_slice() } else { std::slice::from_ref(&stage.total) };
            for op in ops {
                row(out, thread, stage, (op, by_op));
            }
        }
    }
}

fn row(out: &mut String, thread: &ThreadAnalysis, stage: &StageAnalysis, (op, by_op): (&OpStatistics, bool)) {
    let remark = doubt(stage).map_or_else(String::new, |doubt| format!(" ({doubt})"));
    let probe = if stage.probed_load.is_some() { ", probe" } else { "" };
    let name = if by_op { format!(" {} ({}) |", inline(&op.op), inline(&op.script)) } else { String::new() };
    let failed = op.error_rate.map_or_else(|| "–".to_owned(), quantity::percent);
    let latency = op.latency.clone().unwrap_or_default();
    let ms = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), quantity::number);
    let all_due = op.all_due.unwrap_or_default();
    let percentile = |value: Option<f64>, bound: Option<Bound>| {
        let bound = bound.and_then(|bound| all_due_words(value, bound));
        format!("{}{}", ms(value), bound.map_or_else(String::new, |bound| format!(" ({bound})")))
    };
    let not_ended = match op.cancelled {
        some if some > 0 && stage.load().is_open() => format!(" of {} due", quantity::count(op.count + some)),
        _ => String::new(),
    };
    let _ = writeln!(
        out,
        "| {}{probe}{remark} | {} |{name} {} / {}{not_ended} | {} | {failed} | {} | {} | {} | {} |",
        inline(&thread.name),
        inline(&stage.load().to_string()),
        quantity::count(op.ok),
        quantity::count(op.count),
        quantity::number(op.rate_per_s),
        percentile(latency.p50_ms, all_due.p50),
        percentile(latency.p95_ms, all_due.p95),
        percentile(latency.p99_ms, all_due.p99),
        ms(op.latency.as_ref().map(|latency| latency.max_ms)),
    );
}

/// Returns text that stays on its line and in its cell, and is no markup.
fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            other => out.push(other),
        }
    }
    out
}

/// A summary names no more stages, verdicts, reasons and rows than these; the report has all of them.
/// Says what a number in brackets is.
const BOUNDED: &str = " In brackets: of all ops that were due, failures counted as at least their time-out, ops that had not ended as at least what they had waited; ? : these decide it, and it is not known.";
const MOST_STAGES: usize = 6;
const MOST_VERDICTS: usize = 40;
const MOST_REASONS: usize = 4;
const MOST_ROWS: usize = 60;
