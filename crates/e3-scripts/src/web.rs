//! What people do in a browser.

mod ask;
pub(crate) mod browse_projects_and_repositories;
mod browser;
pub(crate) mod dashboard;
pub(crate) mod list_pull_requests;
pub(crate) mod list_users;
mod listing;
pub(crate) mod pull_request_workflow;
pub(crate) mod status;
pub(crate) mod view_pull_request;
