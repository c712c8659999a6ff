//! `git clone --bare`, and what it brought.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
    sync::Arc,
};

use super::{Call, ForkedGit, error, refs, scratch::Scratch};
use crate::{GitError, Ref, RepositoryPath};

/// A clone on disk, which goes when this is dropped.
pub struct ForkedClone {
    /// The number of objects in its pack, as the pack's header says; 0 for an empty repository.
    pub objects: u32,
    /// The size of its pack with header and checksum; 0 for an empty repository.
    pub pack_bytes: u64,
    repository: RepositoryPath,
    scratch: Arc<Scratch>,
}

impl ForkedClone {
    /// Returns its branches and tags, in the order of their names.
    ///
    /// # Errors
    /// Fails if git's files cannot be read.
    pub fn refs(&self) -> Result<Vec<Ref>, GitError> {
        let path = self.scratch.path().join("packed-refs");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(error::files(&self.repository, path, source)),
        };
        let unreadable = || error::protocol(&self.repository, "git clone left refs that cannot be read");
        refs::packed(&text).ok_or_else(unreadable)
    }
}

pub(super) async fn clone(git: &ForkedGit, repository: &RepositoryPath) -> Result<ForkedClone, GitError> {
    with(git, repository, &[]).await
}

/// Clones with such options.
pub(super) async fn with(
    git: &ForkedGit,
    repository: &RepositoryPath,
    options: &[&str],
) -> Result<ForkedClone, GitError> {
    let scratch =
        Scratch::new(&git.place).map_err(|source| error::files(repository, git.place.path(), source))?;
    let url = git.place.url(repository);
    let call = Call::of(["clone", "--quiet", "--bare"]).args(options).args(&["--", &url]);
    let call = call.arg(scratch.path()).writing_to(&scratch);
    git.git(repository, call).await?;
    let packs = scratch.path().join("objects/pack");
    let (objects, pack_bytes) = measured(&packs).map_err(|source| error::files(repository, packs, source))?;
    Ok(ForkedClone { objects, pack_bytes, repository: repository.clone(), scratch })
}

/// Returns the objects and bytes of the packs in a directory.
///
/// Source: gitformat-pack(5): four bytes each of signature, version and number of objects.
fn measured(packs: &Path) -> io::Result<(u32, u64)> {
    let (mut objects, mut bytes) = (0_u32, 0_u64);
    for entry in fs::read_dir(packs)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "pack") {
            let mut file = fs::File::open(&path)?;
            let mut header = [0; 12];
            file.read_exact(&mut header)?;
            let [.., a, b, c, d] = header;
            objects = objects.saturating_add(u32::from_be_bytes([a, b, c, d]));
            bytes = bytes.saturating_add(file.metadata()?.len());
        }
    }
    Ok((objects, bytes))
}
