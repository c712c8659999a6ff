//! What a server says it can.
//!
//! Source: gitprotocol-capabilities(5) for versions 0 and 1, gitprotocol-v2(5), section Capability Advertisement.

use crate::fault::Fault;

/// The capabilities of a server, in the order in which it names them; a name may come more than once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities {
    entries: Vec<(String, Option<String>)>,
    size: usize,
}

impl Capabilities {
    /// Reads the list of versions 0 and 1: words after the first ref's name.
    pub fn from_words(words: &[u8]) -> Self {
        let mut capabilities = Self::default();
        for word in words.split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
            capabilities.add(word);
        }
        capabilities
    }

    /// Adds one capability, `name` or `name=value`.
    pub fn add(&mut self, capability: &[u8]) {
        self.size = self.size.saturating_add(capability.len());
        let text = String::from_utf8_lossy(capability);
        self.entries.push(match text.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (text.into_owned(), None),
        });
    }

    /// Checks that they are not more than any server has to say.
    pub(crate) fn check_size(&self) -> Result<(), Fault> {
        if self.size > LARGEST {
            return Err(Fault::Protocol(format!("capabilities of more than {LARGEST} bytes")));
        }
        Ok(())
    }

    /// Returns whether the server names a capability.
    pub fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(entry, _)| entry == name)
    }

    /// Returns every value of a capability.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.entries.iter().filter(move |(entry, _)| entry == name).filter_map(|(_, value)| value.as_deref())
    }

    /// Returns whether a command of version 2 has a feature: `unborn` in `ls-refs=unborn`.
    pub fn has_feature(&self, command: &str, feature: &str) -> bool {
        self.values(command).any(|features| features.split(' ').any(|word| word == feature))
    }

    /// Checks that object ids are SHA-1, which they are where the server says nothing.
    ///
    /// # Errors
    /// Fails if the server names other formats only.
    pub fn check_object_format(&self) -> Result<(), Fault> {
        let mut formats = self.values("object-format").peekable();
        match formats.peek() {
            None => Ok(()),
            Some(first) => {
                let first = (*first).to_owned();
                if formats.any(|format| format == "sha1") { Ok(()) } else { Err(Fault::ObjectFormat(first)) }
            }
        }
    }
}

/// A server that lists many symbolic refs needs some kilobytes.
const LARGEST: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_values_and_values_have_features() {
        let v0 =
            Capabilities::from_words(b" multi_ack symref=HEAD:refs/heads/main symref=A:B agent=git/2.47.3 ");
        assert!(v0.has("multi_ack") && v0.has("agent") && !v0.has("multi"));
        assert_eq!(v0.values("symref").collect::<Vec<_>>(), ["HEAD:refs/heads/main", "A:B"]);
        let mut v2 = Capabilities::default();
        v2.add(b"fetch=shallow wait-for-done");
        assert!(v2.has_feature("fetch", "wait-for-done") && !v2.has_feature("fetch", "wait"));
    }

    #[test]
    fn their_size_is_bounded() {
        let mut long = Capabilities::default();
        long.add(&[b'x'; LARGEST]);
        assert_eq!(long.check_size(), Ok(()));
        long.add(b"x");
        assert!(matches!(long.check_size(), Err(Fault::Protocol(_))));
    }

    #[test]
    fn only_sha1_is_spoken() {
        for (words, expected) in [
            (&b"agent=x"[..], Ok(())),
            (b"object-format=sha1", Ok(())),
            (b"object-format=sha256 object-format=sha1", Ok(())),
            (b"object-format=sha256", Err(Fault::ObjectFormat("sha256".to_owned()))),
        ] {
            assert_eq!(Capabilities::from_words(words).check_object_format(), expected);
        }
    }
}
