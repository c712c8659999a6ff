//! What receive-pack says of a push.
//!
//! Source: gitprotocol-pack(5), section Report Status.

use crate::{
    AnswerReader,
    fault::Fault,
    pkt_line::{Decoder, Packet, Packets, Piece},
    sideband::Demultiplexer,
};

/// What receive-pack says of one ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefStatus {
    /// The whole name of the ref.
    pub name: String,
    /// Why the ref was not updated; none when it was.
    pub refused: Option<String>,
}

/// Reads the report of a push, which comes in bands.
#[derive(Debug, Default)]
pub struct ReportReader {
    outer: Decoder,
    bands: Demultiplexer,
    report: Report,
    ended: bool,
}

#[derive(Debug, Default)]
struct Report {
    packets: Packets,
    unpacked: bool,
    statuses: Vec<RefStatus>,
    ended: bool,
}

impl AnswerReader for ReportReader {
    type Answer = Vec<RefStatus>;

    fn push(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        while let Some(piece) = self.outer.next(&mut bytes)? {
            match piece {
                _ if self.ended => {
                    return Err(Fault::Protocol("more after the end of the report".to_owned()));
                }
                Piece::Data { bytes, first, last } => {
                    let bytes = self.bands.piece(bytes, first, last)?;
                    self.report.push(bytes)?;
                }
                Piece::Flush => self.ended = true,
                Piece::Delimiter | Piece::ResponseEnd => {
                    return Err(Fault::Protocol("a delimiter within the report".to_owned()));
                }
            }
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.ended
    }

    /// Returns the status of each ref, in the server's order.
    fn finish(self) -> Result<Vec<RefStatus>, Fault> {
        if self.ended && self.report.ended && self.report.unpacked {
            Ok(self.report.statuses)
        } else {
            Err(Fault::Truncated("the report of the push"))
        }
    }
}

impl Report {
    fn push(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        while let Some(packet) = self.packets.next(&mut bytes)? {
            match packet {
                Packet::Line(line) if !self.unpacked => match line.strip_prefix(b"unpack ") {
                    Some(b"ok") => self.unpacked = true,
                    Some(reason) => return Err(Fault::remote(reason)),
                    None => return Err(Fault::unexpected(line, "unpack ok")),
                },
                Packet::Line(line) => self.statuses.push(status(line)?),
                Packet::Flush => self.ended = true,
                Packet::Delimiter | Packet::ResponseEnd => {
                    return Err(Fault::Protocol("a delimiter within the report".to_owned()));
                }
            }
        }
        Ok(())
    }
}

fn status(line: &[u8]) -> Result<RefStatus, Fault> {
    let text = String::from_utf8_lossy(line);
    if let Some(name) = text.strip_prefix("ok ") {
        return Ok(RefStatus { name: name.to_owned(), refused: None });
    }
    let refused =
        text.strip_prefix("ng ").map(|rest| rest.split_once(' ').unwrap_or((rest, "no reason given")));
    match refused {
        Some((name, reason)) => {
            Ok(RefStatus { name: name.to_owned(), refused: Some(reason.escape_debug().to_string()) })
        }
        None => Err(Fault::unexpected(line, "ok or ng")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wild::{in_chunks, wild_bytes};

    fn packet(line: &[u8]) -> Vec<u8> {
        [format!("{:04x}", line.len() + 4).as_bytes(), line].concat()
    }

    fn banded(report: &[u8]) -> Vec<u8> {
        let mut bytes = packet(b"\x02Resolving deltas\n");
        bytes.extend(packet(&[b"\x01", report].concat()));
        bytes.extend(b"0000");
        bytes
    }

    fn read(bytes: &[u8], cuts: &[usize]) -> Result<Vec<RefStatus>, Fault> {
        let mut reader = ReportReader::default();
        let mut pushed = Ok(());
        in_chunks(bytes, cuts, |chunk| {
            pushed = reader.push(chunk);
            pushed.is_ok()
        });
        pushed.and_then(|()| reader.finish())
    }

    #[test]
    fn a_report_names_each_ref() {
        let report = [
            packet(b"unpack ok\n"),
            packet(b"ok refs/heads/a\n"),
            packet(b"ng refs/heads/b failed to update ref\n"),
            b"0000".to_vec(),
        ]
        .concat();
        let bytes = banded(&report);
        let expected = vec![
            RefStatus { name: "refs/heads/a".into(), refused: None },
            RefStatus { name: "refs/heads/b".into(), refused: Some("failed to update ref".into()) },
        ];
        for cut in 0..bytes.len() {
            assert_eq!(read(&bytes, &[cut]), Ok(expected.clone()), "{cut}");
            assert!(read(&bytes[..cut], &[]).is_err(), "{cut}");
        }
    }

    #[test]
    fn a_pack_that_was_not_unpacked_is_the_servers_error() {
        let report = [packet(b"unpack index-pack abnormal exit\n"), b"0000".to_vec()].concat();
        assert_eq!(read(&banded(&report), &[]), Err(Fault::Remote("index-pack abnormal exit".into())));
    }

    proptest! {
        #[test]
        fn any_bytes_mean_the_same_however_they_are_cut(bytes in wild_bytes(), cuts: Vec<usize>) {
            prop_assert_eq!(read(&bytes, &cuts), read(&bytes, &[]));
        }
    }
}
