//! Where a server sends the client that asks for its refs.
//!
//! Source: `update_url_from_redirect` in git's http.c; `http.followRedirects=initial` in git-config(1); CURLOPT_MAXREDIRS
//! of libcurl.

use e3_http::BaseUrl;
use url::{Position, Url};

/// How often a client lets itself be sent on.
pub(super) const MOST_REDIRECTS: u32 = 20;

/// Where a repository is now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Moved {
    /// The server.
    pub(super) base: BaseUrl,
    /// The repository's address on it.
    pub(super) repository: String,
}

/// Returns where the repository is for which a server answers `location` to a request for `asked` behind the address of
/// the repository; else what is wrong with that.
///
/// The new address must end as the old one did, since the other requests of the operation go to its neighbours.
pub(super) fn follow(at: &str, asked: &str, location: &str) -> Result<Moved, String> {
    let now = Url::parse(at).map_err(|error| error.to_string())?;
    let to = now.join(location).map_err(|error| error.to_string())?;
    if now.scheme() == "https" && to.scheme() != "https" {
        return Err("it leads away from TLS".to_owned());
    }
    let whole = to[..Position::AfterQuery].to_owned();
    let Some(repository) = whole.strip_suffix(asked) else {
        return Err(format!("it does not end with {asked}"));
    };
    let base = BaseUrl::parse(&to[..Position::BeforePath]).map_err(|error| error.to_string())?;
    Ok(Moved { base, repository: repository.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: &str = "/info/refs?service=git-upload-pack";

    #[test]
    fn the_rest_of_the_operation_goes_where_the_refs_are() {
        for (at, location, origin, repository) in [
            (
                "http://a/p/r.git",
                "/q/r.git/info/refs?service=git-upload-pack",
                "http://a",
                "http://a/q/r.git",
            ),
            (
                "http://a:1/r.git",
                "https://b/x/r.git/info/refs?service=git-upload-pack#part",
                "https://b",
                "https://b/x/r.git",
            ),
            (
                "https://a/r.git",
                "//c:4/r.git/info/refs?service=git-upload-pack",
                "https://c:4",
                "https://c:4/r.git",
            ),
        ] {
            let moved = follow(&format!("{at}{ASKED}"), ASKED, location).unwrap();
            assert_eq!((moved.base.to_string().as_str(), moved.repository.as_str()), (origin, repository));
        }
    }

    #[test]
    fn what_cannot_be_followed_says_why() {
        for (at, location, expected) in [
            ("https://a/r.git", "http://a/r.git/info/refs?service=git-upload-pack", "TLS"),
            ("http://a/r.git", "/login", "does not end"),
            ("http://a/r.git", "/r.git/info/refs", "does not end"),
            ("http://a/r.git", "ftp://a/r.git/info/refs?service=git-upload-pack", "scheme"),
            ("http://a/r.git", "http://u:hunter2@a/r.git/info/refs?service=git-upload-pack", "credentials"),
            ("http://a/r.git", "http://[/", "IPv6"),
        ] {
            let reason = follow(&format!("{at}{ASKED}"), ASKED, location).unwrap_err();
            assert!(reason.contains(expected), "{location}: {reason}");
            assert!(!reason.contains("hunter2"), "{reason}");
        }
    }
}
