//! A run's status as people read it.

use std::fmt::Write as _;

use e3_model::quantity;

use super::{Stage, StageState, Status};
use crate::printer::several;
use crate::terminal::Style;
use crate::text;

/// Returns the status, none of its lines wider than so many columns unless it is a path or a command.
pub(super) fn text(status: &Status, columns: usize, style: Style) -> String {
    let mut out = format!("{}\n{}\n\n", style.bold(&status.run), style.dim(&status.directory));
    let row = |out: &mut String, name: &str, value: &str| {
        let value = text::wrap(value, columns.saturating_sub(INDENT).max(20), INDENT);
        let _ = writeln!(out, "{name:<INDENT$}{value}");
    };
    let phase = match status.process {
        Some(process) => format!("{}; process {process} works on it", status.phase.words()),
        None => status.phase.words().to_owned(),
    };
    row(&mut out, "phase", &phase);
    row(&mut out, "experiment", &status.experiment);
    if let Some(at) = &status.provisioned_at {
        // Nobody reads nanoseconds.
        let second = at.split_once('.').map_or(at.clone(), |(second, _)| format!("{second}Z"));
        row(&mut out, "provisioned", &second);
    }
    row(&mut out, "stages", &counted(&status.stages));
    out.push_str(&stages(&status.stages, columns, style));
    row(&mut out, "standing", &standing(status));
    for node in status.nodes.iter().filter(|node| !node.serves) {
        let line = format!("{} of {} does not serve: {}", node.node, node.thread, node.state);
        row(&mut out, "", &style.bad(&text::one_line(&line)));
    }
    for left in &status.left {
        row(&mut out, "", &style.bad(&text::one_line(left)));
    }
    if let Some(report) = &status.report {
        let _ = writeln!(out, "{:<INDENT$}{report}", "report");
    }
    for (index, command) in status.next.iter().enumerate() {
        let _ = writeln!(out, "{:<INDENT$}{command}", if index == 0 { "next" } else { "" });
    }
    out
}

fn counted(stages: &[Stage]) -> String {
    let done = stages.iter().filter(|stage| stage.state == StageState::Completed).count();
    format!("{done} of {} completed", stages.len())
}

fn stages(stages: &[Stage], columns: usize, style: Style) -> String {
    let rows: Vec<Vec<String>> = (1..)
        .zip(stages)
        .map(|(position, stage)| {
            let samples = if stage.samples > 0 {
                format!("{} samples", quantity::count(stage.samples))
            } else {
                String::new()
            };
            vec![
                format!("  {position}/{}", stages.len()),
                text::shortened(&text::one_line(&stage.thread), LONGEST_NAME),
                load(stage),
                state(stage),
                samples,
            ]
        })
        .collect();
    let table = text::table(&rows, &[2, 4]);
    let mut out = String::new();
    for (line, stage) in table.lines().zip(stages) {
        let line = text::shortened(line, columns);
        let line = match stage.state {
            StageState::ToCome => style.dim(&line),
            StageState::Running => style.bold(&line),
            StageState::Failed | StageState::CutOff => style.bad(&line),
            StageState::Completed | StageState::Interrupted => line,
        };
        let _ = writeln!(out, "{line}");
        if let Some(reason) = &stage.reason {
            let reason = text::wrap(&text::one_line(reason), columns.saturating_sub(INDENT).max(20), INDENT);
            let _ = writeln!(out, "{:INDENT$}{reason}", "");
        }
    }
    out
}

fn load(stage: &Stage) -> String {
    let load = stage.rate.as_ref().map_or_else(|| format!("{} clients", stage.clients), ToString::to_string);
    if stage.search { format!("search up to {load}") } else { load }
}

fn state(stage: &Stage) -> String {
    match stage.state {
        StageState::ToCome => "to come".to_owned(),
        StageState::Running => {
            format!("running, {:.0} of {:.0} s", stage.elapsed_s.unwrap_or(0.0), stage.duration_s)
        }
        StageState::Completed => stage
            .verdict
            .map_or_else(|| "completed".to_owned(), |verdict| format!("completed, {}", verdict.name())),
        StageState::Interrupted => "interrupted".to_owned(),
        StageState::Failed => "failed".to_owned(),
        StageState::CutOff => "cut off".to_owned(),
    }
}

fn standing(status: &Status) -> String {
    if status.standing.is_empty() {
        return "nothing".to_owned();
    }
    let resources = several(status.standing.len(), "resource");
    let serving = status.nodes.iter().filter(|node| node.serves).count();
    match (status.nodes.len(), status.phase) {
        (0, super::Phase::Running) => format!("{resources}; not asked while stages run"),
        (0, _) => resources,
        (nodes, _) => format!("{resources}; {serving} of {} serve", several(nodes, "node")),
    }
}

const INDENT: usize = 13;
const LONGEST_NAME: usize = 30;

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
