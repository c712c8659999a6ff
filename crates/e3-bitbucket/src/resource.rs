//! What E3 reads of Bitbucket's JSON.

use e3_model::ProductVersion;
use serde::Deserialize;

/// What a server says of itself to anyone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationProperties {
    /// Its version, such as `8.19.2`.
    pub version: String,
    /// Its name; empty where it says none.
    #[serde(default)]
    pub display_name: String,
}

impl ApplicationProperties {
    /// Returns the version as numbers; none where it is not written in numbers.
    pub fn product_version(&self) -> Option<ProductVersion> {
        ProductVersion::parse(&self.version)
    }
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RestProject {
    /// Its key, such as `ALPHA` or `~user`.
    pub key: String,
    /// Its name for people.
    #[serde(default)]
    pub name: String,
}

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RestRepository {
    /// Its slug, as URLs have it.
    pub slug: String,
    /// Its name for people.
    #[serde(default)]
    pub name: String,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestUser {
    /// The login name.
    pub name: String,
    /// The name for people.
    #[serde(default)]
    pub display_name: String,
}

/// A public SSH key of a user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RestSshKey {
    /// Its number on the server.
    pub id: u64,
    /// The key in OpenSSH's form, perhaps with a comment.
    pub text: String,
}

impl RestSshKey {
    /// Returns whether it is this key, whatever the comments of both.
    pub fn is(&self, public_key: &str) -> bool {
        self.text.split_whitespace().take(2).eq(public_key.split_whitespace().take(2))
    }
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestPullRequest {
    /// Its number in the repository.
    pub id: u64,
    /// Counts its changes; who changes it must name it.
    pub version: u64,
    /// Its title.
    pub title: String,
    /// `OPEN`, `MERGED` or `DECLINED`.
    pub state: String,
    /// The branch with the changes.
    pub from_ref: RestRef,
    /// The branch that is to get them.
    pub to_ref: RestRef,
    /// Who wrote it.
    #[serde(default)]
    pub author: Option<RestParticipant>,
    /// Who shall look at it.
    #[serde(default)]
    pub reviewers: Vec<RestParticipant>,
    /// What else the server says, such as the merge commit.
    #[serde(default)]
    properties: Properties,
}

impl RestPullRequest {
    /// Returns the id of the commit that merged it; none unless it is merged.
    pub fn merge_commit(&self) -> Option<&str> {
        self.properties.merge_commit.as_ref().map(|commit| commit.id.as_str())
    }
}

/// One end of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestRef {
    /// The full ref, such as `refs/heads/main`.
    pub id: String,
    /// The short name.
    #[serde(default)]
    pub display_id: String,
    /// The commit it points to.
    #[serde(default)]
    pub latest_commit: String,
}

/// Somebody's part in a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RestParticipant {
    /// Who.
    pub user: RestUser,
    /// Whether they approved.
    #[serde(default)]
    pub approved: bool,
}

/// A comment on a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RestComment {
    /// Its number on the server.
    pub id: u64,
    /// What it says.
    #[serde(default)]
    pub text: String,
    /// Who wrote it.
    #[serde(default)]
    pub author: Option<RestUser>,
}

/// Something that happened to a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RestActivity {
    /// What: `OPENED`, `COMMENTED`, `APPROVED`, `MERGED` and others.
    pub action: String,
    /// Who did it.
    #[serde(default)]
    pub user: Option<RestUser>,
    /// The comment, if it is about one.
    #[serde(default)]
    pub comment: Option<RestComment>,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestTag {
    /// The full ref, such as `refs/tags/v1`.
    pub id: String,
    /// The commit it leads to.
    pub latest_commit: String,
    /// The tag's own object; none for a light one.
    #[serde(default)]
    pub hash: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    #[serde(default)]
    merge_commit: Option<MergeCommit>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct MergeCommit {
    id: String,
}

/// An error document whose entries carry more than a sentence.
#[derive(Debug, Deserialize)]
pub(crate) struct ServerErrors<T> {
    pub(crate) errors: Vec<T>,
}

/// The entry that refuses a second pull request between two branches.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Duplicate {
    #[serde(default)]
    pub(crate) existing_pull_request: Option<RestPullRequest>,
}

/// One page of a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page<T> {
    pub(crate) values: Vec<T>,
    pub(crate) is_last_page: bool,
    /// Where the next page starts: not always `start` + `size`, as rows the user may not see are counted too.
    #[serde(default)]
    pub(crate) next_page_start: Option<u64>,
}

/// The answer of `/status`.
#[derive(Debug, Deserialize)]
pub(crate) struct State {
    pub(crate) state: String,
}
