//! Git operations.

pub(crate) mod git_clone_over_http;
pub(crate) mod git_ls_remote_http;
pub(crate) mod push_changes_http;
mod remote;
