//! Makes datasets from a recipe, and loads them into a server as people would.
//!
//! [`generate`] turns a seeded recipe into bare repositories and their snapshot, once per machine: the result is
//! kept in a cache under the hash of the recipe. [`load`] creates projects, repositories and users by REST and
//! pushes the contents with the real git. The same recipe gives the same commits on any machine, so nothing in here
//! may depend on a clock, the environment or the order of concurrent work.

mod cache;
mod draw;
mod error;
mod generate;
mod git;
mod history;
mod layout;
mod load;
mod pull_requests;
mod push;
mod repository;
mod spread;
mod stream;
mod text;
mod tree;
mod words;

pub use error::DatasetError;
pub use generate::{Dataset, GeneratedRepository, generate};
pub use load::{Loaded, Target, load};
