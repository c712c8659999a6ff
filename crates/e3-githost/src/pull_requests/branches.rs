//! Where branches are, read from Git's files: a few small reads, no fork.
//!
//! Source: git's `gitrepository-layout` and `git-pack-refs`. A loose ref wins over a packed one and is read first: packing
//! writes `packed-refs` before it removes the loose file, so a ref is never missed in between.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use crate::failure::Failure;
use crate::state::Host;
use crate::store::Repository;

/// Returns the commits that these branches are at; those that are not there are left out.
pub(super) async fn tips(
    host: &Host,
    repository: &Repository,
    names: Vec<String>,
) -> Result<HashMap<String, String>, Failure> {
    let path = host.repositories.path(repository.id);
    let read = tokio::task::spawn_blocking(move || read(&path, names)).await;
    read.map_err(|error| Failure::internal("read refs", &error))?
        .map_err(|error| Failure::internal("read refs", &error))
}

/// Returns the full name of the default branch, whether or not it is there.
pub(super) async fn head(host: &Host, repository: &Repository) -> Result<Option<String>, Failure> {
    let path = host.repositories.path(repository.id).join("HEAD");
    let text = tokio::fs::read_to_string(path).await;
    let text = text.map_err(|error| Failure::internal("read HEAD", &error))?;
    Ok(text.trim().strip_prefix("ref: ").map(str::to_owned))
}

/// Returns the full name of a branch that is given by its full or short name; none if it cannot be one.
///
/// Source: git-check-ref-format(1).
pub(super) fn full_name(name: &str) -> Option<String> {
    let short = name.strip_prefix(HEADS).unwrap_or(name);
    let plain = |c: char| !c.is_control() && !" ~^:?*[\\".contains(c);
    let step = |step: &str| !step.is_empty() && !step.starts_with('.') && !step.ends_with(".lock");
    let whole = !short.contains("..") && !short.contains("@{") && !short.ends_with('.') && short != "@";
    (short.len() <= LONGEST && short.chars().all(plain) && short.split('/').all(step) && whole)
        .then(|| format!("{HEADS}{short}"))
}

fn read(repository: &Path, names: Vec<String>) -> io::Result<HashMap<String, String>> {
    // Without it there is no repository, and its branches are not gone but unknown.
    std::fs::metadata(repository.join("HEAD"))?;
    let mut tips = HashMap::new();
    let mut packed = None;
    for name in names {
        let commit = match loose(&repository.join(&name))? {
            Some(commit) => Some(commit),
            None => {
                let text = match &packed {
                    Some(text) => text,
                    None => packed.insert(read_packed(repository)?),
                };
                find_packed(text, &name)
            }
        };
        tips.extend(commit.map(|commit| (name, commit)));
    }
    Ok(tips)
}

fn loose(file: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|commit| crate::compare::is_id(commit))),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A name may also be a directory, or lie beneath what is a file.
fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory
    )
}

fn read_packed(repository: &Path) -> io::Result<String> {
    match std::fs::read(repository.join("packed-refs")) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

fn find_packed(text: &str, name: &str) -> Option<String> {
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    let (commit, _) = lines.find(|(_, found)| *found == name)?;
    crate::compare::is_id(commit).then(|| commit.to_owned())
}

const HEADS: &str = "refs/heads/";
const LONGEST: usize = 250;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_have_one_full_name_and_no_tricks() {
        for (name, full) in [
            ("main", "refs/heads/main"),
            ("refs/heads/feature/a", "refs/heads/feature/a"),
            ("refs/tags/v1", "refs/heads/refs/tags/v1"),
            ("ä-1", "refs/heads/ä-1"),
        ] {
            assert_eq!(full_name(name).as_deref(), Some(full));
        }
        for bad in [
            "",
            "../../etc/passwd",
            "a..b",
            "a b",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a.lock",
            "a\n",
            "a^",
            "@",
            "a@{1}",
        ] {
            assert_eq!(full_name(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn loose_branches_win_over_packed_ones_and_absent_ones_are_left_out() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        let names = || {
            ["main", "packed", "deep/one", "deep", "main/sub", "none"]
                .map(|n| format!("refs/heads/{n}"))
                .to_vec()
        };
        assert!(read(at, names()).is_err(), "no repository, no answer");
        std::fs::write(at.join("HEAD"), "ref: refs/heads/main\n").unwrap();
        std::fs::create_dir_all(at.join("refs/heads/deep")).unwrap();
        let (one, two) = ("1".repeat(40), "2".repeat(40));
        std::fs::write(at.join("refs/heads/main"), format!("{one}\n")).unwrap();
        std::fs::write(at.join("refs/heads/deep/one"), format!("{one}\n")).unwrap();
        let packed = format!(
            "# pack-refs with: peeled fully-peeled sorted\n{two} refs/heads/main\n{two} refs/heads/packed\n^{one}\n"
        );
        std::fs::write(at.join("packed-refs"), packed).unwrap();
        let found = read(at, names()).unwrap();
        let expected = [("main", &one), ("packed", &two), ("deep/one", &one)];
        assert_eq!(found, expected.map(|(n, c)| (format!("refs/heads/{n}"), c.clone())).into());
    }
}
