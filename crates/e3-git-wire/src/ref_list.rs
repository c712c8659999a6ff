//! Refs, and the answer to `ls-refs` of protocol version 2.
//!
//! Source: gitprotocol-v2(5), section ls-refs.

use crate::{
    AnswerReader, ObjectId,
    fault::Fault,
    pkt_line::{Packet, Packets},
};

/// A ref as a server lists it.
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

/// A ref while its line is at hand: a server may list a million, so that only who needs one keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedRef<'a> {
    /// The whole name: `refs/heads/main`, or `HEAD`; in bytes, since nearly all names are only counted or compared.
    pub name: &'a [u8],
    /// The object that it names.
    pub oid: ObjectId,
    /// The ref that this one stands for, if it is symbolic.
    pub symref_target: Option<&'a str>,
    /// The object that an annotated tag leads to in the end.
    pub peeled: Option<ObjectId>,
}

impl From<&ListedRef<'_>> for Ref {
    fn from(listed: &ListedRef<'_>) -> Self {
        Self {
            name: String::from_utf8_lossy(listed.name).into_owned(),
            oid: listed.oid,
            symref_target: listed.symref_target.map(str::to_owned),
            peeled: listed.peeled,
        }
    }
}

/// Reads the answer to `ls-refs`, and hands each ref to a closure as it comes.
#[derive(Debug)]
pub struct RefList<F> {
    packets: Packets,
    each: F,
    listed: u64,
    read: usize,
    ended: bool,
}

impl<F: FnMut(&ListedRef<'_>)> RefList<F> {
    /// Returns the reader that hands each ref to this closure.
    pub fn new(each: F) -> Self {
        Self { packets: Packets::default(), each, listed: 0, read: 0, ended: false }
    }
}

impl<F: FnMut(&ListedRef<'_>)> AnswerReader for RefList<F> {
    /// The number of refs.
    type Answer = u64;

    fn push(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        self.read = count(self.read, bytes.len())?;
        while let Some(packet) = self.packets.next(&mut bytes)? {
            match packet {
                _ if self.ended => return Err(Fault::Protocol("more after the list of refs".to_owned())),
                Packet::Flush => self.ended = true,
                Packet::Line(line) => {
                    if listed(line, &mut self.each)? {
                        self.listed += 1;
                    }
                }
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

    fn finish(self) -> Result<u64, Fault> {
        if self.ended && self.packets.is_between_packets() {
            Ok(self.listed)
        } else {
            Err(Fault::Truncated("the list of refs"))
        }
    }
}

/// Adds to the size of a list, up to a bound.
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

/// Hands on the ref of a line; returns whether it has one, which a HEAD that stands for no branch yet has not.
fn listed(line: &[u8], each: &mut impl FnMut(&ListedRef<'_>)) -> Result<bool, Fault> {
    reported_error(line)?;
    if line.starts_with(b"unborn ") {
        return Ok(false);
    }
    let (oid, rest) = id_and_rest(line)?;
    // Most refs have a name and nothing more, and a search for one byte is faster than a split.
    if memchr::memchr(b' ', rest).is_none() {
        each(&ListedRef { name: rest, oid, symref_target: None, peeled: None });
        return Ok(true);
    }
    let mut words = rest.split(|byte| *byte == b' ');
    let name = words.next().unwrap_or_default();
    let (mut target, mut peeled) = (None, None);
    // Attributes that nobody asked for are none of this client's concern.
    for word in words {
        if let Some(name) = word.strip_prefix(b"symref-target:") {
            target = Some(String::from_utf8_lossy(name));
        } else if let Some(id) = word.strip_prefix(b"peeled:") {
            peeled =
                Some(ObjectId::parse(id).ok_or_else(|| Fault::unexpected(line, "a ref with a peeled id"))?);
        }
    }
    each(&ListedRef { name, oid, symref_target: target.as_deref(), peeled });
    Ok(true)
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
        let mut refs = Vec::new();
        let mut list = RefList::new(|listed: &ListedRef<'_>| refs.push(Ref::from(listed)));
        let mut pushed = Ok(());
        in_chunks(bytes, cuts, |chunk| {
            pushed = list.push(chunk);
            pushed.is_ok()
        });
        let listed = pushed.and_then(|()| list.finish())?;
        assert_eq!(listed, refs.len() as u64);
        Ok(refs)
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
