//! The questions about a range: which files changed, how, and from where it forked.

use std::ffi::OsString;
use std::sync::Arc;

use super::answers::{Answer, Question};
use super::patch::{self, Diff};
use super::raw::{self, Change, Changes};
use super::{DiffOptions, Range, is_id, refusal};
use crate::failure::Failure;
use crate::git::{GitError, git_dir};
use crate::state::Host;
use crate::store::{Part, Repository, Window};

/// Returns the files that differ between the trees of `since` and `until`, renames found, by path.
///
/// # Errors
/// 404 if there is no such commit, 503 if git has no turn for it.
pub(crate) async fn changes(
    host: &Host,
    repository: &Repository,
    range: &Range,
    window: Window,
) -> Result<Part<Change>, Failure> {
    let question = Question::Changes { repository: repository.id, range: range.clone() };
    let changes = if let Some(Answer::Changes(changes)) = host.compared.find(&question) {
        changes
    } else {
        let excerpt = diff_tree(host, repository, range, (&["--raw".to_owned()], &[])).await?;
        let text = String::from_utf8_lossy(&excerpt.bytes);
        let whole = if excerpt.cut { text.rfind('\n').map_or("", |end| text.split_at(end).0) } else { &text };
        let changes = Arc::new(Changes { list: raw::parse(whole), cut: excerpt.cut });
        host.compared.insert(question, Answer::Changes(Arc::clone(&changes)), excerpt.bytes.len());
        changes
    };
    if changes.cut {
        tracing::warn!(repository = repository.id, ?range, "more files changed than are listed");
    }
    let part = window.of(changes.list.iter());
    Ok(Part { rows: part.rows.into_iter().cloned().collect(), more: part.more })
}

/// Returns the hunks of the files that differ, or of the file at the path; cut after 10,000 lines.
///
/// # Errors
/// 404 if there is no such commit, 503 if git has no turn for it.
pub(crate) async fn diff(
    host: &Host,
    repository: &Repository,
    range: &Range,
    path: Option<&str>,
    options: DiffOptions,
) -> Result<Arc<Diff>, Failure> {
    let question = Question::Diff {
        repository: repository.id,
        range: range.clone(),
        path: path.map(str::to_owned),
        options: options.clone(),
    };
    if let Some(Answer::Diff(diff)) = host.compared.find(&question) {
        return Ok(diff);
    }
    let mut arguments = vec!["--raw".to_owned(), "--patch".to_owned()];
    arguments.push(format!("--unified={}", options.context.min(MOST_CONTEXT)));
    if options.ignore_whitespace {
        arguments.push("--ignore-all-space".to_owned());
    }
    let paths: Vec<&str> = path.into_iter().chain(options.source_path.as_deref()).collect();
    let excerpt = diff_tree(host, repository, range, (&arguments, &paths)).await?;
    let diff = Arc::new(patch::parse(&excerpt.bytes, excerpt.cut));
    // Parsed, a line takes much more than its text.
    host.compared.insert(question, Answer::Diff(Arc::clone(&diff)), excerpt.bytes.len().saturating_mul(2));
    Ok(diff)
}

/// Returns the latest common ancestor; none if the histories have none.
///
/// # Errors
/// 404 if there is no such commit, 503 if git has no turn for it.
pub(crate) async fn merge_base(
    host: &Host,
    repository: &Repository,
    one: &str,
    other: &str,
) -> Result<Option<String>, Failure> {
    if one == other {
        return Ok(Some(one.to_owned()));
    }
    for id in [one, other] {
        if !is_id(id) {
            return Err(Failure::no_commit(id, &repository.slug));
        }
    }
    let question =
        Question::MergeBase { repository: repository.id, one: one.to_owned(), other: other.to_owned() };
    if let Some(Answer::Id(base)) = host.compared.find(&question) {
        return Ok(base);
    }
    let directory = host.repositories.path(repository.id);
    let arguments: [OsString; 4] = [git_dir(&directory), "merge-base".into(), one.into(), other.into()];
    let base = match host.git.output(arguments, b"", 4096).await {
        Ok(output) => Some(String::from_utf8_lossy(&output).trim().to_owned()),
        // Source: git-merge-base(1): 1 if there is none.
        Err(GitError::Failed { status, .. }) if status.code() == Some(1) => None,
        Err(error) => return Err(refusal(repository, &[one, other], error)),
    };
    host.compared.insert(question, Answer::Id(base.clone()), 40);
    Ok(base)
}

/// Returns what `from` would bring to `to`: everything since they parted. Without a common ancestor that is the difference
/// of their trees.
///
/// # Errors
/// 404 if there is no such commit, 503 if git has no turn for it.
pub(crate) async fn introduced(
    host: &Host,
    repository: &Repository,
    from: &str,
    to: &str,
) -> Result<Range, Failure> {
    let base = merge_base(host, repository, to, from).await?;
    Ok(Range::new(Some(base.unwrap_or_else(|| to.to_owned())), from.to_owned()))
}

async fn diff_tree(
    host: &Host,
    repository: &Repository,
    range: &Range,
    (options, paths): (&[String], &[&str]),
) -> Result<crate::git::Excerpt, Failure> {
    let since = range.since.as_deref().unwrap_or(EMPTY_TREE);
    if !range.is_fixed() {
        return Err(Failure::no_commit(&range.until, &repository.slug));
    }
    let directory = host.repositories.path(repository.id);
    let mut arguments: Vec<OsString> = vec![git_dir(&directory)];
    arguments.extend(["-c", LARGEST_TEXT, "--literal-pathspecs", "diff-tree", "-r"].map(OsString::from));
    arguments.extend(["--find-renames", "--no-abbrev", "--no-color"].map(OsString::from));
    arguments.extend(["--no-ext-diff", "--no-textconv"].map(OsString::from));
    arguments.extend(options.iter().map(OsString::from));
    arguments.extend([since, &range.until, "--"].map(OsString::from));
    arguments.extend(paths.iter().map(OsString::from));
    let excerpt = host.git.excerpt(arguments, MOST_PATCH).await;
    excerpt.map_err(|error| refusal(repository, &[&range.until, since], error))
}

/// Every git knows this object without having it.
const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
/// Larger files count as binary, so that nobody's diff takes all memory.
const LARGEST_TEXT: &str = "core.bigFileThreshold=8m";
const MOST_PATCH: usize = 4 << 20;
const MOST_CONTEXT: u32 = 10_000;
