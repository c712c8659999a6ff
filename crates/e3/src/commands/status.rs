//! `e3 status`: how far a run has come, what stands, and what comes next. Reads only, and waits for nobody.

mod read;
mod render;

use e3_model::{ArrivalPlan, ProbeVerdict};
use serde::Serialize;

use crate::app::App;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::{data_json, data_text};

pub(crate) use read::phase_of;

pub(crate) async fn perform(app: &App, run: Option<&str>) -> Result<Exit, Failure> {
    let name = match run {
        Some(run) => run.to_owned(),
        None => {
            let newest = app.home.runs().pop();
            let none = || {
                let none = anyhow::anyhow!("there is no run in {} yet", app.home.root().display());
                Failure::new(Exit::Failure, none).hint("`e3 orchestrate -e quickstart` makes one")
            };
            newest.ok_or_else(none)?.0
        }
    };
    let run = app.home.run(&name)?;
    let status = read::status(app, &run).await?;
    if app.json {
        data_json(&status)?;
    } else {
        data_text(&render::text(&status, app.columns, app.style))?;
    }
    Ok(Exit::Success)
}

/// How a run is; what `e3 status --json` prints.
#[derive(Debug, Serialize)]
struct Status {
    run: String,
    directory: String,
    experiment: String,
    phase: Phase,
    /// The process of the e3 that works on it; none when nobody does.
    process: Option<u32>,
    /// When all stood, as RFC 3339; none before that.
    provisioned_at: Option<String>,
    /// One entry per stage of the plan, in the order of execution.
    stages: Vec<Stage>,
    /// What the journal says may stand, one line each.
    standing: Vec<String>,
    /// How the nodes of what stands are; empty when they were not asked.
    nodes: Vec<Node>,
    /// What the last teardown could not remove.
    left: Vec<String>,
    /// The report; none before there is one.
    report: Option<String>,
    /// Commands that make sense now, the next one first.
    next: Vec<String>,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Phase {
    /// There is a plan, and nothing was set up.
    Planned,
    /// Its systems are being set up.
    Provisioning,
    /// Setting up ended before all stood.
    ProvisioningCutOff,
    /// Its systems stand and wait for load.
    Provisioned,
    /// Its stages run.
    Running,
    /// Its stages ended without a word: e3 was killed.
    RunCutOff,
    /// Its stages are over.
    Ran,
    /// Its samples are gathered.
    Gathered,
    /// Its numbers are computed.
    Analysed,
    /// Nothing of it stands any more.
    Deprovisioned,
}

impl Phase {
    /// Returns the phase in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Provisioning => "provisioning",
            Self::ProvisioningCutOff => "provisioning was cut off",
            Self::Provisioned => "provisioned",
            Self::Running => "running",
            Self::RunCutOff => "the run was cut off",
            Self::Ran => "ran",
            Self::Gathered => "gathered",
            Self::Analysed => "analysed",
            Self::Deprovisioned => "deprovisioned",
        }
    }
}

/// How a stage is.
#[derive(Debug, Serialize)]
struct Stage {
    stage: String,
    thread: String,
    /// Its clients; in the open model those that may be busy at a time.
    clients: usize,
    /// When iterations are due, in the open model.
    rate: Option<ArrivalPlan>,
    /// Whether it is a search that goes on: its probes are stages of their own, and this stands for those to come.
    search: bool,
    state: StageState,
    /// How it came out, where it is a probe that was judged.
    verdict: Option<ProbeVerdict>,
    /// Why it failed.
    reason: Option<String>,
    samples: u64,
    /// How long it has run, in seconds, while it does.
    elapsed_s: Option<f64>,
    /// How long it is to run, in seconds.
    duration_s: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum StageState {
    ToCome,
    Running,
    Completed,
    Interrupted,
    Failed,
    /// E3 was killed while it ran.
    CutOff,
}

/// How a node of a system under test is.
#[derive(Debug, Serialize)]
struct Node {
    thread: String,
    node: String,
    /// What it says of itself, or why it says nothing.
    state: String,
    serves: bool,
}
