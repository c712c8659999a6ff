//! `e3 report`: writes the report of an analysed run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use e3_home::RunDir;
use e3_model::{Analysis, quantity};
use serde_json::json;

use crate::app::App;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::{data_json, data_text};

pub(crate) fn perform(app: &App, run: &str) -> Result<Exit, Failure> {
    let (run, _lock) = app.open(run)?;
    let analysis: Analysis = run.read()?;
    let path = write(app, &run, &analysis)?;
    if app.json {
        data_json(&json!({"run": run.name(), "report": path}))?;
    } else {
        summary(&analysis, &path)?;
    }
    Ok(Exit::Success)
}

/// Writes a run's report as a page, as Markdown and as CSV; returns the page's path.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn write(app: &App, run: &RunDir, analysis: &Analysis) -> Result<PathBuf, Failure> {
    let failed = |error: anyhow::Error| Failure::new(Exit::Analysis, error);
    let page = e3_report::html(analysis).context("the report could not be rendered").map_err(failed)?;
    let path = run.write_file("report/index.html", page.as_bytes()).map_err(|error| failed(error.into()))?;
    for (file, text) in
        [("report/summary.md", e3_report::markdown(analysis)), ("report/ops.csv", e3_report::csv(analysis))]
    {
        run.write_file(file, text.as_bytes()).map_err(|error| failed(error.into()))?;
    }
    app.printer.progress(
        "report",
        &format!("{} of HTML, with summary.md and ops.csv beside it", quantity::bytes(page.len() as u64)),
    );
    Ok(path)
}

/// Writes the most telling numbers and the report's place to stdout.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) fn summary(analysis: &Analysis, report: &Path) -> Result<(), Failure> {
    let mut text = String::from("\n");
    let width = analysis.headlines.iter().map(|headline| headline.label.chars().count()).max().unwrap_or(0);
    for headline in &analysis.headlines {
        let _ = writeln!(text, "{:width$}  {}", headline.label, headline.value);
        let _ = writeln!(text, "{:width$}  {}", "", headline.detail);
    }
    let _ = writeln!(text, "\nreport: {}", report.display());
    Ok(data_text(&text)?)
}
