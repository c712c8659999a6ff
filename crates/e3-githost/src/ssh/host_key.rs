//! The keys by which clients know this server: in the home's `config/`, shared by all of its nodes.
//!
//! The Ed25519 key is made at the first start. The RSA key is for clients that know nothing newer; making one takes a
//! second of a core, so it is made behind everything else, by whichever node finds none.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use russh::keys::ssh_key::private::RsaKeypair;
use russh::keys::ssh_key::{self, LineEnding};
use russh::keys::{Algorithm, PrivateKey};

use crate::GithostError;
use crate::auth::hex;

/// The host keys, as far as there are any yet.
#[derive(Clone)]
pub(crate) struct HostKeys {
    ed25519: PrivateKey,
    rsa: Arc<OnceLock<PrivateKey>>,
}

impl HostKeys {
    /// Reads the keys, making the Ed25519 one if it is missing. Call it only while no other node is starting.
    pub(crate) fn open(directory: &Path) -> Result<Self, GithostError> {
        let path = directory.join("ssh_host_ed25519_key");
        let ed25519 = match read(&path)? {
            Some(key) => key,
            None => {
                let made = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519);
                let made = made.map_err(failed("make", &path))?;
                write(&path, &made)?;
                // Another node that opened another way to the same home may have been first.
                read(&path)?.unwrap_or(made)
            }
        };
        let keys = Self { ed25519, rsa: Arc::default() };
        let path = directory.join("ssh_host_rsa_key");
        match read(&path)? {
            Some(key) => drop(keys.rsa.set(key)),
            None => keys.make_rsa(path),
        }
        Ok(keys)
    }

    /// Returns the preferred public key as text, without a comment.
    pub(crate) fn public(&self) -> Result<String, GithostError> {
        let mut key = self.ed25519.public_key().clone();
        key.set_comment("");
        let text = key.to_openssh().map_err(failed("print", Path::new("ssh_host_ed25519_key")))?;
        Ok(text.trim().to_owned())
    }

    /// Returns all keys that there are now.
    pub(crate) fn all(&self) -> Vec<PrivateKey> {
        std::iter::once(&self.ed25519).chain(self.rsa.get()).cloned().collect()
    }

    /// Returns how many keys there are now.
    pub(crate) fn count(&self) -> usize {
        1 + usize::from(self.rsa.get().is_some())
    }

    /// Makes the RSA key on a thread of the lowest priority, which ends with the process if it has not ended before.
    fn make_rsa(&self, path: PathBuf) {
        let rsa = Arc::clone(&self.rsa);
        let make = move || {
            // It only means to be polite.
            let _ = rustix::process::setpriority_process(None, LOWEST);
            match make_rsa(&path, RSA_BITS) {
                Ok(key) => drop(rsa.set(key)),
                Err(error) => tracing::warn!(%error, "there is no RSA host key"),
            }
        };
        if let Err(error) = std::thread::Builder::new().name("rsa-host-key".to_owned()).spawn(make) {
            tracing::warn!(%error, "there is no RSA host key");
        }
    }
}

/// Makes an RSA key and returns it, or the one that another node wrote meanwhile.
fn make_rsa(path: &Path, bits: usize) -> Result<PrivateKey, GithostError> {
    let pair = RsaKeypair::random(&mut rand::rng(), bits).map_err(failed("make", path))?;
    let made = PrivateKey::from(pair);
    write(path, &made)?;
    Ok(read(path)?.unwrap_or(made))
}

fn read(path: &Path) -> Result<Option<PrivateKey>, GithostError> {
    match std::fs::read_to_string(path) {
        Ok(text) => PrivateKey::from_openssh(text).map(Some).map_err(failed("read", path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(GithostError::Home { doing: "read", path: path.to_owned(), source }),
    }
}

/// Writes the key whole or not at all; one that is there already stays.
fn write(path: &Path, key: &PrivateKey) -> Result<(), GithostError> {
    let text = key.to_openssh(LineEnding::LF).map_err(failed("print", path))?;
    let mut tag = [0_u8; 8];
    rand::Rng::fill_bytes(&mut rand::rng(), &mut tag);
    let aside = path.with_extension(hex(&tag));
    let place = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        match std::fs::hard_link(&aside, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        }
    };
    let placed = place();
    // What could not be made need not be removed.
    let _ = std::fs::remove_file(&aside);
    placed.map_err(|source| GithostError::Home { doing: "write", path: path.to_owned(), source })
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(ssh_key::Error) -> GithostError {
    let path = path.to_owned();
    move |source| GithostError::HostKey { doing, path, source }
}

/// Source: NIST SP 800-57, part 1: as strong as a symmetric key of 128 bits; what `ssh-keygen` makes too.
const RSA_BITS: usize = 3072;
const LOWEST: i32 = 19;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn keys_are_made_once_and_closed_to_others() {
        let directory = tempfile::tempdir().unwrap();
        // Small, because this is about what happens to the file.
        let path = directory.path().join("ssh_host_rsa_key");
        let rsa = make_rsa(&path, 1024).unwrap();
        assert_eq!(make_rsa(&path, 1024).unwrap().public_key(), rsa.public_key(), "the first one stays");
        let first = HostKeys::open(directory.path()).unwrap();
        let second = HostKeys::open(directory.path()).unwrap();
        assert_eq!(first.public().unwrap(), second.public().unwrap());
        assert!(first.public().unwrap().starts_with("ssh-ed25519 AAAA"), "{}", first.public().unwrap());
        assert_eq!(first.all().len(), 2);
        assert_eq!(first.all()[1].public_key(), rsa.public_key());
        let mut names: Vec<_> = std::fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name(), entry.metadata().unwrap().permissions().mode() & 0o777))
            .collect();
        names.sort();
        let expected = ["ssh_host_ed25519_key", "ssh_host_rsa_key"].map(|name| (name.into(), 0o600));
        assert_eq!(names, expected, "nothing else is left");
    }

    #[test]
    fn a_broken_key_is_an_error_and_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ssh_host_ed25519_key");
        std::fs::write(&path, "not a key").unwrap();
        assert!(matches!(HostKeys::open(directory.path()), Err(GithostError::HostKey { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "not a key");
    }
}
