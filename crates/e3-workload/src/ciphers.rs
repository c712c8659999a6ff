//! What encrypted the SSH connections of a share's clients.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The ciphers that SSH connections were encrypted with, as their servers agreed to. Cheap to clone; clones share the list.
#[derive(Debug, Clone, Default)]
pub struct Ciphers(Arc<Mutex<BTreeSet<String>>>);

impl Ciphers {
    /// Adds a cipher by its name in the protocol, `aes128-gcm@openssh.com`, if it is not there yet.
    pub fn note(&self, cipher: &str) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !names.contains(cipher) {
            names.insert(cipher.to_owned());
        }
    }

    /// Returns all names, each once, in alphabetical order.
    pub fn names(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
