//! The administrator's client: one keep-alive session, Basic authentication, one request at a time.

use std::time::Duration;

use bytes::Bytes;
use e3_http::{BaseUrl, HttpError, HttpSession, HttpWay, Request, Response};
use e3_model::{Branch, Secret};
use http::Method;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::error::{BitbucketError, ServerMessage};
use crate::path;
use crate::resource::{ApplicationProperties, Page, RestProject, RestRepository, RestUser, State};

/// A Bitbucket as its administrator sees it.
pub struct Bitbucket {
    session: HttpSession,
}

/// Says whether something had to be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    /// It was created.
    Created,
    /// It was there already, and was left as it is.
    Existing,
}

impl Bitbucket {
    /// Returns a client of the server at `base` for `user`; it connects at the first request.
    pub fn new(base: BaseUrl, user: &str, password: &Secret) -> Self {
        Self { session: HttpSession::new(base).with_basic(user, password) }
    }

    /// Returns a client of the server at `base` for nobody in particular; it connects at the first request.
    pub fn anonymous(base: BaseUrl) -> Self {
        Self { session: HttpSession::new(base) }
    }

    /// Talks this way; by default it trusts the certificates that the machine trusts.
    #[must_use]
    pub fn with_way(self, way: &HttpWay) -> Self {
        Self { session: self.session.with_way(way) }
    }

    /// Returns the server's state, such as `RUNNING` or `STARTING`.
    ///
    /// # Errors
    /// When no answer comes, or one that names no state.
    pub async fn status(&mut self) -> Result<String, BitbucketError> {
        let call = Call::get(path::status());
        let response = self.answer(&call).await?;
        // A server that is not running answers 503, and still names its state.
        match serde_json::from_slice::<State>(&response.body) {
            Ok(document) => Ok(document.state),
            Err(source) if is_success(response.status) => Err(call.unreadable(source)),
            Err(_) => Err(call.refused(&response)),
        }
    }

    /// Returns what the server says of itself, which it says to anyone.
    ///
    /// # Errors
    /// When no answer comes, or another one.
    pub async fn application_properties(&mut self) -> Result<ApplicationProperties, BitbucketError> {
        self.read(&Call::get(path::application_properties())).await
    }

    /// Creates a project, or finds it existing.
    ///
    /// # Errors
    /// When the server refuses, also because another project has the name.
    pub async fn create_project(
        &mut self,
        key: &str,
        name: &str,
        description: &str,
    ) -> Result<Creation, BitbucketError> {
        let body = json!({"key": key, "name": name, "description": description});
        self.create(&Call::post_json(path::rest_create_project(), &body), &path::rest_project(key)).await
    }

    /// Creates an empty Git repository whose default branch is `main`, or finds it existing; `name` must be its own slug.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn create_repository(&mut self, key: &str, name: &str) -> Result<Creation, BitbucketError> {
        let body = json!({"name": name, "scmId": "git", "forkable": true, "defaultBranch": "main"});
        self.create(
            &Call::post_json(path::rest_create_repository(key), &body),
            &path::rest_repository(key, name),
        )
        .await
    }

    /// Creates a user of the default group, or finds it existing; an existing user keeps its password.
    ///
    /// Source: Bitbucket takes a new user's password in the query and nowhere else (`POST /rest/api/latest/admin/users`).
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn create_user(
        &mut self,
        name: &str,
        password: &Secret,
        display_name: &str,
        email: &str,
    ) -> Result<Creation, BitbucketError> {
        let path = path::rest_create_user();
        let parameters = [
            ("name", name),
            ("password", password.expose()),
            ("displayName", display_name),
            ("emailAddress", email),
            ("addToDefaultGroup", "true"),
        ];
        let query = serde_urlencoded::to_string(parameters)
            .map_err(|source| BitbucketError::Parameters { path: path.clone(), source })?;
        let call = Call { method: Method::POST, target: format!("{path}?{query}"), body: Bytes::new() };
        match self.success(&call).await {
            Ok(_) => Ok(Creation::Created),
            Err(error) if error.says_it_exists() => Ok(Creation::Existing),
            Err(error) => Err(error),
        }
    }

    /// Returns all projects that the user sees, in the server's order.
    ///
    /// # Errors
    /// When a page is refused or unreadable.
    pub async fn projects(&mut self) -> Result<Vec<RestProject>, BitbucketError> {
        self.pages(path::rest_projects).await
    }

    /// Returns all repositories of a project, in the server's order.
    ///
    /// # Errors
    /// When a page is refused or unreadable.
    pub async fn repositories(&mut self, key: &str) -> Result<Vec<RestRepository>, BitbucketError> {
        self.pages(|start, limit| path::rest_repositories(key, start, limit)).await
    }

    /// Returns all branches of a repository, in the server's order; none for an empty one.
    ///
    /// # Errors
    /// When a page is refused or unreadable.
    pub async fn branches(&mut self, key: &str, slug: &str) -> Result<Vec<Branch>, BitbucketError> {
        self.pages(|start, limit| path::rest_branches(key, slug, start, limit)).await
    }

    /// Returns all users, in the server's order.
    ///
    /// # Errors
    /// When a page is refused or unreadable.
    pub async fn users(&mut self) -> Result<Vec<RestUser>, BitbucketError> {
        self.pages(path::rest_users).await
    }

    /// Creates something that, once there, answers at `existing`: a conflict alone may be about another thing's name.
    async fn create(&mut self, call: &Call, existing: &str) -> Result<Creation, BitbucketError> {
        let conflict = match self.success(call).await {
            Ok(_) => return Ok(Creation::Created),
            Err(error) if error.says_it_exists() => error,
            Err(error) => return Err(error),
        };
        match self.success(&Call::get(existing.to_owned())).await {
            Ok(_) => Ok(Creation::Existing),
            Err(error) if error.status() == Some(404) => Err(conflict),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn pages<T: DeserializeOwned>(
        &mut self,
        target: impl Fn(u64, u32) -> String,
    ) -> Result<Vec<T>, BitbucketError> {
        let mut values = Vec::new();
        let mut start = 0;
        loop {
            let call = Call::get(target(start, PAGE_LIMIT));
            let page: Page<T> = self.read(&call).await?;
            values.extend(page.values);
            match page.next_page_start {
                _ if page.is_last_page => return Ok(values),
                Some(next) if next > start => start = next,
                next => return Err(BitbucketError::Pages { path: call.path(), start, next }),
            }
        }
    }

    /// Returns the value that a successful answer holds.
    pub(crate) async fn read<T: DeserializeOwned>(&mut self, call: &Call) -> Result<T, BitbucketError> {
        call.parsed(&self.answer(call).await?)
    }

    pub(crate) async fn success(&mut self, call: &Call) -> Result<Response, BitbucketError> {
        let response = self.answer(call).await?;
        if is_success(response.status) { Ok(response) } else { Err(call.refused(&response)) }
    }

    pub(crate) async fn answer(&mut self, call: &Call) -> Result<Response, BitbucketError> {
        match tokio::time::timeout(BOUND, self.session.send(call.request())).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(source)) => Err(call.unanswered(source)),
            Err(_) => Err(call.timeout()),
        }
    }
}

/// One request, and the errors that tell of it.
pub(crate) struct Call {
    method: Method,
    target: String,
    body: Bytes,
}

impl Call {
    pub(crate) fn get(target: String) -> Self {
        Self { method: Method::GET, target, body: Bytes::new() }
    }

    pub(crate) fn post_json(target: String, body: &serde_json::Value) -> Self {
        Self { method: Method::POST, target, body: Bytes::from(body.to_string()) }
    }

    /// Returns the value that the answer holds, if it is a success.
    pub(crate) fn parsed<T: DeserializeOwned>(&self, response: &Response) -> Result<T, BitbucketError> {
        if !is_success(response.status) {
            return Err(self.refused(response));
        }
        serde_json::from_slice(&response.body).map_err(|source| self.unreadable(source))
    }

    fn request(&self) -> Request {
        let request = if self.method == Method::GET {
            Request::get(self.target.clone())
        } else {
            // Bitbucket refuses a write without a body unless the token header says that no browser was tricked into it.
            Request::post(self.target.clone(), self.body.clone())
                .header("content-type", "application/json")
                .header("x-atlassian-token", "no-check")
        };
        request.header("accept", "application/json")
    }

    fn path(&self) -> String {
        self.target.split('?').next().unwrap_or_default().to_owned()
    }

    fn unanswered(&self, source: HttpError) -> BitbucketError {
        let path = self.path();
        // These name the target, whose query may hold a password.
        let source = match source {
            HttpError::Request { reason, .. } => HttpError::Request { path: path.clone(), reason },
            HttpError::BodyTooLarge { limit, .. } => HttpError::BodyTooLarge { path: path.clone(), limit },
            other => other,
        };
        BitbucketError::Unanswered { method: self.method.clone(), path, source }
    }

    fn timeout(&self) -> BitbucketError {
        BitbucketError::Timeout { method: self.method.clone(), path: self.path(), seconds: BOUND.as_secs() }
    }

    fn refused(&self, response: &Response) -> BitbucketError {
        BitbucketError::Refused {
            method: self.method.clone(),
            path: self.path(),
            status: response.status,
            messages: ServerMessage::all(&response.body),
        }
    }

    fn unreadable(&self, source: serde_json::Error) -> BitbucketError {
        BitbucketError::Unreadable { method: self.method.clone(), path: self.path(), source }
    }
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

/// The largest page that Bitbucket serves unless configured otherwise.
const PAGE_LIMIT: u32 = 1000;

/// How long one answer may take, body included.
const BOUND: Duration = Duration::from_secs(60);
