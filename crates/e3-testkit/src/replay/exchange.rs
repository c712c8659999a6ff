//! One request as the answers see it, and one answer as they give it.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::{ReplayCall, ReplayFamily};

/// A request below the context path.
pub(super) struct Exchange {
    request: http::Request<Bytes>,
    pub(super) family: ReplayFamily,
}

/// An answer; its body is text.
pub(super) struct Replied {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl Replied {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        let kind = ("content-type", "application/json;charset=UTF-8".to_owned());
        Self { status, headers: vec![kind], body: body.to_string() }
    }

    pub(super) fn page(status: u16, body: &str) -> Self {
        let kind = ("content-type", "text/html;charset=UTF-8".to_owned());
        let body = format!("<!DOCTYPE html><html lang=\"en\"><body>{body}</body></html>");
        Self { status, headers: vec![kind], body }
    }

    pub(super) fn nothing() -> Self {
        Self { status: 204, headers: Vec::new(), body: String::new() }
    }

    pub(super) fn found(location: String) -> Self {
        Self { status: 302, headers: vec![("location", location)], body: String::new() }
    }

    pub(super) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl Exchange {
    pub(super) fn new(request: http::Request<Bytes>, family: ReplayFamily) -> Self {
        Self { request, family }
    }

    pub(super) fn request(&self) -> &http::Request<Bytes> {
        &self.request
    }

    pub(super) fn method(&self) -> &str {
        self.request.method().as_str()
    }

    pub(super) fn is_write(&self) -> bool {
        !matches!(*self.request.method(), Method::GET | Method::HEAD)
    }

    pub(super) fn path(&self) -> &str {
        self.request.uri().path()
    }

    /// Returns a parameter of the query, decoded; empty if it is absent or has no value.
    pub(super) fn parameter(&self, name: &str) -> String {
        field(self.request.uri().query().unwrap_or_default(), name).unwrap_or_default()
    }

    /// Returns whether the query has a parameter of that name.
    pub(super) fn has_parameter(&self, name: &str) -> bool {
        field(self.request.uri().query().unwrap_or_default(), name).is_some()
    }

    /// Returns a field of a form that was sent; empty if it is absent.
    pub(super) fn form_field(&self, name: &str) -> String {
        field(&String::from_utf8_lossy(self.request.body()), name).unwrap_or_default()
    }

    /// Returns the JSON that was sent; null for none.
    pub(super) fn sent(&self) -> Value {
        serde_json::from_slice(self.request.body()).unwrap_or_default()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Returns the address of the product as the client wrote it.
    pub(super) fn base(&self) -> String {
        format!("http://{}{}", self.header("host"), super::CONTEXT)
    }

    /// Returns names and values of the cookies.
    pub(super) fn cookies(&self) -> Vec<(String, String)> {
        let pairs = self.header("cookie").split("; ").filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    pub(super) fn call(&self, status: u16, answer: String) -> ReplayCall {
        let target = self.request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
        ReplayCall {
            line: format!("{} {target}", self.method()),
            body: String::from_utf8_lossy(self.request.body()).into_owned(),
            cookies: self.cookies().into_iter().map(|(name, _)| name).collect(),
            says_no_check: self.header("x-atlassian-token") == "no-check",
            status,
            answer,
        }
    }
}

/// Returns Bitbucket's error document. Source: recorded.
pub(super) fn error(message: &str, exception: &str) -> Value {
    let name = if exception.is_empty() {
        Value::Null
    } else {
        format!("com.atlassian.bitbucket.{exception}").into()
    };
    json!({"errors": [{"context": null, "message": message, "exceptionName": name}]})
}

fn field(text: &str, wanted: &str) -> Option<String> {
    let mut pairs = text.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| decoded(value))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let hex = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match (first, hex.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded() {
        let text = "a=refs%2Fheads%2Fx&create&b=x+y&c=100%&d=%C3%A4";
        let read = |name: &str| field(text, name);
        assert_eq!(read("a").as_deref(), Some("refs/heads/x"));
        assert_eq!(read("create").as_deref(), Some(""), "without a value");
        assert_eq!(read("b").as_deref(), Some("x y"));
        assert_eq!(read("c").as_deref(), Some("100%"), "no two digits follow");
        assert_eq!(read("d").as_deref(), Some("ä"));
        assert_eq!(read("e"), None);
    }
}
