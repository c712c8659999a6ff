//! The embedded Git hosting server: a real one, small enough to live in one binary.
//!
//! [`serve`] runs one node over a home directory: bare repositories, smart HTTP by git's own `upload-pack` and
//! `receive-pack`, Bitbucket's REST and login, HTML pages, metadata in SQLite. Several nodes may share one home on one
//! host; [`balance`] is the round-robin front before them. Neither prints, reads arguments or leaves anything running
//! when its future has ended.
//!
//! A home holds `config/` (an optional `limits.json` overrides the bounds of [`Limits`]), `data/` and `repositories/`.
//! Every signed-in user may read and push everything; projects, repositories and users are made by administrators.

mod app;
mod auth;
mod balance;
mod clock;
mod credentials;
mod descriptors;
mod error;
mod failure;
mod git;
mod home;
mod leftover;
mod limits;
mod listen;
mod names;
mod options;
mod password;
mod patience;
mod ready;
mod repositories;
mod rest;
mod server;
mod state;
mod status;
mod store;
mod visit;
mod web;
mod xsrf;

pub use balance::balance;
pub use error::GithostError;
pub use limits::Limits;
pub use options::{BalanceOptions, ServeOptions};
pub use ready::Ready;
pub use server::serve;
