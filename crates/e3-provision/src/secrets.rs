//! Passwords and keys for systems that live only as long as a run.

use std::collections::BTreeMap;

use e3_dataset::Dataset;
use e3_git::SshKey;
use e3_home::{RunSecrets, ThreadSecrets};
use e3_model::{Secret, ThreadId};
use rand::TryRng as _;
use rand::rngs::SysRng;

use crate::ProvisionError;

/// Returns fresh passwords for the administrator and every user of each thread's dataset, in the threads' order, and an
/// ed25519 key for each user.
///
/// Each password has 32 characters of 6 random bits, all of them safe in URLs, forms and Basic credentials.
///
/// # Errors
/// When the system gives no random numbers.
pub fn generate_secrets<'a>(
    datasets: impl IntoIterator<Item = &'a Dataset>,
) -> Result<RunSecrets, ProvisionError> {
    let threads = datasets.into_iter().map(|dataset| {
        let (mut users, mut private_keys) = (BTreeMap::new(), BTreeMap::new());
        for user in &dataset.snapshot.users {
            users.insert(user.username.clone(), password()?);
            let key = SshKey::generate().map_err(|source| ProvisionError::Key {
                user: user.username.clone(),
                source: source.into(),
            })?;
            private_keys.insert(user.username.clone(), key.to_openssh());
        }
        Ok(ThreadSecrets { admin_password: password()?, users, private_keys })
    });
    Ok(RunSecrets { threads: threads.collect::<Result<_, ProvisionError>>()? })
}

/// Returns the public part of each user's key, in OpenSSH's form.
///
/// # Errors
/// When a private key is none.
pub(crate) fn public_keys(
    thread: ThreadId,
    secrets: &ThreadSecrets,
) -> Result<BTreeMap<String, String>, ProvisionError> {
    let keys = secrets.private_keys.iter().map(|(user, private)| {
        let key = SshKey::parse(private).map_err(|source| ProvisionError::UserKey {
            thread,
            user: user.clone(),
            source: source.into(),
        })?;
        Ok((user.clone(), key.public()))
    });
    keys.collect()
}

fn password() -> Result<Secret, ProvisionError> {
    let mut bytes = [0_u8; 32];
    SysRng.try_fill_bytes(&mut bytes).map_err(|source| ProvisionError::Random { source })?;
    // 64 characters divide 256 evenly, so each is as likely as any other.
    let characters = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 63)));
    Ok(Secret::new(characters.map(|byte| char::from(*byte)).collect::<String>()))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn passwords_are_long_and_differ() {
        let passwords: Vec<String> = (0..200).map(|_| password().unwrap().expose().to_owned()).collect();
        assert!(passwords.iter().all(|password| password.len() == 32));
        assert_eq!(passwords.iter().collect::<BTreeSet<_>>().len(), 200);
        let used: BTreeSet<char> = passwords.iter().flat_map(|password| password.chars()).collect();
        assert_eq!(used.len(), 64, "6,400 characters leave none of 64 out");
    }
}
