//! Which key an SSH server has, from the file that `ssh` keeps.
//!
//! Source: sshd(8), section SSH_KNOWN_HOSTS FILE FORMAT.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest as _, Sha1};

/// Returns the key of a server in OpenSSH's form, `TYPE BASE64`, the strongest of several; none when the text knows none.
///
/// As `ssh` does, a server on another port than 22 is looked for as `[HOST]:PORT`, then by its host alone. Keys that are
/// revoked are not returned, nor are those of authorities.
pub(super) fn find(text: &str, host: &str, port: u16) -> Option<String> {
    let with_port = (port != STANDARD_PORT).then(|| format!("[{host}]:{port}"));
    with_port.iter().map(String::as_str).chain([host]).find_map(|name| strongest(text, name))
}

fn strongest(text: &str, name: &str) -> Option<String> {
    let lines: Vec<Line<'_>> = text.lines().filter_map(Line::parse).filter(|line| line.is_of(name)).collect();
    let is_revoked = |key: &str| lines.iter().any(|line| line.marker == "@revoked" && line.key == key);
    let usable = lines.iter().filter(|line| line.marker.is_empty() && !is_revoked(line.key));
    let strength = |kind: &str| KINDS.iter().position(|known| *known == kind);
    let best =
        usable.filter_map(|line| Some((strength(line.kind)?, line))).min_by_key(|(strength, _)| *strength);
    best.map(|(_, line)| format!("{} {}", line.kind, line.key))
}

/// One key of one or several hosts.
struct Line<'a> {
    marker: &'a str,
    hosts: &'a str,
    kind: &'a str,
    key: &'a str,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let first = words.next().filter(|word| !word.starts_with('#'))?;
        let (marker, hosts) = if first.starts_with('@') { (first, words.next()?) } else { ("", first) };
        Some(Self { marker, hosts, kind: words.next()?, key: words.next()? })
    }

    fn is_of(&self, name: &str) -> bool {
        if let Some(hashed) = self.hosts.strip_prefix("|1|") {
            return is_hash_of(hashed, name).unwrap_or(false);
        }
        let (mut is_listed, name) = (false, name.to_lowercase());
        for pattern in self.hosts.split(',') {
            match pattern.strip_prefix('!') {
                Some(not) if fits(&not.to_lowercase(), &name) => return false,
                Some(_) => {}
                None => is_listed |= fits(&pattern.to_lowercase(), &name),
            }
        }
        is_listed
    }
}

/// Returns whether `SALT|HASH` is the hash of a name: its HMAC-SHA1 by the salt.
fn is_hash_of(hashed: &str, name: &str) -> Option<bool> {
    let (salt, hash) = hashed.split_once('|')?;
    let (salt, hash) = (BASE64_STANDARD.decode(salt).ok()?, BASE64_STANDARD.decode(hash).ok()?);
    Some(hmac_sha1(&salt, name.as_bytes()) == hash)
}

/// Source: RFC 2104; salts of `ssh` are as long as the hash, so that none is longer than a block.
fn hmac_sha1(key: &[u8], message: &[u8]) -> Vec<u8> {
    let padded = |byte: u8| -> Vec<u8> {
        let key = key.iter().copied().chain(std::iter::repeat(0)).take(SHA1_BLOCK);
        key.map(|key| key ^ byte).collect()
    };
    let inner = Sha1::new().chain_update(padded(0x36)).chain_update(message).finalize();
    Sha1::new().chain_update(padded(0x5c)).chain_update(inner).finalize().to_vec()
}

/// Returns whether a pattern with `*` and `?` fits a name.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    // Which beginnings of the name the pattern so far fits.
    let mut fitting: Vec<bool> = std::iter::once(true).chain(name.iter().map(|_| false)).collect();
    for part in pattern {
        let before = fitting.clone();
        let mut reached = false;
        for (place, fits) in fitting.iter_mut().enumerate() {
            let was = before.get(place).copied().unwrap_or(false);
            let one_less = place.checked_sub(1);
            let is_next = one_less.is_some_and(|less| {
                before.get(less).copied().unwrap_or(false) && (part == '?' || name.get(less) == Some(&part))
            });
            reached |= was;
            *fits = if part == '*' { reached } else { is_next };
        }
    }
    fitting.last().copied().unwrap_or(false)
}

const STANDARD_PORT: u16 = 22;
/// The most preferred first, as `ssh` has them.
const KINDS: [&str; 5] =
    ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"];
const SHA1_BLOCK: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# a comment

git.example.com,192.0.2.1 ssh-rsa RSA comment
git.example.com ssh-ed25519 ED
[git.example.com]:7999 ecdsa-sha2-nistp256 EC
*.wild.example.com,!not.wild.example.com ssh-ed25519 WILD
@revoked old.example.com ssh-ed25519 OLD
old.example.com ssh-ed25519 OLD
@cert-authority *.example.com ssh-ed25519 CA
|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= ssh-rsa HASHED
broken
";

    #[test]
    fn the_strongest_key_of_the_very_server_is_found() {
        for (host, port, expected) in [
            ("git.example.com", 22, Some("ssh-ed25519 ED")),
            ("GIT.example.com", 22, Some("ssh-ed25519 ED")),
            ("192.0.2.1", 22, Some("ssh-rsa RSA")),
            ("git.example.com", 7999, Some("ecdsa-sha2-nistp256 EC")),
            ("192.0.2.1", 7999, Some("ssh-rsa RSA")),
            ("a.wild.example.com", 22, Some("ssh-ed25519 WILD")),
            ("not.wild.example.com", 22, None),
            ("old.example.com", 22, None),
            ("other.example.com", 22, None),
            // The hash is the example in sshd(8)'s format, of the address 192.168.1.61.
            ("192.168.1.61", 22, Some("ssh-rsa HASHED")),
            ("192.168.1.62", 22, None),
        ] {
            assert_eq!(find(FILE, host, port).as_deref(), expected, "{host}:{port}");
        }
    }

    #[test]
    fn a_hash_is_an_hmac() {
        // Source: RFC 2202, test cases 1 and 2 for HMAC-SHA-1.
        let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(hmac_sha1(&[0x0b; 20], b"Hi There")), "b617318655057264e28bc0b6fb378c8ef146be00");
        assert_eq!(
            hex(hmac_sha1(b"Jefe", b"what do ya want for nothing?")),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
    }

    #[test]
    fn patterns_are_those_of_a_shell() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a?c", "ac", false),
            ("a?c", "abc", true),
            ("*.x", "a.b.x", true),
            ("a", "ab", false),
            ("", "", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
