//! The directory of temporary files that all processes share: the servers of a run know no other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// What was there before the soak.
pub(super) struct SharedTmp {
    folder: PathBuf,
    before: BTreeSet<String>,
}

impl SharedTmp {
    /// Looks at what is there.
    pub(super) fn look() -> Self {
        Self::at(std::env::temp_dir())
    }

    fn at(folder: PathBuf) -> Self {
        let before = names(&folder);
        Self { folder, before }
    }

    /// Says what has come since and stays, of the kinds that git and SQLite make; others may go in time.
    pub(super) fn left(&self, patience: Duration) -> Vec<String> {
        let until = Instant::now() + patience;
        loop {
            let now = names(&self.folder);
            let new: Vec<_> = now.difference(&self.before).collect();
            if new.is_empty() || Instant::now() > until {
                let shown = |name: &&String| format!("{} is left", self.folder.join(name).display());
                return new.iter().map(shown).collect();
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| OURS.iter().any(|prefix| name.starts_with(prefix))).collect()
}

/// How the temporary files of git and of SQLite are named, which is all that a node runs; e3 itself is given a directory of
/// its own, and what others do here meanwhile is not ours.
const OURS: [&str; 5] = ["githost", "git-", ".git", "tmp_", "etilqs_"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_and_of_a_known_kind_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str| std::fs::write(folder.path().join(name), "").unwrap();
        make("git-blob-0");
        let tmp = SharedTmp::at(folder.path().to_owned());
        make("of-somebody-else");
        assert_eq!(tmp.left(Duration::ZERO), Vec::<String>::new());
        make("git-blob-1");
        assert_eq!(tmp.left(Duration::ZERO), [format!("{}/git-blob-1 is left", folder.path().display())]);
    }
}
