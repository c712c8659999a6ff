//! HTTP/2 on one connection, one exchange at a time, driven by the task that waits for the answer.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Instant,
};

use bytes::Bytes;
use h2::{
    RecvStream, SendStream,
    client::{self, ResponseFuture, SendRequest},
};
use http::{Uri, uri};

use crate::{
    connection::{Answer, Broken, Failed},
    headers::Headers,
    message::Message,
    parsing::{MAX_HEAD, Violation},
    stream::Stream,
};

/// An open connection that speaks HTTP/2; dropping it closes the socket at once.
///
/// Between exchanges nobody drives it: what the server sends meanwhile is seen when the next exchange begins.
pub(crate) struct Http2 {
    sender: SendRequest<Bytes>,
    driver: Driver,
    body: Option<RecvStream>,
    /// The piece that was handed out last.
    piece: Bytes,
}

struct Driver(client::Connection<Stream, Bytes>);

impl Http2 {
    /// Says hello; the server's settings come with its first answer.
    pub(crate) async fn open(stream: Stream) -> Result<Self, Broken> {
        let (sender, connection) = client::Builder::new()
            .initial_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
            .enable_push(false)
            .handshake(stream)
            .await
            .map_err(broken)?;
        Ok(Self { sender, driver: Driver(connection), body: None, piece: Bytes::new() })
    }

    /// Returns whether the connection, idle until now, can carry another exchange.
    pub(crate) fn is_reusable(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.driver.poll(&mut cx).is_pending()
            && !matches!(self.sender.poll_ready(&mut cx), Poll::Ready(Err(_)))
    }

    /// Sends a request and waits for the head of its response.
    pub(crate) async fn exchange(&mut self, message: &Message<'_>) -> Result<Answer, Failed> {
        let request = request(message).map_err(|violation| Failed {
            error: violation.into(),
            unsent: false,
            answered: false,
        })?;
        let body = &message.request.body;
        let failed = |error: h2::Error| Failed {
            // Source: RFC 9113, section 8.7: such a request was not processed.
            unsent: error.reason() == Some(h2::Reason::REFUSED_STREAM)
                || (error.is_go_away() && error.is_remote()),
            answered: false,
            error: broken(error),
        };
        let (driver, sender) = (&mut self.driver, &mut self.sender);
        driver.until(|cx| sender.poll_ready(cx)).await.map_err(failed)?;
        let (mut answer, stream) = sender.send_request(request, body.is_empty()).map_err(failed)?;
        let early = driver.send(stream, &mut answer, body.clone()).await.map_err(failed)?;
        let sent_at = Instant::now();
        let response = match early {
            Some(response) => response,
            None => driver.until(|cx| Pin::new(&mut answer).poll(cx)).await.map_err(failed)?,
        };
        let head_at = Instant::now();
        let (head, body) = response.into_parts();
        let length = head
            .headers
            .get(http::header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let announced = if body.is_end_stream() { Some(0) } else { length };
        self.body = Some(body);
        Ok(Answer {
            status: head.status.as_u16(),
            sets_cookies: head.headers.contains_key(http::header::SET_COOKIE),
            headers: Headers::of_map(&head.headers),
            announced,
            sent_at,
            head_at,
        })
    }

    /// Makes [`Http2::piece`] the next piece of the body; returns its length and whether it had to be waited for, none at
    /// the end.
    pub(crate) async fn next(&mut self) -> Result<Option<(usize, bool)>, Broken> {
        loop {
            let Some(body) = &mut self.body else { return Ok(None) };
            let mut waited = false;
            let next = self.driver.until_some(|cx| body.poll_data(cx), &mut waited).await.map_err(broken)?;
            match next {
                None => {
                    self.body = None;
                    self.piece = Bytes::new();
                }
                Some(piece) => {
                    body.flow_control().release_capacity(piece.len()).map_err(broken)?;
                    if !piece.is_empty() {
                        self.piece = piece;
                        return Ok(Some((self.piece.len(), waited)));
                    }
                }
            }
        }
    }

    /// Returns the piece of the body that was handed out last.
    pub(crate) fn piece(&self) -> &[u8] {
        &self.piece
    }

    /// Returns whether the whole body was handed out.
    pub(crate) fn is_drained(&self) -> bool {
        self.body.as_ref().is_none_or(RecvStream::is_end_stream)
    }
}

impl Driver {
    /// Lets the connection do what it can now.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), h2::Error>> {
        Pin::new(&mut self.0).poll(cx)
    }

    /// Waits for what the function polls, while the connection is driven.
    async fn until<T>(
        &mut self,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<Result<T, h2::Error>>,
    ) -> Result<T, h2::Error> {
        poll_fn(|cx| {
            let connection = self.poll(cx);
            match (poll(cx), connection) {
                (Poll::Ready(found), _) => Poll::Ready(found),
                (Poll::Pending, Poll::Ready(Err(error))) => Poll::Ready(Err(error)),
                (Poll::Pending, Poll::Ready(Ok(()))) => Poll::Ready(Err(h2::Reason::CANCEL.into())),
                (Poll::Pending, Poll::Pending) => Poll::Pending,
            }
        })
        .await
    }

    /// Waits for the next item of what the function polls; says whether it had to be waited for.
    async fn until_some<T>(
        &mut self,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<T, h2::Error>>>,
        waited: &mut bool,
    ) -> Result<Option<T>, h2::Error> {
        self.until(|cx| {
            let found = poll(cx).map(Option::transpose);
            *waited |= found.is_pending();
            found
        })
        .await
    }

    /// Sends a body as the server's window allows; returns the answer if it came meanwhile. One that refuses the request
    /// ends the sending.
    async fn send(
        &mut self,
        mut stream: SendStream<Bytes>,
        answer: &mut ResponseFuture,
        mut body: Bytes,
    ) -> Result<Option<Response>, h2::Error> {
        let mut early = None;
        while !body.is_empty() {
            stream.reserve_capacity(body.len().min(SENT_AT_ONCE));
            let room = self
                .until(|cx| {
                    if early.is_none()
                        && let Poll::Ready(response) = Pin::new(&mut *answer).poll(cx)
                    {
                        early = Some(response?);
                    }
                    if early.as_ref().is_some_and(|response| response.status().as_u16() >= 300) {
                        return Poll::Ready(Ok(0));
                    }
                    // A stream that takes no more has its answer, or the error in its place.
                    stream.poll_capacity(cx).map(|room| Ok(room.and_then(Result::ok).unwrap_or_default()))
                })
                .await?;
            if room == 0 {
                break;
            }
            let piece = body.split_to(room.min(body.len()));
            stream.send_data(piece, body.is_empty())?;
        }
        // Hands to the operating system what it takes now; an end of the connection also reaches the answer.
        let _ = poll_fn(|cx| Poll::Ready(self.poll(cx))).await;
        Ok(early)
    }
}

type Response = http::Response<RecvStream>;

fn request(message: &Message<'_>) -> Result<http::Request<()>, Violation> {
    let scheme = if message.base.is_tls() { uri::Scheme::HTTPS } else { uri::Scheme::HTTP };
    let uri = Uri::builder()
        .scheme(scheme)
        .authority(message.base.authority())
        .path_and_query(message.target.as_ref())
        .build()
        .map_err(|error| Violation::new(error.to_string()))?;
    let mut request = http::Request::new(());
    *request.method_mut() = message.request.method.clone();
    *request.uri_mut() = uri;
    *request.version_mut() = http::Version::HTTP_2;
    for (name, value) in message.headers() {
        request.headers_mut().append(name, value.clone());
    }
    if let Some(length) = message.content_length() {
        request.headers_mut().insert(http::header::CONTENT_LENGTH, length.into());
    }
    Ok(request)
}

/// Returns what broke an exchange: the connection, or a server that breaks the protocol.
fn broken(error: h2::Error) -> Broken {
    if error.is_io() {
        let io = error.into_io().unwrap_or_else(|| io::ErrorKind::ConnectionReset.into());
        return Broken::Io(io);
    }
    // Raised on this side, about what the other sent.
    if error.is_library() {
        return Broken::Violation(Violation::new(format!("it breaks HTTP/2: {error}")));
    }
    Broken::Io(io::Error::new(io::ErrorKind::ConnectionAborted, error))
}

/// How many bytes the server may send ahead, on the connection and its one stream: enough that a body of any size flows
/// without waiting for the client's word on networks of up to 10 Gbit/s and 1 ms.
const WINDOW: u32 = 1 << 20;

/// How many bytes of a request's body are asked room for at once.
const SENT_AT_ONCE: usize = 64 << 10;
