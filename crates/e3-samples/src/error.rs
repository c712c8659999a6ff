//! What can go wrong with samples on disk.

use std::path::{Path, PathBuf};

use arrow_schema::ArrowError;
use parquet::errors::ParquetError;

/// Says why samples could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SamplesError {
    /// A file or directory refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A segment cannot be encoded, or its bytes are no whole segment.
    #[error("not a whole segment of samples")]
    Segment(#[source] ArrowError),
    /// The sample file cannot be written, or is none.
    #[error("cannot use the sample file {}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: ParquetError,
    },
    /// A sample names a job or op that its stage does not have.
    #[error("a sample is of job {job}, op {op}, which its stage does not have")]
    UnknownOp {
        /// The job's position in the workload.
        job: u16,
        /// The op's position in the job, or its name in a file.
        op: String,
    },
    /// A file of samples lacks a column, or has one of another type.
    #[error("column {0} is missing, or not of the type that samples have")]
    Column(&'static str),
    /// A segment came after its stage was sealed.
    #[error("the samples in {} are sealed, no segment can be added", .0.display())]
    Sealed(PathBuf),
}

impl SamplesError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn parquet(path: &Path) -> impl FnOnce(ParquetError) -> Self {
        let path = path.to_owned();
        move |source| Self::Parquet { path, source }
    }
}
