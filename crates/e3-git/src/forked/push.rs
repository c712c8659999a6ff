//! `git push`, of one commit, and of deletions.

use super::{Call, Ended, ForkedCommit, ForkedGit, error, scratch::Scratch, tip::COMMIT, verdict};
use crate::{GitError, ObjectId, RepositoryPath, push::full_name};

/// What a push made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForkedPush {
    /// What the branch points to now.
    pub commit: ObjectId,
}

pub(super) async fn push(
    git: &ForkedGit,
    repository: &RepositoryPath,
    commit: &ForkedCommit,
    branch: &str,
) -> Result<ForkedPush, GitError> {
    let (git_dir, url) = (commit.scratch.git_dir(), git.place.url(repository));
    let update = format!("{COMMIT}:{}", full_name(branch));
    let call = Call::on(&git_dir, &commit.scratch).args(&PUSH).args(&[&url, &update]);
    let ended = git.run(repository, call).await?;
    judged(repository, &ended)?;
    Ok(ForkedPush { commit: commit.id })
}

pub(super) async fn delete(
    git: &ForkedGit,
    repository: &RepositoryPath,
    branches: &[&str],
) -> Result<(), GitError> {
    let there = git.ls_remote(repository).await?;
    let updates: Vec<_> = branches
        .iter()
        .map(|branch| full_name(branch))
        .filter(|name| there.iter().any(|found| found.name == *name))
        .map(|name| format!(":{name}"))
        .collect();
    let scratch = Scratch::repository(&git.place, None)
        .map_err(|source| error::files(repository, git.place.path(), source))?;
    let (git_dir, url) = (scratch.git_dir(), git.place.url(repository));
    for some in updates.chunks(MOST_UPDATES) {
        let call = Call::on(&git_dir, &scratch).args(&PUSH).arg(&url);
        let call = some.iter().fold(call, Call::arg);
        judged(repository, &git.run(repository, call).await?)?;
    }
    Ok(())
}

/// Returns why a push failed, if it did: the first update that was refused, or what git says.
///
/// Source: git-push(1), section OUTPUT: with `--porcelain`, `!` begins the line of an update that was refused.
fn judged(repository: &RepositoryPath, ended: &Ended) -> Result<(), GitError> {
    if ended.status.success() {
        return Ok(());
    }
    let report = String::from_utf8_lossy(&ended.stdout);
    let refused = report.lines().find_map(|line| line.strip_prefix("!\t")?.split_once('\t'));
    Err(match refused {
        Some((update, reason)) => GitError::Refused {
            repository: repository.clone(),
            branch: update.rsplit(':').next().unwrap_or(update).to_owned(),
            reason: verdict::clean(reason),
        },
        None => verdict::of(repository, ended),
    })
}

const PUSH: [&str; 5] = ["push", "--porcelain", "--no-progress", "--force", "--"];
/// So that they fit into the arguments of a process.
const MOST_UPDATES: usize = 500;
