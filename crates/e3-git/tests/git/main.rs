//! The native client against real git and real servers, over HTTP and SSH, and against servers that misbehave.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod agreement;
mod behind;
mod connections;
mod fetching;
mod forked;
mod forked_tls;
mod http;
mod http_as_git;
mod http_bad_input;
mod http_options;
mod nginx;
mod push;
mod requests;
mod site;
mod ssh;
mod ssh_bad_input;
mod ssh_kept;
mod ssh_server;
