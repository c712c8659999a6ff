//! The bytes between a client and its session: read only as fast as git takes them.
//!
//! A session hands on what it has read at once and widens its window with it, so a client could send faster than a push
//! is taken in. What was handed on and not yet taken is counted in a [`Gate`]; while it holds too much, nothing is read,
//! and the client is stopped by TCP itself. Sending goes on meanwhile.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::patience::Patient;

/// How much was read and not yet taken, and whether the line is still open.
#[derive(Debug, Default)]
pub(super) struct Gate {
    held: AtomicUsize,
    closed: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

/// Data that counts as held as long as it lives.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) data: Bytes,
    gate: Arc<Gate>,
}

/// A connection that its gate can hold up and cut.
pub(super) struct Line {
    stream: Patient,
    gate: Arc<Gate>,
}

/// Cuts the line when dropped.
pub(super) struct Cut(pub(super) Arc<Gate>);

impl Gate {
    /// Counts the data as held.
    pub(super) fn hold(self: &Arc<Self>, data: Bytes) -> Piece {
        self.held.fetch_add(data.len(), Ordering::AcqRel);
        Piece { data, gate: Arc::clone(self) }
    }

    /// Makes everything on the line fail from now on.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.reader.wake();
        self.writer.wake();
    }

    fn check(&self) -> io::Result<()> {
        if self.closed.load(Ordering::Acquire) {
            Err(io::ErrorKind::ConnectionAborted.into())
        } else {
            Ok(())
        }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let before = self.gate.held.fetch_sub(self.data.len(), Ordering::AcqRel);
        if before > MOST_HELD {
            self.gate.reader.wake();
        }
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Line {
    pub(super) fn new(stream: Patient, gate: Arc<Gate>) -> Self {
        Self { stream, gate }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Before the look at the gate, so that what happens in between wakes it.
        self.gate.reader.register(context.waker());
        self.gate.check()?;
        if self.gate.held.load(Ordering::Acquire) > MOST_HELD {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.gate.writer.register(context.waker());
        self.gate.check()?;
        Pin::new(&mut self.stream).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// More than git reads at once, less than hurts when every connection holds it.
const MOST_HELD: usize = 512 << 10;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn line() -> (Line, Arc<Gate>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let gate = Arc::new(Gate::default());
        (Line::new(Patient::new(stream, Duration::from_secs(60)), Arc::clone(&gate)), gate, peer)
    }

    #[tokio::test]
    async fn nothing_is_read_while_too_much_is_held_and_reading_goes_on_afterwards() {
        let (mut line, gate, mut peer) = line().await;
        peer.write_all(b"hello").await.unwrap();
        let one = gate.hold(Bytes::from(vec![0; MOST_HELD]));
        let two = gate.hold(Bytes::from_static(b"x"));
        let mut into = [0_u8; 5];
        let mut reading = Box::pin(line.read_exact(&mut into));
        assert!(futures_util::poll!(&mut reading).is_pending());
        // As far as it should be written, it still can be.
        drop(two);
        tokio::time::timeout(Duration::from_secs(20), reading).await.expect("it is woken").unwrap();
        drop(one);
        assert_eq!((&into, gate.held.load(Ordering::Relaxed)), (b"hello", 0));
    }

    #[tokio::test]
    async fn a_cut_line_fails_at_once_in_both_directions() {
        let (mut line, gate, _peer) = line().await;
        let cut = Cut(Arc::clone(&gate));
        let mut into = [0_u8; 1];
        let mut reading = Box::pin(line.read(&mut into));
        assert!(futures_util::poll!(&mut reading).is_pending());
        drop(cut);
        let failed = tokio::time::timeout(Duration::from_secs(20), reading).await.expect("it is woken");
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        assert_eq!(line.write(b"x").await.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }
}
