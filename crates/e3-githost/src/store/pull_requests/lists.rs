//! Lists of pull requests: of a repository, and of a user among all repositories.

use std::collections::HashMap;

use sqlx::FromRow;

use super::super::{Part, Repository, Store, User, Window, containing};
use super::{PullRequest, PullRequestState, Role, Row, Status, json_of};

/// Which pull requests of a repository are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct PullRequestFilter {
    /// None for those in every state.
    pub(crate) state: Option<PullRequestState>,
    pub(crate) order: Order,
    /// The full name of the branch, and which end of the pull request it is.
    pub(crate) at: Option<(Direction, String)>,
    /// In the title or the description.
    pub(crate) text: String,
    /// Everyone who must have a part.
    pub(crate) people: Vec<PartWanted>,
}

/// Who must have a part in a pull request; none for a part of any kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct PartWanted {
    pub(crate) name: String,
    pub(crate) role: Option<Role>,
    pub(crate) status: Option<Status>,
}

/// Which end of a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// The target.
    Incoming,
    /// The source.
    Outgoing,
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Order {
    #[default]
    Newest,
    Oldest,
    /// The latest closed first.
    ClosedDate,
}

/// Which pull requests of a user are wanted, in all repositories.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PullRequestsOfUser<'a> {
    pub(crate) state: Option<PullRequestState>,
    pub(crate) role: Option<Role>,
    /// None for any; several mean any of these.
    pub(crate) statuses: &'a [Status],
    pub(crate) closed_since_ms: Option<i64>,
    pub(crate) order: Order,
}

/// A statement that reads rows; the condition and what follows are literals too.
macro_rules! rows {
    ($rest:literal) => {
        concat!(
            "SELECT q.key, q.number, q.repository_id, q.version, q.title, q.description, q.state, q.from_ref,
                    q.from_commit, q.to_ref, q.to_commit, q.created_ms, q.updated_ms, q.closed_ms, q.merge_commit,
                    m.merge_commit AS merging
             FROM pull_requests q LEFT JOIN pull_request_merges m ON m.pull_request = q.key WHERE ",
            $rest
        )
    };
}

/// The part of a repository's list that does not depend on state and order: `?1` to `?5`.
macro_rules! listed {
    ($which:literal, $order:literal) => {
        concat!(
            rows!("q.repository_id = ?1 "),
            $which,
            " AND (?3 IS NULL OR q.to_ref = ?3) AND (?4 IS NULL OR q.from_ref = ?4)
              AND (?5 IS NULL OR q.title LIKE ?5 ESCAPE '\\' OR q.description LIKE ?5 ESCAPE '\\')
              AND NOT EXISTS (
                SELECT 1 FROM json_each(?6) wanted WHERE NOT EXISTS (
                    SELECT 1 FROM pull_request_people p JOIN users u ON u.id = p.user_id
                    WHERE p.pull_request = q.key AND u.name = wanted.value ->> 'name'
                          AND (wanted.value ->> 'role' IS NULL OR p.role = wanted.value ->> 'role')
                          AND (wanted.value ->> 'status' IS NULL OR p.status = wanted.value ->> 'status'))) ",
            $order,
            " LIMIT ?7 OFFSET ?8"
        )
    };
}

impl Store {
    pub(crate) async fn pull_requests(
        &self,
        repository: &Repository,
        filter: &PullRequestFilter,
        window: Window,
    ) -> Result<Part<PullRequest>, sqlx::Error> {
        // An index has the rows of each in their order.
        let statement = match (filter.state, filter.order) {
            (None, Order::Newest) => listed!("AND ?2 IS NULL", "ORDER BY q.number DESC"),
            (None, Order::Oldest) => listed!("AND ?2 IS NULL", "ORDER BY q.number"),
            (None, Order::ClosedDate) => {
                listed!("AND ?2 IS NULL", "ORDER BY q.closed_ms DESC, q.number DESC")
            }
            (Some(_), Order::Newest) => listed!("AND q.state = ?2", "ORDER BY q.number DESC"),
            (Some(_), Order::Oldest) => listed!("AND q.state = ?2", "ORDER BY q.number"),
            (Some(_), Order::ClosedDate) => {
                listed!("AND q.state = ?2", "ORDER BY q.closed_ms DESC, q.number DESC")
            }
        };
        let at = |wanted: Direction| {
            filter.at.as_ref().filter(|(direction, _)| *direction == wanted).map(|(_, name)| name.as_str())
        };
        let people: Vec<serde_json::Value> = filter.people.iter().map(PartWanted::to_json).collect();
        let rows: Vec<Row> = sqlx::query_as(statement)
            .bind(repository.id)
            .bind(filter.state)
            .bind(at(Direction::Incoming))
            .bind(at(Direction::Outgoing))
            .bind((!filter.text.is_empty()).then(|| containing(&filter.text)))
            .bind(serde_json::Value::from(people).to_string())
            .bind(window.probe())
            .bind(window.start)
            .fetch_all(&self.readers)
            .await?;
        let Part { rows, more } = window.part(rows);
        let known = HashMap::from([(repository.id, repository.clone())]);
        Ok(Part { rows: self.complete(rows, known).await?, more })
    }

    /// Returns the pull requests in which the user has a part.
    pub(crate) async fn pull_requests_of(
        &self,
        user: &User,
        wanted: PullRequestsOfUser<'_>,
        window: Window,
    ) -> Result<Part<PullRequest>, sqlx::Error> {
        macro_rules! of_user {
            ($order:literal) => {
                concat!(
                    rows!(
                        "q.key IN (SELECT p.pull_request FROM pull_request_people p WHERE p.user_id = ?1
                                   AND (?2 IS NULL OR p.role = ?2)
                                   AND (?3 IS NULL OR p.status IN (SELECT value FROM json_each(?3))))
                         AND (?4 IS NULL OR q.state = ?4) AND (?5 IS NULL OR q.closed_ms >= ?5) "
                    ),
                    $order,
                    " LIMIT ?6 OFFSET ?7"
                )
            };
        }
        let statement = match wanted.order {
            Order::Newest => of_user!("ORDER BY q.key DESC"),
            Order::Oldest => of_user!("ORDER BY q.key"),
            Order::ClosedDate => of_user!("ORDER BY q.closed_ms DESC, q.key DESC"),
        };
        let statuses: Vec<&str> = wanted.statuses.iter().map(|status| status.word()).collect();
        let rows: Vec<Row> = sqlx::query_as(statement)
            .bind(user.id)
            .bind(wanted.role)
            .bind((!statuses.is_empty()).then(|| serde_json::Value::from(statuses).to_string()))
            .bind(wanted.state)
            .bind(wanted.closed_since_ms)
            .bind(window.probe())
            .bind(window.start)
            .fetch_all(&self.readers)
            .await?;
        let Part { rows, more } = window.part(rows);
        Ok(Part { rows: self.complete(rows, HashMap::new()).await?, more })
    }

    /// Returns how many open pull requests wait for the user's review.
    pub(crate) async fn reviews_waiting(&self, user: &User) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT count(*) FROM pull_requests q WHERE q.state = 'OPEN' AND EXISTS (
                SELECT 1 FROM pull_request_people p WHERE p.pull_request = q.key AND p.user_id = ?
                       AND p.role = 'REVIEWER' AND p.status = 'UNAPPROVED')",
        )
        .bind(user.id)
        .fetch_one(&self.readers)
        .await
    }

    /// Returns the source branches of the repository's pull requests that are open now or were closed since.
    pub(crate) async fn proposed_since(
        &self,
        repository: &Repository,
        since_ms: i64,
    ) -> Result<Vec<String>, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT DISTINCT from_ref FROM pull_requests
             WHERE repository_id = ?1 AND (state = 'OPEN' OR (state != 'OPEN' AND closed_ms >= ?2))",
        )
        .bind(repository.id)
        .bind(since_ms)
        .fetch_all(&self.readers)
        .await
    }

    /// Adds people and repositories to rows, each by one statement.
    async fn complete(
        &self,
        rows: Vec<Row>,
        mut repositories: HashMap<i64, Repository>,
    ) -> Result<Vec<PullRequest>, sqlx::Error> {
        let keys: Vec<i64> = rows.iter().map(|row| row.key).collect();
        let mut people = self.people_of_all(&keys).await?;
        let mut unknown: Vec<i64> = rows.iter().map(|row| row.repository_id).collect();
        unknown.retain(|id| !repositories.contains_key(id));
        unknown.sort_unstable();
        unknown.dedup();
        repositories.extend(self.repositories_by_id(&unknown).await?);
        let complete = |row: Row| {
            let repository = repositories.get(&row.repository_id)?.clone();
            let people = people.remove(&row.key).unwrap_or_default();
            Some(row.with(repository, people))
        };
        // A repository that was deleted meanwhile took its pull requests along.
        Ok(rows.into_iter().filter_map(complete).collect())
    }

    async fn repositories_by_id(&self, ids: &[i64]) -> Result<HashMap<i64, Repository>, sqlx::Error> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let found: Vec<Repository> = sqlx::query_as(
            "SELECT r.id, r.slug, r.name, r.description, r.hierarchy_id, p.id AS project_id, p.key AS project_key,
                    p.name AS project_name, p.description AS project_description, p.default_level AS project_default
             FROM repositories r JOIN projects p ON p.id = r.project_id
             WHERE r.id IN (SELECT value FROM json_each(?))",
        )
        .bind(json_of(ids))
        .fetch_all(&self.readers)
        .await?;
        Ok(found.into_iter().map(|repository| (repository.id, repository)).collect())
    }

    /// Returns the active users with these names, in the order of the names.
    pub(crate) async fn users_named(&self, names: &[String]) -> Result<Vec<User>, sqlx::Error> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let found: Vec<User> = sqlx::query_as(
            "SELECT id, name, slug, display_name, email, password_hash, version, admin, active FROM users
             WHERE active AND name IN (SELECT lower(value) FROM json_each(?))",
        )
        .bind(serde_json::Value::from(names).to_string())
        .fetch_all(&self.readers)
        .await?;
        let named = |name: &String| found.iter().find(|user| user.name.eq_ignore_ascii_case(name)).cloned();
        Ok(names.iter().filter_map(named).collect())
    }
}

impl PartWanted {
    fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "name": self.name.to_lowercase(),
            "role": self.role.map(Role::word),
            "status": self.status.map(Status::word),
        })
    }
}

/// The commits at the ends of a pull request, with its number.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Ends {
    pub(crate) number: i64,
    pub(crate) from_commit: String,
    pub(crate) to_commit: String,
    pub(crate) merge_commit: Option<String>,
}

impl Store {
    /// Returns the ends of the repository's pull requests that were not declined, the newest first, at most so many.
    pub(crate) async fn pull_request_ends(
        &self,
        repository: &Repository,
        most: u32,
    ) -> Result<Vec<Ends>, sqlx::Error> {
        sqlx::query_as(
            "SELECT number, from_commit, to_commit, merge_commit FROM pull_requests
             WHERE repository_id = ? AND state != 'DECLINED' ORDER BY number DESC LIMIT ?",
        )
        .bind(repository.id)
        .bind(most)
        .fetch_all(&self.readers)
        .await
    }

    /// Returns the repository's pull requests with these numbers, the newest first.
    pub(crate) async fn pull_requests_numbered(
        &self,
        repository: &Repository,
        numbers: &[i64],
    ) -> Result<Vec<PullRequest>, sqlx::Error> {
        let rows: Vec<Row> = sqlx::query_as(rows!(
            "q.repository_id = ? AND q.number IN (SELECT value FROM json_each(?)) ORDER BY q.number DESC"
        ))
        .bind(repository.id)
        .bind(json_of(numbers))
        .fetch_all(&self.readers)
        .await?;
        self.complete(rows, HashMap::from([(repository.id, repository.clone())])).await
    }
}
