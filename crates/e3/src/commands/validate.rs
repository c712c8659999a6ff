//! `e3 validate`: checks an experiment and shows what would be done.

use e3_home::Source;
use e3_model::{Findings, Kind, Plan};
use e3_plan::Planned;
use serde::Serialize;

use crate::app::App;
use crate::cli::ValidateArguments;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::library::HomeLibrary;
use crate::printer::{data_json, data_text, error_text, several};
use crate::registry;

/// What `e3 validate --json` prints.
#[derive(Serialize)]
struct Verdict<'a> {
    findings: &'a Findings,
    plan: Option<&'a Plan>,
}

pub(crate) fn perform(app: &App, arguments: &ValidateArguments) -> Result<Exit, Failure> {
    let (_, planned) = planned(app, &arguments.experiment.experiment)?;
    let Planned { findings, plan } = planned;
    if app.json {
        data_json(&Verdict { findings: &findings, plan: plan.as_ref() })?;
    } else {
        error_text(&e3_plan::render(&findings));
        match &plan {
            Some(plan) if arguments.explain => data_text(&e3_plan::explain(plan))?,
            Some(plan) => {
                let stages: usize = plan.threads.iter().map(|thread| thread.stages.len()).sum();
                let (threads, stages) = (several(plan.threads.len(), "thread"), several(stages, "stage"));
                data_text(&format!("{} is valid: {threads}, {stages}\n", plan.experiment))?;
            }
            None => {}
        }
    }
    Ok(if plan.is_some() { Exit::Success } else { Exit::Findings })
}

/// Returns an experiment's source, and its plan with all findings.
///
/// # Errors
/// When there is no such experiment, or its file cannot be read.
pub(crate) fn planned(app: &App, experiment: &str) -> Result<(Source, Planned), Failure> {
    let source = app.home.find(Kind::Experiment, experiment)?;
    let library = HomeLibrary::new(&app.home, registry::catalogue().descriptors());
    let text = e3_plan::Source { file: &source.file, text: &source.text };
    let planned = e3_plan::plan(&source.name, text, &library);
    Ok((source, planned))
}

/// Returns an experiment's plan; shows its findings, if any.
///
/// # Errors
/// When a finding is an error.
pub(crate) fn plan(app: &App, experiment: &str) -> Result<Plan, Failure> {
    let (source, planned) = planned(app, experiment)?;
    error_text(&e3_plan::render(&planned.findings));
    planned.plan.ok_or_else(|| {
        let errors = planned.findings.errors();
        Failure::new(
            Exit::Findings,
            anyhow::anyhow!("{} cannot be run: see the {}", source.file, several(errors, "error")),
        )
        .hint("nothing was set up; mend the file and try again")
    })
}
