//! Branches and tags: made, moved and removed by git, so that two who do so at once never both succeed.

use std::ffi::OsString;

use crate::failure::Failure;
use crate::git::{Branch, GitError, git_dir};
use crate::names::is_ref_name;
use crate::state::Host;
use crate::store::{Repository, User};

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    /// The full name, `refs/tags/…`.
    pub(crate) name: String,
    /// The commit, by way of the tag object if it has one.
    pub(crate) commit: String,
    /// The tag object of an annotated tag.
    pub(crate) object: Option<String>,
}

/// In which order tags come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TagOrder {
    Alphabetical,
    /// The latest first.
    Modification,
}

/// How a branch compares with another, and what it is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Distance {
    pub(crate) ahead: u64,
    pub(crate) behind: u64,
}

impl Tag {
    /// Returns the name without `refs/tags/`.
    pub(crate) fn display(&self) -> &str {
        self.name.strip_prefix(TAGS).unwrap_or(&self.name)
    }
}

/// Makes a branch that must not exist yet.
///
/// # Errors
/// 400 for a name that is none or is taken, 409 for one that another branch's name leaves no room for.
pub(crate) async fn create_branch(
    host: &Host,
    repository: &Repository,
    name: &str,
    commit: &str,
) -> Result<Branch, Failure> {
    let short = name.strip_prefix(HEADS).unwrap_or(name);
    if !is_ref_name(short) {
        return Err(Failure::bad_ref(short));
    }
    let full = format!("{HEADS}{short}");
    let created = update(host, repository, &["update-ref", &full, commit, MISSING]).await;
    match created {
        Ok(()) => Ok(Branch { name: full, commit: commit.to_owned() }),
        Err(error) => Err(taken(error, ("Branch", short), repository)),
    }
}

/// Removes a branch, if it is there; at this commit, if one is given.
///
/// # Errors
/// 400 for the default branch, and for one that is at another commit.
pub(crate) async fn delete_branch(
    host: &Host,
    repository: &Repository,
    name: &str,
    (commit, dry): (Option<&str>, bool),
) -> Result<(), Failure> {
    let branches = crate::rest::branches_of(host, repository).await?;
    let Some(branch) = branches.find(name) else { return Ok(()) };
    if branches.head.as_deref() == Some(&branch.name) {
        return Err(Failure::default_branch_stays(branch.display()));
    }
    if commit.is_some_and(|commit| commit != branch.commit) {
        return Err(Failure::moved(branch.display(), &branch.commit));
    }
    if dry {
        return Ok(());
    }
    let deleted = update(host, repository, &["update-ref", "-d", &branch.name, &branch.commit]).await;
    match deleted {
        Ok(()) => Ok(()),
        Err(GitError::Failed { complaint, .. }) if complaint.contains("cannot lock ref") => {
            Err(Failure::moved(branch.display(), "another commit by now"))
        }
        Err(error) => Err(refusal(error)),
    }
}

/// Lets the default branch be this one. In an empty repository it need not exist.
///
/// # Errors
/// 404 if there is no such branch.
pub(crate) async fn set_default_branch(
    host: &Host,
    repository: &Repository,
    name: &str,
) -> Result<(), Failure> {
    let branches = crate::rest::branches_of(host, repository).await?;
    let short = name.strip_prefix(HEADS).unwrap_or(name);
    if !is_ref_name(short) {
        return Err(Failure::bad_ref(short));
    }
    let full = format!("{HEADS}{short}");
    if !branches.list.is_empty() && branches.find(&full).is_none() {
        return Err(Failure::no_branch(short, &repository.slug));
    }
    update(host, repository, &["symbolic-ref", "HEAD", &full]).await.map_err(refusal)
}

/// Returns all tags whose commits can be told, by one fork.
///
/// # Errors
/// 503 if git has no turn for it.
pub(crate) async fn tags(
    host: &Host,
    repository: &Repository,
    (order, only): (TagOrder, Option<&str>),
) -> Result<Vec<Tag>, Failure> {
    let directory = host.repositories.path(repository.id);
    let sort = match order {
        TagOrder::Alphabetical => "--sort=refname",
        TagOrder::Modification => "--sort=-creatordate",
    };
    let pattern = only.map_or_else(|| "refs/tags".to_owned(), |name| format!("{TAGS}{name}"));
    let arguments: [OsString; 5] =
        [git_dir(&directory), "for-each-ref".into(), sort.into(), TAG_FORMAT.into(), pattern.into()];
    let output = host.git.output(arguments, b"", MOST_REFS).await.map_err(refusal)?;
    Ok(String::from_utf8_lossy(&output).lines().filter_map(parse_tag).collect())
}

/// Makes a tag that must not exist yet; with a message it is an annotated one by the user.
///
/// # Errors
/// 400 for a name that is none or is taken.
pub(crate) async fn create_tag(
    host: &Host,
    repository: &Repository,
    (name, commit): (&str, &str),
    annotation: Option<(&str, &User)>,
) -> Result<Tag, Failure> {
    let short = name.strip_prefix(TAGS).unwrap_or(name);
    if !is_ref_name(short) {
        return Err(Failure::bad_ref(short));
    }
    let full = format!("{TAGS}{short}");
    let mut tag = Tag { name: full.clone(), commit: commit.to_owned(), object: None };
    if let Some((message, user)) = annotation {
        tag.object = Some(make_tag_object(host, repository, (short, commit), (message, user)).await?);
    }
    let object = tag.object.as_deref().unwrap_or(commit);
    let created = update(host, repository, &["update-ref", &full, object, MISSING]).await;
    created.map_err(|error| taken(error, ("Tag", short), repository))?;
    Ok(tag)
}

/// Removes a tag; false if there was none.
///
/// # Errors
/// 503 if git has no turn for it.
pub(crate) async fn delete_tag(host: &Host, repository: &Repository, tag: &Tag) -> Result<(), Failure> {
    let object = tag.object.as_deref().unwrap_or(&tag.commit);
    update(host, repository, &["update-ref", "-d", &tag.name, object]).await.map_err(refusal)
}

/// Returns how far each of the branches is from the base, in their order; none where git is too old to tell.
///
/// # Errors
/// 503 if git has no turn for it.
pub(crate) async fn distances(
    host: &Host,
    repository: &Repository,
    base: &str,
    branches: &[&str],
) -> Result<Vec<Option<Distance>>, Failure> {
    let directory = host.repositories.path(repository.id);
    let mut arguments: Vec<OsString> = vec![git_dir(&directory), "for-each-ref".into()];
    // Source: git-for-each-ref(1); since git 2.41.
    arguments.push(format!("--format=%(refname) %(ahead-behind:{base})").into());
    arguments.extend(branches.iter().map(OsString::from));
    let output = match host.git.output(arguments, b"", MOST_REFS).await {
        Ok(output) => output,
        Err(GitError::Failed { complaint, .. }) if complaint.contains("unknown field name") => Vec::new(),
        Err(error) => return Err(refusal(error)),
    };
    let text = String::from_utf8_lossy(&output);
    let found: std::collections::HashMap<&str, Distance> = text.lines().filter_map(parse_distance).collect();
    Ok(branches.iter().map(|branch| found.get(branch).cloned()).collect())
}

async fn make_tag_object(
    host: &Host,
    repository: &Repository,
    (name, commit): (&str, &str),
    (message, user): (&str, &User),
) -> Result<String, Failure> {
    let plain = |text: &str| text.replace(['<', '>', '\n', '\0'], " ");
    let seconds = crate::clock::now_ms() / 1000;
    let (tagger, email) = (plain(&user.display_name), plain(&user.email));
    let message = message.replace('\0', " ");
    let object = format!(
        "object {commit}\ntype commit\ntag {name}\ntagger {tagger} <{email}> {seconds} +0000\n\n{}\n",
        message.trim_end()
    );
    let directory = host.repositories.path(repository.id);
    let arguments: [OsString; 2] = [git_dir(&directory), "mktag".into()];
    let output = host.git.output(arguments, object.as_bytes(), 4096).await.map_err(refusal)?;
    Ok(String::from_utf8_lossy(&output).trim().to_owned())
}

async fn update(host: &Host, repository: &Repository, arguments: &[&str]) -> Result<(), GitError> {
    let directory = git_dir(&host.repositories.path(repository.id));
    let arguments = std::iter::once(directory).chain(arguments.iter().map(OsString::from));
    host.git.output(arguments, b"", 4096).await.map(drop)
}

fn taken(error: GitError, (kind, name): (&str, &str), repository: &Repository) -> Failure {
    match error {
        GitError::Failed { complaint, .. } if complaint.contains("reference already exists") => {
            Failure::duplicate_ref(kind, name, &repository.slug)
        }
        // A directory is in the place of the file, or the other way round.
        GitError::Failed { complaint, .. } if complaint.contains("cannot lock ref") => {
            Failure::overlapping_ref(kind, name, &repository.slug)
        }
        error => refusal(error),
    }
}

fn refusal(error: GitError) -> Failure {
    match error {
        GitError::Busy(busy) => Failure::busy(&busy.to_string()),
        error => Failure::internal("change refs", &error),
    }
}

/// Reads a line of `TAG_FORMAT`; a tag of something else than a commit is none here.
fn parse_tag(line: &str) -> Option<Tag> {
    let mut words = line.split(' ');
    let (name, object, kind) = (words.next()?, words.next()?, words.next()?);
    let (peeled, peeled_kind) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    match (kind, peeled_kind) {
        ("commit", _) => Some(Tag { name: name.to_owned(), commit: object.to_owned(), object: None }),
        ("tag", "commit") => {
            Some(Tag { name: name.to_owned(), commit: peeled.to_owned(), object: Some(object.to_owned()) })
        }
        _ => None,
    }
}

fn parse_distance(line: &str) -> Option<(&str, Distance)> {
    let mut words = line.split(' ');
    let name = words.next()?;
    let (ahead, behind) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some((name, Distance { ahead, behind }))
}

const TAG_FORMAT: &str = "--format=%(refname) %(objectname) %(objecttype) %(*objectname) %(*objecttype)";
const HEADS: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";
/// As the value before a change it says that there must be none.
const MISSING: &str = "0000000000000000000000000000000000000000";
const MOST_REFS: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_told_by_the_commit_they_name() {
        let (one, two) = ("1".repeat(40), "2".repeat(40));
        let light = parse_tag(&format!("refs/tags/v1 {one} commit  ")).unwrap();
        assert_eq!((light.display(), light.object.as_deref()), ("v1", None));
        let annotated = parse_tag(&format!("refs/tags/a/b {two} tag {one} commit")).unwrap();
        assert_eq!((annotated.commit, annotated.object), (one.clone(), Some(two)));
        assert_eq!(parse_tag(&format!("refs/tags/tree {one} tree  ")), None);
        assert_eq!(parse_tag(""), None);
        assert_eq!(
            parse_distance("refs/heads/x 3 0"),
            Some(("refs/heads/x", Distance { ahead: 3, behind: 0 }))
        );
    }
}
