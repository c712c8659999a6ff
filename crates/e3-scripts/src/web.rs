//! What people do in a browser.

pub(crate) mod browse_projects_and_repositories;
mod browser;
pub(crate) mod dashboard;
pub(crate) mod list_users;
pub(crate) mod status;
