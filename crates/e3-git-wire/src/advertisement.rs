//! What a server says when asked for `info/refs`: its capabilities, and before version 2 its refs.
//!
//! Source: gitprotocol-http(5), section Smart Server Response; gitprotocol-pack(5), section Reference Discovery.

use crate::{
    AnswerReader, ListedRef, ObjectId,
    capabilities::Capabilities,
    fault::Fault,
    pkt_line::{Packet, Packets},
    ref_list::{count, id_and_rest, reported_error},
};

/// A server's advertisement, but for the refs in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advertisement {
    /// The version that the server speaks.
    pub version: Version,
    /// What it can.
    pub capabilities: Capabilities,
    /// How many refs it lists; 0 in version 2, where one asks for them.
    pub refs: u64,
}

/// The version of the protocol, as far as it makes a difference here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Version 0, and 1, which differs by one line.
    V0,
    /// Version 2.
    V2,
}

/// The service whose advertisement it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Of fetches.
    UploadPack,
    /// Of pushes.
    ReceivePack,
}

impl Service {
    /// Returns the name of the program.
    pub fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }
}

/// Reads an advertisement, and hands each ref in it to a closure as it comes.
#[derive(Debug)]
pub struct AdvertisementReader<F> {
    /// Which service must be named first; none where the connection itself says it.
    service: Option<Service>,
    packets: Packets,
    expected: Expected,
    read: usize,
    version: Version,
    capabilities: Capabilities,
    refs: Refs<F>,
}

/// The refs of an advertisement, of which the last is held until it is known whether a line follows that peels it.
#[derive(Debug)]
struct Refs<F> {
    each: F,
    listed: u64,
    held: Option<Held>,
    /// The name of the one that is held; kept, so that not every ref allocates.
    name: String,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    oid: ObjectId,
    peeled: Option<ObjectId>,
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

impl<F: FnMut(&ListedRef<'_>)> AdvertisementReader<F> {
    /// Returns the reader of an advertisement over HTTP, which names its service.
    pub fn new(service: Service, each: F) -> Self {
        Self::expecting(Some(service), Expected::Service, each)
    }

    /// Returns the reader of an advertisement over a connection to one service, which does not name it.
    pub fn plain(each: F) -> Self {
        Self::expecting(None, Expected::First, each)
    }

    fn expecting(service: Option<Service>, expected: Expected, each: F) -> Self {
        Self {
            service,
            packets: Packets::default(),
            expected,
            read: 0,
            version: Version::V0,
            capabilities: Capabilities::default(),
            refs: Refs { each, listed: 0, held: None, name: String::new() },
        }
    }
}

impl<F: FnMut(&ListedRef<'_>)> AnswerReader for AdvertisementReader<F> {
    type Answer = Advertisement;

    fn push(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        self.read = count(self.read, bytes.len())?;
        let mut state = Lines {
            service: self.service,
            version: &mut self.version,
            capabilities: &mut self.capabilities,
            refs: &mut self.refs,
        };
        while let Some(packet) = self.packets.next(&mut bytes)? {
            self.expected = match packet {
                Packet::Line(line) => {
                    reported_error(line)?;
                    state.line(self.expected, line)?
                }
                Packet::Flush => {
                    state.refs.hand_on(state.capabilities);
                    flush(self.expected)?
                }
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
        self.capabilities.check_object_format()?;
        Ok(Advertisement { version: self.version, capabilities: self.capabilities, refs: self.refs.listed })
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

/// What the lines of an advertisement change, apart from the packets that hold them.
struct Lines<'r, F> {
    service: Option<Service>,
    version: &'r mut Version,
    capabilities: &'r mut Capabilities,
    refs: &'r mut Refs<F>,
}

impl<F: FnMut(&ListedRef<'_>)> Lines<'_, F> {
    fn line(&mut self, expected: Expected, line: &[u8]) -> Result<Expected, Fault> {
        if let (Expected::Service, Some(service), Some(found)) =
            (expected, self.service, line.strip_prefix(b"# service="))
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
                    *self.version = Version::V2;
                    Ok(Expected::Capability)
                }
                b"version 1" => Ok(Expected::FirstRef),
                _ => self.first_ref(line),
            },
            Expected::FirstRef => self.first_ref(line),
            Expected::Ref => self.refs.line(line, self.capabilities),
            Expected::Capability => {
                self.capabilities.add(line);
                self.capabilities.check_size()?;
                Ok(Expected::Capability)
            }
            Expected::FlushAfterService | Expected::Nothing => Err(Fault::unexpected(line, "a flush")),
        }
    }

    fn first_ref(&mut self, line: &[u8]) -> Result<Expected, Fault> {
        let mut halves = line.splitn(2, |byte| *byte == 0);
        let reference = halves.next().unwrap_or_default();
        *self.capabilities = Capabilities::from_words(halves.next().unwrap_or_default());
        // Ids of another length must be called by their name, not a broken line.
        self.capabilities.check_object_format()?;
        self.refs.line(reference, self.capabilities)
    }
}

impl<F: FnMut(&ListedRef<'_>)> Refs<F> {
    fn line(&mut self, line: &[u8], capabilities: &Capabilities) -> Result<Expected, Fault> {
        if line.starts_with(b"shallow ") {
            return Ok(Expected::Ref);
        }
        let (oid, name) = id_and_rest(line)?;
        if name == b"capabilities^{}" && oid.is_zero() {
            return Ok(Expected::Ref);
        }
        let name = String::from_utf8_lossy(name);
        match (name.strip_suffix("^{}"), &mut self.held) {
            (Some(tag), Some(held)) if self.name == tag => held.peeled = Some(oid),
            (Some(_), _) => return Err(Fault::unexpected(line, "the tag that this one peels")),
            (None, _) => {
                self.hand_on(capabilities);
                self.held = Some(Held { oid, peeled: None });
                self.name.clear();
                self.name.push_str(&name);
            }
        }
        Ok(Expected::Ref)
    }

    /// Hands on the ref that is held, if one is.
    fn hand_on(&mut self, capabilities: &Capabilities) {
        let Some(Held { oid, peeled }) = self.held.take() else { return };
        let name = self.name.as_str();
        let symrefs = capabilities.values("symref").filter_map(|symref| symref.split_once(':'));
        let symref_target = symrefs.filter(|(of, _)| *of == name).map(|(_, target)| target).next();
        (self.each)(&ListedRef { name: name.as_bytes(), oid, symref_target, peeled });
        self.listed += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Ref,
        pkt_line::{write_flush, write_line},
        wild::{in_chunks, wild_bytes},
    };

    fn read(bytes: &[u8], cuts: &[usize]) -> Result<(Advertisement, Vec<Ref>), Fault> {
        let mut refs = Vec::new();
        let each = |listed: &ListedRef<'_>| refs.push(Ref::from(listed));
        let mut reader = AdvertisementReader::new(Service::UploadPack, each);
        let mut pushed = Ok(());
        in_chunks(bytes, cuts, |chunk| {
            pushed = reader.push(chunk);
            pushed.is_ok()
        });
        let advertisement = pushed.and_then(|()| reader.finish())?;
        assert_eq!(advertisement.refs, refs.len() as u64);
        Ok((advertisement, refs))
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
            let (advertisement, refs) = read(&packets(lines), &[1, 40, 77]).unwrap();
            assert_eq!(advertisement.version, Version::V0);
            assert!(advertisement.capabilities.has("side-band-64k"));
            let [head, tag] = &refs[..] else { panic!("{refs:?}") };
            assert_eq!(head.symref_target.as_deref(), Some("refs/heads/main"));
            assert_eq!(tag.peeled.unwrap().to_string(), PEELED[..40]);
        }
    }

    #[test]
    fn version_2_lists_capabilities() {
        for start in [&["# service=git-upload-pack", ""][..], &[]] {
            let lines =
                [start, &["version 2", "ls-refs=unborn", "fetch=shallow", "object-format=sha1", ""]].concat();
            let (advertisement, _) = read(&packets(&lines), &[]).unwrap();
            assert_eq!((advertisement.version, advertisement.refs), (Version::V2, 0));
            assert!(advertisement.capabilities.has_feature("ls-refs", "unborn"));
        }
    }

    #[test]
    fn a_connection_to_one_service_needs_no_name_and_knows_its_end() {
        for lines in [&[HEAD, TAG, PEELED, ""][..], &["version 2", "ls-refs", ""], &[""]] {
            let mut reader = AdvertisementReader::plain(|_: &ListedRef<'_>| {});
            let bytes = packets(lines);
            for chunk in bytes.chunks(7) {
                assert!(!reader.is_complete(), "{lines:?}");
                reader.push(chunk).unwrap();
            }
            assert!(reader.is_complete(), "{lines:?}");
            reader.finish().unwrap();
        }
        let mut reader = AdvertisementReader::plain(|_: &ListedRef<'_>| {});
        assert!(matches!(reader.push(&packets(&["# service=git-upload-pack"])), Err(Fault::Protocol(_))));
    }

    #[test]
    fn an_empty_repository_has_no_refs() {
        let none = "0000000000000000000000000000000000000000 capabilities^{}\0side-band-64k";
        for lines in
            [&["# service=git-upload-pack", "", none, ""][..], &["# service=git-upload-pack", "", ""]]
        {
            assert_eq!(read(&packets(lines), &[]).unwrap().1, []);
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
}
