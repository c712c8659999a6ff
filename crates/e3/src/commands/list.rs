//! `e3 list`: what there is to run, and what was run.

use std::fmt::Write as _;

use e3_home::{Listed, Origin};
use e3_model::{Experiment, Kind, ProviderName, Snapshot, Workload};
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
        let mut group = "";
        for row in &rows {
            if row.group != group {
                group = row.group;
                let _ = writeln!(text, "{indent}{group}:");
            }
            let indent = if group.is_empty() { indent.to_owned() } else { format!("{indent}  ") };
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
    /// What it has in common with its neighbours, as a heading; empty where there is nothing.
    group: &'static str,
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
    let mut rows: Vec<Row> =
        app.home.list(kind).into_iter().map(|listed| document(app, kind, listed)).collect();
    rows.sort_by_key(|row| GROUPS.iter().position(|group| *group == row.group));
    rows
}

fn document(app: &App, kind: Kind, listed: Listed) -> Row {
    let text = app.home.find(kind, &listed.name).map(|source| source.text).unwrap_or_default();
    let origin = match listed.origin {
        Origin::Home => "home",
        Origin::Library => "library",
    };
    let mut json = Map::new();
    json.insert("name".to_owned(), json!(listed.name));
    json.insert("origin".to_owned(), json!(origin));
    let mut group = if kind == Kind::Experiment { UNREADABLE } else { "" };
    // What is wrong with a document is for `e3 validate` to say.
    let description = match kind {
        Kind::Experiment => serde_json::from_str::<Experiment>(&text).ok().and_then(|experiment| {
            group = machines(&experiment);
            json.insert("providers".to_owned(), json!(e3_plan::providers(&experiment)));
            experiment.description
        }),
        Kind::Snapshot => serde_json::from_str::<Snapshot>(&text).ok().and_then(|own| own.description),
        Kind::Workload => serde_json::from_str::<Workload>(&text).ok().map(|workload| shares(&workload)),
        Kind::Instance => None,
    };
    let mut detail = format!("({origin})");
    if let Some(description) = description {
        detail = format!("{detail:9}  {description}");
        json.insert("description".to_owned(), json!(description));
    }
    Row { group, json: json.into(), name: listed.name, detail }
}

/// Returns where an experiment's machines are, as a heading.
fn machines(experiment: &Experiment) -> &'static str {
    let providers = e3_plan::providers(experiment);
    let [here, over_ssh, on_aws, _] = GROUPS;
    if providers.contains(&ProviderName::Aws) {
        on_aws
    } else if providers.contains(&ProviderName::Ssh) {
        over_ssh
    } else {
        here
    }
}

/// Returns a workload's scripts with their shares, the largest first.
fn shares(workload: &Workload) -> String {
    let mut jobs: Vec<_> = workload.0.iter().filter(|job| job.weight > 0.0).collect();
    jobs.sort_by(|left, right| right.weight.total_cmp(&left.weight));
    let shown = jobs.iter().take(MOST_SHARES);
    let shown = shown.map(|job| format!("{} {}", job.script_name(), percent(job.weight)));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match jobs.len().saturating_sub(MOST_SHARES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Returns a share as its author would say it, such as `5 %` or `12.5 %`.
fn percent(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

fn scripts() -> Vec<Row> {
    let row = |script: e3_model::ScriptDescriptor| Row {
        group: "",
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
            group: "",
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

/// Where the machines of experiments are, in the order in which these are shown.
const GROUPS: [&str; 4] = [
    "on this machine",
    "on machines over SSH, which this version validates but cannot use yet",
    "on AWS, which this version validates but cannot set up yet",
    UNREADABLE,
];
const UNREADABLE: &str = "unreadable; `e3 validate -e NAME` says why";
/// More scripts of a workload would not fit into a line.
const MOST_SHARES: usize = 3;
const ALL: [ListKind; 6] = [
    ListKind::Experiments,
    ListKind::Workloads,
    ListKind::Snapshots,
    ListKind::Instances,
    ListKind::Scripts,
    ListKind::Runs,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_said_as_they_were_written() {
        for (share, expected) in
            [(0.05, "5 %"), (0.125, "12.5 %"), (1.0, "100 %"), (0.1, "10 %"), (0.0025, "0.25 %")]
        {
            assert_eq!(percent(share), expected);
        }
    }
}
