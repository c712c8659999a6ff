//! The feature branch that is under way.

use serde_json::Value;

/// A feature branch and where it is to be merged.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    pub(super) project: String,
    pub(super) slug: String,
    /// The branch it is to be merged into, by its short name.
    pub(super) base: String,
    /// Its own short name.
    pub(super) name: String,
    /// The commit it begins at.
    pub(super) parent: String,
    /// The commit it ends at; empty until it is pushed.
    pub(super) commit: String,
}

impl Branch {
    /// Returns the branch as a full ref.
    pub(super) fn from(&self) -> String {
        format!("refs/heads/{}", self.name)
    }

    /// Returns the branch it is to be merged into as a full ref.
    pub(super) fn to(&self) -> String {
        format!("refs/heads/{}", self.base)
    }

    /// Returns whether it is the same branch of the same repository.
    pub(super) fn is(&self, other: &Self) -> bool {
        (&self.project, &self.slug, &self.name) == (&other.project, &other.slug, &other.name)
    }

    /// Checks that a page of branches shows the branch at its commit.
    pub(super) fn is_in(&self, page: &Value) -> Result<(), String> {
        let branches = page.get("values").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let text = |branch: &Value, field: &str| branch.get(field).and_then(Value::as_str).map(str::to_owned);
        let found = branches.iter().find(|branch| text(branch, "id") == Some(self.from()));
        match found.map(|branch| text(branch, "latestCommit")) {
            Some(Some(latest)) if latest == self.commit => Ok(()),
            Some(latest) => {
                let latest = latest.unwrap_or_default();
                Err(format!("with {} at {latest} instead of {}", self.name, self.commit))
            }
            None => Err(format!("without {}, which was pushed", self.name)),
        }
    }
}
