//! The scripts: what a client does, one file an operation, under the names that workloads use.
//!
//! Every script is one line in [`all`]. A script measures through its context only, and a failed op is a sample: it ends
//! its iteration, except where a person would try again.

mod failure;
mod http;
mod measured;
mod persona;
mod scm;
mod setting;
mod web;

use std::sync::Arc;

use e3_workload::Script;

use crate::http::request::Request;
use crate::http::sequence::Sequence;
use crate::persona::build_agent::BuildAgent;
use crate::persona::ci_fleet::CiFleet;
use crate::persona::code_reviewer::CodeReviewer;
use crate::persona::developer_using_pull_requests::DeveloperUsingPullRequests;
use crate::scm::Transport::{Http, HttpDirect, Ssh};
use crate::scm::git_clone::GitClone;
use crate::scm::git_fetch::GitFetch;
use crate::scm::git_ls_remote::GitLsRemote;
use crate::scm::push_changes::PushChanges;
use crate::scm::shallow_clone::ShallowClone;

/// Returns every script of this crate; this list is where a new one is registered.
pub fn all() -> Vec<Arc<dyn Script>> {
    vec![
        Arc::new(Request::default()),
        Arc::new(Sequence::default()),
        Arc::new(BuildAgent(Ssh)),
        Arc::new(BuildAgent(Http)),
        Arc::new(CiFleet),
        Arc::new(CodeReviewer),
        Arc::new(DeveloperUsingPullRequests),
        Arc::new(GitClone(Ssh)),
        Arc::new(GitClone(Http)),
        Arc::new(GitClone(HttpDirect)),
        Arc::new(GitFetch(Ssh)),
        Arc::new(GitFetch(Http)),
        Arc::new(GitLsRemote(Ssh)),
        Arc::new(GitLsRemote(Http)),
        Arc::new(GitLsRemote(HttpDirect)),
        Arc::new(PushChanges(Ssh)),
        Arc::new(PushChanges(Http)),
        Arc::new(PushChanges(HttpDirect)),
        Arc::new(ShallowClone(Ssh)),
        Arc::new(ShallowClone(Http)),
        Arc::new(web::audit::Audit),
        Arc::new(web::browse_projects_and_repositories::BrowseProjectsAndRepositories),
        Arc::new(web::dashboard::Dashboard),
        Arc::new(web::list_pull_requests::ListPullRequests),
        Arc::new(web::list_users::ListUsers),
        Arc::new(web::pull_request_workflow::PullRequestWorkflow),
        Arc::new(web::status::Status),
        Arc::new(web::view_pull_request::ViewPullRequest),
    ]
}
