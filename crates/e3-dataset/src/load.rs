//! From the cache into a server, by the ways a person has: REST and push.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use e3_bitbucket::{Bitbucket, BitbucketError, Creation};
use e3_http::BaseUrl;
use e3_model::Secret;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::layout::{address, spoken};
use crate::push::push;
use crate::{Dataset, DatasetError, GeneratedRepository};

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
}

/// What was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loaded {
    /// How many projects are there now.
    pub projects: usize,
    /// How many repositories were pushed to.
    pub repositories: usize,
    /// How many users are there now.
    pub users: usize,
    /// How many of all these were created now; the others existed.
    pub created: usize,
    /// How long it took.
    pub elapsed: Duration,
}

/// Loads a dataset into a server; loading it again changes nothing.
///
/// # Errors
/// When a user has no password (nothing is created then), or the server refuses a creation or a push.
///
/// # Cancellation
/// Dropping the future kills the running pushes; what was created stays.
pub async fn load(dataset: &Dataset, target: &Target) -> Result<Loaded, DatasetError> {
    let begun = Instant::now();
    let base = BaseUrl::parse(&target.url)
        .map_err(|source| DatasetError::Address { url: target.url.clone(), source: source.into() })?;
    let passwords = passwords(dataset, target)?;
    let (users, contents) =
        tokio::try_join!(create_users(&passwords, &base, target), create_contents(dataset, &base, target))?;
    let loaded = Loaded {
        projects: dataset.snapshot.projects.len(),
        repositories: dataset.repositories.len(),
        users: passwords.len(),
        created: users + contents,
        elapsed: begun.elapsed(),
    };
    tracing::info!(dataset = dataset.snapshot.name, url = %base, ?loaded, "loaded a dataset");
    Ok(loaded)
}

fn passwords<'a>(
    dataset: &'a Dataset,
    target: &'a Target,
) -> Result<Vec<(&'a str, &'a Secret)>, DatasetError> {
    let of = |name: &'a str| {
        let password =
            target.users.get(name).ok_or_else(|| DatasetError::Password { user: name.to_owned() })?;
        Ok((name, password))
    };
    dataset.snapshot.users.iter().map(|user| of(&user.username)).collect()
}

/// Creates the users, and returns how many there were not before.
async fn create_users(
    users: &[(&str, &Secret)],
    base: &BaseUrl,
    target: &Target,
) -> Result<usize, DatasetError> {
    let mut server = Bitbucket::new(base.clone(), &target.admin, &target.admin_password);
    let mut created = 0;
    for (name, password) in users {
        let creation = server.create_user(name, password, &spoken(name), &address(name)).await;
        created += count(creation, base, || format!("user {name}"))?;
    }
    Ok(created)
}

/// Creates projects and repositories, pushes each repository's contents once it is there, and returns how many were
/// not there before.
async fn create_contents(dataset: &Dataset, base: &BaseUrl, target: &Target) -> Result<usize, DatasetError> {
    let mut server = Bitbucket::new(base.clone(), &target.admin, &target.admin_password);
    let mut created = 0;
    for project in &dataset.snapshot.projects {
        let key = &project.name;
        let creation = server.create_project(key, &spoken(key), DESCRIPTION).await;
        created += count(creation, base, || format!("project {key}"))?;
    }
    let turns = Arc::new(Semaphore::new(PUSHES_AT_ONCE));
    let mut pushes = JoinSet::new();
    for repository in &dataset.repositories {
        let GeneratedRepository { project, slug, .. } = repository;
        let creation = server.create_repository(project, slug).await;
        created += count(creation, base, || format!("repository {project}/{slug}"))?;
        let (repository, base, turns) = (repository.clone(), base.clone(), turns.clone());
        let (admin, password) = (target.admin.clone(), target.admin_password.clone());
        pushes.spawn(async move {
            let _turn = turns.acquire().await;
            push(&repository, &base, &admin, &password).await
        });
    }
    while let Some(ended) = pushes.join_next().await {
        ended.map_err(|source| DatasetError::Task { repository: "a repository".to_owned(), source })??;
    }
    Ok(created)
}

fn count(
    creation: Result<Creation, BitbucketError>,
    base: &BaseUrl,
    what: impl FnOnce() -> String,
) -> Result<usize, DatasetError> {
    match creation {
        Ok(Creation::Created) => Ok(1),
        Ok(Creation::Existing) => Ok(0),
        Err(source) => {
            Err(DatasetError::Create { what: what(), url: base.to_string(), source: source.into() })
        }
    }
}

const PUSHES_AT_ONCE: usize = 4;
const DESCRIPTION: &str = "Generated by E3";
