//! What a server says when asked for `info/refs`: its capabilities, and before version 2 its refs.
//!
//! Source: gitprotocol-http(5), section Smart Server Response; gitprotocol-pack(5), section Reference Discovery.

use std::collections::BTreeSet;

use crate::{
    Ref,
    capabilities::Capabilities,
    conversation::AnswerReader,
    fault::Fault,
    pkt_line::{Packet, Packets},
    ref_list::{count, id_and_rest, reported_error},
};

/// A server's advertisement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Advertisement {
    pub(crate) version: Version,
    pub(crate) capabilities: Capabilities,
    /// All refs in versions 0 and 1; empty in version 2, where one asks for them.
    pub(crate) refs: Vec<Ref>,
}

/// The version of the protocol, as far as it makes a difference here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// Version 0, and 1, which differs by one line.
    V0,
    V2,
}

/// The service whose advertisement it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// Of fetches.
    UploadPack,
    /// Of pushes.
    ReceivePack,
}

impl Service {
    /// Returns the name of the program.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }
}

/// Which refs of an advertisement are kept; a busy server may list tens of thousands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kept {
    All,
    /// Those of these whole names.
    Named(BTreeSet<String>),
}

impl Kept {
    fn keeps(&self, name: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => std::str::from_utf8(name).is_ok_and(|name| names.contains(name)),
        }
    }
}

/// Reads an advertisement.
#[derive(Debug)]
pub(crate) struct AdvertisementReader {
    /// Which service must be named first; none where the connection itself says it.
    service: Option<Service>,
    packets: Packets,
    expected: Expected,
    read: usize,
    kept: Kept,
    advertisement: Advertisement,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// `# service=…`, or what follows it.
    Service,
    FlushAfterService,
    /// The version, or the first ref.
    First,
    FirstRef,
    Ref,
    Capability,
    Nothing,
}

impl AdvertisementReader {
    /// Returns the reader of an advertisement over HTTP, which names its service.
    pub(crate) fn new(service: Service, kept: Kept) -> Self {
        Self::expecting(Some(service), Expected::Service, kept)
    }

    /// Returns the reader of an advertisement over a connection to one service, which does not name it.
    pub(crate) fn plain(kept: Kept) -> Self {
        Self::expecting(None, Expected::First, kept)
    }

    fn expecting(service: Option<Service>, expected: Expected, kept: Kept) -> Self {
        Self {
            service,
            packets: Packets::default(),
            expected,
            read: 0,
            kept,
            advertisement: Advertisement {
                version: Version::V0,
                capabilities: Capabilities::default(),
                refs: Vec::new(),
            },
        }
    }
}

impl AnswerReader for AdvertisementReader {
    type Answer = Advertisement;

    fn push(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        self.read = count(self.read, bytes.len())?;
        while let Some(packet) = self.packets.next(&mut bytes)? {
            self.expected = match packet {
                Packet::Line(line) => {
                    reported_error(line)?;
                    self.advertisement.line((self.service, &self.kept), self.expected, line)?
                }
                Packet::Flush => flush(self.expected)?,
                Packet::Delimiter | Packet::ResponseEnd => {
                    return Err(Fault::Protocol("a delimiter within the advertisement".to_owned()));
                }
            };
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.expected == Expected::Nothing
    }

    fn finish(self) -> Result<Advertisement, Fault> {
        if self.expected != Expected::Nothing || !self.packets.is_between_packets() {
            return Err(Fault::Truncated("the advertisement"));
        }
        let mut advertisement = self.advertisement;
        advertisement.capabilities.check_object_format()?;
        for symref in advertisement.capabilities.values("symref") {
            let Some((name, target)) = symref.split_once(':') else { continue };
            if let Some(reference) = advertisement.refs.iter_mut().find(|reference| reference.name == name) {
                reference.symref_target = Some(target.to_owned());
            }
        }
        Ok(advertisement)
    }
}

fn flush(expected: Expected) -> Result<Expected, Fault> {
    match expected {
        Expected::FlushAfterService => Ok(Expected::First),
        // A version 0 server with no refs may say nothing at all.
        Expected::First | Expected::FirstRef | Expected::Ref | Expected::Capability => Ok(Expected::Nothing),
        Expected::Service | Expected::Nothing => Err(Fault::unexpected(b"0000", "an advertisement")),
    }
}

impl Advertisement {
    fn line(
        &mut self,
        (service, kept): (Option<Service>, &Kept),
        expected: Expected,
        line: &[u8],
    ) -> Result<Expected, Fault> {
        if let (Expected::Service, Some(service), Some(found)) =
            (expected, service, line.strip_prefix(b"# service="))
        {
            return if found == service.name().as_bytes() {
                Ok(Expected::FlushAfterService)
            } else {
                Err(Fault::unexpected(line, &format!("# service={}", service.name())))
            };
        }
        match expected {
            Expected::Service | Expected::First => match line {
                b"version 2" => {
                    self.version = Version::V2;
                    Ok(Expected::Capability)
                }
                b"version 1" => Ok(Expected::FirstRef),
                _ => self.first_ref(line, kept),
            },
            Expected::FirstRef => self.first_ref(line, kept),
            Expected::Ref => self.reference(line, kept),
            Expected::Capability => {
                self.capabilities.add(line);
                Ok(Expected::Capability)
            }
            Expected::FlushAfterService | Expected::Nothing => Err(Fault::unexpected(line, "a flush")),
        }
    }

    fn first_ref(&mut self, line: &[u8], kept: &Kept) -> Result<Expected, Fault> {
        let mut halves = line.splitn(2, |byte| *byte == 0);
        let reference = halves.next().unwrap_or_default();
        self.capabilities = Capabilities::from_words(halves.next().unwrap_or_default());
        // Ids of another length must be called by their name, not a broken line.
        self.capabilities.check_object_format()?;
        self.reference(reference, kept)
    }

    fn reference(&mut self, line: &[u8], kept: &Kept) -> Result<Expected, Fault> {
        if line.starts_with(b"shallow ") {
            return Ok(Expected::Ref);
        }
        let (oid, name) = id_and_rest(line)?;
        if name == b"capabilities^{}" && oid.is_zero() {
            return Ok(Expected::Ref);
        }
        if !kept.keeps(name) {
            return Ok(Expected::Ref);
        }
        let name = String::from_utf8_lossy(name).into_owned();
        match (name.strip_suffix("^{}"), self.refs.last_mut()) {
            (Some(tag), Some(last)) if last.name == tag => last.peeled = Some(oid),
            (Some(_), _) => return Err(Fault::unexpected(line, "the tag that this one peels")),
            (None, _) => self.refs.push(Ref { name, oid, symref_target: None, peeled: None }),
        }
        Ok(Expected::Ref)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        pkt_line::{write_flush, write_line},
        wild::{in_chunks, wild_bytes},
    };

    fn read(bytes: &[u8], cuts: &[usize]) -> Result<Advertisement, Fault> {
        let mut reader = AdvertisementReader::new(Service::UploadPack, Kept::All);
        let mut pushed = Ok(());
        in_chunks(bytes, cuts, |chunk| {
            pushed = reader.push(chunk);
            pushed.is_ok()
        });
        pushed.and_then(|()| reader.finish())
    }

    /// Packets; an empty line stands for a flush.
    fn packets(lines: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for line in lines {
            if line.is_empty() { write_flush(&mut bytes) } else { write_line(&mut bytes, line) }
        }
        bytes
    }

    const HEAD: &str =
        "cd21257e59be89b4757d2655500853dc693b51ad HEAD\0side-band-64k symref=HEAD:refs/heads/main";
    const TAG: &str = "85040fff6e688f9148600929555048056b27bb97 refs/tags/v1";
    const PEELED: &str = "da53d653ef22623e93bfc44c61ef6f09dae8c217 refs/tags/v1^{}";

    #[test]
    fn versions_0_and_1_list_refs() {
        for lines in [
            &["# service=git-upload-pack", "", HEAD, TAG, PEELED, ""][..],
            &["# service=git-upload-pack", "", "version 1", HEAD, TAG, PEELED, ""],
            &[HEAD, TAG, PEELED, ""],
        ] {
            let advertisement = read(&packets(lines), &[1, 40, 77]).unwrap();
            assert_eq!(advertisement.version, Version::V0);
            assert!(advertisement.capabilities.has("side-band-64k"));
            let [head, tag] = &advertisement.refs[..] else { panic!("{advertisement:?}") };
            assert_eq!(head.symref_target.as_deref(), Some("refs/heads/main"));
            assert_eq!(tag.peeled.unwrap().to_string(), PEELED[..40]);
        }
    }

    #[test]
    fn version_2_lists_capabilities() {
        for start in [&["# service=git-upload-pack", ""][..], &[]] {
            let lines =
                [start, &["version 2", "ls-refs=unborn", "fetch=shallow", "object-format=sha1", ""]].concat();
            let advertisement = read(&packets(&lines), &[]).unwrap();
            assert_eq!((advertisement.version, advertisement.refs.len()), (Version::V2, 0));
            assert!(advertisement.capabilities.has_feature("ls-refs", "unborn"));
        }
    }

    #[test]
    fn a_connection_to_one_service_needs_no_name_and_knows_its_end() {
        for lines in [&[HEAD, TAG, PEELED, ""][..], &["version 2", "ls-refs", ""], &[""]] {
            let mut reader = AdvertisementReader::plain(Kept::All);
            let bytes = packets(lines);
            for chunk in bytes.chunks(7) {
                assert!(!reader.is_complete(), "{lines:?}");
                reader.push(chunk).unwrap();
            }
            assert!(reader.is_complete(), "{lines:?}");
            reader.finish().unwrap();
        }
        let mut reader = AdvertisementReader::plain(Kept::All);
        assert!(matches!(reader.push(&packets(&["# service=git-upload-pack"])), Err(Fault::Protocol(_))));
    }

    #[test]
    fn an_empty_repository_has_no_refs() {
        let none = "0000000000000000000000000000000000000000 capabilities^{}\0side-band-64k";
        for lines in
            [&["# service=git-upload-pack", "", none, ""][..], &["# service=git-upload-pack", "", ""]]
        {
            assert_eq!(read(&packets(lines), &[]).unwrap().refs, []);
        }
    }

    #[test]
    fn what_is_no_advertisement_is_named() {
        let wide = format!("{:064} HEAD\0object-format=sha256", 7);
        for (lines, expected) in [
            (
                &["# service=git-upload-pack", "", "ERR access denied\u{7}", ""][..],
                "Remote(\"access denied\\\\u{7}\")",
            ),
            (
                &["# service=git-upload-pack", "", "version 2", "object-format=sha256", ""],
                "ObjectFormat(\"sha256\")",
            ),
            (&[&wide, ""], "ObjectFormat(\"sha256\")"),
            (&["# service=git-receive-pack", ""], "Protocol("),
            (&["# service=git-upload-pack", "", HEAD], "Truncated(\"the advertisement\")"),
            (&["# service=git-upload-pack", "", PEELED, ""], "Protocol("),
            (&[HEAD, "", HEAD, ""], "Protocol("),
            (&[], "Truncated("),
        ] {
            let fault = format!("{:?}", read(&packets(lines), &[]).unwrap_err());
            assert!(fault.starts_with(expected), "{lines:?}: {fault}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_mean_the_same_however_they_are_cut(bytes in wild_bytes(), cuts: Vec<usize>) {
            prop_assert_eq!(read(&bytes, &cuts), read(&bytes, &[]));
        }
    }

    #[test]
    fn only_refs_that_are_asked_for_are_kept() {
        let wanted = ["refs/heads/b", "refs/heads/gone"].map(str::to_owned).into();
        let mut reader = AdvertisementReader::plain(Kept::Named(wanted));
        let a = "85040fff6e688f9148600929555048056b27bb97 refs/heads/a";
        let b = "da53d653ef22623e93bfc44c61ef6f09dae8c217 refs/heads/b";
        reader.push(&packets(&[HEAD, a, b, TAG, PEELED, ""])).unwrap();
        let found = reader.finish().unwrap();
        let names: Vec<_> = found.refs.iter().map(|reference| reference.name.as_str()).collect();
        assert_eq!(names, ["refs/heads/b"]);
        assert!(found.capabilities.has("side-band-64k"), "the first line counts, whatever its ref");
    }
}
