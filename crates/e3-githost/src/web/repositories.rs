//! A project's repositories, and the form that makes one.

use axum::Router;
use axum::extract::{FromRequestParts, RawPathParams, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::HeaderMap;
use http::request::Parts;
use minijinja::Value;
use serde::{Deserialize, Serialize};

use super::pager::{pager, window_of};
use super::pages::Frame;
use super::projects::{asks_to_create, may_create};
use super::rows::RepositoryRow;
use super::sent::Sent;
use super::{Reader, answer, found, refuse};
use crate::auth::{Account, Visitor};
use crate::failure::Failure;
use crate::names::{ProjectKey, Slug};
use crate::permissions::{Level, check_project, check_repository};
use crate::rest::{self, Base};
use crate::state::{App, Host};
use crate::store::{Project, Repository};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/projects/{key}", get(list)).route("/projects/{key}/repos", get(list).post(create))
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
    /// The last of the path where it names a commit or a pull request.
    pub(super) id: String,
    /// Where it can be cloned from, HTTP first.
    pub(super) clone_urls: Vec<String>,
}

/// A part of a repository that has pages of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Source,
    Commits,
    Branches,
    Tags,
    PullRequests,
    Compare,
}

#[derive(Serialize)]
struct Content {
    key: String,
    name: String,
    description: Option<String>,
    repositories: Vec<RepositoryRow>,
    pager: Value,
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
        let project = project.and_then(|project| project.ok_or_else(|| Failure::no_project(&key)));
        let allowed = match project {
            Ok(project) => {
                let checked = check_project(host, &account, &project, Level::Read).await;
                checked.map(|()| project)
            }
            Err(failure) => Err(failure),
        };
        match allowed {
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
        let (path, id) = (parameter(parts, host, "path").await, parameter(parts, host, "id").await);
        let repository = match ProjectKey::parse(&key).zip(Slug::parse(&slug)) {
            Some((key, slug)) => host.store.repository(&key, &slug).await.map_err(Failure::from),
            None => Ok(None),
        };
        let repository =
            repository.and_then(|repository| repository.ok_or_else(|| Failure::no_repository(&key, &slug)));
        let allowed = match repository {
            Ok(repository) => {
                let checked = check_repository(host, &account, &repository, Level::Read).await;
                checked.map(|()| repository)
            }
            Err(failure) => Err(failure),
        };
        match allowed {
            Ok(repository) => {
                host.visit(&account.user, &repository).await;
                let base = Base::of(&parts.headers, &host.address, host.ssh_port);
                let clone_urls = clone_urls(&base, &repository);
                Ok(Self { account, repository, path, id, clone_urls })
            }
            Err(failure) => Err(refuse(host, &Visitor::Known(account), &failure)),
        }
    }
}

impl RepositoryPage {
    /// Returns the frame that all pages of a repository have, with the tab that is open.
    pub(super) fn frame(&self, tab: Tab) -> Frame {
        #[derive(Serialize)]
        struct TabRow {
            name: &'static str,
            path: &'static str,
            here: bool,
        }
        #[derive(Serialize)]
        struct Content<'a> {
            repository: RepositoryRow,
            clone_urls: &'a [String],
            tabs: Vec<TabRow>,
        }
        let row = |(other, name, path)| TabRow { name, path, here: other == tab };
        let tabs = TABS.into_iter().map(row).collect();
        let repository = RepositoryRow::from(&self.repository);
        Frame::new("repository.html", Content { repository, clone_urls: &self.clone_urls, tabs })
    }
}

fn clone_urls(base: &Base, repository: &Repository) -> Vec<String> {
    let at = format!("/{}/{}.git", repository.project.project_key.to_ascii_lowercase(), repository.slug);
    std::iter::once(base.url(&format!("/scm{at}"))).chain(base.ssh_url(&at)).collect()
}

async fn list(State(host): State<App>, page: ProjectPage, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let ProjectPage { account, project } = page;
    if asks_to_create(&query) {
        return create_form(&host, &account, (&project, &Form::default()), None);
    }
    let window = window_of(&query);
    let content = async {
        let part = host.store.repositories(&account.user, Some(&project), "", window).await?;
        let content = Content {
            key: project.key.clone(),
            name: project.name.clone(),
            description: project.description.clone(),
            repositories: part.rows.iter().map(RepositoryRow::from).collect(),
            pager: pager(&format!("/projects/{}/repos", project.key), window, part.more),
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

async fn create(
    State(host): State<App>,
    page: ProjectPage,
    headers: HeaderMap,
    Sent(body): Sent,
) -> Response {
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

const TABS: [(Tab, &str, &str); 6] = [
    (Tab::Source, "Source", "browse"),
    (Tab::Commits, "Commits", "commits"),
    (Tab::Branches, "Branches", "branches"),
    (Tab::Tags, "Tags", "tags"),
    (Tab::PullRequests, "Pull requests", "pull-requests"),
    (Tab::Compare, "Compare", "compare"),
];
