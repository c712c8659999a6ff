//! A directory made equal to another, quickly: how a loaded home is kept, and how it comes back.
//!
//! Git's packs and loose objects are linked, since no git ever writes into one: it makes a new file, and removes the old
//! name. Everything else (refs, configurations, the database) is copied, by reference where the file system can. Nothing
//! may use either directory meanwhile.

use std::ffi::OsStr;
use std::fs::{self, FileType};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Makes one directory hold what the other holds, and nothing else.
///
/// # Cancellation
/// At most the step that is under way when the future is dropped is done, and before the drop returns.
pub(crate) async fn make_equal(from: PathBuf, to: PathBuf) -> io::Result<()> {
    let steps = Steps::default();
    let end = EndOnDrop(steps.clone());
    let done = tokio::task::spawn_blocking(move || {
        empty(&to, &steps)?;
        fill(&from, &to, false, &steps)
    })
    .await;
    drop(end);
    done.map_err(io::Error::other)?
}

/// The steps of work in a thread that must end when nobody waits for it any more.
#[derive(Clone, Default)]
struct Steps(Arc<Mutex<bool>>);

impl Steps {
    fn step<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let is_over = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_over { Err(io::ErrorKind::Interrupted.into()) } else { act() }
    }
}

struct EndOnDrop(Steps);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }
}

fn empty(directory: &Path, steps: &Steps) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let is_directory = entry.file_type()?.is_dir();
        steps.step(|| {
            if is_directory { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) }
        })?;
    }
    Ok(())
}

/// Fills an empty directory; `in_objects` says whether it lies below a repository's `objects`.
fn fill(from: &Path, to: &Path, in_objects: bool, steps: &Steps) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            steps.step(|| fs::DirBuilder::new().mode(0o700).create(&target))?;
            fill(&source, &target, in_objects || is_objects(from, &entry.file_name()), steps)?;
            // Last, since a directory may be one that nobody may write to.
            steps.step(|| fs::set_permissions(&target, entry.metadata()?.permissions()))?;
        } else {
            let links = in_objects && is_object(from, &entry.file_name());
            steps.step(|| place(&source, &target, kind, links))?;
        }
    }
    Ok(())
}

fn place(source: &Path, target: &Path, kind: FileType, links: bool) -> io::Result<()> {
    if kind.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(source)?, target);
    }
    if !kind.is_file() {
        return Err(io::Error::other(format!("{} is no file, directory or link", source.display())));
    }
    // Too many links, or a file system without any.
    if links && fs::hard_link(source, target).is_ok() {
        return Ok(());
    }
    fs::copy(source, target).map(drop)
}

/// Tells whether a directory of that name is a repository's object store.
fn is_objects(parent: &Path, name: &OsStr) -> bool {
    name == "objects" && parent.join("HEAD").is_file() && parent.join("refs").is_dir()
}

/// Tells whether a file below `objects` is one whose content is its name.
///
/// Source: gitrepository-layout(5): `objects/[0-9a-f][0-9a-f]` and `objects/pack`; all else there, such as
/// `info/packs` or a multi-pack index, may be written anew under the same name.
fn is_object(parent: &Path, name: &OsStr) -> bool {
    let (Some(directory), Some(name)) = (parent.file_name().and_then(OsStr::to_str), name.to_str()) else {
        return false;
    };
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if directory == "pack" {
        let suffix = name.strip_prefix("pack-").and_then(|rest| rest.split_once('.'));
        return suffix.is_some_and(|(hash, suffix)| is_hex(hash) && matches!(suffix, "pack" | "idx" | "rev"));
    }
    directory.len() == 2 && is_hex(directory) && name.len() >= 38 && is_hex(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::process::Command;

    use super::*;

    fn git(directory: &Path, arguments: &[&str]) {
        let output = Command::new("git")
            .arg("-C")
            .arg(directory)
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")])
            .envs([("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@example.com")])
            .envs([("GIT_COMMITTER_NAME", "a"), ("GIT_COMMITTER_EMAIL", "a@example.com")])
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Returns every path below a directory with its kind, mode and content.
    fn content(directory: &Path) -> Vec<(String, u32, Vec<u8>)> {
        let mut found = Vec::new();
        let mut folders = vec![directory.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let metadata = fs::symlink_metadata(&path).unwrap();
                let bytes = match metadata.file_type() {
                    kind if kind.is_dir() => Vec::new(),
                    kind if kind.is_symlink() => {
                        fs::read_link(&path).unwrap().as_os_str().as_encoded_bytes().to_vec()
                    }
                    _ => fs::read(&path).unwrap(),
                };
                found.push((
                    path.strip_prefix(directory).unwrap().display().to_string(),
                    metadata.mode(),
                    bytes,
                ));
                if metadata.is_dir() {
                    folders.push(path);
                }
            }
        }
        found.sort();
        found
    }

    /// Makes a home with a repository that has a pack, loose objects, loose and packed refs, and a database.
    fn home(place: &Path) -> PathBuf {
        let home = place.join("home");
        let repository = home.join("repositories/1.git");
        fs::create_dir_all(home.join("data")).unwrap();
        fs::create_dir_all(&repository).unwrap();
        fs::write(home.join("data/githost.sqlite"), b"rows").unwrap();
        fs::set_permissions(home.join("data"), fs::Permissions::from_mode(0o700)).unwrap();
        std::os::unix::fs::symlink("data/githost.sqlite", home.join("link")).unwrap();
        git(&repository, &["init", "--quiet", "--bare", "--initial-branch=main", "."]);
        let empty = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
        git(&repository, &["mktree"]);
        for (number, branch) in ["packed", "main"].into_iter().enumerate() {
            let head = commit(&repository, empty, number);
            git(&repository, &["update-ref", &format!("refs/heads/{branch}"), &head]);
            if branch == "packed" {
                git(&repository, &["gc", "--quiet"]);
            }
        }
        home
    }

    fn commit(repository: &Path, tree: &str, number: usize) -> String {
        let output = Command::new("git")
            .arg("-C")
            .arg(repository)
            .args(["commit-tree", tree, "-m", &format!("commit {number}")])
            .envs([("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@example.com")])
            .envs([("GIT_COMMITTER_NAME", "a"), ("GIT_COMMITTER_EMAIL", "a@example.com")])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    #[tokio::test]
    async fn nothing_that_a_system_does_reaches_the_copy() {
        let place = tempfile::tempdir().unwrap();
        let (home, kept) = (home(place.path()), place.path().join("kept"));
        fs::create_dir(&kept).unwrap();
        make_equal(home.clone(), kept.clone()).await.unwrap();
        let loaded = content(&home);
        assert_eq!(content(&kept), loaded);

        for round in 0..2 {
            let repository = home.join("repositories/1.git");
            let head = commit(&repository, "main^{tree}", 7 + round);
            git(&repository, &["update-ref", "refs/heads/main", &head]);
            git(&repository, &["update-ref", "-d", "refs/heads/packed"]);
            git(&repository, &["config", "x.y", "z"]);
            git(&repository, &["repack", "-a", "-d", "--quiet", "--write-midx"]);
            git(&repository, &["pack-refs", "--all"]);
            git(&repository, &["gc", "--quiet", "--prune=now"]);
            // As SQLite writes: into the file itself.
            use std::io::Write as _;
            let mut database =
                fs::OpenOptions::new().append(true).open(home.join("data/githost.sqlite")).unwrap();
            database.write_all(b"more rows").unwrap();
            fs::write(home.join("data/githost.sqlite-wal"), b"log").unwrap();
            fs::create_dir_all(home.join("repositories/2.git/objects")).unwrap();
            assert_eq!(content(&kept), loaded, "the copy is as it was");
            make_equal(kept.clone(), home.clone()).await.unwrap();
            assert_eq!(content(&home), loaded, "and so is the home again");
            git(&repository, &["fsck", "--strict", "--full"]);
        }
    }

    #[tokio::test]
    async fn only_objects_are_linked() {
        let place = tempfile::tempdir().unwrap();
        let (home, kept) = (home(place.path()), place.path().join("kept"));
        fs::create_dir(&kept).unwrap();
        // Names like an object's, where there is no repository.
        fs::create_dir_all(home.join("objects/pack")).unwrap();
        fs::write(home.join("objects/pack/pack-00.pack"), b"no pack").unwrap();
        make_equal(home.clone(), kept.clone()).await.unwrap();
        let mut linked = 0;
        for (path, mode, _) in content(&kept) {
            let is_link = fs::symlink_metadata(kept.join(&path)).unwrap().nlink() > 1;
            let is_file = mode & 0o170_000 == 0o100_000;
            if is_file && is_link {
                linked += 1;
                let name = Path::new(&path);
                assert!(is_object(name.parent().unwrap(), name.file_name().unwrap()), "{path}");
                assert!(path.starts_with("repositories/1.git/objects/"), "{path}");
            }
        }
        assert!(linked >= 3, "a pack, its index and a loose object: {linked}");
    }

    #[tokio::test]
    async fn a_dropped_copy_does_no_more() {
        let place = tempfile::tempdir().unwrap();
        let (from, to) = (place.path().join("from"), place.path().join("to"));
        fs::create_dir(&from).unwrap();
        fs::create_dir(&to).unwrap();
        for number in 0..1000 {
            fs::write(from.join(number.to_string()), b"x").unwrap();
        }
        let copying = make_equal(from, to.clone());
        let ended = tokio::time::timeout(std::time::Duration::from_millis(2), copying).await;
        let then = fs::read_dir(&to).unwrap().count();
        fs::remove_dir_all(&to).unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        assert!(!to.exists(), "nothing comes after {then} files; ended: {}", ended.is_ok());
    }
}
