//! Which repository of a server.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// A repository by its project's key and its slug; shown as `PROJECT/slug`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryPath {
    project: String,
    slug: String,
}

impl RepositoryPath {
    /// Returns the repository of that project and slug.
    pub fn new(project: &str, slug: &str) -> Self {
        Self { project: project.to_owned(), slug: slug.to_owned() }
    }

    /// Returns the path below a server's base URL, under which Bitbucket serves the repository over HTTP.
    pub(crate) fn over_http(&self) -> String {
        let segment = |text| utf8_percent_encode(text, RESERVED).to_string();
        format!("/scm/{}/{}.git", segment(&self.project), segment(&self.slug))
    }

    /// Returns the path under which Bitbucket serves the repository over SSH, where nothing is escaped.
    pub(crate) fn over_ssh(&self) -> String {
        format!("/{}/{}.git", self.project, self.slug)
    }
}

impl fmt::Display for RepositoryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.project, self.slug)
    }
}

/// Source: RFC 3986, section 2.3, unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_has_its_path() {
        for (project, slug, http, ssh) in [
            ("PROJECT_1", "rep-1", "/scm/PROJECT_1/rep-1.git", "/PROJECT_1/rep-1.git"),
            ("~ada", "a/b?c", "/scm/~ada/a%2Fb%3Fc.git", "/~ada/a/b?c.git"),
        ] {
            let repository = RepositoryPath::new(project, slug);
            assert_eq!((repository.over_http().as_str(), repository.over_ssh().as_str()), (http, ssh));
            assert_eq!(repository.to_string(), format!("{project}/{slug}"));
        }
    }
}
