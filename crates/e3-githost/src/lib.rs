//! The embedded Git hosting server: a real one, small enough to live in one binary.
//!
//! [`serve`] runs one node over a home directory: bare repositories, smart HTTP and SSH by git's own `upload-pack` and
//! `receive-pack`, Bitbucket's REST and login, HTML pages, metadata in SQLite. Several nodes may share one home on one
//! host; [`balance`] is the round-robin front before them. Neither prints, reads arguments or leaves anything running
//! when its future has ended.
//!
//! A home holds `config/` (host keys; an optional `limits.json` overrides the bounds of [`Limits`]), `data/` and `repositories/`.
//! Every signed-in user may read and push everything until a project's default permission is taken away; grants add to
//! it. Projects and users are made by administrators. What REST serves is described at `/rest/openapi.json`; `/metrics` says how
//! the node is, as Prometheus text; `/rest/e3/1.0/faults` disturbs it on purpose, for a rehearsal.

mod access_log;
mod app;
mod auth;
mod balance;
mod clock;
mod compare;
mod credentials;
mod descriptors;
mod error;
mod failure;
mod faults;
mod git;
mod home;
mod leftover;
mod limits;
mod listen;
mod metrics;
mod names;
mod options;
mod password;
mod patience;
mod permissions;
mod properties;
mod pull_requests;
mod ready;
mod references;
mod repositories;
mod rest;
mod room;
mod server;
mod ssh;
mod state;
mod status;
mod store;
mod throttle;
mod visit;
mod web;
mod xsrf;

pub use balance::balance;
pub use error::GithostError;
pub use limits::Limits;
pub use options::{BalanceOptions, ServeOptions};
pub use ready::Ready;
pub use server::serve;
