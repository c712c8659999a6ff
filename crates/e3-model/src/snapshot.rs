//! A snapshot: the description of a dataset, readable by the first E3.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Secret, Seed};

/// The description of a dataset: what there is to clone, browse and log in as.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Snapshot {
    /// The dataset's name.
    pub name: String,
    /// What it is, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its projects, with their repositories.
    pub projects: Vec<Project>,
    /// Its users; none has its password here, except in files of the first E3.
    pub users: Vec<User>,
    /// How E3 makes this dataset; none for one that exists somewhere already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generate: Option<Generate>,
    /// What the first E3 adds for AWS: `ebs`, `rds`, `es`.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

/// How E3 makes a dataset: the same recipe gives the same commits everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Generate {
    /// The seed of every draw.
    pub seed: Seed,
    /// How many projects.
    #[schemars(range(min = 1, max = 1000))]
    pub projects: u32,
    /// How many repositories over all projects.
    #[schemars(range(min = 1, max = 10_000))]
    pub repositories: u32,
    /// The smallest repository's commits.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub commits_min: u32,
    /// The largest repository's commits.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub commits_max: u32,
    /// How many users besides the administrator.
    #[schemars(range(min = 1, max = 100_000))]
    pub users: u32,
    /// How the repositories' commits are spread between the smallest and the largest.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sizes: Sizes,
    /// How many pull requests over all repositories: two of five open, two merged, one declined, most with comments.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(range(max = 100_000))]
    pub pull_requests: u32,
    /// How many MB (1,000,000 bytes) of binary files over all repositories, in proportion to their commits.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(range(max = 100_000))]
    pub assets_mb: u32,
}

/// How sizes are spread between the smallest and the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sizes {
    /// Evenly on a logarithmic scale: the same ratio between neighbours.
    #[default]
    Even,
    /// As a log-normal distribution has them: most near the middle of the logarithmic scale, few at its ends.
    LogNormal,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Project {
    /// The project's key.
    pub name: String,
    /// Its repositories.
    pub repos: Vec<Repository>,
}

/// A repository.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Repository {
    /// The repository's slug.
    pub name: String,
    /// The chance that an operation draws this repository; all weights of the snapshot add up to 1.
    pub weight: f64,
    /// Its branches, or some of them.
    pub branches: Vec<Branch>,
    /// The pull requests that it is loaded with, in the order in which they were opened.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pull_requests: Vec<PullRequest>,
}

/// A branch, in the shape of Bitbucket's REST answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Branch {
    /// The full ref, such as `refs/heads/main`.
    pub id: String,
    /// The short name.
    pub display_id: String,
    /// The commit it points to.
    pub latest_commit: String,
    /// The same commit, under the name that old clients read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_changeset: Option<String>,
    /// Whether it is the default branch.
    pub is_default: bool,
    /// `BRANCH`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// A pull request between two branches of one repository.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PullRequest {
    /// Its title, unique among those between the same branches.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// The short name of the branch with the changes.
    pub from: String,
    /// The short name of the branch that is to get them.
    pub to: String,
    /// The login name of who wrote it.
    pub author: String,
    /// The login names of who shall review it; who merges it is the first of them.
    pub reviewers: Vec<String>,
    /// What has become of it.
    pub state: PullRequestState,
    /// What was said about it, oldest first; no two are the same.
    pub comments: Vec<Comment>,
}

/// What has become of a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum PullRequestState {
    /// Nothing yet.
    #[default]
    Open,
    /// The target branch has its changes.
    Merged,
    /// Nobody wanted it.
    Declined,
}

/// What somebody said about a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Comment {
    /// Their login name.
    pub author: String,
    /// What they said.
    pub text: String,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct User {
    /// The login name.
    pub username: String,
    /// Only in files of the first E3; E3 keeps passwords out of documents.
    #[serde(skip_serializing)]
    #[schemars(with = "Option<String>")]
    pub password: Option<Secret>,
    /// The public SSH key, in OpenSSH's form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// Only in files of the first E3.
    #[serde(skip_serializing)]
    #[schemars(with = "Option<String>")]
    pub private_key: Option<Secret>,
}

impl Snapshot {
    /// Returns every repository with its project's key, in the snapshot's order.
    pub fn repositories(&self) -> impl Iterator<Item = (&str, &Repository)> {
        self.projects
            .iter()
            .flat_map(|project| project.repos.iter().map(|repo| (project.name.as_str(), repo)))
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
