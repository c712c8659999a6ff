//! The real git as a client of one server: for realism, and as the cross-check of the native client.
//!
//! Every operation forks git, which does what it does for a person: it connects anew, indexes the pack it gets and writes
//! it to disk. What it writes goes into a private temporary directory (`TMPDIR` is heeded) that is removed with its
//! client. Git sees nothing of the caller's environment or configuration; passwords and keys are in files of mode 0600
//! there, never in arguments or URLs. An operation that is given up takes its processes with it, and their files.
//!
//! From outside, only so much of git can be measured: when it ended, and what pack it was sent. When its first byte came
//! and where its time went stays unknown, and so do the bytes that it sent.

mod call;
mod clone;
mod error;
mod fetch;
mod place;
mod push;
mod refs;
mod scratch;
mod tip;
mod verdict;

use std::{fmt, path::Path, sync::Arc, time::Duration};

use e3_http::BaseUrl;
use e3_model::{HttpVersion, Secret, SshEndpoint};

pub use clone::ForkedClone;
pub use error::ForkedError;
pub use fetch::ForkedBase;
pub use push::ForkedPush;
pub use tip::{ForkedCommit, ForkedTip};

use self::{
    call::{Call, Ended},
    place::Place,
};
use crate::{GitError, ObjectId, Ref, Remote, RepositoryPath, SshKey};

/// The real git as one client of a server: where, in which protocol, and as whom.
///
/// It serves any number of operations at a time. Cheap to clone; its files go with the last of its clones.
#[derive(Clone)]
pub struct ForkedGit {
    place: Arc<Place>,
}

/// How the real git is to talk.
#[derive(Debug, Clone, Copy)]
pub struct ForkedOptions<'a> {
    /// The certificates, in PEM, that a server's TLS certificate must lead to; none for those that the machine trusts.
    pub ca: Option<&'a str>,
    /// The version of HTTP.
    pub http: HttpVersion,
    /// How long one call of git may take.
    pub bound: Duration,
}

impl Default for ForkedOptions<'_> {
    fn default() -> Self {
        let bound = e3_model::Transport::OP_TIMEOUT.to_duration();
        Self { ca: None, http: HttpVersion::default(), bound }
    }
}

impl ForkedGit {
    /// Returns the way over smart HTTP, with a user's password sent from the first request on, as the native client does.
    ///
    /// # Errors
    /// Fails if its private directory cannot be made.
    pub fn http(
        base: &BaseUrl,
        user: &str,
        password: &Secret,
        options: &ForkedOptions<'_>,
    ) -> Result<Self, GitError> {
        Self::at(Place::http(base, Some((user, password)), options))
    }

    /// Returns the way over smart HTTP without credentials, for what everybody may read.
    ///
    /// # Errors
    /// Fails if its private directory cannot be made.
    pub fn anonymous_http(base: &BaseUrl, options: &ForkedOptions<'_>) -> Result<Self, GitError> {
        Self::at(Place::http(base, None, options))
    }

    /// Returns the way over SSH by OpenSSH's client with this key; it differs from [`Remote::ssh`] in nothing else.
    ///
    /// # Errors
    /// Fails if the endpoint's URL or its host key cannot be read, or its private directory cannot be made.
    pub fn ssh(endpoint: &SshEndpoint, key: &SshKey, options: &ForkedOptions<'_>) -> Result<Self, GitError> {
        // What the native client refuses would be refused by ssh in worse words.
        Remote::ssh(endpoint, key.clone())?;
        Self::at(Place::ssh(endpoint, key, options))
    }

    /// Returns its private directory, in which all is that its operations write.
    pub fn directory(&self) -> &Path {
        self.place.path()
    }

    /// Lists all refs of a repository by `git ls-remote`.
    ///
    /// # Errors
    /// Fails if git cannot be started or fails; the error says in git's own words why.
    ///
    /// # Cancellation
    /// Dropping the future kills git and its children.
    pub async fn ls_remote(&self, repository: &RepositoryPath) -> Result<Vec<Ref>, GitError> {
        let url = self.place.url(repository);
        let ended = self.git(repository, Call::of(["ls-remote", "--symref", "--", &url])).await?;
        refs::listed(&ended.stdout)
            .ok_or_else(|| error::protocol(repository, "git ls-remote printed what is no list of refs"))
    }

    /// Clones a repository by `git clone --bare` into its private directory.
    ///
    /// # Errors
    /// As for [`ForkedGit::ls_remote`].
    ///
    /// # Cancellation
    /// Dropping the future kills git and its children, and removes what they have written.
    pub async fn clone_bare(&self, repository: &RepositoryPath) -> Result<ForkedClone, GitError> {
        clone::clone(self, repository).await
    }

    /// Fetches a branch's tip by `git fetch --depth=1`, its files with it: what pushes go on top of.
    ///
    /// # Errors
    /// As for [`ForkedGit::ls_remote`], or if the branch does not exist.
    ///
    /// # Cancellation
    /// As for [`ForkedGit::clone_bare`].
    pub async fn fetch_tip(&self, repository: &RepositoryPath, branch: &str) -> Result<ForkedTip, GitError> {
        tip::fetch(self, repository, branch).await
    }

    /// Pushes a commit to a branch by `git push --force`.
    ///
    /// # Errors
    /// As for [`ForkedGit::ls_remote`], or if the server refuses the update.
    ///
    /// # Cancellation
    /// Dropping the future kills git and its children; whether the server acted is then unknown.
    pub async fn push(
        &self,
        repository: &RepositoryPath,
        commit: &ForkedCommit,
        branch: &str,
    ) -> Result<ForkedPush, GitError> {
        push::push(self, repository, commit, branch).await
    }

    /// Deletes branches by `git push`; one that does not exist is deleted already.
    ///
    /// # Errors
    /// As for [`ForkedGit::push`].
    ///
    /// # Cancellation
    /// As for [`ForkedGit::push`].
    pub async fn delete_branches(
        &self,
        repository: &RepositoryPath,
        branches: &[&str],
    ) -> Result<(), GitError> {
        push::delete(self, repository, branches).await
    }

    /// Runs git, and returns what it printed if it was content.
    async fn git(&self, repository: &RepositoryPath, call: Call<'_>) -> Result<Ended, GitError> {
        let ended = self.run(repository, call).await?;
        if ended.status.success() { Ok(ended) } else { Err(verdict::of(repository, &ended)) }
    }

    /// Runs git, and returns how it ended.
    async fn run(&self, repository: &RepositoryPath, call: Call<'_>) -> Result<Ended, GitError> {
        call.run(&self.place).await.map_err(|source| error::forked(repository, source))
    }

    fn at(place: Result<Place, ForkedError>) -> Result<Self, GitError> {
        let place = place.map_err(|source| GitError::ForkedClient { source })?;
        Ok(Self { place: Arc::new(place) })
    }
}

impl fmt::Debug for ForkedGit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ForkedGit({})", self.place.base())
    }
}

/// Returns the id that a file of a repository holds.
fn id_in(text: &[u8]) -> Option<ObjectId> {
    ObjectId::parse(text.trim_ascii_end())
}
