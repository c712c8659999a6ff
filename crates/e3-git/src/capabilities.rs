//! What a server says it can.
//!
//! Source: gitprotocol-capabilities(5) for versions 0 and 1, gitprotocol-v2(5), section Capability Advertisement.

use crate::fault::Fault;

/// The capabilities of a server, in the order in which it names them; a name may come more than once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Capabilities {
    entries: Vec<(String, Option<String>)>,
}

impl Capabilities {
    /// Reads the list of versions 0 and 1: words after the first ref's name.
    pub(crate) fn from_words(words: &[u8]) -> Self {
        let mut capabilities = Self::default();
        for word in words.split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
            capabilities.add(word);
        }
        capabilities
    }

    /// Adds one capability, `name` or `name=value`.
    pub(crate) fn add(&mut self, capability: &[u8]) {
        let text = String::from_utf8_lossy(capability);
        self.entries.push(match text.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (text.into_owned(), None),
        });
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(entry, _)| entry == name)
    }

    /// Returns every value of a capability.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.entries.iter().filter(move |(entry, _)| entry == name).filter_map(|(_, value)| value.as_deref())
    }

    /// Returns whether a command of version 2 has a feature: `unborn` in `ls-refs=unborn`.
    pub(crate) fn has_feature(&self, command: &str, feature: &str) -> bool {
        self.values(command).any(|features| features.split(' ').any(|word| word == feature))
    }

    /// Checks that object ids are SHA-1, which they are where the server says nothing.
    pub(crate) fn check_object_format(&self) -> Result<(), Fault> {
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
