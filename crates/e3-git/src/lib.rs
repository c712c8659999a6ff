//! A Git client inside this process: ls-remote, clone and push over smart HTTP and SSH, for load.
//!
//! It asks what `git ls-remote`, `git clone -q` and `git fetch -q` ask, word for word, in protocol version 2 or what the
//! server falls back to, and reads the whole answer. The native client forks nothing and writes nothing to disk: a pack is
//! drained, its header read, its checksum verified unless [`GitOptions`] say that only some are, and nothing of it is kept;
//! refs are counted, or handed on one by one; what is pushed is made in memory. By default every operation opens its own
//! connection and closes it, as git does; the time for an operation is the caller's to bound. Both protocols share
//! everything above the connection: [`Remote`] alone tells them apart.
//!
//! [`ForkedGit`] is the real git as a client, for realism and as the cross-check: what it does forks, and writes to disk.
//!
//! Everything that reads Git's bytes is pure, incremental, bounded in memory, and in a crate of its own, `e3-git-wire`.

mod clone;
mod conversation;
mod discovery;
mod error;
mod fetch;
mod forked;
mod history;
mod http;
mod ls_remote;
mod options;
mod push;
mod remote;
mod repository;
mod ssh;
mod tip;
mod transfer;
mod wanted;

pub use clone::{Clone, CloneOptions, clone, clone_with};
pub use e3_git_wire::{ListedRef, NewCommit, ObjectId, Ref};
pub use error::GitError;
pub use fetch::{Fetch, FetchPack, fetch};
pub use forked::{
    ForkedBase, ForkedClone, ForkedCommit, ForkedError, ForkedGit, ForkedOptions, ForkedPush, ForkedTip,
};
pub use history::{History, history};
pub use ls_remote::{LsRemote, RefCount, count_refs, each_ref, ls_remote};
pub use options::{Authentication, GitOptions, OnNegotiated};
pub use push::{Push, delete_branches, push};
pub use remote::Remote;
pub use repository::RepositoryPath;
pub use ssh::{Negotiated, SshError, SshKey};
pub use tip::{Tip, fetch_tip};
pub use transfer::Transfer;
pub use wanted::{Branches, Updated};
