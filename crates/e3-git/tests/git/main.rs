//! The native client against real git and real servers, over HTTP and SSH, and against servers that misbehave.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agreement;
mod connections;
mod http;
mod push;
mod site;
mod ssh;
