//! Where a repository lies on its server.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The path of a repository below its server's base URL: `/scm/PROJECT/slug.git`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RepositoryPath(String);

impl RepositoryPath {
    /// Returns the path of a repository as it is written in a URL; slashes at its end are dropped.
    pub fn new(path: &str) -> Self {
        let path = path.trim_matches('/');
        Self(format!("/{path}"))
    }

    /// Returns the path under which Bitbucket serves a repository.
    pub fn scm(project: &str, slug: &str) -> Self {
        let segment = |text| utf8_percent_encode(text, RESERVED).to_string();
        Self(format!("/scm/{}/{}.git", segment(project), segment(slug)))
    }

    pub(crate) fn advertisement(&self) -> String {
        format!("{}/info/refs?service=git-upload-pack", self.0)
    }

    pub(crate) fn push_advertisement(&self) -> String {
        format!("{}/info/refs?service=git-receive-pack", self.0)
    }

    pub(crate) fn receive_pack(&self) -> String {
        format!("{}/git-receive-pack", self.0)
    }

    pub(crate) fn upload_pack(&self) -> String {
        format!("{}/git-upload-pack", self.0)
    }
}

impl fmt::Display for RepositoryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Source: RFC 3986, section 2.3, unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_stay_segments() {
        assert_eq!(RepositoryPath::scm("PROJECT_1", "rep-1").to_string(), "/scm/PROJECT_1/rep-1.git");
        assert_eq!(RepositoryPath::scm("~ada", "a/b?c").to_string(), "/scm/~ada/a%2Fb%3Fc.git");
        assert_eq!(RepositoryPath::new("git/x.git/").upload_pack(), "/git/x.git/git-upload-pack");
    }
}
