//! The one function: an experiment's text in, findings and perhaps a plan out.

use std::borrow::Cow;

use e3_model::{Experiment, Findings, Plan};

use crate::context::{Context, EXPERIMENT};
use crate::document::Document;
use crate::library::{Library, Source};
use crate::report::{Place, Report};
use crate::{build, check, format};

/// What became of an experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// Everything that was found, the experiment's file first, each file in the order of its text.
    pub findings: Findings,
    /// The plan; none exactly when a finding is an error.
    pub plan: Option<Plan>,
}

/// Returns the plan of an experiment, or all that is wrong with it and with the documents that it names.
///
/// The same texts always give the same findings and the same plan.
pub fn plan(experiment_name: &str, source: Source<'_>, library: &dyn Library) -> Planned {
    let mut report = Report::default();
    let (document, experiment) = Document::read::<Experiment>(
        EXPERIMENT,
        source.file.to_owned(),
        Cow::Borrowed(source.text),
        &format::EXPERIMENT,
        &mut report,
    );
    let mut documents = vec![document];
    let Some(experiment) = experiment else {
        return Planned { findings: report.finish(&documents), plan: None };
    };
    let context = Context::of(&experiment, library, &mut documents, &mut report);
    check::all(&context, &mut report);
    let plan = if report.has_errors() { None } else { build::plan(experiment_name, &context) };
    if plan.is_none() && !report.has_errors() {
        report.form("no-plan", Place::value(EXPERIMENT, ""), "no plan can be made of this experiment");
    }
    Planned { findings: report.finish(&documents), plan }
}
