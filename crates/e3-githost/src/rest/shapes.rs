//! The JSON of projects, repositories, branches and users.
//!
//! Source: recorded answers of real servers (7.11, 8.19), field by field and in their order.

mod commits;
mod diffs;

use serde::Serialize;

use super::Base;
use crate::git;
use crate::references;
use crate::store;

pub(super) use commits::{Commit, MinimalCommit, People};
pub(super) use diffs::{Change, Diff, Path};

#[derive(Debug, Serialize)]
pub(super) struct Link {
    href: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
}

#[derive(Debug, Serialize)]
pub(super) struct Links {
    #[serde(skip_serializing_if = "Option::is_none")]
    clone: Option<Vec<Link>>,
    #[serde(rename = "self")]
    this: [Link; 1],
}

#[derive(Debug, Serialize)]
pub(super) struct Project {
    key: String,
    id: i64,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    public: bool,
    #[serde(rename = "type")]
    kind: &'static str,
    links: Links,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Repository {
    slug: String,
    id: i64,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    hierarchy_id: String,
    scm_id: &'static str,
    state: &'static str,
    status_message: &'static str,
    forkable: bool,
    project: Project,
    public: bool,
    archived: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_branch: Option<String>,
    links: Links,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Branch {
    id: String,
    display_id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    latest_commit: String,
    latest_changeset: String,
    is_default: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<serde_json::Map<String, serde_json::Value>>,
}

/// A tag; the hash is that of the tag object of an annotated one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tag {
    id: String,
    display_id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    latest_commit: String,
    latest_changeset: String,
    hash: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MinimalRef {
    id: String,
    display_id: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    name: String,
    email_address: String,
    active: bool,
    display_name: String,
    id: i64,
    slug: String,
    #[serde(rename = "type")]
    kind: &'static str,
    links: Links,
}

impl Links {
    fn to(href: String) -> Self {
        Self { clone: None, this: [Link { href, name: None }] }
    }
}

impl Project {
    pub(super) fn new(row: store::Project, base: &Base) -> Self {
        Self {
            links: Links::to(base.url(&format!("/projects/{}", row.key))),
            key: row.key,
            id: row.id,
            name: row.name,
            description: row.description,
            public: false,
            kind: "NORMAL",
        }
    }
}

impl Repository {
    pub(super) fn new(row: store::Repository, base: &Base) -> Self {
        let owner = row.project;
        let key = owner.project_key.clone();
        let path = format!("/{}/{}.git", key.to_ascii_lowercase(), row.slug);
        let ssh = base.ssh_url(&path).map(|href| Link { href, name: Some("ssh") });
        let http = Link { href: base.url(&format!("/scm{path}")), name: Some("http") };
        let links = Links {
            clone: Some(ssh.into_iter().chain([http]).collect()),
            ..Links::to(base.url(&format!("/projects/{key}/repos/{}/browse", row.slug)))
        };
        let project = store::Project {
            id: owner.project_id,
            key,
            name: owner.project_name,
            description: owner.project_description,
        };
        Self {
            slug: row.slug,
            id: row.id,
            name: row.name,
            description: row.description,
            hierarchy_id: row.hierarchy_id,
            scm_id: "git",
            state: "AVAILABLE",
            status_message: "Available",
            forkable: true,
            project: Project::new(project, base),
            public: false,
            archived: false,
            default_branch: None,
            links,
        }
    }

    /// Returns the repository with the short name of its default branch, which only a single repository's answer has.
    pub(super) fn with_default_branch(mut self, head: Option<&str>) -> Self {
        self.default_branch = head.map(|head| head.strip_prefix("refs/heads/").unwrap_or(head).to_owned());
        self
    }
}

impl Branch {
    pub(super) fn new(branch: &git::Branch, is_default: bool) -> Self {
        Self {
            id: branch.name.clone(),
            display_id: branch.display().to_owned(),
            kind: "BRANCH",
            latest_commit: branch.commit.clone(),
            latest_changeset: branch.commit.clone(),
            is_default,
            metadata: None,
        }
    }

    /// Returns the branch with what plug-ins know of it.
    pub(super) fn with_metadata(
        mut self,
        metadata: Option<serde_json::Map<String, serde_json::Value>>,
    ) -> Self {
        self.metadata = metadata;
        self
    }
}

impl Tag {
    pub(super) fn new(tag: references::Tag) -> Self {
        Self {
            display_id: tag.display().to_owned(),
            id: tag.name,
            kind: "TAG",
            latest_commit: tag.commit.clone(),
            latest_changeset: tag.commit,
            hash: tag.object,
        }
    }
}

impl MinimalRef {
    pub(super) fn new(name: &str) -> Self {
        let display = name.strip_prefix("refs/heads/").unwrap_or(name);
        Self { id: name.to_owned(), display_id: display.to_owned(), kind: "BRANCH" }
    }
}

impl User {
    pub(super) fn new(row: store::User, base: &Base) -> Self {
        Self {
            links: Links::to(base.url(&format!("/users/{}", row.slug))),
            name: row.name,
            email_address: row.email,
            active: row.active,
            display_name: row.display_name,
            id: row.id,
            slug: row.slug,
            kind: "NORMAL",
        }
    }
}
