//! What pushes go on top of, and commits on top of it: bare repositories in the client's private directory.

use std::{fs, io::Write as _, sync::Arc};

use super::{Call, ForkedGit, error, id_in, scratch::Scratch};
use crate::{GitError, NewCommit, ObjectId, RepositoryPath};

/// A branch's tip as git fetched it, on disk; it goes when this is dropped.
pub struct ForkedTip {
    /// What the branch pointed to when it was fetched.
    pub commit: ObjectId,
    repository: RepositoryPath,
    scratch: Arc<Scratch>,
}

/// A commit on top of a tip, on disk; it goes when this is dropped.
pub struct ForkedCommit {
    /// Its id.
    pub id: ObjectId,
    pub(super) scratch: Arc<Scratch>,
    /// Its objects are borrowed.
    _base: Arc<Scratch>,
}

impl ForkedTip {
    /// Makes a commit by `git fast-import`; talks to nobody. The same commit has the same id as the native client's.
    ///
    /// # Errors
    /// Fails if git cannot be started or fails.
    ///
    /// # Cancellation
    /// Dropping the future kills git, and removes what it has written.
    pub async fn commit(&self, git: &ForkedGit, commit: &NewCommit<'_>) -> Result<ForkedCommit, GitError> {
        let repository = &self.repository;
        let files = |source| error::files(repository, git.place.path(), source);
        let scratch = Scratch::repository(&git.place, Some(&self.scratch)).map_err(files)?;
        let stream = stream(self.commit, commit).map_err(files)?;
        let git_dir = scratch.git_dir();
        git.git(
            repository,
            Call::on(&git_dir, &scratch)
                .writing_to(&self.scratch)
                .args(&["fast-import", "--quiet", "--date-format=raw"])
                .input(&stream),
        )
        .await?;
        let id = read_ref(&scratch, repository, COMMIT)?;
        Ok(ForkedCommit { id, scratch, _base: Arc::clone(&self.scratch) })
    }
}

pub(super) async fn fetch(
    git: &ForkedGit,
    repository: &RepositoryPath,
    branch: &str,
) -> Result<ForkedTip, GitError> {
    let scratch = Scratch::repository(&git.place, None)
        .map_err(|source| error::files(repository, git.place.path(), source))?;
    let (git_dir, url) = (scratch.git_dir(), git.place.url(repository));
    let wanted = format!("+{}:{BASE}", crate::push::full_name(branch));
    let call = Call::on(&git_dir, &scratch)
        .args(&["fetch", "--quiet", "--no-tags", "--depth=1", "--no-write-fetch-head", "--"])
        .args(&[&url, &wanted]);
    let ended = git.run(repository, call).await?;
    if !ended.status.success() {
        // Source: `get_fetch_map` in git's remote.c.
        let said = String::from_utf8_lossy(&ended.stderr);
        if said.contains("couldn't find remote ref") {
            return Err(GitError::NoBranch { repository: repository.clone(), branch: branch.to_owned() });
        }
        return Err(super::verdict::of(repository, &ended));
    }
    let commit = read_ref(&scratch, repository, BASE)?;
    Ok(ForkedTip { commit, repository: repository.clone(), scratch })
}

fn read_ref(scratch: &Scratch, repository: &RepositoryPath, name: &str) -> Result<ObjectId, GitError> {
    let path = scratch.path().join(name);
    let text = fs::read(&path).map_err(|source| error::files(repository, path, source))?;
    id_in(&text).ok_or_else(|| error::protocol(repository, "git wrote a ref that is no id"))
}

/// Returns the stream that makes the commit.
///
/// Source: git-fast-import(1), section INPUT FORMAT.
fn stream(base: ObjectId, commit: &NewCommit<'_>) -> std::io::Result<Vec<u8>> {
    let mut stream = Vec::new();
    let NewCommit { directory, files, message, author, seconds } = commit;
    writeln!(stream, "commit {COMMIT}")?;
    writeln!(stream, "author {author} {seconds} +0000\ncommitter {author} {seconds} +0000")?;
    writeln!(stream, "data {}\n{message}\n", message.len().saturating_add(1))?;
    writeln!(stream, "from {base}\nD {}", quoted(directory))?;
    for (name, content) in *files {
        writeln!(
            stream,
            "M 100644 inline {}\ndata {}",
            quoted(&format!("{directory}/{name}")),
            content.len()
        )?;
        stream.extend_from_slice(content);
        stream.push(b'\n');
    }
    Ok(stream)
}

/// Quotes a path as C does.
fn quoted(path: &str) -> String {
    let escaped = path.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

/// The ref of what was fetched.
const BASE: &str = "refs/e3/base";
/// The ref of the commit that is pushed.
pub(super) const COMMIT: &str = "refs/e3/commit";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_replaces_the_directory() {
        let files = [("a \"b\"".to_owned(), b"x\n".to_vec())];
        let commit =
            NewCommit { directory: "e3", files: &files, message: "Change", author: "E <e@x>", seconds: 5 };
        let expected = format!(
            "commit refs/e3/commit\nauthor E <e@x> 5 +0000\ncommitter E <e@x> 5 +0000\ndata 7\nChange\n\n\
             from {}\nD \"e3\"\nM 100644 inline \"e3/a \\\"b\\\"\"\ndata 2\nx\n\n",
            "0".repeat(40)
        );
        assert_eq!(String::from_utf8(stream(ObjectId::ZERO, &commit).unwrap()).unwrap(), expected);
    }
}
