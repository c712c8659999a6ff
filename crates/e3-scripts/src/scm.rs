//! Git operations, each over every transport and by either client.

pub(crate) mod change;
mod client;
pub(crate) mod git_clone;
pub(crate) mod git_fetch;
pub(crate) mod git_ls_remote;
mod git_op;
pub(crate) mod push_changes;
pub(crate) mod removal;
mod repositories;
pub(crate) mod shallow_clone;
mod transport;
mod working_copy;

pub(crate) use client::Client;
pub(crate) use git_op::git_op;
pub(crate) use repositories::Repositories;
pub(crate) use transport::{Transport, over_http};
pub(crate) use working_copy::{BranchTip, WorkingCopy};
