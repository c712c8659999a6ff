//! Reaches one machine; for now, the one that E3 runs on.
//!
//! In: what to start, as an explicit argument list. Out: a process that answered, known by its number, its start time
//! and the boot; with that it is found again by any later e3, stopped, and verified to be gone.
//! A process that is started here carries `E3_RESOURCE=MARK` in its environment, so that it is found even when e3 was
//! killed before it could write down the process's identity.
//!
//! This crate never signals a number: it holds the process by a pidfd, and lets go when the start time differs.

mod error;
mod find;
mod identity;
mod spawn;
mod stop;
mod tail;

pub use e3_model::ProcessIdentity;
pub use error::NodeError;
pub use find::{MARK, find_marked, group_members};
pub use identity::{identify, is_alive};
pub use spawn::{Launched, Spawn, Started, base_environment, launch, spawn};
pub use stop::{Stopped, kill_group, stop};
pub use tail::LogTail;
