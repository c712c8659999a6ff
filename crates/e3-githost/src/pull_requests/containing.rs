//! Which pull requests bring a commit.

use std::collections::HashSet;
use std::fmt::Write;

use super::find::refresh;
use super::mergeability::failure_of;
use crate::failure::Failure;
use crate::git::git_dir;
use crate::state::Host;
use crate::store::{Part, PullRequest, Repository, Window};

/// Returns the pull requests that bring or brought the commit to their target, the newest first; declined ones do not.
///
/// Only the newest thousand of the repository are looked at.
///
/// # Errors
/// 503 if git has no turn for it.
pub(crate) async fn containing(
    host: &Host,
    repository: &Repository,
    commit: &str,
    window: Window,
) -> Result<Part<PullRequest>, Failure> {
    let ends = host.store.pull_request_ends(repository, MOST).await?;
    if ends.is_empty() {
        return Ok(Part { rows: Vec::new(), more: false });
    }
    let mut input = format!("^{commit}\n");
    for end in &ends {
        // Writing to a String cannot fail.
        let _ = writeln!(input, "{}\n{}", end.from_commit, end.to_commit);
    }
    let path = host.repositories.path(repository.id);
    let arguments =
        ["rev-list", "--ancestry-path", "--ignore-missing", "--stdin"].map(std::ffi::OsString::from);
    let listed = host
        .git
        .output(std::iter::once(git_dir(&path)).chain(arguments), input.as_bytes(), MOST_LISTED)
        .await
        .map_err(|error| failure_of("look for descendants", &error))?;
    let listed = String::from_utf8_lossy(&listed);
    let descendants: HashSet<&str> = listed.lines().collect();
    let has = |tip: &str| tip == commit || descendants.contains(tip);
    let brings = |end: &&crate::store::Ends| {
        end.merge_commit.as_deref() == Some(commit) || (has(&end.from_commit) && !has(&end.to_commit))
    };
    let numbers: Vec<i64> = ends.iter().filter(brings).map(|end| end.number).collect();
    let part = window.of(numbers.into_iter());
    let found = host.store.pull_requests_numbered(repository, &part.rows).await?;
    Ok(Part { rows: refresh(host, found).await?, more: part.more })
}

const MOST: u32 = 1000;
const MOST_LISTED: usize = 64 << 20;
