//! Renders analysis.json as the report page: `cargo run -p e3-report --example render -- analysis.json > page.html`.
//!
//! For work on the templates, without running an experiment.

use std::error::Error;
use std::io::Write as _;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("name an analysis.json")?;
    let analysis: e3_model::Analysis = e3_model::from_json(&std::fs::read(path)?)?;
    std::io::stdout().write_all(e3_report::html(&analysis)?.as_bytes())?;
    Ok(())
}
