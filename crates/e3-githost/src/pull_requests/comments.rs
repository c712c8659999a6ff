//! Comments: who may say what.

use super::find::scope;
use super::refusal::{Refusal, conflict};
use crate::failure::Failure;
use crate::names::is_tree_path;
use crate::state::Host;
use crate::store::{Anchor, Comment, CommentEdit, CommentRemoved, NewComment, PullRequest, User};

/// What a client wants to say.
#[derive(Debug, Clone, Default)]
pub(crate) struct CommentWish {
    pub(crate) text: String,
    /// The id of the comment that this replies to.
    pub(crate) parent: Option<i64>,
    /// Whether it is a task.
    pub(crate) is_blocker: bool,
    /// What it is about; an end of the diff that is not given is what it is now.
    pub(crate) anchor: Anchor,
}

/// Adds a comment as the user; returns it.
///
/// # Errors
/// 400 for an empty or too long text or a path that is none, 404 for an unknown parent.
pub(crate) async fn add_comment(
    host: &Host,
    user: &User,
    pull_request: &PullRequest,
    wish: CommentWish,
) -> Result<Vec<Comment>, Failure> {
    let text = checked_text(&wish.text)?;
    let mut anchor = wish.anchor;
    if let Some(id) = wish.parent {
        let thread = host.store.comment_thread(pull_request, id).await?;
        let parent = thread.first().ok_or_else(|| no_comment(id))?;
        if host.store.comment_depth(parent).await? >= DEEPEST {
            return Err(Failure::invalid("parent", "Replies to replies cannot go on for ever."));
        }
        // A reply is where its parent is.
        anchor = parent.anchor.clone();
    }
    if let Some(path) = &anchor.path {
        let paths = [Some(path), anchor.source_path.as_ref()];
        if !paths.into_iter().flatten().all(|path| is_tree_path(path)) {
            return Err(Failure::invalid("anchor.path", "This is not the path of a file."));
        }
        if anchor.to_hash.is_none() || anchor.from_hash.is_none() {
            let range = scope(host, pull_request).await?;
            anchor.to_hash.get_or_insert(range.until);
            anchor.from_hash.get_or_insert(range.since.unwrap_or_default());
        }
    }
    let new = NewComment { text, parent: wish.parent, is_blocker: wish.is_blocker, anchor: &anchor };
    let id = host.store.create_comment(pull_request, user, new).await?;
    Ok(host.store.comment_thread(pull_request, id).await?)
}

/// Returns the comment with this id, and after it the replies to it.
///
/// # Errors
/// 404 if the pull request has no such comment.
pub(crate) async fn comment(
    host: &Host,
    pull_request: &PullRequest,
    id: &str,
) -> Result<Vec<Comment>, Failure> {
    let Ok(number) = id.parse() else { return Err(Failure::no_resource()) };
    let thread = host.store.comment_thread(pull_request, number).await?;
    if thread.is_empty() { Err(no_comment(number)) } else { Ok(thread) }
}

/// Changes a comment; the text only its author may change. Returns it with its replies.
///
/// # Errors
/// 400 for a text that cannot be one, 401 for others than the author, 404, 409 for another version.
pub(crate) async fn edit_comment(
    host: &Host,
    user: &User,
    (pull_request, id): (&PullRequest, &str),
    version: i64,
    edit: CommentEdit<'_>,
) -> Result<Vec<Comment>, Refusal> {
    let thread = comment(host, pull_request, id).await?;
    let Some(found) = thread.first() else { return Err(Failure::no_resource().into()) };
    let text = edit.text.map(checked_text).transpose()?;
    let rewrites = text.is_some_and(|text| text != found.text);
    if rewrites && found.author.id != user.id {
        return Err(Failure::not_permitted().into());
    }
    if host.store.edit_comment(found, version, CommentEdit { text, ..edit }).await? {
        return Ok(comment(host, pull_request, id).await?);
    }
    Err(out_of_date().into())
}

/// Removes a comment without replies, which its author and administrators may.
///
/// # Errors
/// 401 for others, 404, 409 for another version or replies.
pub(crate) async fn remove_comment(
    host: &Host,
    user: &User,
    (pull_request, id): (&PullRequest, &str),
    version: i64,
) -> Result<(), Refusal> {
    let thread = comment(host, pull_request, id).await?;
    let Some(found) = thread.first() else { return Err(Failure::no_resource().into()) };
    if found.author.id != user.id && !user.admin {
        return Err(Failure::not_permitted().into());
    }
    match host.store.delete_comment(found, version).await? {
        CommentRemoved::Yes => Ok(()),
        CommentRemoved::Changed => Err(out_of_date().into()),
        CommentRemoved::HasReplies => Err(conflict(
            "com.atlassian.bitbucket.comment.CommentDeletionException",
            "Comments that have replies cannot be deleted.",
        )
        .into()),
    }
}

fn checked_text(text: &str) -> Result<&str, Failure> {
    if text.trim().is_empty() {
        return Err(Failure::invalid("text", "The comment must have a text."));
    }
    if text.len() > LONGEST_TEXT {
        return Err(Failure::invalid("text", "The comment is limited to 32768 bytes."));
    }
    Ok(text)
}

fn no_comment(id: i64) -> Failure {
    Failure {
        status: http::StatusCode::NOT_FOUND,
        exception: Some("com.atlassian.bitbucket.comment.NoSuchCommentException"),
        ..Failure::bad_request(format!("Comment {id} does not exist."))
    }
}

/// Source: recorded by live tests of a client.
fn out_of_date() -> Failure {
    conflict(
        "com.atlassian.bitbucket.comment.CommentOutOfDateException",
        "You are attempting to modify a comment based on out-of-date information.",
    )
}

/// So that a thread can be taken apart on any stack.
const DEEPEST: i64 = 50;
/// Source: Bitbucket's bound.
const LONGEST_TEXT: usize = 32_768;
