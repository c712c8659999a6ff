//! The metadata: users, projects, repositories, sessions and visits in one SQLite file that all nodes share.
//!
//! Readers run in parallel (WAL); writers of one node take turns on one connection and wait for those of other nodes by
//! SQLite's busy timeout. Every statement is a literal with bound parameters.

mod audit;
mod builds;
mod grants;
mod groups;
mod projects;
mod pull_requests;
mod repositories;
mod schema;
mod sessions;
mod settings;
mod ssh_keys;
mod tokens;
mod users;
mod visits;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use tokio::sync::Semaphore;

pub(crate) use audit::{AuditEvent, AuditKind};
pub(crate) use builds::{BuildCount, BuildStatus, NewBuildStatus};
pub(crate) use grants::{GroupGrant, Holder, Scope, UserGrant};
pub(crate) use groups::Group;
pub(crate) use projects::{Project, ProjectChanged, ProjectCreated, ProjectWish};
pub(crate) use pull_requests::{
    Action, Activity, Anchor, Comment, CommentEdit, CommentRemoved, Direction, Edit, Ends, Merge, MergeBegun,
    NewComment, NewPullRequest, Order, PartWanted, PullRequest, PullRequestCreated, PullRequestFilter,
    PullRequestPerson, PullRequestState, PullRequestsOfUser, Role, Status, Tip,
};
pub(crate) use repositories::{CreateRepositoryError, Repository, RepositoryChanged, RepositoryCreated};
pub(crate) use sessions::NewSession;
pub(crate) use settings::{Condition, ConditionReviewer, NewCondition, Of};
pub(crate) use ssh_keys::{NewSshKey, SshKey};
pub(crate) use tokens::{AccessToken, NewAccessToken};
pub(crate) use users::{NewUser, User};

/// The database of one server.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    readers: SqlitePool,
    writer: SqlitePool,
    notes: Arc<Semaphore>,
}

/// A part of a longer list: the rows, and whether more follow.
#[derive(Debug, Clone)]
pub(crate) struct Part<T> {
    pub(crate) rows: Vec<T>,
    pub(crate) more: bool,
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) start: u32,
    pub(crate) limit: u32,
}

impl Store {
    /// Opens the database, making the file and bringing its schema up to date.
    ///
    /// Only one process may be opening it at a time; the home's lock sees to that.
    pub(crate) async fn open(path: &Path) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // With WAL a power cut may lose the last commits but never tears the file.
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY_WAIT)
            .foreign_keys(true);
        let pool = |connections: u32| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(POOL_WAIT)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
        };
        let writer = pool(1).connect_with(options.clone()).await?;
        schema::migrate(&writer).await?;
        let readers = pool(READERS).connect_with(options).await?;
        Ok(Self { readers, writer, notes: Arc::new(Semaphore::new(MOST_NOTES)) })
    }

    /// Returns how many connections each pool has in use, and how many idle.
    pub(crate) fn connections(&self) -> [(&'static str, usize, usize); 2] {
        [("read", &self.readers), ("write", &self.writer)].map(|(name, pool)| {
            let idle = pool.num_idle();
            (name, usize_of(pool.size()).saturating_sub(idle), idle)
        })
    }

    /// Closes every connection, so that the last node leaves no WAL file behind.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Writes down what no answer depends on: waits a little for it, then leaves it to itself, so that reading goes on while
    /// others keep the database locked. A failure is logged; a note too many is left out.
    pub(crate) async fn note(
        &self,
        what: &'static str,
        write: impl Future<Output = Result<(), sqlx::Error>> + Send + 'static,
    ) {
        let Ok(place) = Arc::clone(&self.notes).try_acquire_owned() else { return };
        let writing = tokio::spawn(async move {
            let _place = place;
            if let Err(error) = write.await {
                tracing::warn!(%error, what, "cannot write down a note");
            }
        });
        let _ = tokio::time::timeout(NOTE_WAIT, writing).await;
    }

    /// Begins a transaction that holds the write lock from its start: none fails half-way for a reader turned writer.
    async fn begin(&self) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, sqlx::Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }
}

impl Window {
    /// Returns the row count to ask for: one more than wanted shows whether more follow.
    fn probe(self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Returns this window's part of a list that is already in memory.
    pub(crate) fn of<T>(self, rows: impl ExactSizeIterator<Item = T>) -> Part<T> {
        let (start, limit) = (usize_of(self.start), usize_of(self.limit));
        let more = rows.len() > start.saturating_add(limit);
        Part { rows: rows.skip(start).take(limit).collect(), more }
    }

    pub(crate) fn part<T>(self, mut rows: Vec<T>) -> Part<T> {
        let more = rows.len() > usize_of(self.limit);
        rows.truncate(usize_of(self.limit));
        Part { rows, more }
    }
}

/// Returns a `LIKE` pattern that finds the text anywhere, with `\` as the escape; the empty text matches all.
fn containing(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

pub(crate) fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

fn usize_of(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

const MOST_NOTES: usize = 64;
const NOTE_WAIT: Duration = Duration::from_millis(250);
const READERS: u32 = 8;
const BUSY_WAIT: Duration = Duration::from_secs(15);
const POOL_WAIT: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{ProjectKey, RepositoryName, Title, UserName};

    async fn administrator(store: &Store) -> User {
        let name = UserName::parse("root").unwrap();
        let new = NewUser { display_name: "Root", email: "", password_hash: "", admin: true };
        store.create_user(&name, new).await.unwrap();
        store.user(&name).await.unwrap().unwrap()
    }

    fn window(start: u32, limit: u32) -> Window {
        Window { start, limit }
    }

    async fn project(store: &Store, key: &str) -> Project {
        let title = Title::parse(&format!("Project {key}")).unwrap();
        match store.create_project(&ProjectKey::parse(key).unwrap(), &title, None).await.unwrap() {
            ProjectCreated::Made(project) => project,
            other => unreachable!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn lists_come_in_parts_and_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("a.sqlite")).await.unwrap();
        let viewer = administrator(&store).await;
        for key in ["C", "a", "B"] {
            project(&store, key).await;
        }
        let part = store.projects(&viewer, "", window(0, 2)).await.unwrap();
        assert!(part.more);
        assert_eq!(part.rows.iter().map(|p| p.key.as_str()).collect::<Vec<_>>(), ["A", "B"]);
        let part = store.projects(&viewer, "", window(2, 2)).await.unwrap();
        assert!(!part.more);
        assert_eq!(part.rows.len(), 1);
        assert_eq!(store.projects(&viewer, "ect b", window(0, 9)).await.unwrap().rows.len(), 1);
        assert_eq!(
            store.projects(&viewer, "%", window(0, 9)).await.unwrap().rows.len(),
            0,
            "a percent sign is only itself"
        );
    }

    #[tokio::test]
    async fn duplicates_are_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("a.sqlite")).await.unwrap();
        let first = project(&store, "A").await;
        let key = ProjectKey::parse("a").unwrap();
        let other = ProjectKey::parse("B").unwrap();
        let title = Title::parse("project a").unwrap();
        assert!(matches!(
            store.create_project(&key, &Title::parse("x").unwrap(), None).await.unwrap(),
            ProjectCreated::KeyTaken
        ));
        assert!(matches!(
            store.create_project(&other, &title, None).await.unwrap(),
            ProjectCreated::NameTaken
        ));
        let (name, slug) = RepositoryName::parse("One").unwrap();
        let place = |_| async { Ok(()) };
        let made = store.create_repository(&first, (&name, &slug), None, place).await.unwrap();
        assert!(matches!(made, RepositoryCreated::Made(_)));
        let again = store.create_repository(&first, (&name, &slug), None, place).await.unwrap();
        assert!(matches!(again, RepositoryCreated::Taken));
        assert!(!store.delete_project(&first).await.unwrap(), "it still has a repository");
    }

    #[tokio::test]
    async fn a_repository_that_could_not_be_placed_leaves_no_row() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("a.sqlite")).await.unwrap();
        let first = project(&store, "A").await;
        let (name, slug) = RepositoryName::parse("One").unwrap();
        let fail = |_| async { Err(std::io::Error::other("disk full")) };
        assert!(store.create_repository(&first, (&name, &slug), None, fail).await.is_err());
        let key = ProjectKey::parse("A").unwrap();
        assert!(store.repository(&key, &slug).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn two_stores_on_one_file_see_each_other_and_write_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.sqlite");
        let (one, two) = (Store::open(&path).await.unwrap(), Store::open(&path).await.unwrap());
        let write = |store: Store, prefix: &'static str| async move {
            for n in 0..50 {
                let name = UserName::parse(&format!("{prefix}{n}")).unwrap();
                let new = NewUser { display_name: "x", email: "", password_hash: "", admin: false };
                assert!(store.create_user(&name, new).await.unwrap());
            }
        };
        tokio::join!(write(one.clone(), "a"), write(two.clone(), "b"));
        assert_eq!(one.users("", window(0, 1000)).await.unwrap().rows.len(), 100);
        assert_eq!(two.users("", window(0, 1000)).await.unwrap().rows.len(), 100);
    }
}
