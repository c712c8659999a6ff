//! A Git client inside this process: ls-remote, clone and push over smart HTTP, for load.
//!
//! It asks what `git ls-remote` and `git clone -q` ask, in protocol version 2 or what the server falls back to,
//! and reads the whole answer. It forks nothing and writes nothing to disk: a clone's pack is drained, its
//! header read and its checksum always verified, and nothing of it is kept; what is pushed is made in memory.
//! Connection, cookies and credentials are those of an [`e3_http::HttpSession`]; the time for an operation is the
//! caller's to bound.
//!
//! Everything that reads bytes from a server is pure, incremental and bounded in memory.

mod advertisement;
mod capabilities;
mod clone;
mod commit;
mod discovery;
mod error;
mod fault;
mod fetch_answer;
mod ls_remote;
mod object_id;
mod pack;
mod pkt_line;
mod push;
mod ref_list;
mod report_status;
mod repository;
mod request;
mod sideband;
mod smart_http;
mod transfer;

#[cfg(test)]
mod wild;

pub use clone::{Clone, clone};
pub use commit::NewCommit;
pub use error::GitError;
pub use ls_remote::{LsRemote, ls_remote};
pub use object_id::ObjectId;
pub use push::{Push, delete_branches, push};
pub use ref_list::Ref;
pub use repository::RepositoryPath;
pub use transfer::Transfer;
