//! From a recipe to a dataset in the cache.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use e3_model::{Generate, Project, Repository, Snapshot};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::DatasetError;
use crate::cache::{self, Workplace};
use crate::layout::{Layout, Place};
use crate::repository::{self, Made};

/// A dataset that lies in the cache.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Its description, in the shape of the first E3; no user has a password in it.
    pub snapshot: Snapshot,
    /// Its repositories, in the snapshot's order.
    pub repositories: Vec<GeneratedRepository>,
}

/// One repository of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedRepository {
    /// The key of its project.
    pub project: String,
    /// Its slug.
    pub slug: String,
    /// The bare repository in the cache.
    pub path: PathBuf,
}

/// Returns the dataset that the recipe asks for, named `name`; it is made first unless `cache` has it whole.
///
/// # Errors
/// When the recipe is impossible, the cache cannot be written, or git fails.
///
/// # Cancellation
/// Dropping the future kills the running gits and removes what was half made.
pub async fn generate(name: &str, recipe: &Generate, cache: &Path) -> Result<Dataset, DatasetError> {
    check(name, recipe)?;
    let entry = cache::directory(cache, recipe)?;
    if let Some(snapshot) = cache::open(&entry, recipe) {
        return Ok(dataset(name, snapshot, &entry));
    }
    let layout = Layout::of(recipe);
    let workplace = Workplace::beside(&entry)?;
    let made = make_all(&layout, recipe, workplace.path()).await?;
    let listed = layout
        .repositories
        .iter()
        .map(|place| cache::list(workplace.path(), &place.project, &place.slug))
        .collect::<Result<Vec<_>, _>>()?;
    let snapshot = snapshot(&layout, made);
    workplace.publish(&entry, recipe, &snapshot, listed)?;
    Ok(dataset(name, snapshot, &entry))
}

fn check(name: &str, recipe: &Generate) -> Result<(), DatasetError> {
    let what = if recipe.projects == 0 || recipe.repositories == 0 || recipe.users == 0 {
        "no project, no repository or no user".to_owned()
    } else if recipe.commits_min == 0 || recipe.commits_min > recipe.commits_max {
        format!("repositories of {} to {} commits", recipe.commits_min, recipe.commits_max)
    } else {
        return Ok(());
    };
    Err(DatasetError::Recipe { name: name.to_owned(), what })
}

/// Makes all repositories, as many at once as there are processors, the largest first; returns what each has.
async fn make_all(layout: &Layout, recipe: &Generate, at: &Path) -> Result<Vec<Made>, DatasetError> {
    let team: Arc<[String]> =
        layout.users.iter().take(LARGEST_TEAM).map(|user| user.username.clone()).collect();
    let mut order: Vec<(usize, u64, &Place)> = layout
        .repositories
        .iter()
        .enumerate()
        .zip(1..)
        .map(|((at, place), lane)| (at, lane, place))
        .collect();
    order.sort_by_key(|(_, _, place)| std::cmp::Reverse(place.commits));
    let turns = Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(2, NonZero::get)));
    let mut tasks = JoinSet::new();
    for (position, lane, place) in order {
        let (place, team, turns) = (place.clone(), team.clone(), turns.clone());
        let directory = cache::repository(at, &place.project, &place.slug);
        let seed = recipe.seed.fork(lane);
        tasks.spawn(async move {
            let _turn = turns.acquire().await;
            (position, repository::make(&place, seed, &team, &directory).await)
        });
    }
    let mut made: Vec<Made> = layout.repositories.iter().map(|_| Made::default()).collect();
    while let Some(ended) = tasks.join_next().await {
        let (position, one) =
            ended.map_err(|source| DatasetError::Task { repository: "a repository".to_owned(), source })?;
        if let Some(slot) = made.get_mut(position) {
            *slot = one?;
        }
    }
    Ok(made)
}

fn snapshot(layout: &Layout, made: Vec<Made>) -> Snapshot {
    let mut projects: Vec<Project> =
        layout.projects.iter().map(|key| Project { name: key.clone(), repos: Vec::new() }).collect();
    for (place, made) in layout.repositories.iter().zip(made) {
        if let Some(project) = projects.iter_mut().find(|project| project.name == place.project) {
            let Made { branches, pull_requests } = made;
            let (name, weight) = (place.slug.clone(), place.weight);
            project.repos.push(Repository { name, weight, branches, pull_requests });
        }
    }
    Snapshot { projects, users: layout.users.clone(), ..Snapshot::default() }
}

/// Names the snapshot: entries of the cache have no name, as the same recipe may have several.
fn dataset(name: &str, snapshot: Snapshot, entry: &Path) -> Dataset {
    let repositories = snapshot
        .repositories()
        .map(|(project, repository)| GeneratedRepository {
            project: project.to_owned(),
            slug: repository.name.clone(),
            path: cache::repository(entry, project, &repository.name),
        })
        .collect::<Vec<_>>();
    let description = format!(
        "Generated: {} projects, {} repositories, {} users",
        snapshot.projects.len(),
        repositories.len(),
        snapshot.users.len()
    );
    let snapshot = Snapshot { name: name.to_owned(), description: Some(description), ..snapshot };
    Dataset { snapshot, repositories }
}

/// Commits and pull requests are made by the first users; more would make no difference to anyone.
const LARGEST_TEAM: usize = 20;
