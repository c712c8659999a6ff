//! How the errors of the clients become failures of ops.

use e3_git::GitError;
use e3_http::HttpError;
use e3_model::with_causes;
use e3_workload::Failure;

/// Returns the failure of an HTTP exchange that gave no usable answer.
pub(crate) fn of_http(error: &HttpError) -> Failure {
    Failure::new(error.outcome(), with_causes(error))
}

/// Returns the failure of a Git op.
pub(crate) fn of_git(error: &GitError) -> Failure {
    Failure::new(error.outcome(), with_causes(error))
}
