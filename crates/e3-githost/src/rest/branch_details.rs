//! `details` of branches: what they are at, how far they are from another one, what builds say.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::Base;
use super::shapes::{Commit, People};
use crate::compare;
use crate::failure::Failure;
use crate::git::Branch;
use crate::references;
use crate::state::Host;
use crate::store::{BuildCount, Repository};

/// Returns the details of the branches, in their order, by two forks however many there are.
///
/// # Errors
/// 404 if the base is no branch, 503 if git has no turn for it.
pub(super) async fn details(
    host: &Host,
    repository: &Repository,
    (branches, against): (&[Branch], Option<&str>),
    base: &Base,
) -> Result<Vec<Map<String, Value>>, Failure> {
    let mut ids: Vec<String> = branches.iter().map(|branch| branch.commit.clone()).collect();
    ids.sort();
    ids.dedup();
    let commits = compare::commits_by_id(host, repository, &ids).await?;
    let people = People::of(host, &commits).await?;
    let commits: HashMap<String, compare::Commit> =
        commits.into_iter().map(|commit| (commit.id.clone(), commit)).collect();
    let builds = host.store.build_counts(&ids).await?;
    let distances = distances(host, repository, (branches, against)).await?;
    let details = branches.iter().zip(distances).map(|(branch, distance)| {
        let mut metadata = Map::new();
        if let Some(distance) = distance {
            metadata
                .insert(AHEAD_BEHIND.to_owned(), json!({"ahead": distance.ahead, "behind": distance.behind}));
        }
        if let Some(commit) = commits.get(&branch.commit) {
            let shape = Commit::new(commit.clone(), &people, base);
            metadata.insert(LATEST_COMMIT.to_owned(), serde_json::to_value(shape).unwrap_or_default());
        }
        if let Some(counts) = counts(&builds, &branch.commit) {
            metadata.insert(BUILDS.to_owned(), counts);
        }
        metadata
    });
    Ok(details.collect())
}

/// The branch that the others are held against has no distance.
async fn distances(
    host: &Host,
    repository: &Repository,
    (branches, against): (&[Branch], Option<&str>),
) -> Result<Vec<Option<references::Distance>>, Failure> {
    let nothing = || branches.iter().map(|_| None).collect();
    let Some(against) = against else { return Ok(nothing()) };
    let base = match compare::resolve(host, repository, against).await {
        Ok(base) => base,
        // The default branch need not exist.
        Err(failure) if failure.status == 404 => return Ok(nothing()),
        Err(failure) => return Err(failure),
    };
    if branches.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = branches.iter().map(|branch| branch.name.as_str()).collect();
    let found = references::distances(host, repository, &base, &names).await?;
    let is_base = |branch: &Branch| branch.name == against || branch.display() == against;
    Ok(branches.iter().zip(found).map(|(branch, found)| found.filter(|_| !is_base(branch))).collect())
}

fn counts(builds: &[BuildCount], commit: &str) -> Option<Value> {
    let of = |state: &str| {
        let found = builds.iter().find(|build| build.commit_id == commit && build.state == state);
        found.map_or(0, |build| build.count)
    };
    let any = builds.iter().any(|build| build.commit_id == commit);
    any.then(
        || json!({"successful": of("SUCCESSFUL"), "inProgress": of("INPROGRESS"), "failed": of("FAILED")}),
    )
}

/// Source: the recorded names of Bitbucket's plug-ins.
const AHEAD_BEHIND: &str = "com.atlassian.bitbucket.server.bitbucket-branch:ahead-behind-metadata-provider";
const LATEST_COMMIT: &str = "com.atlassian.bitbucket.server.bitbucket-branch:latest-commit-metadata";
const BUILDS: &str = "com.atlassian.bitbucket.server.bitbucket-build:build-status-metadata";
