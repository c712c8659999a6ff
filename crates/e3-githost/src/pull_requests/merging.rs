//! The merge itself.
//!
//! The commit is made first, from a trial's tree. Then it is written down as about to be put on the branch; then the branch
//! is moved, if it is still where the trial found it; then the pull request is closed. A node may die in between: whoever
//! reads the request next sees whether the commit is on the branch, and closes the request or forgets the attempt. While
//! an attempt is written down nobody else can close or change the request. A push that gets ahead means another trial.

use super::lock::{self, Held};
use super::mergeability::{failure_of, forget_trial, judge, trial};
use super::refusal::{ALREADY_MERGED, Refusal, conflict, illegal_state, must_be_at, must_be_open};
use super::vetoes::vetoes;
use super::{branches, find};
use crate::compare;
use crate::failure::Failure;
use crate::git::{GitError, Merged, NewMerge};
use crate::state::{App, Host};
use crate::store::{Merge, MergeBegun, PullRequest, PullRequestState, Repository, User};

/// How a pull request should be merged.
#[derive(Debug, Clone)]
pub(crate) struct MergeWish {
    /// The version that the client knows.
    pub(crate) version: i64,
    /// What the commit's message should say after the subject.
    pub(crate) message: Option<String>,
    /// Whether the subject is made from the pull request, or the message's own.
    pub(crate) auto_subject: bool,
}

/// Merges the pull request into its target branch, as the user.
///
/// # Errors
/// 409 for another state or version, conflicts, vetoes, and pushes that always get ahead; 503 if there is no turn for it.
///
/// # Cancellation
/// It goes on to its end if nobody waits for it any more.
pub(crate) async fn merge(
    host: &App,
    user: &User,
    pull_request: &PullRequest,
    wish: MergeWish,
) -> Result<PullRequest, Refusal> {
    must_be_open(pull_request)?;
    must_be_at(pull_request, wish.version)?;
    // Those who wait for their turn to merge have made their trial.
    trial(host, pull_request).await?;
    let (host, user) = (App::clone(host), user.clone());
    let pull_request = pull_request.clone();
    let merging = tokio::spawn(async move { attempts(&host, &user, &pull_request, &wish).await });
    merging.await.map_err(|error| Failure::internal("merge a pull request", &error))?
}

async fn attempts(
    host: &Host,
    user: &User,
    pull_request: &PullRequest,
    wish: &MergeWish,
) -> Result<PullRequest, Refusal> {
    let PullRequest { repository, id, to, .. } = pull_request;
    let held = lock::hold(host, repository).await?;
    for _ in 0..MOST_ATTEMPTS {
        if let Some(merged) = attempt(host, user, (repository, *id), (wish, &held)).await? {
            return Ok(merged);
        }
    }
    Err(overtaken(repository, to.display()).into())
}

/// Tries once; none if the branches moved meanwhile.
async fn attempt(
    host: &Host,
    user: &User,
    (repository, id): (&Repository, i64),
    (wish, held): (&MergeWish, &Held),
) -> Result<Option<PullRequest>, Refusal> {
    let id = id.to_string();
    let pull_request = find::one(host, repository, &id).await?;
    if let Some(left) = host.store.merge_under_way(&pull_request).await? {
        // Nobody else can be at it: who wrote it down is gone, or had to leave it undecided.
        if !finish_landed(host, repository, &left).await? {
            host.store.forget_merge(&left).await?;
        }
        return Ok(None);
    }
    must_be_open(&pull_request)?;
    must_be_at(&pull_request, wish.version)?;
    if is_there_already(host, &pull_request).await? {
        return match host.store.mark_merged(&pull_request, user).await? {
            true => Ok(Some(find::one(host, repository, &id).await?)),
            false => Ok(None),
        };
    }
    let merged = trial(host, &pull_request).await?;
    let found = judge(&merged, vetoes(host, &pull_request).await?);
    let Merged::Tree(tree) = &merged else { return Err(found.into()) };
    if !found.can_merge() {
        return Err(found.into());
    }
    let Some(commit) = commit(host, user, (&pull_request, wish), tree).await? else { return Ok(None) };
    let merge = Merge::of(&pull_request, user, commit);
    if host.store.begin_merge(&merge, pull_request.version).await? != MergeBegun::Yes {
        return Ok(None);
    }
    if !put_on_branch(host, &merge, held).await? {
        return Ok(None);
    }
    host.store.finish_merge(&merge).await?;
    Ok(Some(find::one(host, repository, &id).await?))
}

/// Makes the commit; none if the trial's tree is gone, and another trial is due.
async fn commit(
    host: &Host,
    user: &User,
    (pull_request, wish): (&PullRequest, &MergeWish),
    tree: &str,
) -> Result<Option<String>, Failure> {
    let new = NewMerge {
        tree,
        parents: [&pull_request.to.commit, &pull_request.from.commit],
        message: &message(pull_request, wish),
        name: &name_for_git(user),
        email: &user.email,
    };
    let path = host.repositories.path(pull_request.repository.id);
    match host.git.commit_merge(&path, new).await {
        Ok(commit) => Ok(Some(commit)),
        Err(GitError::Failed { complaint, .. }) if complaint.contains("not a valid object") => {
            forget_trial(host, pull_request);
            Ok(None)
        }
        Err(error) => Err(failure_of("make a merge commit", &error)),
    }
}

/// Moves the branch; false if it is not where the trial found it.
async fn put_on_branch(host: &Host, merge: &Merge, held: &Held) -> Result<bool, Failure> {
    let path = host.repositories.path(merge.repository_id);
    let lock = held.share().map_err(|error| Failure::internal("share a lock", &error))?;
    let (new, old) = (merge.merge_commit.as_str(), merge.to_commit.as_str());
    match host.git.move_ref(&path, &merge.to_ref, (new, old), lock).await {
        Ok(true) => Ok(true),
        Ok(false) => {
            host.store.forget_merge(merge).await?;
            Ok(false)
        }
        Err(GitError::Busy(busy)) => {
            host.store.forget_merge(merge).await?;
            Err(Failure::busy(&busy.to_string()))
        }
        // It may have moved the branch before it failed; whoever reads the request next will see.
        Err(error) => Err(failure_of("move a branch", &error)),
    }
}

/// Closes the pull request if the merge's commit is on the branch; returns whether it is.
pub(super) async fn finish_landed(
    host: &Host,
    repository: &Repository,
    merge: &Merge,
) -> Result<bool, Failure> {
    let tips = branches::tips(host, repository, vec![merge.to_ref.clone()]).await?;
    let landed = match tips.get(&merge.to_ref) {
        Some(tip) if *tip == merge.merge_commit => true,
        Some(tip) if *tip == merge.to_commit => false,
        Some(tip) => {
            let base = compare::merge_base(host, repository, &merge.merge_commit, tip).await?;
            base.as_deref() == Some(&merge.merge_commit)
        }
        None => false,
    };
    if landed {
        host.store.finish_merge(merge).await?;
    }
    Ok(landed)
}

/// Returns whether all commits of the source branch are on the target branch: somebody merged by a push.
async fn is_there_already(host: &Host, pull_request: &PullRequest) -> Result<bool, Failure> {
    let (from, to) = (&pull_request.from.commit, &pull_request.to.commit);
    let base = compare::merge_base(host, &pull_request.repository, to, from).await?;
    Ok(base.as_ref() == Some(from))
}

/// Source: the subject and the first paragraph are those of Bitbucket's merge commits.
fn message(pull_request: &PullRequest, wish: &MergeWish) -> String {
    let own = wish.message.as_deref().map(str::trim).filter(|text| !text.is_empty());
    if let Some(own) = own.filter(|_| !wish.auto_subject) {
        return format!("{own}\n");
    }
    let PullRequest { id, title, from, to, repository, .. } = pull_request;
    let (key, slug) = (&repository.project.project_key, &repository.slug);
    let (from, to) = (from.display(), to.display());
    let head = format!("Pull request #{id}: {title}\n\nMerge in {key}/{slug} from {from} to {to}\n");
    own.map_or_else(|| head.clone(), |own| format!("{head}\n{own}\n"))
}

/// Returns a name that git accepts: it drops what would break a commit's header, and refuses what is then empty.
fn name_for_git(user: &User) -> String {
    let usable = user.display_name.chars().any(char::is_alphanumeric);
    if usable { user.display_name.clone() } else { user.name.clone() }
}

/// Source: recorded.
fn overtaken(repository: &Repository, branch: &str) -> Failure {
    let (key, slug) = (&repository.project.project_key, &repository.slug);
    conflict(
        "com.atlassian.bitbucket.scm.MergeException",
        format!(
            "New changes were pushed to {branch} in {key}/{slug} while the merge was being performed. Please retry the \
             merge."
        ),
    )
}

/// Waits for a merge that is under way, so that the pull request is either merged or free again.
pub(super) async fn settle(host: &Host, pull_request: &PullRequest) -> Result<(), Failure> {
    let repository = &pull_request.repository;
    let _held = lock::hold(host, repository).await?;
    if let Some(left) = host.store.merge_under_way(pull_request).await?
        && !finish_landed(host, repository, &left).await?
    {
        host.store.forget_merge(&left).await?;
    }
    Ok(())
}

/// Says why a request that was to be changed could not be: it is being merged, was merged, or has another version.
pub(super) async fn why_not(
    host: &Host,
    pull_request: &PullRequest,
    expected: i64,
) -> Result<Refusal, Failure> {
    let found = find::one(host, &pull_request.repository, &pull_request.id.to_string()).await?;
    if found.state == PullRequestState::Merged {
        return Ok(illegal_state(ALREADY_MERGED).into());
    }
    Ok(Refusal::OutOfDate { pull_request: Box::new(found), expected })
}

/// Pushes that get ahead of a merge so many times in a row are somebody's intention.
const MOST_ATTEMPTS: usize = 8;
