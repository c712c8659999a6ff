//! What E3 reads of Bitbucket's JSON.

use serde::Deserialize;

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
