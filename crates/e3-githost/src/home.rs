//! The home directory: where everything of a server lies.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::GithostError;

/// A server's home, with its directories made and closed to others.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    root: PathBuf,
}

impl Home {
    /// Makes what is missing; directories that hold secrets or content get mode 0700.
    pub(crate) fn open(root: &Path) -> Result<Self, GithostError> {
        DirBuilder::new().recursive(true).mode(0o700).create(root).map_err(failed("create", root))?;
        let root = root.canonicalize().map_err(failed("find", root))?;
        for name in ["config", "data", "repositories"] {
            let path = root.join(name);
            DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(failed("create", &path))?;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))
                .map_err(failed("close to others", &path))?;
        }
        Ok(Self { root })
    }

    /// Returns where limits and host keys lie.
    pub(crate) fn config(&self) -> PathBuf {
        self.root.join("config")
    }

    pub(crate) fn limits(&self) -> PathBuf {
        self.config().join("limits.json")
    }

    /// Returns where lines of `bitbucket.properties` may lie.
    pub(crate) fn properties(&self) -> PathBuf {
        self.config().join("bitbucket.properties")
    }

    /// Returns where logs lie, as in a Bitbucket's home.
    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("data/githost.sqlite")
    }

    pub(crate) fn repositories(&self) -> PathBuf {
        self.root.join("repositories")
    }

    /// Waits, bounded, until no other node is opening this home; the lock ends with the returned file.
    pub(crate) async fn lock(&self) -> Result<File, GithostError> {
        let path = self.root.join("data/open.lock");
        let deadline = tokio::time::Instant::now() + LOCK_WAIT;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed("open", &path))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if tokio::time::Instant::now() < deadline => {
                    // A file lock has no notification that a task could await.
                    tokio::time::sleep(LOCK_POLL).await;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(GithostError::HomeBusy { path, waited: LOCK_WAIT });
                }
                Err(TryLockError::Error(source)) => return Err(failed("lock", &path)(source)),
            }
        }
    }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> GithostError {
    let path = path.to_owned();
    move |source| GithostError::Home { doing, path, source }
}

const LOCK_WAIT: Duration = Duration::from_secs(30);
const LOCK_POLL: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_closed_to_others_even_if_they_were_open() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("a/home");
        std::fs::create_dir_all(root.join("config")).unwrap();
        std::fs::set_permissions(root.join("config"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let home = Home::open(&root).unwrap();
        for path in [root.join("config"), root.join("data"), home.repositories()] {
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700, "{path:?}");
        }
    }
}
