//! A request that could not be done, in Bitbucket's error shape.

use std::fmt::Display;
use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};

/// Why a request was refused; as a response it is `{"errors":[{"context","message","exceptionName"}]}`.
///
/// Source: the statuses, messages and exception names are those of recorded answers.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) context: Option<&'static str>,
    pub(crate) message: String,
    pub(crate) exception: Option<&'static str>,
    /// What a client may need to act on the reason, as further members of the error.
    pub(crate) details: Option<Box<Map<String, Value>>>,
}

#[derive(Serialize)]
struct Errors<'a> {
    errors: [OneError<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OneError<'a> {
    context: Option<&'a str>,
    message: &'a str,
    exception_name: Option<&'a str>,
    #[serde(flatten)]
    details: Option<&'a Map<String, Value>>,
}

impl Failure {
    fn new(status: StatusCode, message: impl Into<String>, exception: Option<&'static str>) -> Self {
        Self { status, context: None, message: message.into(), exception, details: None }
    }

    /// A value in the request is not acceptable; the context names it.
    pub(crate) fn invalid(context: &'static str, message: impl Into<String>) -> Self {
        Self { context: Some(context), ..Self::new(StatusCode::BAD_REQUEST, message, None) }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message, None)
    }

    /// A value in the request is taken already.
    pub(crate) fn taken(context: &'static str, message: impl Into<String>) -> Self {
        Self { context: Some(context), ..Self::new(StatusCode::CONFLICT, message, None) }
    }

    pub(crate) fn anonymous() -> Self {
        let exception = "com.atlassian.plugins.rest.api.security.exception.AuthenticationRequiredException";
        Self::new(StatusCode::UNAUTHORIZED, NOT_PERMITTED, Some(exception))
    }

    pub(crate) fn wrong_credentials() -> Self {
        let exception = "com.atlassian.bitbucket.auth.IncorrectPasswordAuthenticationException";
        Self::new(StatusCode::UNAUTHORIZED, WRONG_CREDENTIALS, Some(exception))
    }

    /// The user is known but may not; Bitbucket answers 401 here, not 403.
    pub(crate) fn not_permitted() -> Self {
        let exception = "com.atlassian.bitbucket.AuthorisationException";
        Self::new(StatusCode::UNAUTHORIZED, NOT_PERMITTED, Some(exception))
    }

    pub(crate) fn cross_site() -> Self {
        Self::new(StatusCode::FORBIDDEN, "XSRF check failed", None)
    }

    pub(crate) fn no_project(key: &str) -> Self {
        let exception = "com.atlassian.bitbucket.project.NoSuchProjectException";
        Self::new(StatusCode::NOT_FOUND, format!("Project {key} does not exist."), Some(exception))
    }

    pub(crate) fn no_repository(key: &str, slug: &str) -> Self {
        let exception = "com.atlassian.bitbucket.repository.NoSuchRepositoryException";
        Self::new(StatusCode::NOT_FOUND, format!("Repository {key}/{slug} does not exist."), Some(exception))
    }

    pub(crate) fn no_commit(name: &str, slug: &str) -> Self {
        let exception = "com.atlassian.bitbucket.commit.NoSuchCommitException";
        let message = format!("Commit '{name}' does not exist in repository '{slug}'.");
        Self::new(StatusCode::NOT_FOUND, message, Some(exception))
    }

    pub(crate) fn no_path(path: &str, revision: &str) -> Self {
        let exception = "com.atlassian.bitbucket.content.NoSuchPathException";
        let message = format!("The path \"{path}\" does not exist at revision \"{revision}\"");
        Self::new(StatusCode::NOT_FOUND, message, Some(exception))
    }

    pub(crate) fn no_branch(name: &str, slug: &str) -> Self {
        let exception = "com.atlassian.bitbucket.repository.NoSuchBranchException";
        let message = format!("Branch \"{name}\" does not exist in repository '{slug}'.");
        Self::new(StatusCode::NOT_FOUND, message, Some(exception))
    }

    /// Source: the recorded answer names no exception.
    pub(crate) fn no_tag(name: &str, slug: &str) -> Self {
        let message = format!("Tag '{name}' does not exist in repository '{slug}'.");
        Self::new(StatusCode::NOT_FOUND, message, None)
    }

    /// Something with an id that is none of the above is not there.
    pub(crate) fn no_entity(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message, Some("com.atlassian.bitbucket.NoSuchEntityException"))
    }

    pub(crate) fn no_group(name: &str) -> Self {
        let exception = "com.atlassian.bitbucket.user.NoSuchGroupException";
        Self::new(StatusCode::NOT_FOUND, format!("Group {name} does not exist."), Some(exception))
    }

    /// Git would not take this name for a branch or tag.
    pub(crate) fn bad_ref(name: &str) -> Self {
        let exception = "com.atlassian.bitbucket.repository.InvalidRefNameException";
        let message = format!("\"{name}\" is not a name that Git accepts for a branch or tag.");
        Self { exception: Some(exception), ..Self::invalid("name", message) }
    }

    pub(crate) fn duplicate_ref(kind: &str, name: &str, slug: &str) -> Self {
        let exception = "com.atlassian.bitbucket.repository.DuplicateRefException";
        let message = format!("{kind} '{name}' already exists in repository '{slug}'");
        Self::new(StatusCode::BAD_REQUEST, message, Some(exception))
    }

    /// Git keeps refs like files, so `a` and `a/b` cannot both be.
    pub(crate) fn overlapping_ref(kind: &str, name: &str, slug: &str) -> Self {
        let message = format!("{kind} '{name}' overlaps with an existing one in repository '{slug}'");
        let exception = "com.atlassian.bitbucket.repository.DuplicateRefException";
        Self::new(StatusCode::CONFLICT, message, Some(exception))
    }

    pub(crate) fn default_branch_stays(name: &str) -> Self {
        let message = format!("{name} is the default branch and cannot be deleted.");
        Self::new(StatusCode::BAD_REQUEST, message, Some("com.atlassian.bitbucket.IntegrityException"))
    }

    /// The branch is not where the request says it is.
    pub(crate) fn moved(name: &str, at: &str) -> Self {
        let exception = "com.atlassian.bitbucket.repository.BranchOutOfDateException";
        Self::new(StatusCode::BAD_REQUEST, format!("Branch '{name}' is at {at}."), Some(exception))
    }

    /// Nobody would be left to administer the server.
    pub(crate) fn last_administrator() -> Self {
        let message = "This would leave nobody to administer the server.";
        Self::new(StatusCode::CONFLICT, message, Some("com.atlassian.bitbucket.IntegrityException"))
    }

    pub(crate) fn no_user(name: &str) -> Self {
        let exception = "com.atlassian.bitbucket.user.NoSuchUserException";
        Self::new(StatusCode::NOT_FOUND, format!("User {name} does not exist."), Some(exception))
    }

    pub(crate) fn no_default_branch(key: &str, slug: &str) -> Self {
        let exception = "com.atlassian.bitbucket.repository.NoDefaultBranchException";
        Self::new(
            StatusCode::NOT_FOUND,
            format!("{key}/{slug} does not have a default branch."),
            Some(exception),
        )
    }

    pub(crate) fn not_empty(key: &str) -> Self {
        let message = format!("The project \"{key}\" cannot be deleted because it has repositories.");
        Self::new(StatusCode::CONFLICT, message, Some("com.atlassian.bitbucket.IntegrityException"))
    }

    /// There is nothing at this path; Bitbucket names no exception here.
    pub(crate) fn no_resource() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is no resource at this path.", None)
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "This resource does not have that method.", None)
    }

    pub(crate) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "The request's body is too large.", None)
    }

    /// The server has more to do than it can; the client should come back.
    pub(crate) fn busy(what: &str) -> Self {
        let message = format!("The server is busy: {what}. Please try again shortly.");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            message,
            Some("com.atlassian.bitbucket.server.ServerBusyException"),
        )
    }

    /// The user has asked more often than the rate limit lets them.
    /// Returns the failure, and after how many seconds they may ask again.
    pub(crate) fn too_often(wait: Duration) -> (Self, u64) {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let message = format!(
            "You have sent more requests than the rate limit of this server lets you. Please try again in {seconds} s."
        );
        (Self::new(StatusCode::TOO_MANY_REQUESTS, message, None), seconds)
    }

    /// Something broke here; the log has the reason, the client has not.
    pub(crate) fn internal(doing: &str, error: &dyn Display) -> Self {
        tracing::error!(doing, %error, "a request failed");
        let message = "The server could not complete the request; its log says why.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message, None)
    }

    /// The database did not do its part: it had no time, or something is wrong with it.
    pub(crate) fn of_store(doing: &str, error: &sqlx::Error) -> Self {
        let locked =
            error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| {
                // Source: SQLite's result codes; the primary code is in the low byte, 5 is SQLITE_BUSY, 6 SQLITE_LOCKED.
                code.parse().is_ok_and(|code: u32| matches!(code & 0xff, 5 | 6))
            });
        if locked || matches!(error, sqlx::Error::PoolTimedOut) {
            tracing::warn!(doing, %error, "the database had no time");
            return Self::busy("too many requests wait for the database");
        }
        Self::internal(doing, error)
    }

    /// Adds what a client needs to act on the status.
    pub(crate) fn dress(&self, response: &mut Response) {
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let error = OneError {
            context: self.context,
            message: &self.message,
            exception_name: self.exception,
            details: self.details.as_deref(),
        };
        let mut response = (self.status, Json(Errors { errors: [error] })).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
        self.dress(&mut response);
        response
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::of_store("use the database", &error)
    }
}

/// What a failed login says, in JSON and on the login page.
pub(crate) const WRONG_CREDENTIALS: &str =
    "Authentication failed. Please check your credentials and try again.";
const NOT_PERMITTED: &str = "You are not permitted to access this resource";

#[cfg(test)]
mod tests {
    use sqlx::Connection;
    use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

    use super::*;

    #[tokio::test]
    async fn a_locked_database_is_busy_and_a_wrong_statement_is_our_fault() {
        let directory = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new()
            .filename(directory.path().join("a.sqlite"))
            .create_if_missing(true)
            .busy_timeout(Duration::ZERO);
        let mut one = SqliteConnection::connect_with(&options).await.unwrap();
        let mut two = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::query("BEGIN IMMEDIATE").execute(&mut one).await.unwrap();
        let locked = sqlx::query("BEGIN IMMEDIATE").execute(&mut two).await.unwrap_err();
        assert_eq!(Failure::from(locked).status, StatusCode::SERVICE_UNAVAILABLE);
        let wrong = sqlx::query("SELECT * FROM nowhere").execute(&mut two).await.unwrap_err();
        assert_eq!(Failure::from(wrong).status, StatusCode::INTERNAL_SERVER_ERROR);
    }
}
