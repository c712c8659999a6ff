//! The two load models in words: what a chart of each shows, and what it cannot show.

use e3_model::{Analysis, LoadLevel, StageAnalysis, quantity};

/// A load model; charts hold stages of one of them, since a number of clients and a rate share no axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Model {
    /// So many clients, each of which waits for its answers.
    Closed,
    /// Iterations start on a schedule.
    Open,
}

impl Model {
    /// Returns the model of a load.
    pub(crate) fn of(load: LoadLevel) -> Self {
        if load.is_open() { Self::Open } else { Self::Closed }
    }

    /// Returns the models of an analysis' stages, the closed one first; the closed one where there is no stage.
    pub(crate) fn all(analysis: &Analysis) -> Vec<Self> {
        let stages = || analysis.threads.iter().flat_map(|thread| &thread.stages);
        let mut models: Vec<Self> = stages().map(|stage| Self::of(stage.load())).collect();
        models.sort_unstable();
        models.dedup();
        if models.is_empty() { vec![Self::Closed] } else { models }
    }

    /// Returns the stages that are of this model, by load, then in order of execution.
    pub(crate) fn by_load(self, stages: &[StageAnalysis]) -> Vec<&StageAnalysis> {
        let mut own: Vec<&StageAnalysis> =
            stages.iter().filter(|stage| Self::of(stage.load()) == self).collect();
        own.sort_by_key(|stage| (stage.load(), stage.position));
        own
    }

    /// Returns whether charts of this model show a thread: those without any stage are shown everywhere.
    pub(crate) fn has(self, stages: &[StageAnalysis]) -> bool {
        stages.is_empty() || stages.iter().any(|stage| Self::of(stage.load()) == self)
    }

    /// Returns its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed model",
            Self::Open => "open model",
        }
    }

    /// Returns what charts have on their lower axis, as in `latency against clients`.
    pub(crate) fn against(self) -> &'static str {
        match self {
            Self::Closed => "clients",
            Self::Open => "arrival rate",
        }
    }

    /// Returns the lower axis' name, with its unit.
    pub(crate) fn axis(self) -> &'static str {
        match self {
            Self::Closed => "clients",
            Self::Open => "arrivals per second, as scheduled",
        }
    }

    /// Returns the name of a column that holds [`StageAnalysis::load_number`].
    pub(crate) fn column(self) -> &'static str {
        match self {
            Self::Closed => "clients",
            Self::Open => "arrivals/s",
        }
    }

    /// Returns a place on the lower axis in words.
    pub(crate) fn place(self, number: f64) -> String {
        match self {
            Self::Closed => format!("{} clients", quantity::short(number)),
            Self::Open => format!("{} arrivals per second", quantity::short(number)),
        }
    }

    /// Returns what the names of its charts' files end with.
    pub(crate) fn stem(self) -> &'static str {
        match self {
            Self::Closed => "",
            Self::Open => "-by-rate",
        }
    }

    /// Returns what its latencies can show, in a sentence that stands beside every chart of them.
    pub(crate) fn note(self) -> &'static str {
        match self {
            Self::Closed => {
                "Closed model: each client waits for its last answer, so a stall is sampled once per client (coordinated omission)."
            }
            Self::Open => {
                "Open model: latency counts from when an arrival was due, so a stall shows in every op that it delayed."
            }
        }
    }
}
