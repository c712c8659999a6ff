//! What REST shows of the system under test.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use e3_bitbucket::{Bitbucket, PullRequestFilter, RestActivity};
use e3_http::BaseUrl;
use e3_model::Topology;

use super::home::SoakHome;

/// The branches and open pull requests of a system, and what people said of those.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct State {
    branches: BTreeSet<String>,
    open: BTreeSet<String>,
    comments: BTreeSet<String>,
    approvals: BTreeSet<String>,
}

/// Reads the state of the run's only system.
///
/// # Errors
/// When the run's documents or the system cannot be read.
pub(super) fn read(home: &SoakHome) -> Result<State> {
    let run = home.run_directory()?;
    let topology: Topology = run.read()?;
    let thread = topology.threads.first().context("the topology has no thread")?;
    let secrets = home.home().read_secrets(run.name())?;
    let secrets = secrets.threads.first().context("the run has no secrets")?;
    let base = BaseUrl::parse(&thread.instance.url)?;
    let mut bitbucket = Bitbucket::new(base, &thread.instance.admin, &secrets.admin_password);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start a runtime")?.block_on(list(&mut bitbucket))
}

async fn list(bitbucket: &mut Bitbucket) -> Result<State> {
    let mut state = State::default();
    for project in bitbucket.projects().await? {
        for repository in bitbucket.repositories(&project.key).await? {
            let (key, slug) = (&project.key, &repository.slug);
            let branches = bitbucket.branches(key, slug).await?;
            state.branches.extend(branches.into_iter().map(|branch| format!("{key}/{slug} {}", branch.id)));
            for open in bitbucket.pull_requests(key, slug, PullRequestFilter::Open).await? {
                let place = format!("{key}/{slug} {}", open.id);
                let activities = bitbucket.activities(key, slug, open.id).await?;
                state.comments.extend(comments(&activities).map(|comment| format!("{place}: {comment}")));
                state.approvals.extend(approvals(&activities).map(|user| format!("{place} by {user}")));
                state.open.insert(format!("{place} {}", open.title));
            }
        }
    }
    Ok(state)
}

/// Returns what was said, each by its number.
fn comments(activities: &[RestActivity]) -> impl Iterator<Item = String> {
    let comments = activities.iter().filter_map(|activity| activity.comment.as_ref());
    comments.map(|comment| format!("{} {:?}", comment.id, comment.text))
}

/// Returns who approved and did not take it back; `activities` are the newest first.
fn approvals(activities: &[RestActivity]) -> impl Iterator<Item = &str> {
    let mut last: BTreeMap<&str, bool> = BTreeMap::new();
    for activity in activities {
        let is_approval = match activity.action.as_str() {
            "APPROVED" => true,
            "UNAPPROVED" | "REVIEWED" => false,
            _ => continue,
        };
        if let Some(user) = &activity.user {
            last.entry(user.name.as_str()).or_insert(is_approval);
        }
    }
    last.into_iter().filter_map(|(user, is_approval)| is_approval.then_some(user))
}

impl State {
    /// Says what is there that was not, and what is gone.
    pub(super) fn left_since(&self, before: &Self) -> Vec<String> {
        let mut problems = Vec::new();
        for (what, now, before) in [
            ("the branch", &self.branches, &before.branches),
            ("the open pull request", &self.open, &before.open),
            ("the comment", &self.comments, &before.comments),
            ("the approval", &self.approvals, &before.approvals),
        ] {
            problems.extend(now.difference(before).map(|left| format!("{what} {left} is left")));
            problems.extend(before.difference(now).map(|gone| format!("{what} {gone} is gone")));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_and_what_went_is_told() {
        let state = |branches: &[&str], open: &[&str]| State {
            branches: branches.iter().map(|name| (*name).to_owned()).collect(),
            open: open.iter().map(|name| (*name).to_owned()).collect(),
            ..State::default()
        };
        let before = state(&["P/r main", "P/r x"], &["P/r 1 t"]);
        assert_eq!(before.left_since(&before), Vec::<String>::new());
        let after = state(&["P/r main", "P/r y"], &["P/r 1 t", "P/r 2 t"]);
        let expected =
            ["the branch P/r y is left", "the branch P/r x is gone", "the open pull request P/r 2 t is left"];
        assert_eq!(after.left_since(&before), expected);
    }

    #[test]
    fn comments_and_approvals_are_those_that_still_stand() {
        let activities: Vec<RestActivity> = serde_json::from_str(
            r#"[
                {"action": "UNAPPROVED", "user": {"name": "ada"}},
                {"action": "APPROVED", "user": {"name": "bob"}},
                {"action": "COMMENTED", "user": {"name": "bob"}, "comment": {"id": 7, "text": "Why?"}},
                {"action": "APPROVED", "user": {"name": "ada"}},
                {"action": "OPENED", "user": {"name": "cy"}}
            ]"#,
        )
        .unwrap();
        assert_eq!(approvals(&activities).collect::<Vec<_>>(), ["bob"]);
        assert_eq!(comments(&activities).collect::<Vec<_>>(), ["7 \"Why?\""]);
    }
}
