//! The repositories on disk: bare, one directory each, named by number.
//!
//! No name from outside ever becomes a path here. A new repository is made beside the others and moved to its number
//! while its row is being committed; a deleted one is moved away first and removed behind the answer.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::task::TaskTracker;

use crate::auth::hex;
use crate::git::Git;

/// The directory of all repositories.
pub(crate) struct Repositories {
    directory: PathBuf,
    removals: TaskTracker,
}

/// A new repository that has no number yet; removed again unless it is placed.
pub(crate) struct Unplaced<'a> {
    repositories: &'a Repositories,
    path: PathBuf,
    placed: bool,
}

impl Repositories {
    /// Uses the directory; removals run under the tracker.
    pub(crate) fn new(directory: PathBuf, removals: TaskTracker) -> Self {
        Self { directory, removals }
    }

    /// Returns the directory of the repository with this number.
    pub(crate) fn path(&self, id: i64) -> PathBuf {
        self.directory.join(format!("{id}.git"))
    }

    /// Makes an empty bare repository with `git init`.
    pub(crate) async fn create(&self, git: &Git, branch: &str) -> io::Result<Unplaced<'_>> {
        let unplaced = Unplaced { repositories: self, path: self.aside("new"), placed: false };
        git.init(&unplaced.path, branch).await?;
        Ok(unplaced)
    }

    /// Removes the repository: gone from its place when this returns, from the disk a little later.
    pub(crate) async fn remove(&self, id: i64) -> io::Result<()> {
        let aside = self.aside("removed");
        match tokio::fs::rename(self.path(id), &aside).await {
            Ok(()) => {
                self.discard(aside);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Removes what nodes that died half-way left aside. Call it only while no other node is starting.
    pub(crate) async fn tidy(&self) -> io::Result<()> {
        let mut entries = tokio::fs::read_dir(&self.directory).await?;
        while let Some(entry) = entries.next_entry().await? {
            let aside = entry.file_name().to_string_lossy().starts_with(ASIDE);
            let modified = entry.metadata().await.ok().and_then(|found| found.modified().ok());
            // A younger one may be another node's, in the making.
            let old = modified.and_then(|at| at.elapsed().ok()).is_some_and(|age| age.as_secs() > 3600);
            if aside && old {
                self.discard(entry.path());
            } else if !aside {
                let objects = entry.path().join("objects");
                self.removals.spawn_blocking(move || remove_quarantines(&objects));
            }
        }
        Ok(())
    }

    fn aside(&self, why: &str) -> PathBuf {
        let mut tag = [0_u8; 8];
        rand::Rng::fill_bytes(&mut rand::rng(), &mut tag);
        self.directory.join(format!("{ASIDE}{why}-{}", hex(&tag)))
    }

    fn discard(&self, path: PathBuf) {
        self.removals.spawn_blocking(move || {
            if let Err(error) = std::fs::remove_dir_all(&path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, path = %path.display(), "cannot remove what was a repository");
            }
        });
    }

    async fn make_way(&self, place: &Path) -> io::Result<()> {
        // A node that died between the move and the commit leaves a directory that no row owns.
        let aside = self.aside("unowned");
        tokio::fs::rename(place, &aside).await?;
        self.discard(aside);
        Ok(())
    }
}

impl Unplaced<'_> {
    /// Moves the repository to its number.
    pub(crate) async fn place(mut self, id: i64) -> io::Result<()> {
        let place = self.repositories.path(id);
        if tokio::fs::try_exists(&place).await? {
            self.repositories.make_way(&place).await?;
        }
        tokio::fs::rename(&self.path, &place).await?;
        self.placed = true;
        Ok(())
    }
}

impl Drop for Unplaced<'_> {
    fn drop(&mut self) {
        if !self.placed {
            self.repositories.discard(self.path.clone());
        }
    }
}

/// Removes what pushes that were killed left in a repository: git does it too, but after two weeks.
///
/// Source: git's `tmp-objdir.c`, which names them so.
fn remove_quarantines(objects: &Path) {
    let Ok(entries) = std::fs::read_dir(objects) else { return };
    for entry in entries.flatten() {
        let modified = entry.metadata().and_then(|found| found.modified()).ok();
        let old = modified.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > LONGEST_PUSH);
        if old && entry.file_name().to_string_lossy().starts_with("tmp_objdir-") {
            // Somebody else may have been faster.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

const ASIDE: &str = ".e3-";
/// Longer than a push may take by default: other nodes may be at work.
const LONGEST_PUSH: Duration = Duration::from_secs(2 * 3600);

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn only_old_quarantines_are_removed() {
        let directory = tempfile::tempdir().unwrap();
        let old = SystemTime::now() - Duration::from_secs(3 * 3600);
        for (name, age) in
            [("tmp_objdir-incoming-a", Some(old)), ("tmp_objdir-incoming-b", None), ("ab", Some(old))]
        {
            let path = directory.path().join(name);
            std::fs::create_dir(&path).unwrap();
            std::fs::write(path.join("file"), "").unwrap();
            if let Some(at) = age {
                std::fs::File::open(&path).unwrap().set_modified(at).unwrap();
            }
        }
        remove_quarantines(directory.path());
        let mut left: Vec<_> =
            std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["ab", "tmp_objdir-incoming-b"]);
    }
}
