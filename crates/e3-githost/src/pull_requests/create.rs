//! How a pull request comes to be.

use super::branches::{full_name, tips};
use super::find::one;
use super::refusal::{Refusal, conflict, no_branch};
use crate::compare;
use crate::failure::Failure;
use crate::names::Title;
use crate::state::Host;
use crate::store::{NewPullRequest, PullRequest, PullRequestCreated, Repository, Tip, User};

/// What a client wants a new pull request to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish<'a> {
    pub(crate) title: &'a str,
    pub(crate) description: Option<&'a str>,
    /// The branches, by their full or short names.
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    /// The reviewers' names.
    pub(crate) reviewers: &'a [String],
}

/// Opens a pull request as the user.
///
/// # Errors
/// 400 for a title or branch that is missing, 404 for an unknown branch, 409 for one that is open already, for nothing to
/// merge, and for reviewers who cannot be.
pub(crate) async fn create(
    host: &Host,
    author: &User,
    repository: &Repository,
    wish: Wish<'_>,
) -> Result<PullRequest, Refusal> {
    let title = title(wish.title)?;
    let description = description(wish.description)?;
    let ends = [wish.from, wish.to];
    let [from, to] = tips_of(host, repository, ends).await?;
    if let Some(open) = open_between(host, repository, &from, &to).await? {
        return Err(Refusal::Duplicate(Box::new(open)));
    }
    must_differ(host, repository, &from, &to).await?;
    let reviewers = reviewers(host, Some(author), wish.reviewers).await?;
    let new = NewPullRequest {
        title: title.as_str(),
        description: description.filter(|text| !text.is_empty()),
        from: &from,
        to: &to,
        reviewers: &reviewers,
    };
    match host.store.create_pull_request(repository, author, new).await? {
        PullRequestCreated::Made(id) => Ok(one(host, repository, &id.to_string()).await?),
        // Another was faster.
        PullRequestCreated::Open => {
            match host.store.open_pull_request(repository, &from.name, &to.name).await? {
                Some(open) => Err(Refusal::Duplicate(Box::new(open))),
                None => Err(Failure::busy("another client changes the same pull request").into()),
            }
        }
    }
}

/// Returns the open pull request between the branches, if there is one and it still is.
async fn open_between(
    host: &Host,
    repository: &Repository,
    from: &Tip,
    to: &Tip,
) -> Result<Option<PullRequest>, Failure> {
    let Some(found) = host.store.open_pull_request(repository, &from.name, &to.name).await? else {
        return Ok(None);
    };
    Ok(Some(one(host, repository, &found.id.to_string()).await?).filter(PullRequest::is_open))
}

/// Lets two branches through if the first has commits that the second has not. Source: the refusal is recorded.
pub(super) async fn must_differ(
    host: &Host,
    repository: &Repository,
    from: &Tip,
    to: &Tip,
) -> Result<(), Failure> {
    let base = compare::merge_base(host, repository, &to.commit, &from.commit).await?;
    if base.as_ref() != Some(&from.commit) {
        return Ok(());
    }
    let (to, from, slug) = (to.display(), from.display(), &repository.slug);
    Err(conflict(
        "com.atlassian.bitbucket.pull.EmptyPullRequestException",
        format!("Branch \"{to}\" is already up-to-date with branch \"{from}\" in repository \"{slug}\"."),
    ))
}

/// Returns where the branches are, each given by its full or short name.
pub(super) async fn tips_of<const N: usize>(
    host: &Host,
    repository: &Repository,
    given: [&str; N],
) -> Result<[Tip; N], Failure> {
    let mut names = Vec::with_capacity(N);
    for name in given {
        names.push(full_name(name).ok_or_else(|| no_branch(repository, name))?);
    }
    let mut known = tips(host, repository, names.clone()).await?;
    let mut found = Vec::with_capacity(N);
    for (name, given) in names.into_iter().zip(given) {
        let commit = known.get_mut(&name).map(|commit| commit.clone());
        let commit = commit.ok_or_else(|| no_branch(repository, given))?;
        found.push(Tip { name, commit });
    }
    found.try_into().map_err(|_| Failure::bad_request("The branches could not be read."))
}

pub(super) fn title(text: &str) -> Result<Title<255>, Failure> {
    Title::parse(text)
        .ok_or_else(|| Failure::invalid("title", "The title should be between 1 and 255 characters."))
}

pub(super) fn description(text: Option<&str>) -> Result<Option<&str>, Failure> {
    if text.is_some_and(|text| text.len() > LONGEST_DESCRIPTION) {
        return Err(Failure::invalid("description", "The description is limited to 32768 bytes."));
    }
    Ok(text.map(str::trim))
}

/// Returns the users with these names, each once.
///
/// # Errors
/// 409 with every name that cannot review: nobody has it, or the author has.
pub(super) async fn reviewers(
    host: &Host,
    author: Option<&User>,
    names: &[String],
) -> Result<Vec<User>, Refusal> {
    let mut wished: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    wished.sort_unstable();
    wished.dedup();
    let found = host.store.users_named(&wished).await?;
    let is_author = |name: &str| author.is_some_and(|author| author.name == name);
    let error = |name: String| {
        if is_author(&name) {
            let why = format!("{name} is the author of the pull request and cannot review it.");
            return Some((name, why));
        }
        let unknown = found.iter().all(|user| user.name != name);
        unknown.then(|| (name.clone(), format!("{name} is not a user.")))
    };
    let errors: Vec<(String, String)> = wished.into_iter().filter_map(error).collect();
    let valid: Vec<User> = found.iter().filter(|user| !is_author(&user.name)).cloned().collect();
    if errors.is_empty() { Ok(valid) } else { Err(Refusal::Reviewers { errors, valid }) }
}

/// Source: Bitbucket's bound.
const LONGEST_DESCRIPTION: usize = 32_768;
