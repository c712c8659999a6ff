//! Where everything lies: the only crate that knows paths.
//!
//! `e3-home/` holds `experiments/ workloads/ snapshots/ instances/`, each named document in a file of its own, then
//! `runs/RUN/` with all that belongs to a run, `secrets/RUN/` with what must not be seen, and `tmp/RUN/` with what goes
//! away at teardown. A small library of documents is embedded; a file of the same name in `e3-home` wins over it.
//!
//! In: names, paths, documents. Out: text, documents, directories; every error names the path and what was done to it.
//! This crate checks no document's meaning and never writes a secret below `runs/`.

mod atomic;
mod begin;
mod cache;
mod error;
mod home;
mod library;
mod name;
mod read;
mod run_dir;
mod secrets;

pub use cache::{cache_directory, data_directory};
pub use e3_model::Kind;
pub use error::HomeError;
pub use home::{Home, Listed, Origin, Source};
pub use name::run_name;
pub use run_dir::{RunDir, RunLock};
pub use secrets::{RunSecrets, ThreadSecrets};
