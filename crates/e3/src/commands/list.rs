//! `e3 list`: what there is to run, and what was run.

use std::fmt::Write as _;

use e3_home::Origin;
use e3_model::Kind;
use serde_json::{Map, Value, json};

use super::status::phase_of;
use crate::app::App;
use crate::cli::ListKind;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::{data_json, data_text};
use crate::registry;

pub(crate) fn perform(app: &App, what: Option<ListKind>) -> Result<Exit, Failure> {
    let wanted = what.map_or_else(|| ALL.to_vec(), |what| vec![what]);
    let mut json = Map::new();
    let mut text = String::new();
    for kind in wanted {
        let (title, rows) = rows(app, kind);
        if what.is_none() {
            let _ = writeln!(text, "{title}:");
        }
        let indent = if what.is_none() { "  " } else { "" };
        let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        for row in &rows {
            let line = format!("{indent}{:width$}  {}", row.name, row.detail);
            let _ = writeln!(text, "{}", line.trim_end());
        }
        json.insert(title.to_owned(), rows.into_iter().map(|row| row.json).collect());
    }
    if app.json {
        data_json(&Value::Object(json))?;
    } else {
        data_text(&text)?;
    }
    Ok(Exit::Success)
}

struct Row {
    name: String,
    detail: String,
    json: Value,
}

fn rows(app: &App, what: ListKind) -> (&'static str, Vec<Row>) {
    match what {
        ListKind::Experiments => ("experiments", documents(app, Kind::Experiment)),
        ListKind::Workloads => ("workloads", documents(app, Kind::Workload)),
        ListKind::Snapshots => ("snapshots", documents(app, Kind::Snapshot)),
        ListKind::Instances => ("instances", documents(app, Kind::Instance)),
        ListKind::Scripts => ("scripts", scripts()),
        ListKind::Runs => ("runs", runs(app)),
    }
}

fn documents(app: &App, kind: Kind) -> Vec<Row> {
    let row = |listed: e3_home::Listed| {
        let origin = match listed.origin {
            Origin::Home => "home",
            Origin::Library => "library",
        };
        Row {
            json: json!({"name": listed.name, "origin": origin}),
            name: listed.name,
            detail: format!("({origin})"),
        }
    };
    app.home.list(kind).into_iter().map(row).collect()
}

fn scripts() -> Vec<Row> {
    let row = |script: e3_model::ScriptDescriptor| Row {
        name: script.name.clone(),
        detail: script.summary.clone(),
        json: serde_json::to_value(script).unwrap_or_default(),
    };
    registry::catalogue().descriptors().into_iter().map(row).collect()
}

fn runs(app: &App) -> Vec<Row> {
    let row = |run: e3_model::RunName| {
        let phase = app.home.run(&run.0).ok().and_then(|directory| phase_of(&directory));
        Row {
            detail: phase.map_or_else(
                || "no run that this e3 can read".to_owned(),
                |phase| format!("({})", phase.words()),
            ),
            json: json!(run),
            name: run.0,
        }
    };
    app.home.runs().into_iter().map(row).collect()
}

const ALL: [ListKind; 6] = [
    ListKind::Experiments,
    ListKind::Workloads,
    ListKind::Snapshots,
    ListKind::Instances,
    ListKind::Scripts,
    ListKind::Runs,
];
