//! What must not be seen: one directory per run, for its owner only, gone after teardown.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use e3_model::{RunName, Secret, ThreadId, to_json};
use serde::{Deserialize, Serialize};

use crate::atomic::{self, PRIVATE_DIRECTORY, PRIVATE_FILE};
use crate::error::io;
use crate::{Home, HomeError, read};

/// The secrets of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunSecrets {
    /// One entry per thread, in the plan's order.
    pub threads: Vec<ThreadSecrets>,
}

/// The secrets of one thread's system under test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadSecrets {
    /// The administrator's password.
    pub admin_password: Secret,
    /// The passwords of the dataset's users, by login name.
    pub users: BTreeMap<String, Secret>,
    /// The private SSH keys of the dataset's users in OpenSSH's form, by login name.
    #[serde(default)]
    pub private_keys: BTreeMap<String, Secret>,
}

impl Home {
    /// Writes a run's secrets, in a directory and a file that only their owner may read.
    ///
    /// # Errors
    /// When the run's name is none, or the home cannot be written.
    pub fn write_secrets(&self, run: &RunName, secrets: &RunSecrets) -> Result<(), HomeError> {
        let path = self.private_directory(run)?.join(FILE);
        let bytes = to_json(secrets).map_err(|source| HomeError::Json { path: path.clone(), source })?;
        atomic::write(&path, &bytes, PRIVATE_FILE)
    }

    /// Returns a run's secrets.
    ///
    /// # Errors
    /// When there are none (any more), or they cannot be read.
    pub fn read_secrets(&self, run: &RunName) -> Result<RunSecrets, HomeError> {
        let path = self.secrets_directory(run)?.join(FILE);
        let bytes = read::bytes(&path, read::LARGEST_INPUT)?
            .ok_or_else(|| HomeError::NotYet { path: path.clone(), command: "e3 provision" })?;
        serde_json::from_slice(&bytes).map_err(|source| HomeError::Json { path, source })
    }

    /// Removes a run's secrets; none there is fine.
    ///
    /// # Errors
    /// When they exist and cannot be removed.
    pub fn remove_secrets(&self, run: &RunName) -> Result<(), HomeError> {
        let path = self.secrets_directory(run)?;
        match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io("remove", &path)(error)),
            _ => Ok(()),
        }
    }

    /// Writes an administrator's password alone into a file beside the run's secrets, and returns its path: what
    /// `githost serve --admin-password-file` reads.
    ///
    /// # Errors
    /// When the run's name is none, or the home cannot be written.
    pub fn admin_password_file(
        &self,
        run: &RunName,
        thread: ThreadId,
        password: &Secret,
    ) -> Result<PathBuf, HomeError> {
        let path = self.private_directory(run)?.join(format!("{thread}.admin-password"));
        atomic::write(&path, password.expose().as_bytes(), PRIVATE_FILE)?;
        Ok(path)
    }

    /// Returns the directory of a run's secrets; it need not exist.
    ///
    /// # Errors
    /// When the run's name is none.
    pub fn secrets_directory(&self, run: &RunName) -> Result<PathBuf, HomeError> {
        Ok(self.secrets_root().join(self.checked(run)?))
    }

    /// Creates the run's directory; one that is there already is closed to others, whoever made it.
    fn private_directory(&self, run: &RunName) -> Result<PathBuf, HomeError> {
        let path = self.secrets_directory(run)?;
        atomic::create_directories(&path, PRIVATE_DIRECTORY)?;
        for directory in [&self.secrets_root(), &path] {
            let private = std::fs::Permissions::from_mode(PRIVATE_DIRECTORY);
            std::fs::set_permissions(directory, private).map_err(io("close to others", directory))?;
        }
        Ok(path)
    }
}

const FILE: &str = "secrets.json";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn secrets_are_for_their_owner_only_and_go_away() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path());
        std::fs::create_dir(directory.path().join("secrets")).unwrap();
        let run = RunName("r".to_owned());
        let thread = ThreadSecrets {
            admin_password: Secret::new("hunter2"),
            users: BTreeMap::from([("ada".to_owned(), Secret::new("lovelace"))]),
            private_keys: BTreeMap::from([("ada".to_owned(), Secret::new("a key"))]),
        };
        let secrets = RunSecrets { threads: vec![thread] };
        home.write_secrets(&run, &secrets).unwrap();
        let password = home.admin_password_file(&run, ThreadId(0), &Secret::new("hunter2")).unwrap();

        assert_eq!(home.read_secrets(&run).unwrap(), secrets);
        assert_eq!(std::fs::read_to_string(&password).unwrap(), "hunter2");
        let folder = password.parent().unwrap();
        for (path, expected) in [
            (folder.parent().unwrap(), 0o700),
            (folder, 0o700),
            (&folder.join("secrets.json"), 0o600),
            (&password, 0o600),
        ] {
            assert_eq!(mode(path), expected, "{}", path.display());
        }

        home.remove_secrets(&run).unwrap();
        home.remove_secrets(&run).unwrap();
        assert!(!folder.exists());
        assert!(matches!(home.read_secrets(&run), Err(HomeError::NotYet { .. })));
    }

    #[test]
    fn a_runs_name_cannot_lead_elsewhere() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path());
        for bad in ["", "..", "../runs", "/tmp"] {
            let run = RunName(bad.to_owned());
            assert!(matches!(home.remove_secrets(&run), Err(HomeError::Name { .. })), "{bad:?}");
            assert!(matches!(home.write_secrets(&run, &RunSecrets::default()), Err(HomeError::Name { .. })));
        }
    }
}
