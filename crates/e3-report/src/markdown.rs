//! The summary for a pull request or a chat, as Markdown.

use std::fmt::Write as _;

use e3_model::{Analysis, OpStatistics, StageAnalysis, ThreadAnalysis, quantity};

use crate::figure::doubt;
use crate::page::extent;
use crate::stamps::stamps;

/// Returns question, headlines, limits, and one line per thread and load; then one per thread, load and op.
pub fn markdown(analysis: &Analysis) -> String {
    let mut out = String::new();
    let question = analysis.description.as_deref().unwrap_or(&analysis.experiment);
    let _ = writeln!(out, "## {}\n", inline(question));
    let _ = writeln!(
        out,
        "Run {}: {}, begun {}.\n",
        inline(&analysis.run),
        extent(analysis),
        inline(&analysis.started_at)
    );
    for headline in &analysis.headlines {
        let (label, value, detail) =
            (inline(&headline.label), inline(&headline.value), inline(&headline.detail));
        let _ = writeln!(out, "- **{label}: {value}**. {detail}");
    }
    if !analysis.headlines.is_empty() {
        out.push('\n');
    }
    for stamp in stamps(analysis) {
        let mut words = stamp.paragraphs.join(" ");
        if !stamp.stages.is_empty() {
            let _ = write!(words, " Stages: {}.", stamp.stages.join("; "));
        }
        let _ = writeln!(out, "> **{}** (`{}`). {}\n", inline(&stamp.title), stamp.name, inline(&words));
    }
    let _ = writeln!(out, "### All ops together\n");
    let _ = writeln!(out, "Latency in ms, of successes; warm-up excluded. – : too few ops to tell.\n");
    table(&mut out, analysis, false);
    let _ = writeln!(out, "\n<details><summary>Each op by itself</summary>\n");
    table(&mut out, analysis, true);
    out.push_str("\n</details>\n");
    out
}

fn table(out: &mut String, analysis: &Analysis, by_op: bool) {
    let op = if by_op { " op |" } else { "" };
    let line = if by_op { "---|" } else { "" };
    let _ = writeln!(out, "| thread | clients |{op} ok / ended | ops/s | failed | p50 | p95 | p99 | max |");
    let _ = writeln!(out, "|---|--:|{line}--:|--:|--:|--:|--:|--:|--:|");
    for thread in &analysis.threads {
        for stage in &thread.stages {
            let ops = if by_op { stage.ops.as_slice() } else { std::slice::from_ref(&stage.total) };
            for op in ops {
                row(out, thread, stage, (op, by_op));
            }
        }
    }
}

fn row(out: &mut String, thread: &ThreadAnalysis, stage: &StageAnalysis, (op, by_op): (&OpStatistics, bool)) {
    let remark = doubt(stage).map_or_else(String::new, |doubt| format!(" ({doubt})"));
    let name = if by_op { format!(" {} ({}) |", inline(&op.op), inline(&op.script)) } else { String::new() };
    let failed = op.error_rate.map_or_else(|| "–".to_owned(), quantity::percent);
    let latency = op.latency.clone().unwrap_or_default();
    let ms = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), quantity::number);
    let _ = writeln!(
        out,
        "| {}{remark} | {} |{name} {} / {} | {} | {failed} | {} | {} | {} | {} |",
        inline(&thread.name),
        quantity::count(stage.clients.into()),
        quantity::count(op.ok),
        quantity::count(op.count),
        quantity::number(op.rate_per_s),
        ms(latency.p50_ms),
        ms(latency.p95_ms),
        ms(latency.p99_ms),
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
