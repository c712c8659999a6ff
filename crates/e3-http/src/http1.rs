//! HTTP/1.1 on one connection, driven by the task that waits for the answer.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
    time::Instant,
};

use http::Method;
use tokio::io::AsyncWrite;

use crate::{
    buffer::Buffer,
    connection::{Answer, Broken, Failed},
    headers::Headers,
    message::Message,
    parsing::{Chunked, Framing, Head, Violation, parse_head},
    stream::Stream,
};

/// An open connection that speaks HTTP/1.1; dropping it closes the socket at once.
///
/// No task drives it and nothing is handed from one to another: an exchange that finds the server quick costs one write,
/// one read and its share of one wait.
pub(crate) struct Http1 {
    stream: Stream,
    buffer: Buffer,
    /// The request as it is written; kept for its memory.
    out: Vec<u8>,
    /// The memory of the last answer's headers.
    lines: Vec<u8>,
    /// How many bytes at the buffer's start were handed out.
    handed: usize,
    body: Body,
    /// Whether the server lets the connection live, and both sides know where the exchange ends.
    keeps_alive: bool,
}

/// What is left of a body.
enum Body {
    Length(u64),
    Chunked(Chunked),
    UntilClose,
}

impl Http1 {
    pub(crate) fn new(stream: Stream) -> Self {
        Self {
            stream,
            buffer: Buffer::default(),
            out: Vec::new(),
            lines: Vec::new(),
            handed: 0,
            body: Body::Length(0),
            keeps_alive: true,
        }
    }

    /// Returns whether the connection, idle until now, can carry another exchange; asks the operating system only if it
    /// has told of something to read.
    pub(crate) fn is_reusable(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        // Neither an end nor bytes that nobody asked for can be followed by an exchange.
        self.buffer.is_empty() && self.buffer.poll_fill(&mut self.stream, &mut cx, 0).is_pending()
    }

    /// Sends a request and waits for the head of its response.
    pub(crate) async fn exchange(&mut self, message: &Message<'_>) -> Result<Answer, Failed> {
        self.out.clear();
        message.write_head(&mut self.out);
        let mut body: &[u8] = &message.request.body;
        if body.len() <= COPIED_BODY {
            self.out.extend_from_slice(body);
            body = &[];
        }
        let mut sent = Sent { head: 0, body: 0, early: false };
        let written = poll_fn(|cx| self.poll_send(cx, body, &mut sent)).await;
        let sent_at = Instant::now();
        let whole = sent.head == self.out.len() && sent.body == body.len();
        // A server that refuses a body may close without reading it: its answer says more than the broken write.
        let head = match (self.read_head(message.request.method == Method::HEAD).await, written) {
            (Ok(head), _) => head,
            (Err(error), written) => {
                let answered = !self.buffer.is_empty();
                let unsent = sent.head == 0;
                let error = written.err().filter(|_| !answered).map_or(error, Broken::Io);
                return Err(Failed { error, unsent, answered });
            }
        };
        let head_at = Instant::now();
        Ok(self.begin_body(&head, whole, sent_at, head_at))
    }

    /// Makes [`Http1::piece`] the next piece of the body; returns its length and whether it had to be read, none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<(usize, bool)>, Broken> {
        self.buffer.consume(self.handed);
        self.handed = 0;
        let mut was_read = false;
        loop {
            match self.take_buffered()? {
                Some(0) => return Ok(None),
                Some(count) => {
                    self.handed = count;
                    return Ok(Some((count, was_read)));
                }
                None => {}
            }
            let expected = match self.body {
                Body::Length(left) => left,
                Body::Chunked(_) | Body::UntilClose => 0,
            };
            let read = poll_fn(|cx| self.buffer.poll_fill(&mut self.stream, cx, expected)).await?;
            was_read = true;
            if read == 0 {
                return match self.body {
                    Body::UntilClose => Ok(None),
                    Body::Length(_) | Body::Chunked(_) => Err(broke_off()),
                };
            }
        }
    }

    /// Returns the piece of the body that was handed out last, where it was read to.
    pub(crate) fn piece(&self) -> &[u8] {
        self.buffer.filled().get(..self.handed).unwrap_or_default()
    }

    /// Returns whether the whole body was handed out.
    pub(crate) fn is_drained(&self) -> bool {
        match &self.body {
            Body::Length(left) => *left == 0,
            Body::Chunked(chunked) => chunked.is_done(),
            Body::UntilClose => false,
        }
    }

    /// Ends the exchange, whose body was drained; returns whether another may follow.
    pub(crate) fn rest(&mut self) -> bool {
        self.buffer.consume(self.handed);
        self.handed = 0;
        self.buffer.rest();
        if self.out.capacity() > COPIED_BODY / 4 {
            self.out = Vec::new();
        }
        // What follows a body was not asked for: where the next answer begins is no longer known.
        self.keeps_alive && self.is_drained() && self.buffer.is_empty()
    }

    /// Takes back the memory of an answer's headers.
    pub(crate) fn recycle(&mut self, headers: Headers) {
        self.lines = headers.into_lines();
    }

    fn begin_body(&mut self, head: &Head, whole: bool, sent_at: Instant, head_at: Instant) -> Answer {
        let mut lines = std::mem::take(&mut self.lines);
        lines.clear();
        lines.extend_from_slice(self.buffer.filled().get(head.fields.clone()).unwrap_or_default());
        self.buffer.consume(head.length);
        self.keeps_alive = whole && head.keeps_alive;
        self.body = match head.framing {
            Framing::Length(length) => Body::Length(length),
            Framing::Chunked => Body::Chunked(Chunked::default()),
            Framing::UntilClose => Body::UntilClose,
        };
        let announced = match head.framing {
            Framing::Length(length) => Some(length),
            Framing::Chunked | Framing::UntilClose => None,
        };
        Answer {
            status: head.status,
            headers: Headers::of_lines(lines),
            sets_cookies: head.sets_cookies,
            announced,
            sent_at,
            head_at,
        }
    }

    /// Returns how many bytes of the body are at the buffer's start, 0 at the body's end; none if more must be read.
    fn take_buffered(&mut self) -> Result<Option<usize>, Violation> {
        let there = self.buffer.filled().len();
        match &mut self.body {
            Body::Length(0) => Ok(Some(0)),
            Body::Length(left) => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(there);
                *left -= u64::try_from(count).unwrap_or(*left);
                Ok((count > 0).then_some(count))
            }
            Body::UntilClose => Ok((there > 0).then_some(there)),
            Body::Chunked(chunked) => {
                let piece = chunked.advance(self.buffer.filled())?;
                let is_done = chunked.is_done();
                self.buffer.consume(piece.framing);
                Ok((piece.data > 0 || is_done).then_some(piece.data))
            }
        }
    }

    /// Writes what is not written yet. While the server takes no more, what it sends is read: it may refuse the request
    /// before it has seen all of it.
    fn poll_send(&mut self, cx: &mut Context<'_>, body: &[u8], sent: &mut Sent) -> Poll<io::Result<()>> {
        while !sent.early {
            let head = self.out.get(sent.head..).unwrap_or_default();
            let rest = body.get(sent.body..).unwrap_or_default();
            if head.is_empty() && rest.is_empty() {
                break;
            }
            match self.stream.poll_write(cx, head, rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => {
                    let of_head = count.min(head.len());
                    sent.head += of_head;
                    sent.body += count - of_head;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if self.buffer.is_full() => return Poll::Pending,
                Poll::Pending => {
                    let read = ready!(self.buffer.poll_fill(&mut self.stream, cx, 0))?;
                    sent.early = read == 0 || self.has_refusal();
                }
            }
        }
        // Only an encrypted stream holds anything back.
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Returns whether what was read is the head of an answer that makes the rest of the request pointless.
    fn has_refusal(&self) -> bool {
        let head = parse_head(self.buffer.filled(), false);
        head.map_or(true, |head| head.is_some_and(|head| head.status >= 300))
    }

    async fn read_head(&mut self, to_head: bool) -> Result<Head, Broken> {
        loop {
            if !self.buffer.is_empty() {
                match parse_head(self.buffer.filled(), to_head)? {
                    Some(Head { status: 101, .. }) => {
                        return Err(Violation::new("it changes the protocol, which nobody asked for").into());
                    }
                    // What is said while the answer is still to come.
                    Some(head) if head.status < 200 => {
                        self.buffer.consume(head.length);
                        continue;
                    }
                    Some(head) => return Ok(head),
                    None => {}
                }
            }
            if poll_fn(|cx| self.buffer.poll_fill(&mut self.stream, cx, 0)).await? == 0 {
                return Err(broke_off());
            }
        }
    }
}

/// How much of a request was written.
struct Sent {
    head: usize,
    body: usize,
    /// Whether the server answered, or closed, before it had seen all.
    early: bool,
}

fn broke_off() -> Broken {
    Broken::Io(io::Error::new(io::ErrorKind::UnexpectedEof, "closed before the answer was whole"))
}

/// Bodies up to this many bytes are written with the head from one piece of memory; larger ones from where they are.
const COPIED_BODY: usize = 16 << 10;
