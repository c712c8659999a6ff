//! One client's browser.

use std::borrow::Borrow;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use e3_model::{Connections, Secret};
use http::HeaderValue;

use crate::{
    BaseUrl, HttpError, HttpWay, Request, Response, Streaming,
    connection::{Answer, Connection},
    cookies::Cookies,
    message::Message,
};

/// One client's browser: at most one connection to one origin, its cookies, and Basic credentials.
///
/// With [`Connections::PerOp`] the connection ends with each exchange, and the server is told so; whoever wants one
/// connection for the several exchanges of an op keeps connections, and drops the session when the op is over.
///
/// # Cancellation
/// Dropping a future of this session closes the connection under way; the next request opens a new one.
pub struct HttpSession {
    base: BaseUrl,
    way: HttpWay,
    basic: Option<HeaderValue>,
    cookies: Cookies,
    kept: Option<Connection>,
}

impl HttpSession {
    /// Returns a session that has no connection yet, no cookies and no credentials.
    pub fn new(base: BaseUrl) -> Self {
        Self { base, way: HttpWay::default(), basic: None, cookies: Cookies::default(), kept: None }
    }

    /// Sends these credentials with every request, without waiting to be asked.
    #[must_use]
    pub fn with_basic(mut self, user: &str, password: &Secret) -> Self {
        let credentials = BASE64_STANDARD.encode(format!("{user}:{}", password.expose()));
        self.basic = HeaderValue::try_from(format!("Basic {credentials}")).ok().map(|mut value| {
            value.set_sensitive(true);
            value
        });
        self
    }

    /// Talks this way, from the next connection on.
    #[must_use]
    pub fn with_way(mut self, way: &HttpWay) -> Self {
        self.way = way.clone();
        self
    }

    /// Returns the address of the server.
    pub fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// Forgets all cookies; the connection stays.
    pub fn clear_cookies(&mut self) {
        self.cookies.clear();
    }

    /// Returns the value of a cookie that has not expired, whichever path it is for.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.value(name)
    }

    /// Sends a request and returns when the response's head is there; its body streams. A request that is lent can be sent
    /// again as it is.
    ///
    /// A kept connection that the server closed before answering is replaced once, unless the server may have
    /// acted on the request and repeating it does harm.
    ///
    /// # Errors
    /// Fails if the request cannot be written, no connection comes to be, it breaks, or the answer is not HTTP.
    pub async fn start(&mut self, request: impl Borrow<Request>) -> Result<Streaming<'_>, HttpError> {
        let request = request.borrow();
        let target = self.base.target(&request.path)?;
        let cookies = self.cookies.header(&self.base, &target);
        let basic = self.basic.as_ref();
        let closes = self.way.connections == Connections::PerOp;
        let message = Message { request, target, base: &self.base, basic, cookies, closes };
        message.check()?;
        let (connection, answer) = exchange(&mut self.kept, &message, &self.way).await?;
        if answer.sets_cookies {
            self.cookies.store(&answer.headers, &self.base, &message.target);
        }
        let bytes_out = u64::try_from(request.body.len()).unwrap_or(u64::MAX);
        Ok(Streaming::new(&self.base, &mut self.kept, (connection, answer), !closes, bytes_out))
    }

    /// Sends a request and reads the whole body, at most `max_body` bytes of it.
    ///
    /// # Errors
    /// Fails as [`HttpSession::start`] does, or if the body breaks off or is larger than allowed.
    pub async fn send(&mut self, request: impl Borrow<Request>) -> Result<Response, HttpError> {
        let request = request.borrow();
        let limit = request.max_body;
        let too_large = || HttpError::BodyTooLarge { path: request.path.clone(), limit };
        let mut streaming = self.start(request).await?;
        let announced = streaming.announced().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        if announced.is_some_and(|announced| announced > limit) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(piece) = streaming.next().await? {
            if piece.len() > limit - body.len() {
                return Err(too_large());
            }
            if body.is_empty() {
                // An announcement alone gets no more memory than a first piece of a large body has.
                body.reserve_exact(announced.unwrap_or_default().min(RESERVED).max(piece.len()));
            }
            body.extend_from_slice(piece);
        }
        Ok(Response {
            status: streaming.status,
            body: Bytes::from(body),
            first_byte: streaming.head_at(),
            bytes_in: streaming.bytes_in(),
            bytes_out: streaming.bytes_out(),
            headers: streaming.headers.to_map(),
            max_body: limit,
        })
    }
}

/// Exchanges a message for an answer on the kept connection, if it still stands, else on a new one.
async fn exchange(
    kept: &mut Option<Connection>,
    message: &Message<'_>,
    way: &HttpWay,
) -> Result<(Connection, Answer), HttpError> {
    let error = |source| HttpError::of_exchange(message.base.authority(), source);
    // Taken out of the session while in use: a dropped future closes it.
    if let Some(mut kept) = kept.take()
        && kept.is_reusable()
    {
        match kept.exchange(message).await {
            Ok(answer) => return Ok((kept, answer)),
            Err(failed) if failed.answered || !(failed.unsent || message.request.repeatable) => {
                return Err(error(failed.error));
            }
            Err(_) => {}
        }
    }
    // Boxed, so that the many exchanges that need no new connection have small futures.
    let mut fresh = Box::pin(Connection::open(message.base, way)).await?;
    let answer = fresh.exchange(message).await.map_err(|failed| error(failed.error))?;
    Ok((fresh, answer))
}

/// The most memory that is set aside for a body because its length was announced, in bytes.
const RESERVED: usize = 1 << 20;
