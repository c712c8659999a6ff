//! Branches, read from the files where git keeps them.
//!
//! Source: git's `gitrepository-layout` and `git-pack-refs`. Loose refs win over packed ones. Loose ones are read first:
//! packing writes `packed-refs` before it removes the loose file, so a ref is never missed in between.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// A branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Branch {
    /// The full ref, `refs/heads/…`.
    pub(crate) name: String,
    /// The commit, as hexadecimal digits.
    pub(crate) commit: String,
}

/// All branches of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Branches {
    /// The ref that HEAD names, whether or not it exists.
    pub(crate) head: Option<String>,
    /// In the order of their names.
    pub(crate) list: Vec<Branch>,
}

impl Branch {
    /// Returns the name without `refs/heads/`.
    pub(crate) fn display(&self) -> &str {
        self.name.strip_prefix(HEADS).unwrap_or(&self.name)
    }
}

impl Branches {
    /// Returns the branch that HEAD names, if it exists.
    pub(crate) fn default(&self) -> Option<&Branch> {
        self.head.as_deref().and_then(|head| self.find(head))
    }

    /// Returns the branch with this full or short name.
    pub(crate) fn find(&self, name: &str) -> Option<&Branch> {
        self.list.iter().find(|branch| branch.name == name || branch.display() == name)
    }
}

/// Reads the branches of a bare repository; blocks for a few file reads.
pub(crate) fn branches(repository: &Path) -> io::Result<Branches> {
    let head = std::fs::read_to_string(repository.join("HEAD"))?;
    let head = head.trim().strip_prefix("ref: ").map(str::to_owned);
    let mut loose = BTreeMap::new();
    read_loose(&repository.join("refs/heads"), HEADS, DEEPEST, &mut loose)?;
    let mut commits = match std::fs::read(repository.join("packed-refs")) {
        Ok(packed) => parse_packed(&String::from_utf8_lossy(&packed)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
        Err(error) => return Err(error),
    };
    commits.extend(loose);
    let list = commits.into_iter().map(|(name, commit)| Branch { name, commit }).collect();
    Ok(Branches { head, list })
}

fn read_loose(
    directory: &Path,
    prefix: &str,
    depth: u32,
    into: &mut BTreeMap<String, String>,
) -> io::Result<()> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        // Removed as its last branch was deleted or packed.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() && depth > 0 {
            read_loose(&entry.path(), &format!("{name}/"), depth - 1, into)?;
        } else if kind.is_file()
            && !name.ends_with(".lock")
            && let Ok(text) = std::fs::read_to_string(entry.path())
            && let Some(commit) = parse_commit(text.trim())
        {
            into.insert(name, commit.to_owned());
        }
    }
    Ok(())
}

fn parse_packed(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(commit, name)| Some((name, parse_commit(commit)?)))
        .filter(|(name, _)| name.starts_with(HEADS))
        .map(|(name, commit)| (name.to_owned(), commit.to_owned()))
        .collect()
}

fn parse_commit(text: &str) -> Option<&str> {
    let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (hex && matches!(text.len(), 40 | 64)).then_some(text)
}

const HEADS: &str = "refs/heads/";
/// A path is at most 4,096 bytes long.
const DEEPEST: u32 = 2048;

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn git(repository: &Path, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null"), ("LC_ALL", "C")])
            .envs([("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@b"), ("GIT_COMMITTER_NAME", "a")])
            .env("GIT_COMMITTER_EMAIL", "a@b")
            .arg("-C")
            .arg(repository)
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn listed_by_git(repository: &Path) -> Vec<Branch> {
        let text = git(repository, &["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads"]);
        let branch = |(name, commit): (&str, &str)| Branch { name: name.into(), commit: commit.into() };
        text.lines().filter_map(|line| line.split_once(' ')).map(branch).collect()
    }

    #[test]
    fn agrees_with_git_for_loose_packed_and_mixed_refs() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        git(path, &["init", "--bare", "--quiet", "--initial-branch=main", "."]);
        let empty = branches(path).unwrap();
        assert_eq!((empty.head.as_deref(), empty.list.len()), (Some("refs/heads/main"), 0));
        assert_eq!(empty.default(), None, "the branch is not born yet");
        let tree = git(path, &["mktree"]);
        let one = git(path, &["commit-tree", "-m", "one", &tree]);
        let two = git(path, &["commit-tree", "-m", "two", "-p", &one, &tree]);
        for name in ["main", "feature/a", "feature/deep/b", "z.lock-not", "ä"] {
            git(path, &["update-ref", &format!("refs/heads/{name}"), &one]);
        }
        git(path, &["tag", "-a", "-m", "annotated", "v1", &one]);
        assert_eq!(branches(path).unwrap().list, listed_by_git(path));
        git(path, &["pack-refs", "--all"]);
        assert_eq!(branches(path).unwrap().list, listed_by_git(path));
        git(path, &["update-ref", "refs/heads/feature/a", &two]);
        git(path, &["update-ref", "-d", "refs/heads/feature/deep/b"]);
        std::fs::write(path.join("refs/heads/new.lock"), &one).unwrap();
        let found = branches(path).unwrap();
        assert_eq!(found.list, listed_by_git(path));
        assert_eq!(found.default().unwrap().display(), "main");
        assert_eq!(found.find("feature/a").unwrap().commit, two);
        assert_eq!(found.find("refs/heads/feature/a"), found.find("feature/a"));
    }

    proptest! {
        #[test]
        fn packed_refs_never_break_the_parser(text in any::<String>()) {
            for (name, commit) in parse_packed(&text) {
                prop_assert!(name.starts_with(HEADS) && commit.len() >= 40);
            }
        }
    }
}
