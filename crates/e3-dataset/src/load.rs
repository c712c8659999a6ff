//! From the cache into a server, by the ways a person has: REST and push.
//!
//! Loading only adds what is missing: a user, key, project, repository, branch, tag, pull request or comment that is
//! there stays as it is. So a load that broke off is completed by loading again, and a second load changes nothing.
//! What it must never do is move a branch back, not even its own: the server's merges have moved some of them on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use e3_bitbucket::{Bitbucket, BitbucketError, Creation, ProjectPermission};
use e3_http::BaseUrl;
use e3_model::{Branch, Project, PullRequest, Secret, Snapshot};

use crate::layout::spoken;
use crate::{Dataset, DatasetError, GeneratedRepository};

mod contents;
mod lanes;
mod people;
mod requests;

/// The server that a dataset is loaded into.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its address, such as `http://127.0.0.1:7990`.
    pub url: String,
    /// The administrator's name.
    pub admin: String,
    /// The administrator's password.
    pub admin_password: Secret,
    /// The password of each user; there may be more than the dataset has.
    pub users: BTreeMap<String, Secret>,
    /// The public SSH keys of users, in OpenSSH's form; whoever has none here gets none.
    pub public_keys: BTreeMap<String, String>,
}

/// What was loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The dataset as it is on the server: with the tips that merges have moved, and the users' public keys.
    pub snapshot: Snapshot,
    /// How many projects are there now.
    pub projects: usize,
    /// How many repositories are there now.
    pub repositories: usize,
    /// How many users are there now.
    pub users: usize,
    /// How many pull requests are there now.
    pub pull_requests: usize,
    /// How many of all these were created now; the others existed.
    pub created: usize,
    /// How long it took.
    pub elapsed: Duration,
}

/// Loads a dataset into a server; loading it again completes what is missing, and else changes nothing.
///
/// # Errors
/// When a user has no password (nothing is created then), the server refuses something, or a branch that is there has
/// other commits than the dataset's.
///
/// # Cancellation
/// Dropping the future kills the running pushes; what was created stays.
pub async fn load(dataset: &Dataset, target: &Target) -> Result<Loaded, DatasetError> {
    let begun = Instant::now();
    let server = Arc::new(Server::of(target)?);
    server.check_passwords(&dataset.snapshot)?;
    let (users, contents) = tokio::try_join!(
        people::create(&dataset.snapshot.users, &server),
        create_contents(dataset, &server)
    )?;
    let repositories = repositories(dataset);
    let pull_requests = repositories.iter().map(|repository| repository.pull_requests.len()).sum();
    let (requests, tips) = requests::create(repositories, &server).await?;
    let loaded = Loaded {
        snapshot: server.describe(&dataset.snapshot, &tips),
        projects: dataset.snapshot.projects.len(),
        repositories: dataset.repositories.len(),
        users: dataset.snapshot.users.len(),
        pull_requests,
        created: users + contents + requests,
        elapsed: begun.elapsed(),
    };
    let (created, elapsed) = (loaded.created, loaded.elapsed);
    tracing::info!(dataset = dataset.snapshot.name, url = %server.base, created, ?elapsed, "loaded a dataset");
    Ok(loaded)
}

/// Creates the projects, then fills the repositories; returns how much of both was not there before.
async fn create_contents(dataset: &Dataset, server: &Arc<Server>) -> Result<usize, DatasetError> {
    let mut admin = server.admin();
    let mut created = 0;
    for Project { name: key, .. } in &dataset.snapshot.projects {
        let creation = admin.create_project(key, &spoken(key), DESCRIPTION).await;
        created += server.count(creation, || format!("create project {key}"))?;
        let permitted = admin.permit_everyone(key, ProjectPermission::Write).await;
        server.done(permitted, || format!("let everyone write to project {key}"))?;
    }
    Ok(created + contents::create(repositories(dataset), server).await?)
}

/// One repository of a dataset with all that is loaded of it.
#[derive(Debug, Clone)]
struct Part {
    generated: GeneratedRepository,
    branches: Vec<Branch>,
    pull_requests: Vec<PullRequest>,
}

/// Returns the repositories, those with the most pull requests, which are the largest, first.
fn repositories(dataset: &Dataset) -> Vec<Part> {
    let described = dataset.snapshot.repositories().map(|(_, repository)| repository);
    let mut parts: Vec<Part> = (dataset.repositories.iter().zip(described))
        .map(|(generated, described)| Part {
            generated: generated.clone(),
            branches: described.branches.clone(),
            pull_requests: described.pull_requests.clone(),
        })
        .collect();
    parts.sort_by_key(|part| std::cmp::Reverse((part.pull_requests.len(), part.branches.len())));
    parts
}

/// The branches of a repository as they are on the server, by its project's key and its slug.
type Tips = BTreeMap<(String, String), Vec<Branch>>;

/// The server, and who is known there.
#[derive(Debug)]
struct Server {
    base: BaseUrl,
    target: Target,
}

impl Server {
    fn of(target: &Target) -> Result<Self, DatasetError> {
        let base = BaseUrl::parse(&target.url)
            .map_err(|source| DatasetError::Address { url: target.url.clone(), source: source.into() })?;
        Ok(Self { base, target: target.clone() })
    }

    fn check_passwords(&self, snapshot: &Snapshot) -> Result<(), DatasetError> {
        snapshot.users.iter().try_for_each(|user| self.password(&user.username).map(drop))
    }

    fn password(&self, user: &str) -> Result<&Secret, DatasetError> {
        self.target.users.get(user).ok_or_else(|| DatasetError::Password { user: user.to_owned() })
    }

    /// Returns a connection of the administrator's own.
    fn admin(&self) -> Bitbucket {
        Bitbucket::new(self.base.clone(), &self.target.admin, &self.target.admin_password)
    }

    /// Returns a connection of a user's own.
    fn client(&self, user: &str) -> Result<Bitbucket, DatasetError> {
        Ok(Bitbucket::new(self.base.clone(), user, self.password(user)?))
    }

    /// Returns what was done; `task` says what was to be, after "cannot".
    fn done<T>(
        &self,
        done: Result<T, BitbucketError>,
        task: impl FnOnce() -> String,
    ) -> Result<T, DatasetError> {
        done.map_err(|source| DatasetError::Server {
            task: task(),
            url: self.base.to_string(),
            source: source.into(),
        })
    }

    /// Returns 1 for what was created, and 0 for what existed.
    fn count(
        &self,
        creation: Result<Creation, BitbucketError>,
        task: impl FnOnce() -> String,
    ) -> Result<usize, DatasetError> {
        Ok(usize::from(self.done(creation, task)? == Creation::Created))
    }

    /// Returns the snapshot as it is true of this server.
    fn describe(&self, snapshot: &Snapshot, tips: &Tips) -> Snapshot {
        let mut snapshot = snapshot.clone();
        for user in &mut snapshot.users {
            user.public_key = self.target.public_keys.get(&user.username).cloned();
        }
        for project in &mut snapshot.projects {
            for repository in &mut project.repos {
                let found = tips.get(&(project.name.clone(), repository.name.clone()));
                for branch in &mut repository.branches {
                    let moved = found.into_iter().flatten().find(|found| found.id == branch.id);
                    branch.clone_from(moved.unwrap_or(&branch.clone()));
                }
            }
        }
        snapshot
    }
}

const DESCRIPTION: &str = "Generated by E3";
