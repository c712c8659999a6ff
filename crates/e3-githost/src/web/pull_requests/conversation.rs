//! What happened to a pull request and what was said about it, in the order in which it is read.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use crate::failure::Failure;
use crate::state::Host;
use crate::store::{Action, Activity, Comment, PullRequest, Window};

/// Something that happened: the words for it, or a thread of comments.
#[derive(Serialize)]
pub(super) struct Happening {
    who: String,
    slug: String,
    at_ms: i64,
    /// What the user did; for comments, `commented`.
    did: String,
    kind: &'static str,
    /// A commit that belongs to it.
    commit: Option<String>,
    thread: Vec<CommentRow>,
    /// How many comments the thread has beyond those.
    hidden: usize,
}

/// A comment in its thread.
#[derive(Serialize)]
struct CommentRow {
    id: i64,
    who: String,
    slug: String,
    at_ms: i64,
    edited: bool,
    text: String,
    /// How many comments it is beneath, bounded as its place on the page is.
    depth: usize,
    path: Option<String>,
    line: Option<i64>,
    is_task: bool,
    is_resolved: bool,
}

/// Returns what happened in this window, the latest first, and whether there is more. A thread is there once: where it was
/// last added to.
pub(super) async fn read(
    host: &Host,
    pull_request: &PullRequest,
    window: Window,
) -> Result<(Vec<Happening>, bool), Failure> {
    let part = host.store.activities(pull_request, window).await?;
    let mentioned: Vec<i64> = part.rows.iter().filter_map(|activity| activity.comment_id).collect();
    let comments = host.store.comment_threads(pull_request, &mentioned).await?;
    Ok((arrange(&part.rows, &comments), part.more))
}

fn arrange(activities: &[Activity], comments: &[Comment]) -> Vec<Happening> {
    let threads = Threads::of(comments);
    let mut shown = HashSet::new();
    let mut happenings = Vec::new();
    for activity in activities {
        let mut happening = Happening::of(activity);
        if activity.action == Action::Commented {
            let root = activity.comment_id.and_then(|id| threads.roots.get(&id));
            // Its comment was deleted, or is in a thread that is above already.
            let Some(root) = root.filter(|root| shown.insert(**root)) else { continue };
            happening.thread = threads.read(*root);
            happening.hidden = happening.thread.len().saturating_sub(MOST_IN_THREAD);
            happening.thread.truncate(MOST_IN_THREAD);
        }
        happenings.push(happening);
    }
    happenings
}

impl Happening {
    fn of(activity: &Activity) -> Self {
        let did = match activity.action {
            Action::Opened => "opened the pull request",
            Action::Updated => "changed the pull request",
            Action::Commented => "commented",
            Action::Rescoped => "pushed to the source branch, now at",
            Action::Approved => "approved",
            Action::Unapproved => "took the approval back",
            Action::Reviewed => "asked for work",
            Action::Merged if activity.after.is_some() => "merged the pull request with",
            Action::Merged => "merged the pull request by a push",
            Action::Declined => "declined the pull request",
            Action::Reopened => "opened the pull request again",
        };
        Self {
            who: activity.user.display_name.clone(),
            slug: activity.user.slug.clone(),
            at_ms: activity.happened_ms,
            did: format!("{did}{}", reviewers(activity)),
            kind: activity.action.word(),
            commit: activity.after.clone(),
            thread: Vec::new(),
            hidden: 0,
        }
    }
}

/// Says which reviewers came and went with an update.
fn reviewers(activity: &Activity) -> String {
    let written = activity.reviewers.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let Some(written): Option<serde_json::Value> = written else { return String::new() };
    let mut said = String::new();
    for (field, words) in [("added", "reviewers added"), ("removed", "reviewers removed")] {
        let names = written.get(field).and_then(serde_json::Value::as_array);
        let names: Vec<&str> = names.into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
        if !names.is_empty() {
            said.push_str(&format!("; {words}: {}", names.join(", ")));
        }
    }
    said
}

/// Comments by the thread they are in. A parent has a smaller number than its replies.
struct Threads<'a> {
    /// The first comment of the thread that each is in.
    roots: HashMap<i64, i64>,
    comments: HashMap<i64, &'a Comment>,
    replies: HashMap<i64, Vec<i64>>,
}

impl<'a> Threads<'a> {
    fn of(comments: &'a [Comment]) -> Self {
        let mut threads = Self { roots: HashMap::new(), comments: HashMap::new(), replies: HashMap::new() };
        for comment in comments {
            let id = comment.comment_id;
            let root = comment.parent_id.and_then(|parent| threads.roots.get(&parent).copied());
            threads.roots.insert(id, root.unwrap_or(id));
            threads.comments.insert(id, comment);
            if let Some(parent) = comment.parent_id {
                threads.replies.entry(parent).or_default().push(id);
            }
        }
        threads
    }

    /// Returns the thread from its first comment on, each reply after what it replies to.
    fn read(&self, root: i64) -> Vec<CommentRow> {
        let mut rows = Vec::new();
        let mut open = vec![(root, 0)];
        while let Some((id, depth)) = open.pop() {
            rows.extend(self.comments.get(&id).map(|comment| CommentRow::of(comment, depth)));
            let replies = self.replies.get(&id).into_iter().flatten().rev();
            open.extend(replies.map(|reply| (*reply, depth.saturating_add(1))));
        }
        rows
    }
}

impl CommentRow {
    fn of(comment: &Comment, depth: usize) -> Self {
        Self {
            id: comment.comment_id,
            who: comment.author.display_name.clone(),
            slug: comment.author.slug.clone(),
            at_ms: comment.created_ms,
            edited: comment.updated_ms > comment.created_ms,
            text: comment.text.clone(),
            depth: depth.min(DEEPEST),
            path: comment.anchor.path.clone(),
            line: comment.anchor.line,
            is_task: comment.severity == "BLOCKER",
            is_resolved: comment.comment_state == "RESOLVED",
        }
    }
}

/// The style sheet has a place for so many.
const DEEPEST: usize = 5;
const MOST_IN_THREAD: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Anchor, User};

    fn user() -> User {
        User {
            id: 1,
            name: "ada".into(),
            slug: "ada".into(),
            display_name: "Ada".into(),
            email: String::new(),
            password_hash: String::new(),
            version: 1,
            admin: false,
            active: true,
        }
    }

    fn comment(id: i64, parent_id: Option<i64>) -> Comment {
        Comment {
            comment_id: id,
            parent_id,
            comment_version: 0,
            text: format!("text {id}"),
            severity: "NORMAL".into(),
            comment_state: "OPEN".into(),
            created_ms: id,
            updated_ms: id,
            anchor: Anchor::default(),
            author: user(),
        }
    }

    fn activity(activity_id: i64, comment_id: Option<i64>) -> Activity {
        let action = if comment_id.is_some() || activity_id < 0 { Action::Commented } else { Action::Opened };
        Activity {
            activity_id,
            action,
            happened_ms: activity_id,
            comment_id,
            before: None,
            after: None,
            target: None,
            reviewers: None,
            user: user(),
        }
    }

    #[test]
    fn a_thread_is_there_once_and_in_order() {
        let comments = [
            comment(1, None),
            comment(2, Some(1)),
            comment(3, None),
            comment(4, Some(1)),
            comment(5, Some(2)),
        ];
        let activities = [
            activity(9, Some(5)),
            activity(8, Some(3)),
            activity(-1, None),
            activity(7, Some(1)),
            activity(6, None),
        ];
        let happenings = arrange(&activities, &comments);
        let read: Vec<Vec<(i64, usize)>> =
            happenings.iter().map(|row| row.thread.iter().map(|row| (row.id, row.depth)).collect()).collect();
        assert_eq!(read, [vec![(1, 0), (2, 1), (5, 2), (4, 1)], vec![(3, 0)], vec![]]);
    }

    #[test]
    fn a_deep_thread_stays_on_the_page() {
        let comments: Vec<Comment> = (1..=500).map(|id| comment(id, (id > 1).then(|| id - 1))).collect();
        let happenings = arrange(&[activity(1, Some(500))], &comments);
        assert_eq!((happenings[0].thread.len(), happenings[0].hidden), (MOST_IN_THREAD, 400));
        assert!(happenings[0].thread.iter().all(|row| row.depth <= DEEPEST));
    }

    #[test]
    fn an_update_says_who_came_and_went() {
        let mut updated = activity(1, None);
        updated.action = Action::Updated;
        updated.reviewers = Some(r#"{"added":["bob","eve"],"removed":["max"]}"#.into());
        let happening = Happening::of(&updated);
        assert_eq!(
            happening.did,
            "changed the pull request; reviewers added: bob, eve; reviewers removed: max"
        );
    }
}
