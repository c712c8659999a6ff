//! A request as it goes onto the wire.

use std::borrow::Cow;

use http::{
    HeaderName, HeaderValue, Method,
    header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, USER_AGENT},
};

use crate::{BaseUrl, HttpError, Request};

/// A request with all that its session adds, ready to be written as often as it takes.
pub(crate) struct Message<'a> {
    pub(crate) request: &'a Request,
    pub(crate) target: Cow<'a, str>,
    pub(crate) base: &'a BaseUrl,
    pub(crate) basic: Option<&'a HeaderValue>,
    pub(crate) cookies: Option<HeaderValue>,
    /// Whether the connection is for this exchange only.
    pub(crate) closes: bool,
}

impl Message<'_> {
    /// Returns the headers in the order in which they are sent, those of the connection left out.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        let request = self.request;
        let sets = |name: &HeaderName| request.headers.iter().any(|(known, _)| known == name);
        let jar = self.cookies.as_ref();
        let given = request.headers.iter().map(|(name, value)| (name, value));
        given
            .filter(move |(name, _)| {
                **name != HOST && **name != CONTENT_LENGTH && (jar.is_none() || **name != COOKIE)
            })
            .chain((!sets(&USER_AGENT)).then_some((&USER_AGENT, &AGENT)))
            .chain(self.basic.filter(|_| !sets(&AUTHORIZATION)).map(|basic| (&AUTHORIZATION, basic)))
            .chain(jar.map(|jar| (&COOKIE, jar)))
    }

    /// Returns the length that is told; none where nothing is sent and nobody expects anything.
    ///
    /// Source: RFC 9110, section 8.6, a method that gives content a meaning tells of its absence too.
    pub(crate) fn content_length(&self) -> Option<usize> {
        let length = self.request.body.len();
        let has_meaning = matches!(self.request.method, Method::POST | Method::PUT | Method::PATCH);
        (length > 0 || has_meaning).then_some(length)
    }

    /// Writes the head as HTTP/1.1 has it.
    pub(crate) fn write_head(&self, out: &mut Vec<u8>) {
        let mut push = |parts: &[&[u8]]| parts.iter().for_each(|part| out.extend_from_slice(part));
        push(&[self.request.method.as_str().as_bytes(), b" ", self.target.as_bytes()]);
        push(&[b" HTTP/1.1\r\nhost: ", self.base.authority().as_bytes(), b"\r\n"]);
        for (name, value) in self.headers() {
            push(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"]);
        }
        if let Some(length) = self.content_length() {
            push(&[CONTENT_LENGTH.as_str().as_bytes(), b": ", length.to_string().as_bytes(), b"\r\n"]);
        }
        if self.closes {
            push(&[CONNECTION.as_str().as_bytes(), b": close\r\n"]);
        }
        push(&[b"\r\n"]);
    }

    /// Checks that the target can stand on a request line.
    ///
    /// Source: RFC 3986, section 2: a URL is written in ASCII, without blanks and control characters.
    pub(crate) fn check(&self) -> Result<(), HttpError> {
        self.request.check()?;
        if self.target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(());
        }
        Err(HttpError::Request {
            path: self.target.clone().into_owned(),
            reason: "the path has a character that must be percent-encoded".to_owned(),
        })
    }
}

static AGENT: HeaderValue = HeaderValue::from_static(concat!("e3/", env!("CARGO_PKG_VERSION")));

#[cfg(test)]
mod tests {
    use super::*;

    fn written(request: &Request, cookies: Option<&'static str>, closes: bool) -> String {
        let base = BaseUrl::parse("http://h:1/app").unwrap();
        let target = base.target(&request.path).unwrap();
        let basic = HeaderValue::from_static("Basic x");
        let cookies = cookies.map(HeaderValue::from_static);
        let message = Message { request, target, base: &base, basic: Some(&basic), cookies, closes };
        let mut out = Vec::new();
        message.write_head(&mut out);
        String::from_utf8(out).unwrap().replace(concat!("e3/", env!("CARGO_PKG_VERSION")), "E3")
    }

    #[test]
    fn heads_have_what_the_request_says_and_what_the_session_adds() {
        let plain = written(&Request::get("/x?a=1"), None, false);
        assert_eq!(
            plain,
            "GET /app/x?a=1 HTTP/1.1\r\nhost: h:1\r\nuser-agent: E3\r\nauthorization: Basic x\r\n\r\n"
        );
        let own = Request::post("/x", "ab")
            .header("user-agent", "me")
            .header("authorization", "Bearer y")
            .header("cookie", "mine=1")
            .header("content-length", "9");
        assert_eq!(
            written(&own, Some("jar=1"), true),
            "POST /app/x HTTP/1.1\r\nhost: h:1\r\nuser-agent: me\r\nauthorization: Bearer y\r\ncookie: jar=1\r\n\
             content-length: 2\r\nconnection: close\r\n\r\n"
        );
        assert!(written(&own, None, false).contains("cookie: mine=1\r\n"));
        assert!(written(&Request::post("/", ""), None, false).contains("content-length: 0\r\n"));
        assert!(!written(&Request::delete("/"), None, false).contains("content-length"));
    }
}
