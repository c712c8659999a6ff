//! A Git client inside this process: ls-remote, clone and push over smart HTTP and SSH, for load.
//!
//! It asks what `git ls-remote` and `git clone -q` ask, in protocol version 2 or what the server falls back to,
//! and reads the whole answer. It forks nothing and writes nothing to disk: a clone's pack is drained, its
//! header read and its checksum always verified, and nothing of it is kept; what is pushed is made in memory.
//! Every operation opens its own connection and closes it, as git does; the time for an operation is the caller's
//! to bound. Both protocols share everything above the connection: [`Remote`] alone tells them apart.
//!
//! Everything that reads bytes from a server is pure, incremental and bounded in memory.

mod advertisement;
mod capabilities;
mod clone;
mod commit;
mod conversation;
mod discovery;
mod error;
mod fault;
mod fetch_answer;
mod http;
mod ls_remote;
mod object;
mod object_id;
mod pack;
mod pack_objects;
mod pkt_line;
mod push;
mod ref_list;
mod remote;
mod report_status;
mod repository;
mod request;
mod sideband;
mod ssh;
mod tip;
mod transfer;
mod tree;

#[cfg(test)]
mod wild;

pub use clone::{Clone, clone};
pub use commit::NewCommit;
pub use error::GitError;
pub use ls_remote::{LsRemote, ls_remote};
pub use object_id::ObjectId;
pub use push::{Push, delete_branches, push};
pub use ref_list::Ref;
pub use remote::Remote;
pub use repository::RepositoryPath;
pub use ssh::{SshError, SshKey};
pub use tip::{Tip, fetch_tip};
pub use transfer::Transfer;
