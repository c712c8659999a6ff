//! The cache of generated datasets: `datasets/KEY/`, where the key is the hash of the generator's version and the recipe.
//!
//! An entry is made in a directory beside it and comes to be by one rename, so a half-made one is never found. Its
//! `entry.json` is written last and lists what must be there; an entry that lacks any of it is made again.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use e3_model::{Generate, Snapshot, sha256_hex, to_json};
use serde::{Deserialize, Serialize};

use crate::DatasetError;

/// What an entry holds beside its snapshot.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The generator's version.
    pub(crate) generator: u32,
    /// The recipe.
    pub(crate) recipe: Generate,
    /// SHA-256 of snapshot.json.
    pub(crate) snapshot_sha256: String,
    /// The repositories, in the snapshot's order.
    pub(crate) repositories: Vec<EntryRepository>,
}

/// What an entry says of one repository.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EntryRepository {
    pub(crate) project: String,
    pub(crate) slug: String,
    /// Each file that holds objects or refs, relative to the repository, with its size in bytes.
    pub(crate) files: Vec<(String, u64)>,
}

/// Returns the directory of the entry for a recipe, whether it exists or not.
pub(crate) fn directory(cache: &Path, recipe: &Generate) -> Result<PathBuf, DatasetError> {
    let datasets = cache.join("datasets");
    let json = |source| DatasetError::Json { path: datasets.clone(), source };
    let text = serde_json::to_string(recipe).map_err(json)?;
    Ok(datasets.join(sha256_hex(format!("e3-dataset {GENERATOR}\n{text}").as_bytes())))
}

/// Returns where a repository lies in an entry.
pub(crate) fn repository(entry: &Path, project: &str, slug: &str) -> PathBuf {
    entry.join("repositories").join(project).join(format!("{slug}.git"))
}

/// Returns the snapshot of a whole entry; none if the entry is absent, not whole, or not of this recipe.
pub(crate) fn open(directory: &Path, recipe: &Generate) -> Option<Snapshot> {
    let bytes = fs::read(directory.join(SNAPSHOT)).ok()?;
    let entry: Entry = serde_json::from_slice(&fs::read(directory.join(ENTRY)).ok()?).ok()?;
    let right = entry.generator == GENERATOR
        && entry.recipe == *recipe
        && entry.snapshot_sha256 == sha256_hex(&bytes)
        && entry.repositories.iter().all(|listed| is_whole(directory, listed));
    if right { serde_json::from_slice(&bytes).ok() } else { None }
}

fn is_whole(directory: &Path, listed: &EntryRepository) -> bool {
    let path = repository(directory, &listed.project, &listed.slug);
    !listed.files.is_empty()
        && listed.files.iter().all(|(name, size)| {
            fs::metadata(path.join(name)).is_ok_and(|found| found.is_file() && found.len() == *size)
        })
}

/// Lists the files of a finished repository that a later look must find unchanged in size.
pub(crate) fn list(directory: &Path, project: &str, slug: &str) -> Result<EntryRepository, DatasetError> {
    let path = repository(directory, project, slug);
    let mut names = vec!["HEAD".to_owned(), "config".to_owned(), "packed-refs".to_owned()];
    let packs = path.join("objects/pack");
    for found in fs::read_dir(&packs).map_err(DatasetError::at("list", &packs))? {
        let found = found.map_err(DatasetError::at("list", &packs))?;
        names.push(format!("objects/pack/{}", found.file_name().to_string_lossy()));
    }
    names.sort_unstable();
    let sized = |name: String| {
        let file = path.join(&name);
        let size = fs::metadata(&file).map_err(DatasetError::at("read", file))?.len();
        Ok((name, size))
    };
    let files = names.into_iter().map(sized).collect::<Result<Vec<_>, DatasetError>>()?;
    Ok(EntryRepository { project: project.to_owned(), slug: slug.to_owned(), files })
}

/// The directory in which an entry is made; it goes away when dropped before it is published.
#[derive(Debug)]
pub(crate) struct Workplace {
    path: PathBuf,
    /// Locked while this process works here: a workplace that can be locked belongs to nobody any more.
    lock: PathBuf,
    _locked: File,
}

impl Workplace {
    /// Makes an empty workplace beside the entries, and clears away those of processes that ended.
    pub(crate) fn beside(entry: &Path) -> Result<Self, DatasetError> {
        let datasets = entry.parent().unwrap_or(entry);
        fs::create_dir_all(datasets).map_err(DatasetError::at("create", datasets))?;
        sweep(datasets);
        for number in 0_u32.. {
            let path = datasets.join(format!("{WORKPLACE}{}-{number}", std::process::id()));
            let lock = path.with_extension(LOCK);
            let locked = match File::create_new(&lock) {
                Ok(created) => created,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(DatasetError::at("create", lock)(error)),
            };
            locked.lock().map_err(DatasetError::at("lock", &lock))?;
            // Before it was locked, another process may have taken it for one left behind.
            if is_at(&locked, &lock) {
                fs::create_dir(&path).map_err(DatasetError::at("create", &path))?;
                return Ok(Self { path, lock, _locked: locked });
            }
        }
        Err(DatasetError::at("create a directory in", datasets)(io::ErrorKind::AlreadyExists.into()))
    }

    /// Returns the directory.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the snapshot and the entry's list, then makes the workplace the entry; a whole one of another process wins.
    pub(crate) fn publish(
        self,
        entry: &Path,
        recipe: &Generate,
        snapshot: &Snapshot,
        repositories: Vec<EntryRepository>,
    ) -> Result<(), DatasetError> {
        let json = |source| DatasetError::Json { path: entry.to_owned(), source };
        let bytes = to_json(snapshot).map_err(json)?;
        let list = Entry {
            generator: GENERATOR,
            recipe: recipe.clone(),
            snapshot_sha256: sha256_hex(&bytes),
            repositories,
        };
        write(&self.path.join(SNAPSHOT), &bytes)?;
        write(&self.path.join(ENTRY), &to_json(&list).map_err(json)?)?;
        for _ in 0..PUBLISH_ATTEMPTS {
            match fs::rename(&self.path, entry) {
                Ok(()) => return Ok(()),
                Err(_) if open(entry, recipe).is_some() => return Ok(()),
                Err(_) if entry.exists() => self.put_aside(entry)?,
                Err(error) => return Err(DatasetError::at("create", entry)(error)),
            }
        }
        Err(DatasetError::at("replace", entry)(io::ErrorKind::AlreadyExists.into()))
    }

    /// Moves a broken entry out of the way, and removes it.
    fn put_aside(&self, entry: &Path) -> Result<(), DatasetError> {
        let aside = self.path.with_extension(BROKEN);
        match fs::rename(entry, &aside) {
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(DatasetError::at("replace", entry)(error)),
            Ok(()) => fs::remove_dir_all(&aside).map_err(DatasetError::at("remove", aside)),
        }
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        clear(&self.lock);
    }
}

/// Clears away workplaces whose makers ended without doing so.
fn sweep(datasets: &Path) {
    let Ok(found) = fs::read_dir(datasets) else { return };
    let paths = found.flatten().map(|found| found.path());
    for lock in paths.filter(|path| path.extension().is_some_and(|end| end == LOCK)) {
        let Ok(file) = File::open(&lock) else { continue };
        if file.try_lock().is_ok() && is_at(&file, &lock) {
            clear(&lock);
        }
    }
}

/// Returns whether the path still leads to the open file: who holds its lock then owns the path too.
fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(found)) => (open.dev(), open.ino()) == (found.dev(), found.ino()),
        _ => false,
    }
}

/// Removes what belongs to a workplace, its lock last; what cannot be removed stays for the next sweep.
fn clear(lock: &Path) {
    for directory in [lock.with_extension(""), lock.with_extension(BROKEN)] {
        if let Err(error) = fs::remove_dir_all(&directory)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %directory.display(), %error, "cannot remove");
            return;
        }
    }
    let _ = fs::remove_file(lock);
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), DatasetError> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(DatasetError::at("write", path))
}

/// The generator's version: raised whenever the same recipe gives other commits or another snapshot.
const GENERATOR: u32 = 2;

const SNAPSHOT: &str = "snapshot.json";
const ENTRY: &str = "entry.json";
const WORKPLACE: &str = "making-";
const LOCK: &str = "lock";
const BROKEN: &str = "broken";
const PUBLISH_ATTEMPTS: u32 = 8;
