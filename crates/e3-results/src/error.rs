//! What can go wrong between a run and its analysis.

use std::path::{Path, PathBuf};

use e3_home::HomeError;
use e3_model::{RunName, StageRef};
use e3_samples::SamplesError;

/// Says why a run could not be gathered or analysed.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// A document of the run cannot be read or written.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The samples of a stage cannot be sealed or read.
    #[error("cannot use the samples of {stage}")]
    Samples {
        /// The stage.
        stage: StageRef,
        /// Why not.
        source: SamplesError,
    },
    /// A file of the run cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The run has a stage that the plan does not have.
    #[error("the run has a stage {0}, which its plan does not have")]
    UnknownStage(StageRef),
    /// The run went on after its results were gathered.
    #[error("the run has changed since its results were gathered")]
    Stale,
    /// A sample file is not the one that was gathered.
    #[error("{} is missing or has changed since it was gathered", .0.display())]
    Changed(PathBuf),
    /// Two runs have nothing that can be compared.
    #[error("the runs {baseline} and {run} cannot be compared: {reason}")]
    Incomparable {
        /// The run that was to be compared with.
        baseline: RunName,
        /// The run that was to be compared.
        run: RunName,
        /// What they do not have in common.
        reason: String,
    },
}

impl ResultsError {
    /// Returns what the user can do about it, where there is something.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Home(error) => error.hint(),
            Self::Stale => Some("`e3 gather` it again".to_owned()),
            Self::Changed(_) => {
                Some("restore the file, or `e3 gather` again to accept what is there".to_owned())
            }
            Self::UnknownStage(_) => Some("plan.json and run.json are of different runs".to_owned()),
            Self::Incomparable { .. } => Some("compare runs of the same experiment".to_owned()),
            Self::Samples { .. } | Self::Io { .. } => None,
        }
    }

    pub(crate) fn samples(stage: StageRef) -> impl FnOnce(SamplesError) -> Self {
        move |source| Self::Samples { stage, source }
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}
