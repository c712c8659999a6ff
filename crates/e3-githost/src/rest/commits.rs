//! `projects/{key}/repos/{slug}/commits`, and `diff` between two revisions.

use axum::extract::{RawQuery, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::Base;
use super::exchange::{Named, OfRepository};
use super::page::{Page, Paged, parameter};
use super::shapes::{Change, Commit, Diff, People};
use crate::compare::{self, DiffOptions, Merges, Range};
use crate::failure::Failure;
use crate::names::is_tree_path;
use crate::state::{App, Host};
use crate::store::{self, Part};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/projects/{key}/repos/{slug}/commits", get(list))
        .route("/projects/{key}/repos/{slug}/commits/{commit}", get(one))
        .route("/projects/{key}/repos/{slug}/commits/{commit}/changes", get(changes))
        .route("/projects/{key}/repos/{slug}/commits/{commit}/diff", get(diff))
        .route("/projects/{key}/repos/{slug}/commits/{commit}/diff/{*path}", get(diff))
        .route("/projects/{key}/repos/{slug}/commits/{commit}/merge-base", get(merge_base))
        .route("/projects/{key}/repos/{slug}/changes", get(changes_between))
        .route("/projects/{key}/repos/{slug}/diff", get(diff_between))
        .route("/projects/{key}/repos/{slug}/diff/{*path}", get(diff_between))
}

/// Lists the commits of `until`, or of the default branch, without those of `since`. An empty repository has none.
async fn list(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Page<Commit>>, Failure> {
    let query = query.as_deref();
    let given = |name: &str| parameter(query, name).filter(|text| !text.is_empty());
    let path = match given("path") {
        Some(path) => Some(checked_path(&path, "path")?),
        None => None,
    };
    let merges = match given("merges").as_deref() {
        None | Some("include") => Merges::Included,
        Some("exclude") => Merges::Excluded,
        Some("only") => Merges::Only,
        Some(_) => return Err(Failure::invalid("merges", "merges is one of include, exclude and only.")),
    };
    let Some(until) = revision(&host, &repository, given("until").as_deref()).await? else {
        return Ok(Json(Page::empty(window)));
    };
    let since = match given("since") {
        Some(since) => match compare::resolve(&host, &repository, &since).await {
            Err(failure) if failure.status == 404 && given("ignoreMissing").as_deref() == Some("true") => {
                None
            }
            found => Some(found?),
        },
        None => None,
    };
    let range = Range::new(since, until);
    let part = compare::commits_of(&host, &repository, (&range, path.as_deref(), merges), window).await?;
    let people = People::of(&host, &part.rows).await?;
    Ok(Json(Page::new(part, window, |row| Commit::new(row, &people, &base))))
}

async fn one(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    named: Named,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Commit>, Failure> {
    let name = named.one("commit");
    let id = compare::resolve(&host, &repository, name).await?;
    let path = parameter(query.as_deref(), "path").filter(|path| !path.is_empty());
    let id = match path {
        // The latest commit up to this one that changed the path.
        Some(path) => {
            let path = checked_path(&path, "path")?;
            let window = store::Window { start: 0, limit: 1 };
            let range = Range::new(None, id);
            let found = compare::commits(&host, &repository, &range, Some(&path), window).await?;
            found.rows.into_iter().next().map(|row| row.id)
        }
        None => Some(id),
    };
    let found = match id {
        Some(id) => compare::commit_with_parents(&host, &repository, &id).await?,
        None => None,
    };
    let (row, parents) = found.ok_or_else(|| Failure::no_commit(name, &repository.slug))?;
    let people = People::of(&host, parents.iter().chain([&row])).await?;
    Ok(Json(Commit::with_parents(row, parents, (&people, &base))))
}

/// A page of changes says between which commits they are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Changes {
    from_hash: Option<String>,
    to_hash: String,
    #[serde(flatten)]
    page: Page<Change>,
}

async fn changes(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    named: Named,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Changes>, Failure> {
    let since = parameter(query.as_deref(), "since");
    let range = range(&host, &repository, since.as_deref(), named.one("commit")).await?;
    let part = compare::changes(&host, &repository, &range, window).await?;
    Ok(Json(Changes::new((part, window), &repository, range, &base)))
}

async fn diff(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    named: Named,
    RawQuery(query): RawQuery,
) -> Result<Json<Diff>, Failure> {
    let since = parameter(query.as_deref(), "since");
    let range = range(&host, &repository, since.as_deref(), named.one("commit")).await?;
    of_range(&host, &repository, &range, (named.one("path"), query.as_deref())).await
}

async fn merge_base(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    named: Named,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<axum::response::Response, Failure> {
    use axum::response::IntoResponse;
    let other = parameter(query.as_deref(), "otherCommitId").filter(|other| !other.is_empty());
    let other = other.ok_or_else(|| Failure::invalid("otherCommitId", "otherCommitId is required."))?;
    let [one, other] = compare::resolve_all(&host, &repository, [named.one("commit"), &other]).await?;
    let Some(found) = compare::merge_base(&host, &repository, &one, &other).await? else {
        return Ok(http::StatusCode::NO_CONTENT.into_response());
    };
    let row = compare::commit(&host, &repository, &found).await?;
    let row = row.ok_or_else(|| Failure::no_commit(&found, &repository.slug))?;
    let people = People::of(&host, [&row]).await?;
    Ok(Json(Commit::new(row, &people, &base)).into_response())
}

async fn changes_between(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Changes>, Failure> {
    let range = between(&host, &repository, query.as_deref()).await?;
    let part = compare::changes(&host, &repository, &range, window).await?;
    Ok(Json(Changes::new((part, window), &repository, range, &base)))
}

async fn diff_between(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    named: Named,
    RawQuery(query): RawQuery,
) -> Result<Json<Diff>, Failure> {
    let range = between(&host, &repository, query.as_deref()).await?;
    of_range(&host, &repository, &range, (named.one("path"), query.as_deref())).await
}

impl Changes {
    pub(super) fn new(
        (part, window): (Part<compare::Change>, store::Window),
        repository: &store::Repository,
        range: Range,
        base: &Base,
    ) -> Self {
        let link = Change::page_of(&repository.project.project_key, &repository.slug, &range.until, base);
        Self {
            page: Page::new(part, window, |row| Change::new(row, &link)),
            from_hash: range.since,
            to_hash: range.until,
        }
    }
}

/// Returns the diff of a range as the query wants it; of one path if there is one.
pub(super) async fn of_range(
    host: &Host,
    repository: &store::Repository,
    range: &Range,
    (path, query): (&str, Option<&str>),
) -> Result<Json<Diff>, Failure> {
    let path = if path.is_empty() { None } else { Some(checked_path(path, "path")?) };
    let options = options(query)?;
    let diff = compare::diff(host, repository, range, path.as_deref(), options.clone()).await?;
    Ok(Json(Diff::new(&diff, range, &options)))
}

/// Reads `contextLines`, `whitespace` and `srcPath`.
pub(super) fn options(query: Option<&str>) -> Result<DiffOptions, Failure> {
    let mut options = DiffOptions::default();
    let given = |name: &str| parameter(query, name).filter(|text| !text.is_empty());
    if let Some(text) = given("contextLines") {
        let lines: i64 = text
            .parse()
            .map_err(|_| Failure::invalid("contextLines", "contextLines must be a whole number."))?;
        // Source: a negative number asks for the server's default.
        options.context = u32::try_from(lines.min(10_000)).unwrap_or(options.context);
    }
    options.ignore_whitespace = match given("whitespace") {
        None => false,
        // A word that is not known shows everything, as no word does.
        Some(text) => text.eq_ignore_ascii_case("ignore-all") || text.eq_ignore_ascii_case("ignore_all"),
    };
    if let Some(path) = given("srcPath") {
        options.source_path = Some(checked_path(&path, "srcPath")?);
    }
    Ok(options)
}

/// Returns the path if it can be one in a tree.
pub(super) fn checked_path(path: &str, name: &'static str) -> Result<String, Failure> {
    let path = path.trim_matches('/');
    if is_tree_path(path) {
        return Ok(path.to_owned());
    }
    Err(Failure::invalid(name, "This is not a path inside a repository."))
}

/// Returns the commit of a revision, or of the default branch; none if the repository is empty.
pub(super) async fn revision(
    host: &Host,
    repository: &store::Repository,
    name: Option<&str>,
) -> Result<Option<String>, Failure> {
    if let Some(name) = name {
        return compare::resolve(host, repository, name).await.map(Some);
    }
    let branches = super::branches::read(host, repository).await?;
    match branches.default() {
        Some(branch) => Ok(Some(branch.commit.clone())),
        None if branches.list.is_empty() => Ok(None),
        None => Err(Failure::no_default_branch(&repository.project.project_key, &repository.slug)),
    }
}

/// Returns what a commit changed since another one, or since its parent.
async fn range(
    host: &Host,
    repository: &store::Repository,
    since: Option<&str>,
    until: &str,
) -> Result<Range, Failure> {
    if let Some(since) = since.filter(|since| !since.is_empty()) {
        let [since, until] = compare::resolve_all(host, repository, [since, until]).await?;
        return Ok(Range::new(Some(since), until));
    }
    let id = compare::resolve(host, repository, until).await?;
    let commit = compare::commit(host, repository, &id).await?;
    commit.map(|commit| Range::of(&commit)).ok_or_else(|| Failure::no_commit(until, &repository.slug))
}

/// Reads `since` and `until` of a query; the end is the default branch's if it is not said.
async fn between(host: &Host, repository: &store::Repository, query: Option<&str>) -> Result<Range, Failure> {
    let given = |name: &str| parameter(query, name).filter(|text| !text.is_empty());
    let until = match given("until") {
        Some(until) => until,
        None => revision(host, repository, None)
            .await?
            .ok_or_else(|| Failure::no_default_branch(&repository.project.project_key, &repository.slug))?,
    };
    range(host, repository, given("since").as_deref(), &until).await
}
