//! The address of a server: `http[s]://host[:port][/context]`.

use std::{borrow::Cow, fmt};

use url::{Position, Url};

use crate::HttpError;

/// The address of a server, below which every request's path lies; shown without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    url: Url,
    host: String,
    port: u16,
    context_path: String,
}

impl BaseUrl {
    /// Parses `http[s]://host[:port][/context]`; trailing slashes are dropped.
    ///
    /// # Errors
    /// Fails if the text is no such URL: another scheme, no host, credentials, a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, HttpError> {
        let invalid = |reason: &str| HttpError::BaseUrl { url: text.to_owned(), reason: reason.to_owned() };
        // The text may hold a password, which must not reach a message.
        let mut url = Url::parse(text).map_err(|error| HttpError::BaseUrl {
            url: text.rsplit('@').next().unwrap_or_default().to_owned(),
            reason: error.to_string(),
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(HttpError::BaseUrl {
                url: text.rsplit('@').next().unwrap_or_default().to_owned(),
                reason: "credentials do not belong into the URL".to_owned(),
            });
        }
        match url.scheme() {
            "http" | "https" => {}
            _ => return Err(invalid("its scheme is neither http nor https")),
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("a base has neither query nor fragment"));
        }
        let host = url.host_str().ok_or_else(|| invalid("it has no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = url.port_or_known_default().ok_or_else(|| invalid("it has no port"))?;
        let context_path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&context_path);
        Ok(Self { url, host, port, context_path })
    }

    /// Returns `host` or `host:port`, as the `Host` header has it; the scheme's own port is left out.
    pub fn authority(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }

    /// Returns the path under which the product lives: `""`, or `/bitbucket`.
    pub fn context_path(&self) -> &str {
        &self.context_path
    }

    /// Returns scheme and authority, without the context path: `http://host:7990`.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.url.scheme(), self.authority())
    }

    /// Returns the host without brackets, for a connection.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Returns whether connections are encrypted.
    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Returns the target on the request line for a path below the context path or an absolute URL; an empty path, or only a
    /// query, is the base itself.
    ///
    /// # Errors
    /// Fails if the path does not start with a slash, or the URL leads to another origin.
    pub(crate) fn target<'a>(&'a self, path: &'a str) -> Result<Cow<'a, str>, HttpError> {
        let path = path.split('#').next().unwrap_or_default();
        if path.is_empty() || path.starts_with('?') {
            let base = if self.context_path.is_empty() { "/" } else { &self.context_path };
            // What load is often put on: no text is made for it.
            return Ok(if path.is_empty() { base.into() } else { format!("{base}{path}").into() });
        }
        if path.starts_with('/') && self.context_path.is_empty() {
            return Ok(path.into());
        }
        if path.starts_with('/') {
            return Ok(format!("{}{path}", self.context_path).into());
        }
        let url = Url::parse(path).map_err(|error| HttpError::Request {
            path: path.to_owned(),
            reason: format!("neither a path below the base nor a URL: {error}"),
        })?;
        if url.origin() != self.url.origin() {
            return Err(HttpError::ForeignOrigin { url: path.to_owned(), origin: self.origin() });
        }
        Ok(url[Position::BeforePath..Position::AfterQuery].to_owned().into())
    }

    /// Returns the whole URL of a target, for the cookie jar.
    pub(crate) fn url_of(&self, target: &str) -> Url {
        self.url.join(target).unwrap_or_else(|_| self.url.clone())
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.url.scheme(), self.authority(), self.context_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_authority_and_context_apart() {
        for (text, authority, context, shown) in [
            ("http://127.0.0.1:7990", "127.0.0.1:7990", "", "http://127.0.0.1:7990"),
            ("http://127.0.0.1:7990/", "127.0.0.1:7990", "", "http://127.0.0.1:7990"),
            (
                "http://git.example.com/bitbucket/",
                "git.example.com",
                "/bitbucket",
                "http://git.example.com/bitbucket",
            ),
            ("http://git.example.com:80/a/b", "git.example.com", "/a/b", "http://git.example.com/a/b"),
            ("http://[::1]:8080", "[::1]:8080", "", "http://[::1]:8080"),
            ("https://git.example.com:443/", "git.example.com", "", "https://git.example.com"),
        ] {
            let base = BaseUrl::parse(text).unwrap();
            assert_eq!((base.authority(), base.context_path()), (authority, context), "{text}");
            assert_eq!(base.to_string(), shown);
        }
        let base = BaseUrl::parse("http://[::1]:8080").unwrap();
        assert_eq!((base.host(), base.port()), ("::1", 8080));
        let [plain, tls] = ["http://h/x", "https://h/x"].map(|text| BaseUrl::parse(text).unwrap());
        assert_eq!((plain.port(), plain.is_tls()), (80, false));
        assert_eq!((tls.port(), tls.is_tls()), (443, true));
        assert_eq!(tls.origin(), "https://h");
    }

    #[test]
    fn rejects_what_is_no_base() {
        for text in
            ["", "127.0.0.1:7990", "ftp://host", "http://", "http://h/?a=b", "http://h/#x", "http://h:99999"]
        {
            assert!(matches!(BaseUrl::parse(text), Err(HttpError::BaseUrl { .. })), "{text:?}");
        }
    }

    #[test]
    fn a_password_in_the_url_is_refused_and_not_shown() {
        for text in ["http://admin:hunter2@host", "http://admin:hunter2@host:port"] {
            let error = BaseUrl::parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn targets_lie_below_the_context_path() {
        let base = BaseUrl::parse("http://h:1/bitbucket").unwrap();
        assert_eq!(base.target("/rest/x?limit=1").unwrap(), "/bitbucket/rest/x?limit=1");
        assert_eq!(
            base.target("http://h:1/bitbucket/dashboard?a=1#top").unwrap(),
            "/bitbucket/dashboard?a=1"
        );
        assert_eq!(base.target("").unwrap(), "/bitbucket");
        assert_eq!(base.target("?a=1#top").unwrap(), "/bitbucket?a=1");
        assert_eq!(BaseUrl::parse("http://h").unwrap().target("").unwrap(), "/");
        assert!(matches!(base.target("http://h:2/bitbucket"), Err(HttpError::ForeignOrigin { .. })));
        assert!(matches!(base.target("dashboard"), Err(HttpError::Request { .. })));
    }
}
