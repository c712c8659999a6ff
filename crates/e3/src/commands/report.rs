//! `e3 report`: writes the report of an analysed run.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use e3_home::RunDir;
use e3_model::{Analysis, quantity};
use serde_json::json;

use super::analyze;
use crate::app::App;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::{data_json, data_text, several};

pub(crate) fn perform(app: &App, run: &str) -> Result<Exit, Failure> {
    let (run, _lock) = app.open(run)?;
    let analysis: Analysis = run.read()?;
    let path = write(app, &run, &analysis)?;
    if app.json {
        data_json(&json!({"run": run.name(), "report": path}))?;
    } else {
        summary(app, &analysis, &path)?;
    }
    Ok(analyze::exit_of(&analysis))
}

/// Writes a run's report as a page, as Markdown, as CSV, every figure as SVG and CSV, and its thresholds, if there are any,
/// as JUnit XML; returns the page's path.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn write(app: &App, run: &RunDir, analysis: &Analysis) -> Result<PathBuf, Failure> {
    let failed = |error: anyhow::Error| Failure::new(Exit::Analysis, error);
    let page = e3_report::html(analysis).context("the report could not be rendered").map_err(failed)?;
    let figures = e3_report::figures(analysis);
    let mut files = vec![
        ("summary.md".to_owned(), e3_report::markdown(analysis)),
        ("ops.csv".to_owned(), e3_report::csv(analysis)),
    ];
    if !analysis.thresholds.is_empty() {
        files.push(("junit.xml".to_owned(), e3_report::junit(analysis)));
    }
    let beside = files.iter().map(|(file, _)| file.as_str()).collect::<Vec<_>>().join(", ");
    let said = format!(
        "{} of HTML, beside it {beside} and {}",
        quantity::bytes(u64::try_from(page.len()).unwrap_or(u64::MAX)),
        several(figures.len(), "figure")
    );
    for figure in figures {
        files.push((format!("figures/{}.svg", figure.stem), figure.svg));
        files.push((format!("figures/{}.csv", figure.stem), figure.csv));
    }
    for (file, text) in files {
        let written = run.write_file(&format!("report/{file}"), text.as_bytes());
        written.map_err(|error| failed(error.into()))?;
    }
    // The page comes last: who finds it finds the rest.
    let path = run.write_file("report/index.html", page.as_bytes()).map_err(|error| failed(error.into()))?;
    app.printer.progress("report", &said);
    Ok(path)
}

/// Writes the answer, the most telling numbers and the report's place to stdout.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) fn summary(app: &App, analysis: &Analysis, report: &Path) -> Result<(), Failure> {
    Ok(data_text(&crate::summary::summary(analysis, report, app.columns, app.style))?)
}
