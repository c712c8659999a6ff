//! What a browser asks, with the headers that the first E3 sent, and which answers it takes.

use std::fmt;

use e3_bitbucket::Dialect;
use e3_http::Request;
use http::Method;
use serde_json::Value;

/// A request of a page or of a page's own script.
#[derive(Debug)]
pub(crate) struct Ask {
    kind: Kind,
    path: String,
    /// The statuses that are no failure.
    pub(crate) accepted: &'static [u16],
}

#[derive(Debug)]
enum Kind {
    Page,
    Form(Vec<(&'static str, String)>),
    Rest(Method, Option<Value>),
}

impl Ask {
    /// A page, which must answer 200.
    pub(crate) fn page(path: String) -> Self {
        Self { kind: Kind::Page, path, accepted: &[200] }
    }

    /// A page's form, which must answer with a redirect.
    pub(crate) fn form(path: String, fields: Vec<(&'static str, String)>) -> Self {
        Self { kind: Kind::Form(fields), path, accepted: &[302] }
    }

    /// A REST resource, which must answer 200.
    pub(crate) fn rest(path: String) -> Self {
        Self { kind: Kind::Rest(Method::GET, None), path, accepted: &[200] }
    }

    /// A REST call with a JSON body; where there is nothing to say the first E3 sent `null`.
    pub(crate) fn post(path: String, body: Value) -> Self {
        Self { kind: Kind::Rest(Method::POST, Some(body)), path, accepted: &[200] }
    }

    /// A REST deletion with a JSON body.
    pub(crate) fn delete(path: String, body: Value) -> Self {
        Self { kind: Kind::Rest(Method::DELETE, Some(body)), path, accepted: &[200, 204] }
    }

    /// Takes these answers instead.
    pub(crate) fn accepting(mut self, accepted: &'static [u16]) -> Self {
        self.accepted = accepted;
        self
    }

    /// Returns the request; `origin` is the base URL, with its context path as the first E3 sent it.
    pub(super) fn request(self, origin: &str, dialect: Dialect) -> Request {
        match self.kind {
            Kind::Page => Request::get(self.path).header("accept", PAGE_ACCEPT),
            Kind::Form(fields) => {
                let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                Request::form(self.path, &fields).header("accept", PAGE_ACCEPT)
            }
            Kind::Rest(method, body) => {
                let request = Request::new(method, self.path)
                    .header("accept", "application/json, text/javascript, */*; q=0.01")
                    .header("x-requested-with", "XMLHttpRequest")
                    .header("origin", origin);
                let Some(body) = body else { return request };
                let request = request.header("content-type", "application/json").body(body.to_string());
                if dialect.says_no_check() {
                    request.header("x-atlassian-token", "no-check")
                } else {
                    request
                }
            }
        }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Rest(method, Some(_)) => write!(f, "{method} {}", self.path),
            Kind::Form(_) => write!(f, "POST {}", self.path),
            Kind::Page | Kind::Rest(..) => f.write_str(&self.path),
        }
    }
}

/// What a browser accepts for a page, as the first E3 sent it.
pub(super) const PAGE_ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
