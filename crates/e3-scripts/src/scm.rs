//! Git operations, each over every transport and by either client.

pub(crate) mod change;
mod client;
pub(crate) mod git_clone;
pub(crate) mod git_ls_remote;
mod git_op;
pub(crate) mod push_changes;
pub(crate) mod removal;
mod repositories;
mod transport;

pub(crate) use client::Client;
pub(crate) use git_op::git_op;
pub(crate) use transport::Transport;
