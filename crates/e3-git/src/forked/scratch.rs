//! Directories for what git writes: each is gone when the last who needs it is, outside everybody's clock.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::runtime::Handle;

use super::place::Place;

/// A directory of its own below a client's; it is removed when this is dropped.
pub(super) struct Scratch {
    path: PathBuf,
    /// Its parent stays as long as it does.
    place: Option<Arc<Place>>,
}

impl Scratch {
    /// Makes an empty directory.
    pub(super) fn new(place: &Arc<Place>) -> io::Result<Arc<Self>> {
        let path = place.unused();
        fs::create_dir(&path)?;
        Ok(Arc::new(Self { path, place: Some(Arc::clone(place)) }))
    }

    /// Makes a bare repository without objects; with a base, one that borrows the base's objects and shares its end of
    /// history.
    ///
    /// Source: gitrepository-layout(5): what a directory needs to be a repository, alternates, and shallow.
    pub(super) fn repository(place: &Arc<Place>, base: Option<&Self>) -> io::Result<Arc<Self>> {
        let scratch = Self::new(place)?;
        let path = scratch.path();
        fs::create_dir_all(path.join("objects/info"))?;
        fs::create_dir(path.join("refs"))?;
        fs::write(path.join("HEAD"), "ref: refs/heads/main\n")?;
        fs::write(path.join("config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n")?;
        if let Some(base) = base {
            let mut objects = base.path.join("objects").into_os_string().into_encoded_bytes();
            objects.push(b'\n');
            fs::write(path.join("objects/info/alternates"), objects)?;
            if base.path.join("shallow").exists() {
                fs::copy(base.path.join("shallow"), path.join("shallow"))?;
            }
        }
        Ok(scratch)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the argument that makes git work in this repository.
    pub(super) fn git_dir(&self) -> std::ffi::OsString {
        let mut argument = std::ffi::OsString::from("--git-dir=");
        argument.push(&self.path);
        argument
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let remains = Remains { path: std::mem::take(&mut self.path), _place: self.place.take() };
        off_the_clock(remains);
    }
}

/// What is still to be removed.
struct Remains {
    path: PathBuf,
    _place: Option<Arc<Place>>,
}

impl Drop for Remains {
    fn drop(&mut self) {
        // There is nobody to tell; the client's own directory is removed after this one, and takes what is left along.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Drops something that takes its time, where no task waits for it; a runtime that is about to end does it at once.
pub(super) fn off_the_clock(remains: impl Send + 'static) {
    match Handle::try_current() {
        // Whether the closure runs or is thrown away, it drops what it holds.
        Ok(runtime) => drop(runtime.spawn_blocking(move || drop(remains))),
        Err(_) => drop(remains),
    }
}
