//! The repositories of a dataset, with their branches and tags.

use std::sync::Arc;
use std::time::Duration;

use e3_bitbucket::{Bitbucket, Creation};

use super::lanes::{self, Queue};
use super::{Part, Server};
use crate::push::push;
use crate::{DatasetError, GeneratedRepository};

/// Creates the repositories and pushes what each lacks, and returns how many were not there before.
pub(super) async fn create(parts: Vec<Part>, server: &Arc<Server>) -> Result<usize, DatasetError> {
    let parts = Queue::of(parts);
    let created = lanes::run(LANES, || lane(parts.clone(), server.clone())).await?;
    Ok(created.into_iter().sum())
}

async fn lane(parts: Arc<Queue<Part>>, server: Arc<Server>) -> Result<usize, DatasetError> {
    let mut admin = server.admin();
    let mut created = 0;
    while let Some(part) = parts.next() {
        let GeneratedRepository { project, slug, .. } = &part.generated;
        let creation = admin.create_repository(project, slug).await;
        let creation = server.done(creation, || format!("create repository {project}/{slug}"))?;
        match creation {
            Creation::Created => send(&part, &server, &[]).await?,
            Creation::Existing => complete(&part, &server, &mut admin).await?,
        }
        created += usize::from(creation == Creation::Created);
    }
    Ok(created)
}

/// Pushes what an existing repository lacks.
async fn complete(part: &Part, server: &Server, admin: &mut Bitbucket) -> Result<(), DatasetError> {
    for pause in PAUSES {
        let moved = moved(part, server, admin).await?;
        match send(part, server, &moved).await {
            // The server may still be working on the push of a load that was given up, and holds its locks until then.
            Err(DatasetError::Git { .. }) => tokio::time::sleep(pause).await,
            done => return done,
        }
    }
    let moved = moved(part, server, admin).await?;
    send(part, server, &moved).await
}

async fn send(part: &Part, server: &Server, without: &[String]) -> Result<(), DatasetError> {
    let Server { base, target } = server;
    push(&part.generated, base, &target.admin, &target.admin_password, without).await
}

/// Returns the branches that are further on the server than in the dataset, as full refs.
///
/// # Errors
/// When one does not lead to the dataset's commit: then it is something else's.
async fn moved(part: &Part, server: &Server, admin: &mut Bitbucket) -> Result<Vec<String>, DatasetError> {
    let GeneratedRepository { project, slug, .. } = &part.generated;
    let found = admin.branches(project, slug).await;
    let found = server.done(found, || format!("list the branches of {project}/{slug}"))?;
    let mut moved = Vec::new();
    for ours in &part.branches {
        let Some(theirs) = found.iter().find(|theirs| theirs.id == ours.id) else { continue };
        if theirs.latest_commit == ours.latest_commit {
            continue;
        }
        let leads_there = match admin.contains(project, slug, &ours.id, &ours.latest_commit).await {
            // It does not even know our commit.
            Err(error) if error.status() == Some(404) => false,
            answer => server.done(answer, || format!("compare the branches of {project}/{slug}"))?,
        };
        if !leads_there {
            return Err(DatasetError::Foreign {
                repository: format!("{project}/{slug}"),
                branch: ours.display_id.clone(),
                url: server.base.to_string(),
            });
        }
        moved.push(ours.id.clone());
    }
    Ok(moved)
}

/// A push keeps a process busy here and another one on the server.
const LANES: usize = 4;
/// How long to wait after each failed push but the last.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(3)];
