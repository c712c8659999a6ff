//! The capacity search: a bounded procedure that finds the highest load at which conditions hold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Arrival, LoadLevel, OfferedRate, Span, StageId, StageRef, Threshold, ThresholdState};

/// A search, with every choice made; the stage that has it is the pattern of its probes and is never run itself.
///
/// A load is a number of clients in the closed model, and of arrivals per second in the open one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchPlan {
    /// The conditions that must all hold.
    pub slo: Vec<Threshold>,
    /// The load of the first probe.
    pub from: f64,
    /// The highest load that may be probed, that of the pattern.
    pub to: f64,
    /// How close the two ends of the answer shall be: the lowest load that broke a condition over the highest that held
    /// them, less 1.
    pub precision: f64,
    /// The most probes, repeats included.
    pub probes: u32,
    /// How many probes of the highest load that held must agree before it is the answer.
    pub repeats: u32,
}

/// What a stage was for the search that it belongs to, and how it came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Probe {
    /// The thread's stage with the search.
    pub search: StageId,
    /// The load.
    pub load: f64,
    /// How it came out; none until it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<ProbeVerdict>,
    /// Why, as a sentence; empty until it has ended.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// How a probe came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeVerdict {
    /// Every condition held.
    Held,
    /// A condition was broken.
    Broken,
    /// The probe says nothing: the workers were the bottleneck, or too few ops ended.
    Undecided,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchAnalysis {
    /// The stage with the search.
    #[serde(flatten)]
    pub stage: StageRef,
    /// The thread's name.
    #[serde(rename = "thread_name")]
    pub thread: String,
    /// The conditions, as they were written.
    pub slo: Vec<String>,
    /// The same conditions, as they were understood, in that order.
    #[serde(default)]
    pub conditions: Vec<Threshold>,
    /// Whether loads are arrivals per second; else they are clients.
    pub is_open: bool,
    /// The highest load at which the conditions held, by the confidence rule; none when they held nowhere.
    pub highest_held: Option<f64>,
    /// The lowest load above it at which they did not; none when they held everywhere.
    pub lowest_broken: Option<f64>,
    /// Why the search ended.
    pub end: SearchEnd,
    /// What was found, as a sentence.
    pub sentence: String,
    /// The probes in the order in which they ran.
    pub probes: Vec<ProbePoint>,
}

/// One probe of a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProbePoint {
    /// Its stage.
    pub stage: StageId,
    /// Its load.
    pub load: f64,
    /// How it came out; none for one that did not run to its end.
    pub verdict: Option<ProbeVerdict>,
    /// Why, as a sentence.
    pub reason: String,
    /// How each condition came out, in the order of the search's.
    #[serde(default)]
    pub conditions: Vec<ProbedCondition>,
}

/// How one condition came out at one probe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProbedCondition {
    /// What was seen, in the unit of the condition's limit; none where that is not known.
    pub value: Option<f64>,
    /// Whether it held.
    pub state: ThresholdState,
    /// What was seen with its unit and population, or why nothing was, as a sentence.
    pub detail: String,
}

impl SearchAnalysis {
    /// Returns one of the search's loads as stages show theirs: so many clients, or arrivals per second.
    pub fn level(&self, load: f64) -> LoadLevel {
        if self.is_open {
            let (arrival, ramp) = (Arrival::Constant, Span::ZERO);
            return LoadLevel::Arrivals(OfferedRate { arrival, from: load, to: load, ramp });
        }
        // A whole number in the closed model; what is none is too large for one.
        LoadLevel::Clients(format!("{load:.0}").parse().unwrap_or(u32::MAX))
    }

    /// Returns the probes at a load, in the order in which they ran.
    pub fn at(&self, load: f64) -> impl Iterator<Item = &ProbePoint> {
        self.probes.iter().filter(move |probe| probe.load.total_cmp(&load).is_eq())
    }

    /// Returns which of the search's probes a stage was, counted from 1, and the probe.
    pub fn probe(&self, stage: StageRef) -> Option<(usize, &ProbePoint)> {
        let mut numbered = (1..).zip(&self.probes);
        numbered.find(|(_, probe)| self.stage.thread == stage.thread && probe.stage == stage.stage)
    }
}

impl ProbeVerdict {
    /// Returns its name in sentences.
    pub fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Broken => "broken",
            Self::Undecided => "undecided",
        }
    }
}

/// Why a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SearchEnd {
    /// The two ends are as close as was asked for, and the lower one was confirmed.
    Found,
    /// The conditions held at the highest load that may be probed: the system bears more.
    HeldEverywhere,
    /// They held at no load that was probed, down to the smallest.
    HeldNowhere,
    /// No more probes were allowed.
    ProbesUsedUp,
    /// Probes said nothing: there is no answer.
    Undecided,
    /// The run ended before the search did.
    CutShort,
}
