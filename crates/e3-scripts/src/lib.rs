//! The scripts: what a client does, one file an operation, under the names that workloads use.
//!
//! Every script is one line in [`all`]. A script measures through its context only, and never retries: a failed op is a
//! sample and ends its iteration.

mod failure;
mod scm;
mod setting;
mod web;

use std::sync::Arc;

use e3_workload::Script;

/// Returns every script of this crate; this list is where a new one is registered.
pub fn all() -> Vec<Arc<dyn Script>> {
    vec![
        Arc::new(scm::git_clone_over_http::GitCloneOverHttp),
        Arc::new(scm::git_ls_remote_http::GitLsRemoteHttp),
        Arc::new(scm::push_changes_http::PushChangesHttp),
        Arc::new(web::browse_projects_and_repositories::BrowseProjectsAndRepositories),
        Arc::new(web::dashboard::Dashboard),
        Arc::new(web::list_users::ListUsers),
        Arc::new(web::status::Status),
    ]
}

#[cfg(test)]
mod tests {
    use e3_workload::{Catalogue, check_descriptor};

    #[test]
    fn every_script_conforms() {
        let catalogue = Catalogue::new(super::all());
        let faults: Vec<_> = catalogue.descriptors().iter().flat_map(check_descriptor).collect();
        assert_eq!(faults, Vec::<String>::new());
        let mut names: Vec<_> =
            catalogue.descriptors().into_iter().map(|descriptor| descriptor.name).collect();
        names.dedup();
        assert_eq!(names.len(), super::all().len(), "two scripts share a name");
    }
}
