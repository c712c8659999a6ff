//! What came of a load, for people and for programs.

mod notes;

use std::fmt::Write as _;

use e3_home::RunDir;
use e3_model::{
    Analysis, Arrivals, OpStatistics, Plan, StageAnalysis, StageOutcome, ThresholdResult, ThresholdState,
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
            "rate": stage.arrivals,
            "transport": stage.transport,
            "operations": operations,
            "window_start_ms": stage.window_start_ms,
            "window_end_ms": stage.window_end_ms,
            "outcome": stage.outcome,
            "stamps": stage.stamps,
            "honesty": stage.honesty,
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
    let _ = writeln!(out, "{}", measured(stage, operations));
    if let Some(arrivals) = &stage.honesty.arrivals {
        let _ = writeln!(out, "{}", text::wrap(&kept(arrivals, stage.clients), app.columns, 0));
    }
    out.push('\n');
    out.push_str(&table(stage));
    for op in &stage.ops {
        if !op.errors.is_empty() {
            let _ = writeln!(out, "\n{}", app.style.bad(&errors(op)));
        }
    }
    for (note, is_grave) in notes::notes(stage) {
        let _ = writeln!(out, "\n{}", mark(is_grave, app.style, &text::wrap(&note, app.columns, 0)));
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
    match &stage.arrivals {
        Some(arrivals) => format!("{script} at {system}, {arrivals}, at most {clients}"),
        None => format!("{script} at {system}, {clients}"),
    }
}

/// Says how the open model kept its schedule, over the whole stage.
fn kept(arrivals: &Arrivals, clients: u32) -> String {
    let due = several(usize::try_from(arrivals.due).unwrap_or(usize::MAX), "start");
    let busy = quantity::count(arrivals.most_busy);
    let of = quantity::count(u64::from(clients));
    let late = match arrivals.late {
        0 => "none waited for a client".to_owned(),
        late => format!(
            "{} found every client busy, and the longest wait was {}",
            quantity::count(late),
            quantity::latency(arrivals.longest_wait_ms)
        ),
    };
    let unstarted = match arrivals.unstarted {
        0 => String::new(),
        unstarted => format!("; {} had not begun at the end", quantity::count(unstarted)),
    };
    format!(
        "{due} due, warm-up included: {late}{unstarted}. At most {busy} of {of} clients were busy at once."
    )
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

fn mark(is_grave: bool, style: Style, text: &str) -> String {
    if is_grave { style.bad(text) } else { style.dim(text) }
}
