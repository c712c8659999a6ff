//! Which commit a name stands for: a branch, a tag, an id or the beginning of one.

use std::ffi::OsStr;

use super::answers::{Answer, Question};
use super::{is_id, refusal};
use crate::failure::Failure;
use crate::git::{Branches, git_dir};
use crate::rest::branches_of;
use crate::state::Host;
use crate::store::Repository;

/// Returns the id of the commit that the name stands for.
///
/// # Errors
/// 404 if it stands for none.
pub(crate) async fn resolve(host: &Host, repository: &Repository, name: &str) -> Result<String, Failure> {
    let [id] = resolve_all(host, repository, [name]).await?;
    Ok(id)
}

/// Returns the ids of the commits that the names stand for; branches win over tags, and cost no fork.
///
/// # Errors
/// 404 if one of them stands for none.
pub(crate) async fn resolve_all<const N: usize>(
    host: &Host,
    repository: &Repository,
    names: [&str; N],
) -> Result<[String; N], Failure> {
    let branches = branches_of(host, repository).await?;
    let mut found = names.map(|name| known(host, repository, &branches, name));
    let open: Vec<&str> =
        names.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(name, _)| *name).collect();
    if let Some(trick) = open.iter().find(|name| !is_plain(name)) {
        return Err(Failure::no_commit(trick, &repository.slug));
    }
    if !open.is_empty() {
        let answers = ask(host, repository, &open).await?;
        let mut answers = answers.into_iter();
        for (name, place) in names.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
            let id = answers.next().flatten();
            if let Some(id) = id.as_ref().filter(|_| is_id(name)) {
                let question = Question::Is { repository: repository.id, id: (*name).to_owned() };
                host.compared.insert(question, Answer::Id(Some(id.clone())), 40);
            }
            *place = Some(id.ok_or_else(|| Failure::no_commit(name, &repository.slug))?);
        }
    }
    Ok(found.map(Option::unwrap_or_default))
}

fn known(host: &Host, repository: &Repository, branches: &Branches, name: &str) -> Option<String> {
    if is_id(name) {
        let question = Question::Is { repository: repository.id, id: name.to_owned() };
        return match host.compared.find(&question) {
            Some(Answer::Id(id)) => id,
            _ => None,
        };
    }
    let branch = if name == "HEAD" { branches.default() } else { branches.find(name) };
    branch.map(|branch| branch.commit.clone())
}

/// Asks git for what no branch is called; one answer a name.
async fn ask(host: &Host, repository: &Repository, names: &[&str]) -> Result<Vec<Option<String>>, Failure> {
    let directory = git_dir(&host.repositories.path(repository.id));
    let input: String = names.iter().map(|name| format!("{name}^{{commit}}\n")).collect();
    let arguments: [&OsStr; 3] =
        [&directory, "cat-file".as_ref(), "--batch-check=%(objectname) %(objecttype)".as_ref()];
    let output = host.git.output(arguments, input.as_bytes(), 64 << 10).await;
    let output = output.map_err(|error| refusal(repository, names, error))?;
    let text = String::from_utf8_lossy(&output);
    let id = |line: &str| line.strip_suffix(" commit").filter(|id| is_id(id)).map(str::to_owned);
    Ok(text.lines().map(id).collect())
}

/// Returns whether git would take the text for a plain name: none of the characters that make an expression of it.
///
/// Source: git-check-ref-format(1).
fn is_plain(name: &str) -> bool {
    let special = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    !name.is_empty()
        && name.len() <= 1024
        && !name.starts_with(['-', '/'])
        && !name.contains(special)
        && !name.contains("..")
        && !name.contains("@{")
        && name != "@"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_expressions() {
        for name in ["v1.0", "refs/tags/v1", "feature/x", "d6725486", "ä", "@x"] {
            assert!(is_plain(name), "{name}");
        }
        for name in
            ["", "-x", "--all", "a..b", "HEAD~1", "a^{tree}", ":/fix", "a:b", "@{-1}", "a\nb", "@", "a b"]
        {
            assert!(!is_plain(name), "{name:?}");
        }
    }
}
