//! Refs, and the answer to `ls-refs` of protocol version 2.
//!
//! Source: gitprotocol-v2(5), section ls-refs.

use crate::{
    ObjectId,
    conversation::AnswerReader,
    fault::Fault,
    pkt_line::{Packet, Packets},
};

/// A ref as the server lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ref {
    /// The whole name: `refs/heads/main`, or `HEAD`.
    pub name: String,
    /// The object that it names.
    pub oid: ObjectId,
    /// The ref that this one stands for, if it is symbolic.
    pub symref_target: Option<String>,
    /// The object that an annotated tag leads to in the end.
    pub peeled: Option<ObjectId>,
}

impl Ref {
    /// Returns whether `git clone` fetches it: HEAD, branches and tags.
    pub(crate) fn is_cloned(&self) -> bool {
        self.name == "HEAD" || self.name.starts_with("refs/heads/") || self.name.starts_with("refs/tags/")
    }
}

/// Reads the answer to `ls-refs`.
#[derive(Debug, Default)]
pub(crate) struct RefList {
    packets: Packets,
    refs: Vec<Ref>,
    read: usize,
    ended: bool,
}

impl AnswerReader for RefList {
    type Answer = Vec<Ref>;

    fn push(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        self.read = count(self.read, bytes.len())?;
        while let Some(packet) = self.packets.next(&mut bytes)? {
            match packet {
                _ if self.ended => return Err(Fault::Protocol("more after the list of refs".to_owned())),
                Packet::Flush => self.ended = true,
                Packet::Line(line) => self.refs.extend(reference(line)?),
                Packet::Delimiter | Packet::ResponseEnd => {
                    return Err(Fault::Protocol("a delimiter within the list of refs".to_owned()));
                }
            }
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.ended
    }

    fn finish(self) -> Result<Vec<Ref>, Fault> {
        if self.ended && self.packets.is_between_packets() {
            Ok(self.refs)
        } else {
            Err(Fault::Truncated("the list of refs"))
        }
    }
}

/// Adds to the size of a list that is kept in memory, up to a bound.
pub(crate) fn count(read: usize, more: usize) -> Result<usize, Fault> {
    let read = read.saturating_add(more);
    if read > LARGEST_LIST {
        return Err(Fault::Protocol(format!("a list of refs of more than {LARGEST_LIST} bytes")));
    }
    Ok(read)
}

/// Splits `id name…` as every line of a list has it.
pub(crate) fn id_and_rest(line: &[u8]) -> Result<(ObjectId, &[u8]), Fault> {
    let (id, rest) = line.split_at_checked(40).unwrap_or((line, &[]));
    match (ObjectId::parse(id), rest.split_first()) {
        (Some(id), Some((b' ', name))) if !name.is_empty() => Ok((id, name)),
        _ => Err(Fault::unexpected(line, "a ref")),
    }
}

/// Returns the error that a line reports, if it reports one.
///
/// Source: gitprotocol-pack(5): an `ERR` line may come in place of any other.
pub(crate) fn reported_error(line: &[u8]) -> Result<(), Fault> {
    match line.strip_prefix(b"ERR ") {
        Some(message) => Err(Fault::remote(message)),
        None => Ok(()),
    }
}

fn reference(line: &[u8]) -> Result<Option<Ref>, Fault> {
    reported_error(line)?;
    if line.starts_with(b"unborn ") {
        return Ok(None);
    }
    let (oid, rest) = id_and_rest(line)?;
    let mut words = rest.split(|byte| *byte == b' ');
    let name = String::from_utf8_lossy(words.next().unwrap_or_default()).into_owned();
    let mut reference = Ref { name, oid, symref_target: None, peeled: None };
    // Attributes that nobody asked for are none of this client's concern.
    for word in words {
        if let Some(target) = word.strip_prefix(b"symref-target:") {
            reference.symref_target = Some(String::from_utf8_lossy(target).into_owned());
        } else if let Some(id) = word.strip_prefix(b"peeled:") {
            let peeled =
                ObjectId::parse(id).ok_or_else(|| Fault::unexpected(line, "a ref with a peeled id"))?;
            reference.peeled = Some(peeled);
        }
    }
    Ok(Some(reference))
}

/// Room for two million refs with long names; more is an attack or an accident.
const LARGEST_LIST: usize = 256 << 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        pkt_line::{write_flush, write_line},
        wild::{in_chunks, wild_bytes},
    };

    fn read(bytes: &[u8], cuts: &[usize]) -> Result<Vec<Ref>, Fault> {
        let mut list = RefList::default();
        let mut pushed = Ok(());
        in_chunks(bytes, cuts, |chunk| {
            pushed = list.push(chunk);
            pushed.is_ok()
        });
        pushed.and_then(|()| list.finish())
    }

    #[test]
    fn reads_attributes_and_skips_an_unborn_head() {
        let mut bytes = Vec::new();
        write_line(&mut bytes, "unborn HEAD symref-target:refs/heads/main");
        write_line(&mut bytes, "da53d653ef22623e93bfc44c61ef6f09dae8c217 refs/heads/ä new-attribute:1");
        write_line(
            &mut bytes,
            "85040fff6e688f9148600929555048056b27bb97 refs/tags/v1 peeled:da53d653ef22623e93bfc44c61ef6f09dae8c217",
        );
        assert_eq!(read(&bytes, &[]), Err(Fault::Truncated("the list of refs")));
        write_flush(&mut bytes);
        let refs = read(&bytes, &[3, 50]).unwrap();
        assert_eq!(refs[0].name, "refs/heads/ä");
        assert_eq!(refs[1].peeled, Some(refs[0].oid));
        assert!(refs.iter().all(Ref::is_cloned));
    }

    #[test]
    fn a_list_is_bounded() {
        assert_eq!(count(LARGEST_LIST - 1, 1), Ok(LARGEST_LIST));
        assert!(count(LARGEST_LIST, 1).is_err() && count(usize::MAX, 1).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_mean_the_same_however_they_are_cut(bytes in wild_bytes(), cuts: Vec<usize>) {
            prop_assert_eq!(read(&bytes, &cuts), read(&bytes, &[]));
        }
    }
}
