//! The table: every operation that githost implements, one row each, in the order in which they are asked.
//!
//! A row that makes something stands before those that find or remove it. A file has the rows of one resource.

mod access;
mod branches;
mod changes;
mod commits;
mod own;
mod people;
mod plugins;
mod projects;
mod pull_requests;
mod refs;
mod repositories;
mod server;
mod ssh_keys;
mod users;

use super::operation::Operation;
use super::operation::Recording::{self, Body, Error};

/// The rows, one list a resource.
pub(super) const TABLE: &[&[Operation]] = &[
    server::ROWS,
    users::ROWS,
    projects::ROWS,
    repositories::ROWS,
    branches::ROWS,
    commits::ROWS,
    refs::ROWS,
    plugins::ROWS,
    access::ROWS,
    people::ROWS,
    pull_requests::ROWS,
    changes::ROWS,
    ssh_keys::ROWS,
    own::ROWS,
];

/// Nobody asked.
const ANONYMOUS: &[Recording] = &[Error(Some("AuthenticationRequiredException"))];
/// The password was wrong.
const IMPOSTOR: &[Recording] = &[Error(Some("IncorrectPasswordAuthenticationException"))];
/// A known user may not.
const NOT_PERMITTED: &[Recording] = &[Error(Some("AuthorisationException"))];
const NO_PROJECT: &[Recording] =
    &[Error(Some("NoSuchProjectException")), Body("bitbucket-rest/project-not-exist.json", "")];
const NO_REPOSITORY: &[Recording] =
    &[Error(Some("NoSuchRepositoryException")), Body("bitbucket-rest/repository-not-exist.json", "")];
/// A value of the request is not acceptable: no exception, and the context names the value.
const INVALID: &[Recording] = &[Body("bitbucket-rest/errors.json", "")];
const EMPTY_PAGE: &[Recording] = &[Body("bitbucket-rest/repository-page-empty.json", "")];
const REPOSITORY_PAGE: &[Recording] = &[
    Body("bitbucket-server-8.19/listRepositories.json", ""),
    Body("bitbucket-rest/repository-page-truncated.json", ""),
];
