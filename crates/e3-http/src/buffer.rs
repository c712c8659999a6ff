//! The one read buffer of a connection.

use std::{
    io,
    task::{Context, Poll, ready},
};

use tokio::io::ReadBuf;

use crate::{parsing::MAX_HEAD, stream::Stream};

/// The one read buffer of a connection: small while answers are, large while a body streams, let go when idle.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// All initialised; what was read and not consumed is `start..end`.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Whether the last read left no room, so that a larger one may bring more.
    was_full: bool,
}

impl Buffer {
    /// Returns what was read and not consumed.
    pub(crate) fn filled(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Returns whether no more can be read before something is consumed.
    pub(crate) fn is_full(&self) -> bool {
        self.end - self.start >= LARGE
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Reads once, behind what is there; returns how many bytes came, 0 at the end of the stream. At least `expected` bytes
    /// are still to come.
    pub(crate) fn poll_fill(
        &mut self,
        stream: &mut Stream,
        cx: &mut Context<'_>,
        expected: u64,
    ) -> Poll<io::Result<usize>> {
        self.make_room(usize::try_from(expected).unwrap_or(LARGE));
        let mut room = ReadBuf::new(self.bytes.get_mut(self.end..).unwrap_or_default());
        let size = room.remaining();
        ready!(stream.poll_read(cx, &mut room))?;
        let read = room.filled().len();
        self.was_full = read == size;
        self.end += read;
        Poll::Ready(Ok(read))
    }

    /// Gives back what an idle connection does not need.
    pub(crate) fn rest(&mut self) {
        self.was_full = false;
        if self.is_empty() && self.bytes.len() > SMALL {
            *self = Self::default();
        }
    }

    fn make_room(&mut self, expected: usize) {
        let there = self.end - self.start;
        // What is announced gets as much as it needs; what is not is found to need more by filling what there is.
        let is_tight = self.was_full || there == self.bytes.len();
        let grown = if is_tight { self.bytes.len().saturating_mul(GROWTH) } else { 0 };
        let size = expected.max(grown).clamp(SMALL, LARGE).next_power_of_two();
        if self.bytes.len() < size {
            let mut larger = vec![0; size];
            if let Some(place) = larger.get_mut(..there) {
                place.copy_from_slice(self.filled());
            }
            self.bytes = larger;
            (self.start, self.end) = (0, there);
        } else if self.start > 0 && self.bytes.len() - self.end < SMALL / 2 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, there);
        }
    }
}

/// Room for the whole answer of most requests; what a kept connection holds on to.
const SMALL: usize = 4 << 10;

/// What one read of a streaming body brings at most: enough that the call itself is a small part of its cost, and little
/// enough that it stays in the processor's cache between the kernel's copy and its reader.
const LARGE: usize = 64 << 10;

/// How many times larger a buffer becomes that was too small.
const GROWTH: usize = 4;

const _: () = assert!(LARGE >= MAX_HEAD, "a whole head must fit");
