//! The socket of a connection: read in large pieces, watched, and closed from outside.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::oneshot,
};

/// A TCP stream for an SSH session, whose reads of a few bytes it serves from a buffer.
///
/// The session is driven by a task that its library spawns and does not hand out; that task ends when this stream
/// fails, which it does once the [`Guard`] is gone.
pub(super) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The part of the buffer that was read from the socket and not handed on.
    filled: std::ops::Range<usize>,
    guard: oneshot::Receiver<Infallible>,
    is_cut: bool,
    trace: Trace,
}

/// Keeps a [`Wire`] open; dropping it closes the wire at once, whoever waits on it.
pub(super) struct Guard {
    _alive: oneshot::Sender<Infallible>,
}

/// When bytes were last written.
#[derive(Clone)]
pub(super) struct Trace {
    opened: Instant,
    last_write_ns: Arc<AtomicU64>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> (Self, Guard, Trace) {
        let (alive, guard) = oneshot::channel();
        let trace = Trace { opened: Instant::now(), last_write_ns: Arc::default() };
        let buffer = vec![0; SMALLEST_BUFFER];
        let wire = Self { stream, buffer, filled: 0..0, guard, is_cut: false, trace: trace.clone() };
        (wire, Guard { _alive: alive }, trace)
    }

    /// Fails when the guard is gone; also sees to it that the task wakes when it goes.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if !self.is_cut {
            self.is_cut = Pin::new(&mut self.guard).poll(cx).is_ready();
        }
        if self.is_cut { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }

    /// Reads as much as the buffer holds; the next buffer is larger when this one came back full.
    fn fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut read = ReadBuf::new(&mut self.buffer);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))?;
        self.filled = 0..read.filled().len();
        if self.filled.end == self.buffer.len() && self.buffer.len() < LARGEST_BUFFER {
            self.buffer.resize(self.buffer.len() * 4, 0);
        }
        Poll::Ready(Ok(()))
    }
}

impl Trace {
    /// Returns when the operating system last took bytes to send.
    pub(super) fn last_write(&self) -> Instant {
        self.opened + Duration::from_nanos(self.last_write_ns.load(Ordering::Acquire))
    }

    fn wrote(&self, result: &Poll<io::Result<usize>>) {
        if matches!(result, Poll::Ready(Ok(1..))) {
            let since = u64::try_from(self.opened.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.last_write_ns.store(since, Ordering::Release);
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.filled.is_empty() {
            self.check(cx)?;
            ready!(self.fill(cx))?;
        }
        let taken = self.filled.len().min(out.remaining());
        let start = self.filled.start;
        out.put_slice(self.buffer.get(start..start + taken).unwrap_or_default());
        self.filled.start += taken;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.trace.wrote(&result);
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Enough for a handshake and a list of some refs.
const SMALLEST_BUFFER: usize = 16 << 10;
/// Two packets: small reads are what a client draining packs would else spend its time on, and larger ones save nothing
/// more, as measured.
const LARGEST_BUFFER: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (client, server) =
            tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        (client.unwrap(), server.unwrap().0)
    }

    #[tokio::test]
    async fn what_is_sent_is_read_however_it_is_asked_for() {
        let (client, mut server) = pair().await;
        let (mut wire, _guard, _) = Wire::new(client);
        let sent: Vec<u8> = (0..1_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        let expected = sent.clone();
        let writing = tokio::spawn(async move { server.write_all(&sent).await });
        let mut read = Vec::new();
        for size in [1, 4, 31, 40_000, 7, 500_000].into_iter().cycle() {
            let mut piece = vec![0; size];
            let got = wire.read(&mut piece).await.unwrap();
            if got == 0 {
                break;
            }
            read.extend_from_slice(&piece[..got]);
        }
        writing.await.unwrap().unwrap();
        assert!(read == expected, "{} bytes", read.len());
        assert_eq!(wire.buffer.len(), LARGEST_BUFFER);
    }

    #[tokio::test]
    async fn without_its_guard_it_fails_whoever_waits() {
        let (client, mut server) = pair().await;
        let (mut wire, guard, _) = Wire::new(client);
        let waiting = tokio::spawn(async move { wire.read_u8().await });
        tokio::task::yield_now().await;
        drop(guard);
        assert_eq!(waiting.await.unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
    }
}
