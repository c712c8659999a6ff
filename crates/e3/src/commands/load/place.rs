//! Where the system is: its base URL, and what of the given URL is the request's own.

use std::net::IpAddr;

use anyhow::Context as _;
use e3_http::BaseUrl;
use e3_model::ScriptDescriptor;

use crate::exit::Exit;
use crate::failure::Failure;

/// A system's base URL, and the rest of the URL that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The base, without a final slash.
    pub(super) base: BaseUrl,
    /// What a script of one request asks for below the base: a final slash, a query, or nothing.
    pub(super) rest: String,
}

impl Place {
    /// Reads the URL. One that ends with a slash or a query stands for itself where a script asks for the URL; where it
    /// is the base of others, a slash says nothing, and a query is a mistake.
    pub(super) fn of(url: &str, script: Option<&ScriptDescriptor>) -> Result<Self, Failure> {
        let usage = |error: anyhow::Error| Failure::new(Exit::Usage, error);
        let is_own = script.is_some_and(|script| script.arguments.iter().any(|known| known.name == "path"));
        let without_fragment = url.split('#').next().unwrap_or_default();
        let (path, query) = match without_fragment.split_once('?') {
            Some((path, query)) if is_own => (path, format!("?{query}")),
            _ => (without_fragment, String::new()),
        };
        let base = BaseUrl::parse(path).with_context(|| "--url cannot be used").map_err(usage)?;
        let slash = if is_own && path.ends_with('/') && !base.context_path().is_empty() { "/" } else { "" };
        Ok(Self { base, rest: format!("{slash}{query}") })
    }

    /// Returns the URL as people read it.
    pub(super) fn shown(&self) -> String {
        format!("{}{}", self.base, self.rest)
    }

    /// Returns whether the system is on this machine, which its load then slows down.
    pub(super) fn is_here(&self) -> bool {
        let authority = self.base.authority();
        let host = match authority.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => authority.split(':').next().unwrap_or_default(),
        };
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::load::descriptor;

    #[test]
    fn a_request_asks_for_the_very_url() {
        let place = |url: &str| {
            let place = Place::of(url, descriptor("http.Request").as_ref()).unwrap();
            (place.base.to_string(), place.rest)
        };
        for (url, base, rest) in [
            ("http://h:1", "http://h:1", ""),
            ("http://h:1/", "http://h:1", ""),
            ("http://h:1/x", "http://h:1/x", ""),
            ("http://h:1/x/", "http://h:1/x", "/"),
            ("http://h:1/x?a=b#top", "http://h:1/x", "?a=b"),
            ("http://h:1?a=b", "http://h:1", "?a=b"),
            ("https://h/x/", "https://h/x", "/"),
        ] {
            assert_eq!(place(url), (base.to_owned(), rest.to_owned()), "{url}");
        }
    }

    #[test]
    fn a_base_has_no_query() {
        let status = descriptor("web.Status");
        assert_eq!(Place::of("http://h:1/bitbucket/", status.as_ref()).unwrap().rest, "");
        for bad in ["h:1", "http://a:b@h:1", "https://a:b@h:1", "ftp://h"] {
            let failure = Place::of(bad, status.as_ref()).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage, "{bad}");
        }
    }

    #[test]
    fn loopback_is_here() {
        for (url, is_here) in [
            ("http://127.0.0.1:80/x", true),
            ("http://localhost:7990", true),
            ("http://[::1]:7990", true),
            ("https://127.0.0.1:8443", true),
            ("http://10.0.0.1", false),
            ("http://git.example.com", false),
            ("http://localhost.example.com", false),
        ] {
            assert_eq!(Place::of(url, None).unwrap().is_here(), is_here, "{url}");
        }
    }
}
