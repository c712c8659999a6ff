//! Routes: which requests a fault disturbs.

/// Which requests a fault disturbs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultRoute {
    /// All that can be disturbed.
    Every,
    /// Requests below `/rest`.
    Rest,
    /// Pages, and all else that is neither REST nor Git.
    Web,
    /// Requests for a repository by Git, over HTTP and SSH.
    Git,
    /// Those of them that want a pack.
    Fetch,
    /// Those of them that send one.
    Push,
    /// Those of them that ask for refs.
    Refs,
    /// Requests to this path and below it; without a final slash, empty for all.
    Below(String),
}

impl FaultRoute {
    /// The names of the routes that are no paths.
    pub const NAMES: [&'static str; 6] = ["rest", "web", "git", "fetch", "push", "refs"];

    /// Returns the route as a fault writes it; none when there is none of that name.
    pub fn parse(written: Option<&str>) -> Option<Self> {
        Some(match written {
            None => Self::Every,
            Some("rest") => Self::Rest,
            Some("web") => Self::Web,
            Some("git") => Self::Git,
            Some("fetch") => Self::Fetch,
            Some("push") => Self::Push,
            Some("refs") => Self::Refs,
            Some(path) if path.starts_with('/') => Self::Below(path.trim_end_matches('/').to_owned()),
            Some(_) => return None,
        })
    }

    /// Returns whether a path is the route's or lies below it; only routes that are paths match any.
    pub fn holds(&self, path: &str) -> bool {
        let Self::Below(prefix) = self else { return false };
        let Some((start, rest)) = path.split_at_checked(prefix.len()) else { return false };
        start.eq_ignore_ascii_case(prefix) && (rest.is_empty() || rest.starts_with('/'))
    }

    /// Returns whether requests to the path are never disturbed: those that tell how a node is, and the switch.
    pub fn is_spared(path: &str) -> bool {
        let spared = ["/status", "/metrics", "/rest/e3"];
        spared.iter().any(|spared| Self::Below((*spared).to_owned()).holds(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_holds_what_lies_below_it_and_no_neighbour() {
        let holds = |route: &str, path: &str| FaultRoute::parse(Some(route)).unwrap().holds(path);
        for (route, path, expected) in [
            ("/scm/proj", "/scm/proj", true),
            ("/scm/proj", "/scm/proj/repo.git/git-upload-pack", true),
            ("/scm/proj/", "/scm/PROJ/repo.git", true),
            ("/scm/proj", "/scm/project/repo.git", false),
            ("/scm/proj", "/scm", false),
            ("/", "/anything", true),
            ("/ü", "/ü/x", true),
            ("/abc", "/aü", false),
            ("rest", "/rest/api/1.0/projects", false),
        ] {
            assert_eq!(holds(route, path), expected, "{route} {path}");
        }
        assert_eq!(FaultRoute::parse(Some("clone")), None);
        assert!(FaultRoute::NAMES.iter().all(|name| FaultRoute::parse(Some(name)).is_some()));
        assert!(FaultRoute::is_spared("/status") && FaultRoute::is_spared("/rest/e3/latest/faults"));
        assert!(!FaultRoute::is_spared("/rest/api/1.0/projects"));
    }
}
