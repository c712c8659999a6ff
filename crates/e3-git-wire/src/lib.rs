//! Git's wire formats: bytes in, values out; values in, bytes out.
//!
//! What comes in are pieces of a server's answers, cut anywhere; what goes out are capabilities, refs, the facts of a
//! pack, reports of pushes, and the requests and packs that a client sends. Nothing here connects, waits, reads a clock
//! or a file, nothing is held in memory without a bound, and no bytes make it panic: every reader is property-tested
//! beside its code and fuzzed (`cargo xtask fuzz`).

mod advertisement;
mod answer;
mod capabilities;
mod checksum;
mod commit;
mod deflate;
mod delta;
mod fault;
mod fetch_answer;
mod negotiation;
mod object;
mod object_id;
mod pack;
mod pack_objects;
mod pkt_line;
mod ref_list;
mod report_status;
mod request;
mod sideband;
mod tree;

#[cfg(test)]
mod wild;

pub use advertisement::{Advertisement, AdvertisementReader, Service, Version};
pub use answer::AnswerReader;
pub use capabilities::Capabilities;
pub use checksum::Checksum;
pub use commit::{NewCommit, PackedCommit};
pub use deflate::gzip;
pub use fault::Fault;
pub use fetch_answer::{Asked, FetchAnswer, Fetched, Wrapping};
pub use negotiation::{Negotiation, Round};
pub use object::{Kind, Object, Packed, pack};
pub use object_id::ObjectId;
pub use pack::{Pack, PackDrain};
pub use pack_objects::{LARGEST, PackObjects};
pub use pkt_line::{Decoder, Packet, Packets, Piece, write_delimiter, write_flush, write_line, write_text};
pub use ref_list::{ListedRef, Ref, RefList};
pub use report_status::{RefStatus, ReportReader};
pub use request::{FetchRequest, fetch_history, fetch_tip, ls_refs};
pub use sideband::Demultiplexer;
pub use tree::RootTree;
