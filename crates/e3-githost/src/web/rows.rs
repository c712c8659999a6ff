//! What templates see of projects, repositories, users, commits and pull requests.

use serde::Serialize;

use crate::compare::Commit;
use crate::store::{Project, PullRequest, PullRequestPerson, Repository, Role, User};

#[derive(Serialize)]
pub(super) struct ProjectRow {
    key: String,
    name: String,
    description: Option<String>,
}

#[derive(Serialize)]
pub(super) struct RepositoryRow {
    id: i64,
    slug: String,
    name: String,
    description: Option<String>,
    project_key: String,
    project_name: String,
    /// What the addresses of its pages begin with.
    home: String,
}

#[derive(Serialize)]
pub(super) struct PersonRow {
    slug: String,
    display_name: String,
    /// `APPROVED`, `NEEDS_WORK` or `UNAPPROVED` in a pull request.
    status: &'static str,
}

#[derive(Serialize)]
pub(super) struct CommitRow {
    id: String,
    subject: String,
    author: String,
    committed_ms: i64,
    is_merge: bool,
}

#[derive(Serialize)]
pub(super) struct PullRequestRow {
    id: i64,
    title: String,
    state: &'static str,
    from: String,
    to: String,
    author: Option<PersonRow>,
    reviewers: Vec<PersonRow>,
    approved: usize,
    updated_ms: i64,
    created_ms: i64,
    repository: String,
    /// What the addresses of its repository's pages begin with.
    home: String,
}

/// Returns what the addresses of a repository's pages begin with.
pub(super) fn home_of(repository: &Repository) -> String {
    // Neither a key nor a slug has a character that a path would not take.
    format!("/projects/{}/repos/{}", repository.project.project_key, repository.slug)
}

/// Returns the beginning of a text that may be of any length; one that is cut ends in an ellipsis.
pub(super) fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}\u{2026}", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl From<Project> for ProjectRow {
    fn from(row: Project) -> Self {
        Self { key: row.key, name: row.name, description: row.description }
    }
}

impl From<&Repository> for RepositoryRow {
    fn from(row: &Repository) -> Self {
        Self {
            id: row.id,
            home: home_of(row),
            slug: row.slug.clone(),
            name: row.name.clone(),
            description: row.description.clone(),
            project_key: row.project.project_key.clone(),
            project_name: row.project.project_name.clone(),
        }
    }
}

impl From<&User> for PersonRow {
    fn from(row: &User) -> Self {
        Self { slug: row.slug.clone(), display_name: row.display_name.clone(), status: "" }
    }
}

impl From<&PullRequestPerson> for PersonRow {
    fn from(row: &PullRequestPerson) -> Self {
        Self { status: row.status.word(), ..Self::from(&row.user) }
    }
}

impl From<&Commit> for CommitRow {
    fn from(row: &Commit) -> Self {
        Self {
            id: row.id.clone(),
            subject: clip(row.subject(), LONGEST_SUBJECT),
            author: row.author.name.clone(),
            committed_ms: row.committed_ms,
            is_merge: row.parents.len() > 1,
        }
    }
}

impl From<&PullRequest> for PullRequestRow {
    fn from(row: &PullRequest) -> Self {
        let reviewers: Vec<PersonRow> = row.with_role(Role::Reviewer).map(PersonRow::from).collect();
        Self {
            id: row.id,
            title: row.title.clone(),
            state: row.state.word(),
            from: row.from.display().to_owned(),
            to: row.to.display().to_owned(),
            author: row.author().map(PersonRow::from),
            approved: reviewers.iter().filter(|person| person.status == "APPROVED").count(),
            reviewers,
            updated_ms: row.updated_ms,
            created_ms: row.created_ms,
            repository: format!("{} / {}", row.repository.project.project_name, row.repository.name),
            home: home_of(&row.repository),
        }
    }
}

/// As much of a commit's first line as a page shows.
pub(super) const LONGEST_SUBJECT: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(clip("\u{e4}\u{f6}\u{fc}", 3), "\u{e4}\u{f6}\u{fc}");
        assert_eq!(clip("\u{e4}\u{f6}\u{fc}", 2), "\u{e4}\u{f6}\u{2026}");
        assert_eq!(clip("", 0), "");
    }
}
