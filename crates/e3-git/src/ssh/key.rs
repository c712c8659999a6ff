//! Private keys of users.

use std::{fmt, sync::Arc};

use e3_model::Secret;
use rand::{TryRng, rngs::SysRng};
use russh::keys::{
    Algorithm, HashAlg, PrivateKey,
    ssh_key::{LineEnding, private::Ed25519Keypair},
};

use crate::GitError;

/// A user's private SSH key: ed25519, ecdsa or RSA. Cheap to clone; never printed.
#[derive(Clone)]
pub struct SshKey {
    key: Arc<PrivateKey>,
}

impl SshKey {
    /// Makes an ed25519 key from the operating system's randomness.
    ///
    /// # Errors
    /// Fails if the operating system has no randomness to give.
    pub fn generate() -> Result<Self, GitError> {
        let mut seed = [0; 32];
        SysRng.try_fill_bytes(&mut seed).map_err(|error| GitError::Key { reason: error.to_string() })?;
        let pair = Ed25519Keypair::from_seed(&seed);
        Ok(Self { key: Arc::new(PrivateKey::from(pair)) })
    }

    /// Reads a private key in OpenSSH's form, `-----BEGIN OPENSSH PRIVATE KEY-----`.
    ///
    /// # Errors
    /// Fails if the text is no such key, if a passphrase protects it, or if it is of another kind.
    pub fn parse(openssh: &Secret) -> Result<Self, GitError> {
        let refused = |reason: String| GitError::Key { reason };
        let key = PrivateKey::from_openssh(openssh.expose().trim_start()).map_err(|error| {
            refused(format!(
                "it is not a private key in OpenSSH form ({error}); ssh-keygen -p -f FILE rewrites one"
            ))
        })?;
        if key.is_encrypted() {
            let reason = "a passphrase protects it, and nobody is there to type it; remove it by ssh-keygen -p -f FILE";
            return Err(refused(reason.to_owned()));
        }
        match key.algorithm() {
            Algorithm::Ed25519 | Algorithm::Ecdsa { .. } | Algorithm::Rsa { .. } => {
                Ok(Self { key: Arc::new(key) })
            }
            other => {
                Err(refused(format!("keys of type {other} are not supported; use ed25519, ecdsa or RSA")))
            }
        }
    }

    /// Returns the key in OpenSSH's form, without a passphrase.
    pub fn to_openssh(&self) -> Secret {
        let text = self.key.to_openssh(LineEnding::LF).expect("a key that was read or made can be written");
        Secret::new(text.as_str())
    }

    /// Returns the public half as a line of `authorized_keys` has it, without a comment: `ssh-ed25519 AAAA…`.
    pub fn public(&self) -> String {
        let mut public = self.key.public_key().clone();
        public.set_comment("");
        public.to_openssh().expect("a public key of a key that was read or made can be written")
    }

    /// Returns the fingerprint of the public half: `SHA256:…`.
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }

    pub(super) fn is_rsa(&self) -> bool {
        self.key.algorithm().is_rsa()
    }

    pub(super) fn shared(&self) -> Arc<PrivateKey> {
        Arc::clone(&self.key)
    }
}

impl fmt::Debug for SshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SshKey({})", self.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_being_written_and_never_shows_itself() {
        let key = SshKey::generate().unwrap();
        let text = key.to_openssh();
        let again = SshKey::parse(&text).unwrap();
        assert_eq!((again.public(), again.fingerprint()), (key.public(), key.fingerprint()));
        assert!(key.public().starts_with("ssh-ed25519 AAAA") && !key.public().ends_with(' '));
        assert_ne!(key.public(), SshKey::generate().unwrap().public());
        assert_eq!(format!("{key:?}"), format!("SshKey({})", key.fingerprint()));
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_the_reason() {
        let openssh = SshKey::generate().unwrap().to_openssh();
        let cut: String = openssh.expose().chars().take(200).collect();
        for (text, expected) in [
            ("", "not a private key in OpenSSH form"),
            ("ssh-ed25519 AAAA", "not a private key in OpenSSH form"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n",
                "not a private key in OpenSSH form",
            ),
            (cut.as_str(), "not a private key in OpenSSH form"),
        ] {
            let error = SshKey::parse(&Secret::new(text)).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
