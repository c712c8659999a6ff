//! The socket of a connection, watched: when was the last byte written, has any been read.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// A TCP stream that keeps a [`Trace`] of what passes.
pub(crate) struct Wire {
    stream: TcpStream,
    trace: Trace,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> (Self, Trace) {
        let trace = Trace { opened: Instant::now(), marks: Arc::default() };
        (Self { stream, trace: trace.clone() }, trace)
    }
}

/// What is known of a connection's traffic; cheap to clone, readable while the connection works.
#[derive(Clone)]
pub(crate) struct Trace {
    opened: Instant,
    marks: Arc<Marks>,
}

#[derive(Default)]
struct Marks {
    bytes_read: AtomicU64,
    last_write_ns: AtomicU64,
}

impl Trace {
    /// Returns how many bytes were read since the connection was opened.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.marks.bytes_read.load(Ordering::Acquire)
    }

    /// Returns when the operating system last took bytes to send.
    pub(crate) fn last_write(&self) -> Instant {
        self.opened + Duration::from_nanos(self.marks.last_write_ns.load(Ordering::Acquire))
    }

    fn wrote(&self, result: &Poll<io::Result<usize>>) {
        if matches!(result, Poll::Ready(Ok(1..))) {
            let since = u64::try_from(self.opened.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.marks.last_write_ns.store(since, Ordering::Release);
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let read = buffer.filled().len() - before;
        self.trace.marks.bytes_read.fetch_add(u64::try_from(read).unwrap_or(u64::MAX), Ordering::AcqRel);
        result
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
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

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.trace.wrote(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
