//! What tests of every room share: real git without the user's configuration, loopback servers, a
//! browser, bounded waits.
//!
//! For dev-dependencies only. Everything here reports by failing the test, in a full sentence; a tool that is
//! missing fails it with the command that installs it. Servers bind to port 0 and end when they are dropped.

#![expect(clippy::panic, reason = "a testkit reports by failing the test")]

mod authority;
mod browser;
mod git;
mod git_server;
mod loopback;
mod redactor;
mod replay;
mod repository;
mod secure;
mod sshd;
mod wait;

pub use authority::{Authority, Validity};
pub use browser::{Browser, Scheme};
pub use git::Git;
pub use git_server::{GitServer, GitServerOptions, Tamper};
pub use loopback::{Answer, Loopback, answer};
pub use redactor::Redactor;
pub use replay::{Replay, ReplayCall, ReplayFamily};
pub use repository::{Shape, create_repository};
pub use secure::{Secure, Speech};
pub use sshd::{Sshd, SshdOptions};
pub use wait::{wait_for, wait_for_blocking};
