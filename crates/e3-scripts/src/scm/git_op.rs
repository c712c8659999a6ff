//! The one way in which scripts measure what the Git clients do.

use std::future::Future;

use e3_git::{GitError, Transfer};
use e3_model::OpId;
use e3_workload::{ClientContext, Measured, Stopped};

use crate::failure;

/// Performs one op of the native Git client and returns what came of it.
pub(crate) fn git_op<'c, T: Send + 'c>(
    context: &'c mut ClientContext,
    op: OpId,
    work: impl Future<Output = Result<T, GitError>> + Send + 'c,
    transfer: impl FnOnce(&T) -> Transfer + Send + 'c,
) -> impl Future<Output = Result<T, Stopped>> + Send + 'c {
    measured_op(context, op, work, |done| measured(&transfer(done)))
}

/// Performs one op of a Git client, of which the closure tells what was measured, and returns what came of it.
pub(crate) fn measured_op<'c, T: Send + 'c>(
    context: &'c mut ClientContext,
    op: OpId,
    work: impl Future<Output = Result<T, GitError>> + Send + 'c,
    measure: impl FnOnce(&T) -> Measured + Send + 'c,
) -> impl Future<Output = Result<T, Stopped>> + Send + 'c {
    // The Git client's futures are too large to be moved from hand to hand.
    let work = Box::pin(work);
    context.op(op, async move {
        let done = work.await.map_err(|error| failure::of_git(&error))?;
        let measured = measure(&done);
        Ok((done, measured))
    })
}

/// Returns what the native client measured.
pub(crate) fn measured(transfer: &Transfer) -> Measured {
    Measured {
        first_byte: transfer.first_byte,
        bytes_in: Some(transfer.bytes_in),
        bytes_out: Some(transfer.bytes_out),
        phases: Some(transfer.phases),
        ..Measured::default()
    }
}
