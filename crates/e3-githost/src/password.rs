//! Passwords: argon2id, never stored or compared in the clear.

use std::time::Duration;

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use rand::Rng;

/// What hashing works in: 19 MiB that are worth keeping, as allocating them each time leaves holes in every thread's heap.
#[derive(Default)]
pub(crate) struct Memory(Vec<Block>);

/// Returns the PHC string of the password under a fresh random salt; some 20 ms of one core.
pub(crate) fn hash(password: &str, memory: &mut Memory) -> Result<String, argon2::password_hash::Error> {
    let mut salt = [0_u8; 16];
    rand::rng().fill_bytes(&mut salt);
    let hasher = hasher(Params::new(MEMORY_KIB, PASSES, LANES, None)?);
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: hasher.params().try_into()?,
        hash: Some(memory.output(&hasher, password, &salt, Params::DEFAULT_OUTPUT_LEN)?),
        salt: Some(Salt::new(&salt)?),
    };
    Ok(hash.to_string())
}

/// Returns whether the password is the one behind the PHC string; an unreadable string matches nothing.
pub(crate) fn matches(password: &str, phc: &str, memory: &mut Memory) -> bool {
    let Ok(known) = PasswordHash::new(phc) else { return false };
    let Ok(params) = Params::try_from(&known) else { return false };
    let (Some(salt), Some(expected)) = (&known.salt, &known.hash) else { return false };
    let hasher = hasher(params);
    // Outputs compare in constant time.
    memory.output(&hasher, password, salt, expected.len()).is_ok_and(|output| output == *expected)
}

impl Memory {
    fn output(
        &mut self,
        hasher: &Argon2<'_>,
        password: &str,
        salt: &[u8],
        length: usize,
    ) -> Result<Output, argon2::password_hash::Error> {
        self.0.resize_with(hasher.params().block_count(), Block::default);
        let mut bytes = vec![0_u8; length];
        hasher.hash_password_into_with_memory(password.as_bytes(), salt, &mut bytes, &mut self.0)?;
        Ok(Output::new(&bytes)?)
    }
}

/// Returns whether the text may be a password at all; the bound keeps hashing short.
pub(crate) fn is_acceptable(password: &str) -> bool {
    !password.is_empty() && password.len() <= 1024 && !password.chars().any(char::is_control)
}

/// How long a request waits for its turn to hash before it is refused.
pub(crate) const HASH_WAIT: Duration = Duration::from_secs(20);

fn hasher(params: Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Source: OWASP Password Storage Cheat Sheet, Argon2id: "m=19456 (19 MiB), t=2, p=1".
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_password_matches_and_salts_differ() {
        let memory = &mut Memory::default();
        let first = hash("correct horse", memory).unwrap();
        assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{first}");
        assert!(matches("correct horse", &first, memory));
        assert!(!matches("correct horsE", &first, memory));
        assert!(!matches("correct horse", "not a hash", memory));
        assert_ne!(first, hash("correct horse", memory).unwrap());
    }

    #[test]
    fn hashes_of_others_with_these_parameters_are_understood() {
        // Source: the reference implementation, `echo -n password | argon2 somesalt -id -t 2 -k 256 -p 1 -l 32 -e`, its test
        // vector for version 0x13 with these parameters.
        let phc = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        let memory = &mut Memory::default();
        assert!(matches("password", phc, memory));
        assert!(!matches("differentpassword", phc, memory));
        let other = hash("password", memory).unwrap();
        assert!(matches("password", &other, memory), "memory of another size is no obstacle");
    }
}
