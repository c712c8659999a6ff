//! Commits: one, or those that a range holds.

use std::ffi::OsString;
use std::sync::Arc;

use super::answers::{Answer, Question};
use super::{Range, refusal};
use crate::failure::Failure;
use crate::git::git_dir;
use crate::state::Host;
use crate::store::{Part, Repository, Window};

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) id: String,
    /// The ids of its parents, the first one first.
    pub(crate) parents: Vec<String>,
    pub(crate) author: Person,
    /// Milliseconds since 1970, as are all times here.
    pub(crate) authored_ms: i64,
    pub(crate) committer: Person,
    pub(crate) committed_ms: i64,
    /// Without the newlines at its end.
    pub(crate) message: String,
}

/// Who a commit says it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) email: String,
}

/// Which commits are wanted by the number of their parents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum Merges {
    #[default]
    Included,
    Excluded,
    Only,
}

impl Commit {
    /// Returns the first line of the message.
    pub(crate) fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or("")
    }
}

/// Returns the commits that are reachable from `until` and not from `since`, the latest first; only those that changed the
/// path, if there is one.
///
/// # Errors
/// 404 if there is no such commit, 503 if git has no turn for it.
pub(crate) async fn commits(
    host: &Host,
    repository: &Repository,
    range: &Range,
    path: Option<&str>,
    window: Window,
) -> Result<Part<Commit>, Failure> {
    commits_of(host, repository, (range, path, Merges::Included), window).await
}

/// Returns the same with a choice of merges.
///
/// # Errors
/// As [`commits`].
pub(crate) async fn commits_of(
    host: &Host,
    repository: &Repository,
    (range, path, merges): (&Range, Option<&str>, Merges),
    window: Window,
) -> Result<Part<Commit>, Failure> {
    let question = Question::Commits {
        repository: repository.id,
        range: range.clone(),
        path: path.map(str::to_owned),
        merges,
        start: window.start,
        limit: window.limit,
    };
    if let Some(Answer::Commits(part)) = host.compared.find(&question) {
        return Ok(Part::clone(&part));
    }
    let directory = host.repositories.path(repository.id);
    let asked = [range.until.as_str(), range.since.as_deref().unwrap_or_default()];
    if !range.is_fixed() {
        return Err(Failure::no_commit(&range.until, &repository.slug));
    }
    let mut arguments: Vec<OsString> = vec![git_dir(&directory), "--literal-pathspecs".into(), "log".into()];
    arguments.extend(["-z", FORMAT, "--no-show-signature", "--no-color"].map(OsString::from));
    arguments.push(format!("--skip={}", window.start).into());
    arguments.push(format!("--max-count={}", u64::from(window.limit) + 1).into());
    arguments.extend(match merges {
        Merges::Included => None,
        Merges::Excluded => Some("--no-merges".into()),
        Merges::Only => Some("--merges".into()),
    });
    arguments.push(range.until.clone().into());
    arguments.extend(range.since.as_ref().map(|since| format!("^{since}").into()));
    arguments.push("--".into());
    arguments.extend(path.map(OsString::from));
    let output = host.git.output(arguments, b"", MOST_LOG).await;
    let output = output.map_err(|error| refusal(repository, &asked, error))?;
    let part = window.part(parse(&output));
    host.compared.insert(question, Answer::Commits(Arc::new(part.clone())), output.len());
    Ok(part)
}

/// Returns the commit with this full id; none if the repository has none.
///
/// # Errors
/// 503 if git has no turn for it.
pub(crate) async fn commit(
    host: &Host,
    repository: &Repository,
    id: &str,
) -> Result<Option<Commit>, Failure> {
    let question = Question::Commit { repository: repository.id, id: id.to_owned() };
    if let Some(Answer::Commit(found)) = host.compared.find(&question) {
        return Ok(Some(Commit::clone(&found)));
    }
    let window = Window { start: 0, limit: 1 };
    let range = Range::new(None, id.to_owned());
    match commits(host, repository, &range, None, window).await {
        Ok(part) => {
            let found = part.rows.into_iter().next();
            if let Some(found) = &found {
                let size = found.message.len();
                host.compared.insert(question, Answer::Commit(Arc::new(found.clone())), size);
            }
            Ok(found)
        }
        Err(failure) if failure.status == http::StatusCode::NOT_FOUND => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Returns the commit with this full id and its parents, in their order; none if the repository has none.
///
/// # Errors
/// 503 if git has no turn for it.
pub(crate) async fn commit_with_parents(
    host: &Host,
    repository: &Repository,
    id: &str,
) -> Result<Option<(Commit, Vec<Commit>)>, Failure> {
    if !super::is_id(id) {
        return Ok(None);
    }
    let question = Question::Family { repository: repository.id, id: id.to_owned() };
    let found = if let Some(Answer::Commits(part)) = host.compared.find(&question) {
        part.rows.clone()
    } else {
        // Source: gitrevisions(7): `^@` are all parents.
        let rows = match named(host, repository, &[id.to_owned(), format!("{id}^@")]).await {
            Ok(rows) => rows,
            Err(failure) if failure.status == http::StatusCode::NOT_FOUND => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let size = rows.iter().map(|row| row.message.len()).sum();
        let part = Arc::new(Part { rows: rows.clone(), more: false });
        host.compared.insert(question, Answer::Commits(part), size);
        rows
    };
    let mut rows = found.into_iter();
    let Some(commit) = rows.next().filter(|commit| commit.id == id) else { return Ok(None) };
    Ok(Some((commit, rows.collect())))
}

/// Returns the commits with these full ids, each once, by one fork.
///
/// # Errors
/// 404 if there is no such commit, 503 if git has no turn for it.
pub(crate) async fn commits_by_id(
    host: &Host,
    repository: &Repository,
    ids: &[String],
) -> Result<Vec<Commit>, Failure> {
    if ids.is_empty() || !ids.iter().all(|id| super::is_id(id)) {
        return Ok(Vec::new());
    }
    named(host, repository, ids).await
}

async fn named(host: &Host, repository: &Repository, revisions: &[String]) -> Result<Vec<Commit>, Failure> {
    let directory = host.repositories.path(repository.id);
    let mut arguments: Vec<OsString> = vec![git_dir(&directory), "log".into()];
    arguments.extend(["-z", FORMAT, "--no-show-signature", "--no-color"].map(OsString::from));
    arguments.extend(["--no-walk=unsorted", "--stdin"].map(OsString::from));
    let input = revisions.join("\n") + "\n";
    let asked: Vec<&str> = revisions.iter().map(String::as_str).collect();
    let output = host.git.output(arguments, input.as_bytes(), MOST_LOG).await;
    Ok(parse(&output.map_err(|error| refusal(repository, &asked, error))?))
}

/// Reads what `FORMAT` writes. Stops at the first commit that is not whole.
fn parse(output: &[u8]) -> Vec<Commit> {
    let mut fields = output.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let mut commits = Vec::new();
    while let Some(commit) = parse_one(&mut fields) {
        commits.push(commit);
    }
    commits
}

fn parse_one<'a>(fields: &mut impl Iterator<Item = std::borrow::Cow<'a, str>>) -> Option<Commit> {
    let id = fields.next().filter(|id| super::is_id(id))?.into_owned();
    let parents = fields.next()?.split_whitespace().map(str::to_owned).collect();
    let mut person = || {
        let (name, email) = (fields.next()?.into_owned(), fields.next()?.into_owned());
        let seconds: i64 = fields.next()?.parse().unwrap_or(0);
        Some((Person { name, email }, seconds.saturating_mul(1000)))
    };
    let (author, authored_ms) = person()?;
    let (committer, committed_ms) = person()?;
    let message = fields.next()?.trim_end().to_owned();
    Some(Commit { id, parents, author, authored_ms, committer, committed_ms, message })
}

const FORMAT: &str = "--format=tformat:%H%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B";
const MOST_LOG: usize = 32 << 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_commits_as_git_writes_them() {
        let (one, two) = ("1".repeat(40), "2".repeat(40));
        let text = format!(
            "{two}\0{one}\0Ada\0ada@example.com\01700000000\0Bob\0b@example.com\01700000001\0Say it\n\nAt last.\n\0\
             {one}\0\0Ada\0\01\0Ada\0\0x\0\0"
        );
        let found = parse(text.as_bytes());
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].subject(), found[0].message.as_str()), ("Say it", "Say it\n\nAt last."));
        assert_eq!((found[0].authored_ms, found[0].committed_ms), (1_700_000_000_000, 1_700_000_001_000));
        assert_eq!(found[0].parents, [one.as_str()]);
        assert_eq!((found[1].parents.len(), found[1].committed_ms, found[1].subject()), (0, 0, ""));
        assert_eq!(parse(b""), []);
    }

    proptest! {
        #[test]
        fn no_output_breaks_it(output in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&output);
        }
    }
}
