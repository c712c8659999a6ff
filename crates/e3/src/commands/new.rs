//! `e3 new`: writes an experiment or a workload that is valid from the start.

use std::fmt::Write as _;
use std::path::Path;

use e3_model::Kind;
use serde_json::json;

use crate::app::App;
use crate::cli::{NewCommand, NewExperimentArguments, NewWorkloadArguments};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::library::HomeLibrary;
use crate::printer::{data_json, data_text, error_text, several};
use crate::registry;

pub(crate) fn perform(app: &App, command: &NewCommand) -> Result<Exit, Failure> {
    match command {
        NewCommand::Experiment(arguments) => experiment(app, arguments),
        NewCommand::Workload(arguments) => workload(app, arguments),
    }
}

fn experiment(app: &App, arguments: &NewExperimentArguments) -> Result<Exit, Failure> {
    let name = &arguments.name;
    let path = app.home.new_path(Kind::Experiment, name)?;
    let text = match &arguments.from {
        Some(from) => renamed(&app.home.find(Kind::Experiment, from)?.text, name),
        None => experiment_text(arguments),
    };
    let library = HomeLibrary::new(&app.home, registry::catalogue().descriptors());
    let file = path.display().to_string();
    let planned = e3_plan::plan(name, e3_plan::Source { file: &file, text: &text }, &library);
    error_text(&e3_plan::render(&planned.findings));
    if planned.plan.is_none() {
        let errors = several(planned.findings.errors(), "error");
        let failed = anyhow::anyhow!("this experiment would have {errors}, so it was not written");
        return Err(Failure::new(Exit::Findings, failed));
    }
    app.home.add(Kind::Experiment, name, &text)?;
    let edit = match &arguments.from {
        Some(_) => "`threads`: what is compared; then `stages`: the loads",
        None if arguments.rates.is_empty() => {
            "`clients` in `stages`: the loads; then `workload`: what clients do"
        }
        None => "`rate` in `stages`: the loads; then `workload`: what is due",
    };
    tell(app, &path, edit, &format!("e3 validate -e {name} --explain"))
}

fn workload(app: &App, arguments: &NewWorkloadArguments) -> Result<Exit, Failure> {
    let text = app.home.find(Kind::Workload, &arguments.from)?.text;
    let path = app.home.add(Kind::Workload, &arguments.name, &text)?;
    let edit = "`weight`: the shares, which add up to 1; `e3 list scripts` shows what else clients can do";
    tell(app, &path, edit, &format!("e3 new experiment NAME --workload {}", arguments.name))
}

fn tell(app: &App, path: &Path, edit: &str, next: &str) -> Result<Exit, Failure> {
    if app.json {
        data_json(&json!({"file": path}))?;
    } else {
        data_text(&format!("{}\n", path.display()))?;
        let next = app.at_home(next);
        app.printer.progress("new", &format!("first to edit: {edit}"));
        app.printer.progress("new", &format!("next: {next}"));
    }
    Ok(Exit::Success)
}

/// Returns a copy of an experiment under another name; the rest of its text stays as its author wrote it.
fn renamed(text: &str, name: &str) -> String {
    let own = serde_json::from_str::<serde_json::Value>(text).ok();
    let Some(old) = own.as_ref().and_then(|value| value.get("name")?.as_str()) else {
        return text.to_owned();
    };
    let (old, new) = (json!(old).to_string(), json!(name).to_string());
    // Threads have names, too: only what stands before them is the experiment's own.
    let (head, tail) = text.split_at(text.find("\"threads\"").unwrap_or(text.len()));
    match head.find("\"name\"").and_then(|key| Some((key, head.get(key..)?.find(&old)?))) {
        Some((key, value)) => {
            let (before, rest) = head.split_at(key + value);
            format!("{before}{new}{}{tail}", rest.strip_prefix(&old).unwrap_or(rest))
        }
        None => text.to_owned(),
    }
}

/// Returns an experiment that compares githost with one node, two nodes and so on, on this machine.
fn experiment_text(arguments: &NewExperimentArguments) -> String {
    let NewExperimentArguments { name, threads, clients, rates, duration, workload, .. } = arguments;
    let closed = || clients.iter().map(|clients| format!("{{\"clients\": {clients}}}"));
    let open = rates.iter().map(|rate| format!("{{\"rate\": {rate}, \"arrival\": \"poisson\"}}"));
    let (stages, model): (Vec<_>, _) =
        if rates.is_empty() { (closed().collect(), CLOSED) } else { (open.collect(), "") };
    let stages = stages.join(", ");
    let description = match threads {
        1 => "How much load does one node bear?".to_owned(),
        2 => "Does a second node help, and from which load on?".to_owned(),
        more => format!("How far does it scale from one to {more} nodes?"),
    };
    let mut text = format!(
        "{{\n  \"format\": \"e3/experiment\",\n  \"version\": 1,\n  \"name\": {},\n  \"description\": {},\n",
        json!(name),
        json!(description)
    );
    let warm_up = warm_up(duration);
    let _ = write!(
        text,
        "  \"seed\": 1,\n  \"order\": \"interleaved\",\n  \"duration\": {},\n  \"warmUp\": {},\n  \
         {model}\"workload\": {},\n  \"threads\": [\n",
        json!(duration),
        json!(warm_up),
        json!(workload)
    );
    for nodes in 1..=*threads {
        let thread = if nodes == 1 { "1 node".to_owned() } else { format!("{nodes} nodes") };
        let comma = if nodes == *threads { "" } else { "," };
        let _ = write!(
            text,
            "    {{\n      \"name\": \"{thread}\",\n      \"instance\": {{\"provider\": \"local\", \"nodes\": {nodes}, \
             \"snapshot\": \"quickstart\"}},\n      \"stages\": [{stages}]\n    }}{comma}\n"
        );
    }
    text.push_str("  ]\n}\n");
    text
}

/// Returns a warm-up of a sixth of the duration, as text; nothing of a duration that is none, which is a finding then.
fn warm_up(duration: &str) -> String {
    let whole = duration.parse::<e3_model::Span>().unwrap_or_default();
    format!("{}ms", whole.as_millis() / 6)
}

/// What clients of the closed model do between iterations, and how they choose the next.
const CLOSED: &str =
    "\"thinkTime\": {\"distribution\": \"exponential\", \"mean\": \"150ms\"},\n  \"mix\": \"ops\",\n  ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_its_own_name_and_keeps_its_threads() {
        for (text, expected) in [
            (
                r#"{ "name": "old", "threads": [{"name": "old"}] }"#,
                r#"{ "name": "n\"ew", "threads": [{"name": "old"}] }"#,
            ),
            (r#"{"description": "old", "name" : "old"}"#, r#"{"description": "old", "name" : "n\"ew"}"#),
            (r#"{"threads": [{"name": "old"}]}"#, r#"{"threads": [{"name": "old"}]}"#),
            ("no JSON", "no JSON"),
        ] {
            assert_eq!(renamed(text, "n\"ew"), expected);
        }
    }
}
