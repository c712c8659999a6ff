//! A project's repositories, and the form that makes one.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, RawPathParams, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::HeaderMap;
use http::request::Parts;
use serde::{Deserialize, Serialize};

use super::projects::{asks_to_create, may_create, window_of};
use super::{Reader, answer, found, refuse};
use crate::auth::{Account, Visitor};
use crate::failure::Failure;
use crate::names::{ProjectKey, Slug};
use crate::rest;
use crate::state::{App, Host};
use crate::store::{Project, Repository};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/projects/{key}", get(list)).route("/projects/{key}/repos", get(list).post(create))
}

#[derive(Serialize)]
pub(super) struct RepositoryRow {
    id: i64,
    slug: String,
    name: String,
    description: Option<String>,
    project_key: String,
    project_name: String,
}

/// The project that a page is about, for a signed-in reader.
pub(super) struct ProjectPage {
    account: std::sync::Arc<Account>,
    project: Project,
}

/// The repository that a page is about, for a signed-in reader, who thereby visits it.
pub(super) struct RepositoryPage {
    pub(super) account: std::sync::Arc<Account>,
    pub(super) repository: Repository,
    /// What follows `/browse/` in the path, decoded; empty for the root.
    pub(super) path: String,
}

#[derive(Serialize)]
struct Content {
    key: String,
    name: String,
    description: Option<String>,
    repositories: Vec<RepositoryRow>,
    start: u32,
    limit: u32,
    more: bool,
}

impl From<Repository> for RepositoryRow {
    fn from(row: Repository) -> Self {
        Self {
            id: row.id,
            slug: row.slug,
            name: row.name,
            description: row.description,
            project_key: row.project.project_key,
            project_name: row.project.project_name,
        }
    }
}

impl FromRequestParts<App> for ProjectPage {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, host: &App) -> Result<Self, Response> {
        let Reader(account) = Reader::from_request_parts(parts, host).await?;
        let key = parameter(parts, host, "key").await;
        let project = match ProjectKey::parse(&key) {
            Some(parsed) => host.store.project(&parsed).await.map_err(Failure::from),
            None => Ok(None),
        };
        match project.and_then(|project| project.ok_or_else(|| Failure::no_project(&key))) {
            Ok(project) => Ok(Self { account, project }),
            Err(failure) => Err(refuse(host, &Visitor::Known(account), &failure)),
        }
    }
}

impl FromRequestParts<App> for RepositoryPage {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, host: &App) -> Result<Self, Response> {
        let Reader(account) = Reader::from_request_parts(parts, host).await?;
        let (key, slug) = (parameter(parts, host, "key").await, parameter(parts, host, "slug").await);
        let path = parameter(parts, host, "path").await;
        let repository = match ProjectKey::parse(&key).zip(Slug::parse(&slug)) {
            Some((key, slug)) => host.store.repository(&key, &slug).await.map_err(Failure::from),
            None => Ok(None),
        };
        match repository.and_then(|repository| repository.ok_or_else(|| Failure::no_repository(&key, &slug)))
        {
            Ok(repository) => {
                host.visit(&account.user, &repository).await;
                Ok(Self { account, repository, path })
            }
            Err(failure) => Err(refuse(host, &Visitor::Known(account), &failure)),
        }
    }
}

async fn list(State(host): State<App>, page: ProjectPage, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let ProjectPage { account, project } = page;
    if asks_to_create(&query) {
        return create_form(&host, &account, (&project, &Form::default()), None);
    }
    let window = window_of(&query);
    let content = async {
        let part = host.store.repositories(Some(&project), "", window).await?;
        let content = Content {
            key: project.key.clone(),
            name: project.name.clone(),
            description: project.description.clone(),
            repositories: part.rows.into_iter().map(RepositoryRow::from).collect(),
            start: window.start,
            limit: window.limit,
            more: part.more,
        };
        host.pages.page(Some(&account), ("project.html", &project.name), content)
    };
    answer(&host, &account, content.await)
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Form {
    name: String,
    description: String,
    #[serde(skip_serializing)]
    atl_token: String,
}

async fn create(State(host): State<App>, page: ProjectPage, headers: HeaderMap, body: Bytes) -> Response {
    let ProjectPage { account, project } = page;
    let form: Form = serde_urlencoded::from_bytes(&body).unwrap_or_default();
    if let Err(failure) = may_create(&account, &headers, &form.atl_token) {
        return refuse(&host, &Visitor::Known(account), &failure);
    }
    let wished =
        rest::Wished { name: &form.name, description: Some(&form.description), branch: rest::DEFAULT_BRANCH };
    match rest::make_repository(&host, &project, wished).await {
        Ok(repository) => found(&format!("/projects/{}/repos/{}/browse", project.key, repository.slug)),
        Err(failure) => create_form(&host, &account, (&project, &form), Some(&failure)),
    }
}

fn create_form(
    host: &Host,
    account: &Account,
    (project, form): (&Project, &Form),
    failure: Option<&Failure>,
) -> Response {
    #[derive(Serialize)]
    struct Content<'a> {
        key: &'a str,
        name: &'a str,
        form: &'a Form,
        failure: Option<&'a str>,
    }
    let failure = failure.map(|failure| failure.message.as_str());
    let content = Content { key: &project.key, name: &project.name, form, failure };
    host.pages
        .page(Some(account), ("create_repository.html", "Create repository"), content)
        .unwrap_or_else(IntoResponse::into_response)
}

/// Returns a parameter of the path, decoded; empty if it is missing or no UTF-8, which names nothing.
async fn parameter(parts: &mut Parts, host: &App, name: &str) -> String {
    let given = RawPathParams::from_request_parts(parts, host).await;
    let found = given.ok().and_then(|given| {
        given.iter().find(|(candidate, _)| *candidate == name).map(|(_, value)| value.to_owned())
    });
    found.unwrap_or_default()
}
