//! `e3 compare`: what a run shows against an earlier one. Reads only.

use anyhow::Context as _;
use e3_model::{Comparison, RunComparison};

use crate::app::App;
use crate::cli::CompareArguments;
use crate::comparison::tables;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::{data_json, data_text};
use crate::text;

pub(crate) fn perform(app: &App, arguments: &CompareArguments) -> Result<Exit, Failure> {
    let (baseline, run) = (app.home.run(&arguments.baseline)?, app.home.run(&arguments.run)?);
    let comparison = e3_results::compare_runs(&baseline, &run)
        .with_context(|| format!("{} could not be compared with {}", run.name(), baseline.name()))
        .map_err(|error| Failure::new(Exit::Analysis, error))?;
    if app.json {
        data_json(&comparison)?;
        return Ok(Exit::Success);
    }
    for warning in &comparison.warnings {
        app.printer.warn(warning);
    }
    data_text(&shown(app, &comparison))?;
    Ok(Exit::Success)
}

fn shown(app: &App, comparison: &RunComparison) -> String {
    let mut out = String::new();
    for line in text::wrap(&comparison.answer.text, app.columns, 0).lines() {
        out.push_str(&app.style.bold(line));
        out.push('\n');
    }
    if !comparison.answer.confidence.is_empty() {
        out.push_str(&text::wrap(&comparison.answer.confidence, app.columns, 0));
        out.push('\n');
    }
    let (run, baseline) = (&comparison.run, &comparison.baseline);
    out.push_str(&format!("\nrun       {}\nbaseline  {}\n\n", run.run, baseline.run));
    out.push_str(&tables(&comparison.comparisons, |one| threads(comparison, one), app.columns, app.style));
    out
}

/// Returns the name of the compared thread, with that of its like where the runs call it differently.
fn threads(comparison: &RunComparison, one: &Comparison) -> String {
    let pair = comparison.threads.iter().find(|pair| pair.thread == one.thread);
    match pair {
        Some(pair) if pair.name == pair.baseline_name => format!("“{}”", pair.name),
        Some(pair) => format!("“{}”, before “{}”", pair.name, pair.baseline_name),
        None => one.thread.to_string(),
    }
}
