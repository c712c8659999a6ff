//! One client's browser.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::{Bytes, BytesMut};
use e3_model::Secret;
use http::{
    HeaderValue,
    header::{AUTHORIZATION, COOKIE, HOST, USER_AGENT},
};
use http_body_util::Full;
use hyper::body::Incoming;

use crate::{BaseUrl, HttpError, Request, Response, Streaming, connection::Connection, cookies::Cookies};

/// One client's browser: at most one keep-alive connection to one origin, its cookies, and Basic credentials.
///
/// # Cancellation
/// Dropping a future of this session closes the connection under way; the next request opens a new one.
pub struct HttpSession {
    base: BaseUrl,
    basic: Option<HeaderValue>,
    cookies: Cookies,
    kept: Option<Connection>,
}

impl HttpSession {
    /// Returns a session that has no connection yet, no cookies and no credentials.
    pub fn new(base: BaseUrl) -> Self {
        Self { base, basic: None, cookies: Cookies::default(), kept: None }
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

    /// Sends a request and returns when the response's head is there; its body streams.
    ///
    /// A kept connection that the server closed before answering is replaced once, unless the server may have
    /// acted on the request and repeating it does harm.
    ///
    /// # Errors
    /// Fails if the request cannot be written, no connection comes to be, it breaks, or the answer is not HTTP.
    pub async fn start(&mut self, request: Request) -> Result<Streaming<'_>, HttpError> {
        let bytes_out = u64::try_from(request.body.len()).unwrap_or(u64::MAX);
        let repeatable = request.repeatable;
        let (target, message) = self.message(request)?;
        let (connection, response) = self.exchange(message, repeatable).await?;
        self.cookies.store(response.headers(), &self.base, &target);
        Ok(Streaming::new(&self.base, &mut self.kept, connection, response, bytes_out))
    }

    /// Sends a request and reads the whole body, at most `max_body` bytes of it.
    ///
    /// # Errors
    /// Fails as [`HttpSession::start`] does, or if the body breaks off or is larger than allowed.
    pub async fn send(&mut self, request: Request) -> Result<Response, HttpError> {
        let (path, limit) = (request.path.clone(), request.max_body);
        let too_large = || HttpError::BodyTooLarge { path: path.clone(), limit };
        let mut streaming = self.start(request).await?;
        if streaming.announced().is_some_and(|announced| announced > limit) {
            return Err(too_large());
        }
        let mut whole = Collected::Nothing;
        let mut size = 0_usize;
        while let Some(chunk) = streaming.chunk().await? {
            size = size.saturating_add(chunk.len());
            if size > limit {
                return Err(too_large());
            }
            whole = whole.and(chunk);
        }
        Ok(Response {
            status: streaming.status,
            body: whole.into_bytes(),
            first_byte: streaming.head_at(),
            bytes_in: streaming.bytes_in(),
            bytes_out: streaming.bytes_out(),
            headers: std::mem::take(&mut streaming.headers),
            max_body: limit,
        })
    }

    async fn exchange(
        &mut self,
        mut message: http::Request<Full<Bytes>>,
        repeatable: bool,
    ) -> Result<(Connection, http::Response<Incoming>), HttpError> {
        let error = |source| HttpError::of_exchange(self.base.authority(), source);
        // Taken out of the session while in use: a dropped future closes it.
        if let Some(mut kept) = self.kept.take()
            && kept.is_reusable().await
        {
            let spare = repeatable.then(|| message.clone());
            match kept.exchange(message).await {
                Ok(response) => return Ok((kept, response)),
                Err(failed) if failed.answered => return Err(error(failed.error)),
                Err(failed) => message = failed.unsent.or(spare).ok_or_else(|| error(failed.error))?,
            }
        }
        let mut fresh = Connection::open(&self.base).await?;
        let response = fresh.exchange(message).await.map_err(|failed| error(failed.error))?;
        Ok((fresh, response))
    }

    /// Returns the request's target, and the request as it goes onto the wire.
    fn message(&self, request: Request) -> Result<(String, http::Request<Full<Bytes>>), HttpError> {
        request.check()?;
        let target = self.base.target(&request.path)?;
        let invalid =
            |error: http::Error| HttpError::Request { path: target.clone(), reason: error.to_string() };
        let mut message = http::Request::builder()
            .method(request.method)
            .uri(target.as_str())
            .header(HOST, self.base.authority())
            .body(Full::new(request.body))
            .map_err(invalid)?;
        let headers = message.headers_mut();
        for (name, value) in request.headers {
            headers.append(name, value);
        }
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
        if let Some(basic) = &self.basic {
            headers.entry(AUTHORIZATION).or_insert_with(|| basic.clone());
        }
        if let Some(cookies) = self.cookies.header(&self.base, &target) {
            headers.insert(COOKIE, cookies);
        }
        Ok((target, message))
    }
}

/// A body as it is read; one chunk, which is what most bodies are, is not copied.
enum Collected {
    Nothing,
    One(Bytes),
    Many(BytesMut),
}

impl Collected {
    fn and(self, chunk: Bytes) -> Self {
        match self {
            Self::Nothing => Self::One(chunk),
            Self::One(first) => {
                let mut many = BytesMut::with_capacity(4 * (first.len() + chunk.len()));
                many.extend_from_slice(&first);
                many.extend_from_slice(&chunk);
                Self::Many(many)
            }
            Self::Many(mut many) => {
                many.extend_from_slice(&chunk);
                Self::Many(many)
            }
        }
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::Nothing => Bytes::new(),
            Self::One(chunk) => chunk,
            Self::Many(many) => many.freeze(),
        }
    }
}

const AGENT: &str = concat!("e3/", env!("CARGO_PKG_VERSION"));
