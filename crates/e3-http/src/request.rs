//! What a client asks.

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Method,
    header::{ACCEPT, CONTENT_TYPE},
};

use crate::HttpError;

/// The most body bytes that [`crate::HttpSession::send`] reads unless the request says otherwise: 16 MiB.
pub const DEFAULT_MAX_BODY: usize = 16 << 20;

/// A request: what [`crate::HttpSession`] sends, beside its cookies and credentials.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path below the base's context path, with its query; or an absolute URL of the same origin.
    pub path: String,
    /// Headers in order; `Host`, `Cookie`, `Authorization` and `Content-Length` are the session's.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body; empty for none.
    pub body: Bytes,
    /// The most bytes of the response's body that a whole read accepts.
    pub max_body: usize,
    /// Whether sending it twice does no harm, although its method is not idempotent.
    pub repeatable: bool,
    /// A header that could not be written; sending the request reports it.
    pub(crate) invalid_header: Option<&'static str>,
}

impl Request {
    /// Returns a request without headers and body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        let repeatable = method.is_idempotent();
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            body: Bytes::new(),
            max_body: DEFAULT_MAX_BODY,
            repeatable,
            invalid_header: None,
        }
    }

    /// Returns a GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// Returns a POST of a body; its type is the caller's to add.
    pub fn post(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self::new(Method::POST, path).body(body)
    }

    /// Returns a PUT of a body; its type is the caller's to add.
    pub fn put(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self::new(Method::PUT, path).body(body)
    }

    /// Returns a DELETE.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Returns a POST of a form's fields, as a browser sends them.
    ///
    /// Source: `application/x-www-form-urlencoded`, WHATWG URL standard, section 5.2.
    pub fn form(path: impl Into<String>, fields: &[(&str, &str)]) -> Self {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        Self::post(path, body.finish()).header("content-type", "application/x-www-form-urlencoded")
    }

    /// Returns a POST of a JSON value that asks for JSON.
    pub fn json(path: impl Into<String>, value: &serde_json::Value) -> Self {
        let mut request = Self::post(path, value.to_string());
        request.headers.push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
        request.headers.push((ACCEPT, HeaderValue::from_static("application/json")));
        request
    }

    /// Adds a header; a value that HTTP does not allow fails when the request is sent.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => self.headers.push((name, value)),
            _ => self.invalid_header = Some(name),
        }
        self
    }

    /// Replaces the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the most bytes of the response's body that a whole read accepts.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Declares that sending the request twice does no harm, although its method is not idempotent.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    pub(crate) fn check(&self) -> Result<(), HttpError> {
        match self.invalid_header {
            Some(name) => Err(HttpError::Request {
                path: self.path.clone(),
                reason: format!("the value of header {name} has a character that HTTP does not allow"),
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_encoded_as_browsers_do() {
        let request = Request::form("/login", &[("j_username", "a b"), ("p", "ü&=+")]);
        assert_eq!(request.body, "j_username=a+b&p=%C3%BC%26%3D%2B");
        assert_eq!(request.headers[0].1, "application/x-www-form-urlencoded");
    }

    #[test]
    fn only_harmless_requests_are_repeatable() {
        assert!(
            Request::get("/").repeatable
                && Request::put("/", "").repeatable
                && Request::delete("/").repeatable
        );
        assert!(!Request::post("/", "").repeatable);
        assert!(Request::post("/", "").repeatable().repeatable);
    }

    #[test]
    fn a_header_with_a_line_break_is_refused() {
        assert!(Request::get("/").header("x-a", "1\r\nx-b: 2").check().is_err());
        assert!(Request::get("/").header("x-a", "1").check().is_ok());
    }
}
