//! Writing files so that a reader sees the old one or the new one, never a part, also after a crash.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::HomeError;
use crate::error::io;

/// The mode of a file that everybody may read, before the umask.
pub(crate) const PUBLIC_FILE: u32 = 0o644;
/// The mode of a file that only its owner may read.
pub(crate) const PRIVATE_FILE: u32 = 0o600;
/// The mode of a directory that everybody may enter, before the umask.
pub(crate) const PUBLIC_DIRECTORY: u32 = 0o755;
/// The mode of a directory that only its owner may enter.
pub(crate) const PRIVATE_DIRECTORY: u32 = 0o700;

/// Writes a file: into a temporary file beside it, then synchronised, renamed, and the directory synchronised.
///
/// The directory must exist.
pub(crate) fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), HomeError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let temporary = temporary(path);
    let written = write_synchronised(&temporary, bytes, mode)
        .and_then(|()| std::fs::rename(&temporary, path))
        .map_err(io("write", path));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written?;
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(io("synchronise", directory))
}

/// Creates a directory and its parents; those that are missing get the mode.
pub(crate) fn create_directories(path: &Path, mode: u32) -> Result<(), HomeError> {
    DirBuilder::new().recursive(true).mode(mode).create(path).map_err(io("create", path))
}

fn write_synchronised(temporary: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Returns a name that no other writer uses: neither another process nor another thread of this one.
fn temporary(path: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}-{}.tmp", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn replaces_a_file_and_leaves_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("plan.json");
        write(&path, b"old", PUBLIC_FILE).unwrap();
        write(&path, b"new", PRIVATE_FILE).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_reader_never_sees_a_part() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run.json");
        let versions: Vec<Vec<u8>> = (b'a'..=b'd').map(|byte| vec![byte; 100_000]).collect();
        write(&path, &versions[0], PUBLIC_FILE).unwrap();
        std::thread::scope(|scope| {
            let writers: Vec<_> = versions
                .iter()
                .map(|version| {
                    scope.spawn(|| (0..10).for_each(|_| write(&path, version, PUBLIC_FILE).unwrap()))
                })
                .collect();
            while writers.iter().any(|writer| !writer.is_finished()) {
                assert!(versions.contains(&std::fs::read(&path).unwrap()));
            }
        });
    }

    #[test]
    fn a_failed_write_keeps_the_old_file_and_names_the_path() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("taken");
        std::fs::create_dir(&path).unwrap();
        let error = write(&path, b"x", PUBLIC_FILE).unwrap_err();
        assert!(
            error.to_string().starts_with("cannot write ") && error.to_string().ends_with("taken"),
            "{error}"
        );
        assert!(path.is_dir());
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "no temporary file is left");
    }
}
