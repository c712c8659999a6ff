//! What people do in a browser.

pub(crate) mod ask;
pub(crate) mod audit;
pub(crate) mod browse_projects_and_repositories;
pub(crate) mod browser;
pub(crate) mod dashboard;
pub(crate) mod list_pull_requests;
pub(crate) mod list_users;
pub(crate) mod listing;
mod login;
pub(crate) mod pull_request_workflow;
pub(crate) mod status;
mod steps;
pub(crate) mod view_pull_request;
