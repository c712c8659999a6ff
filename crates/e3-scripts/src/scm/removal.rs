//! Removing branches that a client has pushed, also those whose push may still be under way in the server.

use std::time::Duration;

use e3_git::{GitError, RepositoryPath};

use super::Client;

/// Deletes those of the branches that are there.
///
/// `unreported` are those among them whose push was cut off before its report was read: the server may take such a push
/// in after this has looked, so it looks again a few times, as nobody could say when or whether that happens.
pub(crate) async fn remove_branches(
    client: impl Into<Client>,
    repository: &RepositoryPath,
    branches: &[&str],
    unreported: &[&str],
) -> Result<(), GitError> {
    let client = client.into();
    let mut awaited = unreported.to_vec();
    let mut pauses = PAUSES.iter();
    loop {
        if !awaited.is_empty() {
            let there = client.branches(repository).await?;
            awaited.retain(|branch| !there.contains(&format!("refs/heads/{branch}")));
        }
        client.delete_branches(repository, branches).await?;
        let Some(pause) = pauses.next().filter(|_| !awaited.is_empty()) else { return Ok(()) };
        tokio::time::sleep(*pause).await;
    }
}

/// How long to wait before each further look: one and a half seconds in all, longer than a server takes to notice that
/// its client has gone.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
];
