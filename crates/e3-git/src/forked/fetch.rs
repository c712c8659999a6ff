//! `git fetch` in a clone that is behind, and clones without history.

use std::{fs, num::NonZeroU32, sync::Arc};

use super::{Call, ForkedClone, ForkedGit, clone, error, id_in, refs, scratch::Scratch, verdict};
use crate::{GitError, ObjectId, RepositoryPath, push::full_name};

/// A clone without history that may be behind, on disk; it goes when this is dropped.
pub struct ForkedBase {
    /// The commit that it has.
    pub commit: ObjectId,
    /// The short name of the branch that it follows.
    pub branch: String,
    scratch: Arc<Scratch>,
}

impl ForkedGit {
    /// Looks by `git ls-remote` where a branch points to, or HEAD's where none is named; returns the branch's short name with
    /// its commit, none if there is no such branch.
    ///
    /// # Errors
    /// As for [`ForkedGit::ls_remote`].
    ///
    /// # Cancellation
    /// As for [`ForkedGit::ls_remote`].
    pub async fn find_branch(
        &self,
        repository: &RepositoryPath,
        branch: Option<&str>,
    ) -> Result<Option<(String, ObjectId)>, GitError> {
        let (url, name) = (self.place.url(repository), branch.map_or_else(|| HEAD.to_owned(), full_name));
        let ended = self.git(repository, Call::of(["ls-remote", "--symref", "--", &url, &name])).await?;
        let listed = refs::listed(&ended.stdout)
            .ok_or_else(|| error::protocol(repository, "git ls-remote printed what is no list of refs"))?;
        // A pattern matches the ends of names.
        let found = listed.into_iter().find(|found| found.name == name);
        Ok(found.and_then(|found| {
            let target = branch.map_or(found.symref_target, |_| Some(found.name))?;
            Some((target.strip_prefix("refs/heads/")?.to_owned(), found.oid))
        }))
    }

    /// Clones the default branch without its history and without tags by `git clone --bare --depth=1`.
    ///
    /// # Errors
    /// As for [`ForkedGit::ls_remote`].
    ///
    /// # Cancellation
    /// As for [`ForkedGit::clone_bare`].
    pub async fn clone_shallow(&self, repository: &RepositoryPath) -> Result<ForkedClone, GitError> {
        clone::with(self, repository, &["--depth=1", "--single-branch", "--no-tags"]).await
    }

    /// Makes what a fetch begins with: by `git fetch`, the commit so many first parents before a branch's tip, or the first
    /// that there is; of HEAD's branch where none is named.
    ///
    /// # Errors
    /// As for [`ForkedGit::ls_remote`], or if the branch does not exist.
    ///
    /// # Cancellation
    /// As for [`ForkedGit::clone_bare`].
    pub async fn base(
        &self,
        repository: &RepositoryPath,
        branch: Option<&str>,
        behind: u32,
    ) -> Result<ForkedBase, GitError> {
        let branch = match branch {
            Some(branch) => branch.to_owned(),
            None => match self.find_branch(repository, None).await? {
                Some((branch, _)) => branch,
                None => {
                    return Err(GitError::NoBranch {
                        repository: repository.clone(),
                        branch: HEAD.to_owned(),
                    });
                }
            },
        };
        let depth = NonZeroU32::MIN.saturating_add(behind);
        let scratch = self.empty(repository)?;
        let wanted = format!("+{}:{TIP}", full_name(&branch));
        self.fetch(
            repository,
            &scratch,
            &[&format!("--depth={depth}"), &self.place.url(repository), &wanted],
        )
        .await
        .map_err(|error| of_branch(error, repository, &branch))?;
        let git_dir = scratch.git_dir();
        let count = format!("--max-count={depth}");
        let listed = Call::on(&git_dir, &scratch).args(&["rev-list", "--first-parent", &count, TIP]);
        let listed = self.git(repository, listed).await?;
        let last = listed.stdout.trim_ascii_end().rsplit(|byte| *byte == b'\n').next();
        let commit = last.and_then(id_in);
        let commit = commit.ok_or_else(|| error::protocol(repository, "git listed what is no commit"))?;
        write_ref(&scratch, repository, commit)?;
        if behind == 0 {
            return Ok(ForkedBase { commit, branch, scratch });
        }
        // On this machine: a clone that has this commit and nothing newer.
        let old = self.empty(repository)?;
        let from = scratch.path().display().to_string();
        self.fetch(repository, &old, &["--depth=1", &from, &format!("+{BASE}:{BASE}")]).await?;
        Ok(ForkedBase { commit, branch, scratch: old })
    }

    /// Fetches by `git fetch` what a branch has and its clone has not, and leaves the clone as it is; returns whether
    /// anything was new.
    ///
    /// # Errors
    /// As for [`ForkedGit::base`].
    ///
    /// # Cancellation
    /// As for [`ForkedGit::clone_bare`].
    pub async fn fetch_since(
        &self,
        repository: &RepositoryPath,
        base: &ForkedBase,
    ) -> Result<bool, GitError> {
        let scratch = Scratch::repository(&self.place, Some(&base.scratch))
            .map_err(|source| error::files(repository, self.place.path(), source))?;
        write_ref(&scratch, repository, base.commit)?;
        Ok(self.fetch_branch(repository, &scratch, &base.branch).await? != base.commit)
    }

    /// Fetches by `git fetch` into the clone what its branch has and it has not; returns whether anything was new.
    ///
    /// # Errors
    /// As for [`ForkedGit::base`].
    ///
    /// # Cancellation
    /// As for [`ForkedGit::clone_bare`].
    pub async fn update(&self, repository: &RepositoryPath, base: &mut ForkedBase) -> Result<bool, GitError> {
        let tip = self.fetch_branch(repository, &base.scratch, &base.branch).await?;
        Ok(std::mem::replace(&mut base.commit, tip) != tip)
    }

    async fn fetch_branch(
        &self,
        repository: &RepositoryPath,
        scratch: &Arc<Scratch>,
        branch: &str,
    ) -> Result<ObjectId, GitError> {
        let wanted = format!("+{}:{TIP}", full_name(branch));
        self.fetch(repository, scratch, &[&self.place.url(repository), &wanted])
            .await
            .map_err(|error| of_branch(error, repository, branch))?;
        let path = scratch.path().join(TIP);
        let text = fs::read(&path).map_err(|source| error::files(repository, path, source))?;
        id_in(&text).ok_or_else(|| error::protocol(repository, "git wrote a ref that is no id"))
    }

    async fn fetch(
        &self,
        repository: &RepositoryPath,
        scratch: &Arc<Scratch>,
        arguments: &[&str],
    ) -> Result<(), GitError> {
        let git_dir = scratch.git_dir();
        let call = Call::on(&git_dir, scratch);
        let call = call.args(&["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"]).args(arguments);
        let ended = self.run(repository, call).await?;
        if ended.status.success() {
            return Ok(());
        }
        // Source: `get_fetch_map` in git's remote.c.
        if String::from_utf8_lossy(&ended.stderr).contains("couldn't find remote ref") {
            return Err(GitError::NoBranch { repository: repository.clone(), branch: String::new() });
        }
        Err(verdict::of(repository, &ended))
    }

    fn empty(&self, repository: &RepositoryPath) -> Result<Arc<Scratch>, GitError> {
        Scratch::repository(&self.place, None)
            .map_err(|source| error::files(repository, self.place.path(), source))
    }
}

fn of_branch(error: GitError, repository: &RepositoryPath, branch: &str) -> GitError {
    match error {
        GitError::NoBranch { .. } => {
            GitError::NoBranch { repository: repository.clone(), branch: branch.to_owned() }
        }
        other => other,
    }
}

/// Writes the ref of the commit that a clone has, which git then offers as had.
fn write_ref(scratch: &Scratch, repository: &RepositoryPath, commit: ObjectId) -> Result<(), GitError> {
    let path = scratch.path().join(BASE);
    let written = path.parent().map_or(Ok(()), fs::create_dir_all);
    let written = written.and_then(|()| fs::write(&path, format!("{commit}\n")));
    written.map_err(|source| error::files(repository, path, source))
}

const HEAD: &str = "HEAD";
/// The ref of what a clone has.
const BASE: &str = "refs/e3/base";
/// The ref of what was fetched.
const TIP: &str = "refs/e3/tip";
