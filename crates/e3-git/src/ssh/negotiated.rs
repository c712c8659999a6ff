//! What a client and a server agreed on.

use russh::Names;

/// The algorithms that an SSH connection uses, by their names in the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// How bytes are encrypted, the largest part of a transfer's cost: `aes128-gcm@openssh.com`.
    pub cipher: String,
    /// How keys are exchanged: `curve25519-sha256`.
    pub key_exchange: String,
    /// The kind of the host key: `ssh-ed25519`.
    pub host_key: String,
}

impl Negotiated {
    pub(super) fn of(names: &Names) -> Self {
        Self {
            cipher: names.cipher.as_ref().to_owned(),
            key_exchange: names.kex.as_ref().to_owned(),
            host_key: names.key.to_string(),
        }
    }
}
