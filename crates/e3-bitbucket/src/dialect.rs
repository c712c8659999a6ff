//! What differs between Bitbucket's versions from a client's view, as a function of the version alone.
//!
//! Nothing here has met a real product of every version. Each choice names its evidence: **REC** recorded from a real
//! server, **SPEC** Atlassian's own description of the interface, **DOC** a page of Atlassian's, **CODE** a client that
//! talks to real servers, **none** our own guess. The guide's page on versions lists what is not confirmed.

use std::fmt;

use e3_model::ProductVersion;

/// How a Bitbucket of one version is spoken to. A server that does not say its version is spoken to as the newest; clients
/// then fall back where it does not know a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    version: Option<ProductVersion>,
}

/// Versions that are spoken to alike, in order of age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// 4.x, and whatever is older.
    Four,
    /// 5.x, 6.x and 7.x.
    FiveToSeven,
    /// 8.x.
    Eight,
    /// 9.x.
    Nine,
    /// 10.x, and whatever is newer.
    Ten,
}

/// How a browser logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginWay {
    /// The form with `j_username` and `j_password`.
    Form,
    /// As the login page shows: by the form where it has one, else by the page's own JSON call.
    AsThePageShows,
}

/// Where the audit log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditLog {
    /// Each repository has its own.
    OfRepository,
    /// One for the whole server, which the administrator reads.
    OfServer,
}

/// How the default branch and its latest commit are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultBranchWay {
    /// One resource tells both.
    WithCommit,
    /// One resource tells the branch, and the list of branches its commit.
    BranchThenCommit,
}

/// How a pull request is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreationWay {
    /// By the form of the page on which it is written, with the token that is hidden in that page.
    Form,
    /// By REST, as that page's own script does.
    Rest,
}

/// What deletes the source branch of a merged pull request, as the page of a pull request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceBranchWay {
    /// `pull-request-source-branch-deletion`.
    Deletion,
    /// `pull-request-cleanup`.
    Cleanup,
}

impl Dialect {
    /// Returns how a server of this version is spoken to; of none, one whose version is not known.
    pub const fn of(version: Option<ProductVersion>) -> Self {
        Self { version }
    }

    /// Returns whether the server said its version; where it did not, calls must be able to fall back.
    pub const fn is_known(self) -> bool {
        self.version.is_some()
    }

    /// Returns the family; that of the newest where the version is not known.
    pub fn family(self) -> Family {
        match self.version.map(|version| version.major) {
            Some(0..=4) => Family::Four,
            Some(5..=7) => Family::FiveToSeven,
            Some(8) => Family::Eight,
            Some(9) => Family::Nine,
            Some(10..) | None => Family::Ten,
        }
    }

    /// Returns how a browser logs in.
    ///
    /// Source: up to 8.x the form (CODE: Atlassian's performance toolkit, SCMKit). From 9.x a page in two steps with no
    /// `j_username` in it (CODE: the same toolkit, which tells the two by that word; SPEC 9.4). From which version on, and
    /// whether 10.x still describes the call, is not known, so the page decides.
    pub fn login(self) -> LoginWay {
        if self.family() < Family::Nine { LoginWay::Form } else { LoginWay::AsThePageShows }
    }

    /// Returns the cookie that holds the session.
    ///
    /// Source: `BITBUCKETSESSIONID` (CODE: SCMKit; SPEC 9.4), before 5.0 `JSESSIONID` (none for the exact version).
    pub fn session_cookie(self) -> &'static str {
        if self.family() == Family::Four { "JSESSIONID" } else { "BITBUCKETSESSIONID" }
    }

    /// Returns where the audit log is read.
    ///
    /// Source: the repository's own until 7.x, gone in 8.0; the server's since (DOC: BSERV-13610; SPEC 9.4 has the old one
    /// no more). That the new one's events can be asked for one repository is documented, by which name of its type is not.
    pub fn audit_log(self) -> AuditLog {
        if self.family() < Family::Eight { AuditLog::OfRepository } else { AuditLog::OfServer }
    }

    /// Returns how the default branch and its latest commit are found.
    ///
    /// Source: `branches/default` tells both and is served up to 10.0 (SPEC 10.0; REC 8.19), but deprecated since 8.19 in
    /// favour of `default-branch`, which names no commit (SPEC 9.4). Ours: what is deprecated is asked up to 8.x.
    pub fn default_branch(self) -> DefaultBranchWay {
        if self.family() < Family::Nine {
            DefaultBranchWay::WithCommit
        } else {
            DefaultBranchWay::BranchThenCommit
        }
    }

    /// Returns how a pull request is opened.
    ///
    /// Source: the form as the first E3 used it against 4.x; by REST later (REC 7.x; SPEC 9.4; CODE: all clients). From
    /// which version on the page itself calls REST is not known (none); 5.0 is ours.
    pub fn creation(self) -> CreationWay {
        if self.family() == Family::Four { CreationWay::Form } else { CreationWay::Rest }
    }

    /// Returns what deletes the source branch of a merged pull request.
    ///
    /// Source: both are internal calls of the page. The older is in Atlassian's knowledge base (DOC), the newer in several
    /// clients (CODE); from which version on is not known (none); 8.0 is ours. Where the server has neither, the published
    /// `branch-utils` does it (SPEC 9.4).
    pub fn source_branch(self) -> SourceBranchWay {
        if self.family() < Family::Eight { SourceBranchWay::Deletion } else { SourceBranchWay::Cleanup }
    }

    /// Returns whether writes by REST say `X-Atlassian-Token: no-check`.
    ///
    /// Source: the first E3 sent none to 4.x. Newer clients send it with every write (CODE: Renovate) or with those that
    /// carry no JSON (CODE: atlassian-python-api); the server's rule is not published (none), and none refuses it.
    pub fn says_no_check(self) -> bool {
        self.family() >= Family::Eight
    }

    /// Returns whether an HTTP access token lets one in at a path below the context path.
    ///
    /// Source: from 8.9.22, 8.19.12 and 9.3.2 on only below `/rest` and `/scm` (DOC: "Access tokens no longer work as
    /// expected after upgrading"). Versions between these lines are not named there; they are taken as unrestricted.
    pub fn token_reaches(self, path: &str) -> bool {
        let is_restricted = match self.version.map(|it| (it.major, it.minor, it.patch)) {
            Some((8, 9, patch)) => patch >= 22,
            Some((8, 19, patch)) => patch >= 12,
            Some((8, minor, _)) => minor > 19,
            Some((9, 3, patch)) => patch >= 2,
            Some((9, minor, _)) => minor > 3,
            Some((major, ..)) => major > 9,
            None => true,
        };
        let path = path.split('?').next().unwrap_or_default();
        let is_below =
            |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        !is_restricted || is_below("/rest") || is_below("/scm")
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Four => "4.x",
            Self::FiveToSeven => "5.x to 7.x",
            Self::Eight => "8.x",
            Self::Nine => "9.x",
            Self::Ten => "10.x",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(version: &str) -> Dialect {
        Dialect::of(ProductVersion::parse(version))
    }

    #[test]
    fn each_family_has_its_ways() {
        use {
            AuditLog::*, CreationWay as Create, DefaultBranchWay::*, LoginWay as Login, SourceBranchWay::*,
        };
        for (version, family, login, audit, default, create, source, no_check) in [
            ("3.11.6", Family::Four, Login::Form, OfRepository, WithCommit, Create::Form, Deletion, false),
            ("4.11.0", Family::Four, Login::Form, OfRepository, WithCommit, Create::Form, Deletion, false),
            (
                "5.0.0",
                Family::FiveToSeven,
                Login::Form,
                OfRepository,
                WithCommit,
                Create::Rest,
                Deletion,
                false,
            ),
            (
                "7.21.23",
                Family::FiveToSeven,
                Login::Form,
                OfRepository,
                WithCommit,
                Create::Rest,
                Deletion,
                false,
            ),
            ("8.0.0", Family::Eight, Login::Form, OfServer, WithCommit, Create::Rest, Cleanup, true),
            ("8.19.27", Family::Eight, Login::Form, OfServer, WithCommit, Create::Rest, Cleanup, true),
            (
                "9.0.0-rc1",
                Family::Nine,
                Login::AsThePageShows,
                OfServer,
                BranchThenCommit,
                Create::Rest,
                Cleanup,
                true,
            ),
            (
                "9.4.1",
                Family::Nine,
                Login::AsThePageShows,
                OfServer,
                BranchThenCommit,
                Create::Rest,
                Cleanup,
                true,
            ),
            (
                "10.0.0",
                Family::Ten,
                Login::AsThePageShows,
                OfServer,
                BranchThenCommit,
                Create::Rest,
                Cleanup,
                true,
            ),
            (
                "11.2.0",
                Family::Ten,
                Login::AsThePageShows,
                OfServer,
                BranchThenCommit,
                Create::Rest,
                Cleanup,
                true,
            ),
        ] {
            let spoken = dialect(version);
            let ways = (spoken.login(), spoken.audit_log(), spoken.default_branch());
            assert_eq!((spoken.family(), ways), (family, (login, audit, default)), "{version}");
            let ways = (spoken.creation(), spoken.source_branch(), spoken.says_no_check());
            assert_eq!(ways, (create, source, no_check), "{version}");
        }
    }

    #[test]
    fn a_server_that_does_not_say_is_spoken_to_as_the_newest() {
        let (unknown, newest) = (Dialect::of(None), dialect("10.0.0"));
        assert!(!unknown.is_known() && newest.is_known());
        assert_eq!(unknown.family(), newest.family());
        assert_eq!(unknown.session_cookie(), "BITBUCKETSESSIONID");
        assert_eq!(dialect("4.14.1").session_cookie(), "JSESSIONID");
    }

    #[test]
    fn tokens_are_restricted_from_the_versions_that_atlassian_names() {
        for (version, reaches, why) in [
            ("7.21.0", true, "long before"),
            ("8.9.21", true, "the last of its line before"),
            ("8.9.22", false, "the first of its line"),
            ("8.14.0", true, "a line that is not named"),
            ("8.19.11", true, "the last of its line before"),
            ("8.19.12", false, "the first of its line"),
            ("9.3.1", true, "the last before"),
            ("9.3.2", false, "the first"),
            ("9.4.0", false, "after it"),
            ("10.0.0", false, "after it"),
        ] {
            let spoken = dialect(version);
            assert_eq!(spoken.token_reaches("/projects/A/repos/b/browse"), reaches, "{version}: {why}");
            assert_eq!(spoken.token_reaches("/restless"), reaches, "{version}: no segment of that name");
            assert!(spoken.token_reaches("/rest/api/1.0/projects?limit=1"), "{version}");
            assert!(spoken.token_reaches("/scm/a/b.git/info/refs"), "{version}");
        }
        assert!(!Dialect::of(None).token_reaches("/dashboard"));
    }
}
