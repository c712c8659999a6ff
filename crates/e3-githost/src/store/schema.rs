//! The schema, as steps that are each applied once.

use sqlx::sqlite::SqlitePool;

/// Brings the database up to date; `user_version` counts the steps it has.
pub(super) async fn migrate(pool: &SqlitePool) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let have: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *transaction).await?;
    let have = usize::try_from(have).unwrap_or(usize::MAX);
    if have > STEPS.len() {
        return Err(sqlx::Error::Configuration(
            format!("the database has schema {have}, this version knows {}; use a newer one", STEPS.len())
                .into(),
        ));
    }
    for (statements, version) in STEPS.iter().skip(have) {
        sqlx::raw_sql(*statements).execute(&mut *transaction).await?;
        sqlx::raw_sql(*version).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

/// A new version appends a step; a released step never changes.
const STEPS: &[(&str, &str)] = &[
    (FIRST, "PRAGMA user_version = 1"),
    (SSH_KEYS, "PRAGMA user_version = 2"),
    (ACCESS, "PRAGMA user_version = 3"),
    (PULL_REQUESTS, "PRAGMA user_version = 4"),
];

const PULL_REQUESTS: &str = include_str!("schema/pull_requests.sql");
const ACCESS: &str = include_str!("schema/access.sql");

const FIRST: &str = "
CREATE TABLE users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT NOT NULL UNIQUE,
    slug          TEXT NOT NULL UNIQUE,
    display_name  TEXT NOT NULL,
    email         TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    version       INTEGER NOT NULL DEFAULT 1,
    admin         INTEGER NOT NULL DEFAULT 0,
    active        INTEGER NOT NULL DEFAULT 1,
    created_ms    INTEGER NOT NULL
);
CREATE TABLE projects (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    key         TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL UNIQUE COLLATE NOCASE,
    description TEXT,
    created_ms  INTEGER NOT NULL
);
CREATE TABLE repositories (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id   INTEGER NOT NULL REFERENCES projects (id),
    slug         TEXT NOT NULL,
    name         TEXT NOT NULL,
    description  TEXT,
    hierarchy_id TEXT NOT NULL,
    created_ms   INTEGER NOT NULL,
    UNIQUE (project_id, slug)
);
CREATE TABLE sessions (
    token_hash   BLOB PRIMARY KEY,
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_version INTEGER NOT NULL,
    atl_token    TEXT NOT NULL,
    created_ms   INTEGER NOT NULL,
    seen_ms      INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_by_seen ON sessions (seen_ms);
CREATE TABLE visits (
    user_id       INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    visited_ms    INTEGER NOT NULL,
    PRIMARY KEY (user_id, repository_id)
) WITHOUT ROWID;
CREATE INDEX visits_by_time ON visits (user_id, visited_ms);
CREATE INDEX visits_by_repository ON visits (repository_id);
";

const SSH_KEYS: &str = "
CREATE TABLE ssh_keys (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id     INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    blob        BLOB NOT NULL UNIQUE,
    text        TEXT NOT NULL,
    label       TEXT NOT NULL,
    algorithm   TEXT NOT NULL,
    bits        INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    created_ms  INTEGER NOT NULL
);
CREATE INDEX ssh_keys_by_user ON ssh_keys (user_id);
";
