//! What came of a load, for people and for programs.

use std::fmt::Write as _;

use e3_home::RunDir;
use e3_model::{
    Analysis, OpStatistics, Plan, StageAnalysis, StageOutcome, Stamp, ThresholdResult, ThresholdState,
    quantity,
};
use serde_json::json;

use crate::app::App;
use crate::failure::Failure;
use crate::printer::{data_json, data_text, several};
use crate::terminal::Style;
use crate::text;

/// Writes the numbers to stdout.
///
/// # Errors
/// When stdout cannot be written.
pub(super) fn show(app: &App, run: &RunDir, plan: &Plan, analysis: &Analysis) -> Result<(), Failure> {
    let Some(stage) = analysis.threads.iter().flat_map(|thread| &thread.stages).next() else { return Ok(()) };
    let planned = plan.threads.iter().flat_map(|thread| &thread.stages).next();
    let operations = planned.and_then(|stage| stage.operations);
    if app.json {
        let system = plan.threads.first().map(|thread| thread.name.as_str());
        let script = planned.and_then(|stage| stage.jobs.first()).map(|job| job.script.as_str());
        return Ok(data_json(&json!({
            "run": run.name(),
            "directory": run.path(),
            "report": run.report_file(),
            "system": system,
            "script": script,
            "clients": stage.clients,
            "operations": operations,
            "window_start_ms": stage.window_start_ms,
            "window_end_ms": stage.window_end_ms,
            "outcome": stage.outcome,
            "stamps": stage.stamps,
            "thresholds": analysis.thresholds,
            "total": stage.total,
            "ops": stage.ops,
        }))?);
    }
    let system = analysis.threads.first().map_or("", |thread| thread.name.as_str());
    let mut out = text_of(stage, system, operations, app);
    for result in &analysis.thresholds {
        out.push_str(&threshold(result, app));
    }
    let _ = writeln!(out, "\nreport: {}", run.report_file().display());
    let _ = writeln!(out, "run:    {}", run.path().display());
    let _ = writeln!(out, "next:   {}", app.command("status", run));
    Ok(data_text(&out)?)
}

fn text_of(stage: &StageAnalysis, system: &str, operations: Option<u64>, app: &App) -> String {
    let mut out = format!("\n{}\n", app.style.bold(&headline(stage, system)));
    let _ = writeln!(out, "{}\n", measured(stage, operations));
    out.push_str(&table(stage));
    for op in &stage.ops {
        if !op.errors.is_empty() {
            let _ = writeln!(out, "\n{}", app.style.bad(&errors(op)));
        }
    }
    for note in notes(stage) {
        let _ = writeln!(out, "\n{}", mark(note.1, app.style, &text::wrap(&note.0, app.columns, 0)));
    }
    out
}

/// Says how a threshold came out, and by which number.
fn threshold(result: &ThresholdResult, app: &App) -> String {
    let word = match result.state {
        ThresholdState::Held => app.style.good("held"),
        ThresholdState::Broken => app.style.bad("broken"),
        ThresholdState::Undecided => app.style.warning("undecided"),
    };
    let detail = text::wrap(&result.detail, app.columns.saturating_sub(2), 2);
    format!("\n{word}: {}\n  {detail}\n", text::one_line(&result.threshold))
}

fn headline(stage: &StageAnalysis, system: &str) -> String {
    let script = stage.ops.first().map_or("", |op| op.script.as_str());
    let clients = several(usize::try_from(stage.clients).unwrap_or(usize::MAX), "client");
    format!("{script} at {system}, {clients}")
}

/// Says how much was measured, over how long, and what ended it.
fn measured(stage: &StageAnalysis, operations: Option<u64>) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a stage lasts days at most")]
    let milliseconds = stage.window_end_ms.saturating_sub(stage.window_start_ms) as f64;
    let ended = match (&stage.outcome, operations) {
        (StageOutcome::Interrupted, _) => ", interrupted",
        (StageOutcome::Failed { .. }, _) => ", then it failed",
        (StageOutcome::Completed, Some(_)) if stage.window_end_ms >= stage.planned_ms => {
            ", ended by time before its count"
        }
        (StageOutcome::Completed, _) => "",
    };
    let warm_up = match stage.window_start_ms {
        0 => String::new(),
        start => format!(" after a warm-up of {}", e3_model::Span::from_millis(start)),
    };
    let cut = match stage.total.cancelled {
        0 => String::new(),
        cancelled => format!("; {} more cut off at the end", quantity::count(cancelled)),
    };
    let count = quantity::count(stage.total.count);
    format!("{count} ops in {}{warm_up}{ended}{cut}", quantity::latency(milliseconds))
}

fn table(stage: &StageAnalysis) -> String {
    let header = ["op", "ok", "failed", "ops/s", "p50", "p95", "p99", "max"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(stage.ops.iter().map(|op| row(&op.op, op)));
    if stage.ops.len() > 1 {
        rows.push(row("all", &stage.total));
    }
    text::table(&rows, &[1, 2, 3, 4, 5, 6, 7])
}

fn row(name: &str, op: &OpStatistics) -> Vec<String> {
    let failed: u64 = op.errors.values().sum();
    let latency = |pick: fn(&e3_model::Latency) -> Option<f64>| {
        op.latency.as_ref().and_then(pick).map_or_else(|| "–".to_owned(), quantity::latency)
    };
    vec![
        text::one_line(name),
        quantity::count(op.ok),
        quantity::count(failed),
        quantity::number(op.rate_per_s),
        latency(|latency| latency.p50_ms),
        latency(|latency| latency.p95_ms),
        latency(|latency| latency.p99_ms),
        latency(|latency| Some(latency.max_ms)),
    ]
}

fn errors(op: &OpStatistics) -> String {
    let kinds = op.errors.iter().map(|(kind, count)| format!("{} × {kind}", quantity::count(*count)));
    format!("{} failed: {}", text::one_line(&op.op), kinds.collect::<Vec<_>>().join(", "))
}

/// Returns what limits the numbers, each with whether they are worth nothing then.
fn notes(stage: &StageAnalysis) -> Vec<(String, bool)> {
    let note = |stamp: &Stamp| {
        match stamp {
        Stamp::CoLocated => Some((
            "The load and the system share this machine and slow each other down: compare these numbers, but do not take \
             them for what the system can do."
                .to_owned(),
            false,
        )),
        Stamp::ClientBound => Some((
            "This machine could not make the load in time, so the numbers say nothing about the system: use fewer clients \
             or a larger machine."
                .to_owned(),
            true,
        )),
        Stamp::SamplesLost => Some(("Samples are missing, so the numbers are wrong.".to_owned(), true)),
        Stamp::ConcurrencyBound => Some((
            "Every client was busy at times, so some ops began late; their latency counts from when they were due.".to_owned(),
            false,
        )),
        // The line above says so.
        Stamp::Incomplete => None,
    }
    };
    let mut notes: Vec<_> = stage.stamps.iter().filter_map(note).collect();
    let lacks = |op: &OpStatistics| op.latency.as_ref().is_some_and(|latency| latency.p99_ms.is_none());
    if stage.ops.iter().any(lacks) {
        notes.push(("– stands where too few ops speak for a percentile.".to_owned(), false));
    }
    notes
}

fn mark(is_grave: bool, style: Style, text: &str) -> String {
    if is_grave { style.bad(text) } else { style.dim(text) }
}
