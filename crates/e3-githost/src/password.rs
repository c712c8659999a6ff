//! Passwords: argon2id, never stored or compared in the clear.

use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, Version};
use argon2::{PasswordHasher, PasswordVerifier};
use rand::Rng;

/// Returns the PHC string of the password under a fresh random salt; some 20 ms of one core.
pub(crate) fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    let mut salt = [0_u8; 16];
    rand::rng().fill_bytes(&mut salt);
    let hash: argon2::password_hash::phc::PasswordHash =
        hasher()?.hash_password_with_salt(password.as_bytes(), &salt)?;
    Ok(hash.to_string())
}

/// Returns whether the password is the one behind the PHC string; an unreadable string matches nothing.
pub(crate) fn matches(password: &str, phc: &str) -> bool {
    let Ok(hasher) = hasher() else { return false };
    PasswordVerifier::<str>::verify_password(&hasher, password.as_bytes(), phc).is_ok()
}

/// Returns whether the text may be a password at all; the bound keeps hashing short.
pub(crate) fn is_acceptable(password: &str) -> bool {
    !password.is_empty() && password.len() <= 1024 && !password.chars().any(char::is_control)
}

/// How long a request waits for its turn to hash before it is refused.
pub(crate) const HASH_WAIT: Duration = Duration::from_secs(20);

fn hasher() -> Result<Argon2<'static>, argon2::password_hash::Error> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
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
        let first = hash("correct horse").unwrap();
        assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{first}");
        assert!(matches("correct horse", &first));
        assert!(!matches("correct horsE", &first));
        assert!(!matches("correct horse", "not a hash"));
        assert_ne!(first, hash("correct horse").unwrap());
    }
}
