//! Merges in a bare repository: a trial, a commit, a branch that moves only if it is where it was.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use super::{Git, GitError, SHORT, git_dir};

/// What became of a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Merged {
    /// The merged tree's id; the tree is in the repository.
    Tree(String),
    Conflicts,
    /// The commits have no common ancestor.
    Unrelated,
}

/// What a merge commit is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewMerge<'a> {
    pub(crate) tree: &'a str,
    /// The target's commit, then the source's.
    pub(crate) parents: [&'a str; 2],
    pub(crate) message: &'a str,
    /// Author and committer.
    pub(crate) name: &'a str,
    pub(crate) email: &'a str,
}

impl Git {
    /// Merges two commits, given by their ids, and moves nothing.
    pub(crate) async fn merge_tree(
        &self,
        repository: &Path,
        onto: &str,
        from: &str,
    ) -> Result<Merged, GitError> {
        let directory = git_dir(repository);
        let arguments =
            ["merge-tree", "--write-tree", "--no-messages", onto, from].map(std::ffi::OsString::from);
        let output = self.output(std::iter::once(directory).chain(arguments), b"", 1 << 20).await;
        match output {
            Ok(output) => {
                let tree = String::from_utf8_lossy(&output).trim().to_owned();
                Ok(Merged::Tree(tree))
            }
            // Source: git-merge-tree(1): 1 for conflicts, other numbers if it could not be tried.
            Err(GitError::Failed { status, .. }) if status.code() == Some(1) => Ok(Merged::Conflicts),
            Err(GitError::Failed { complaint, .. }) if complaint.contains("unrelated histories") => {
                Ok(Merged::Unrelated)
            }
            Err(error) => Err(error),
        }
    }

    /// Makes the commit of a merge and returns its id.
    pub(crate) async fn commit_merge(
        &self,
        repository: &Path,
        new: NewMerge<'_>,
    ) -> Result<String, GitError> {
        let mut command = self.command();
        command.arg(git_dir(repository)).args(["commit-tree", new.tree, "-F", "-"]);
        for parent in new.parents {
            command.args(["-p", parent]);
        }
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), new.name).env(format!("GIT_{who}_EMAIL"), new.email);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let child = self.spawn(command).await?;
        let output = child.output(new.message.as_bytes(), 4096, self.run.min(SHORT)).await?;
        Ok(String::from_utf8_lossy(&output).trim().to_owned())
    }

    /// Moves a branch from the old to the new commit; false if it is elsewhere. The child keeps the lock until it ends.
    pub(crate) async fn move_ref(
        &self,
        repository: &Path,
        name: &str,
        (new, old): (&str, &str),
        lock: File,
    ) -> Result<bool, GitError> {
        let mut command = self.command();
        command.arg(git_dir(repository)).args(["update-ref", "--no-deref", name, new, old]);
        command.stdin(Stdio::from(lock)).stdout(Stdio::piped());
        let child = self.spawn(command).await?;
        moved(child.output(b"", 4096, self.run.min(SHORT)).await)
    }

    /// Deletes a branch that is at the commit; false if it is elsewhere or gone.
    pub(crate) async fn delete_ref(
        &self,
        repository: &Path,
        name: &str,
        old: &str,
    ) -> Result<bool, GitError> {
        let directory = git_dir(repository);
        let arguments = ["update-ref", "--no-deref", "-d", name, old].map(std::ffi::OsString::from);
        moved(self.output(std::iter::once(directory).chain(arguments), b"", 4096).await)
    }
}

/// Source: the text of git's `refs/files-backend.c`, for a ref that is elsewhere and for one that another holds.
fn moved(outcome: Result<Vec<u8>, GitError>) -> Result<bool, GitError> {
    match outcome {
        Ok(_) => Ok(true),
        Err(GitError::Failed { complaint, .. }) if complaint.contains("cannot lock ref") => Ok(false),
        Err(error) => Err(error),
    }
}
