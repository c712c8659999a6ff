//! What each family has, and has not.

/// A version family of Bitbucket, by the version that its replay server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplayFamily {
    /// 4.11.2: the first E3's own.
    Four,
    /// 7.11.2: the version that most recordings are of.
    Seven,
    /// 8.19.0.
    Eight,
    /// 9.4.0.
    Nine,
    /// 10.0.0.
    Ten,
}

impl ReplayFamily {
    /// All of them, in order of age.
    pub const ALL: [Self; 5] = [Self::Four, Self::Seven, Self::Eight, Self::Nine, Self::Ten];

    /// Returns the version that the server says it has.
    pub fn version(self) -> &'static str {
        match self {
            Self::Four => "4.11.2",
            Self::Seven => "7.11.2",
            Self::Eight => "8.19.0",
            Self::Nine => "9.4.0",
            Self::Ten => "10.0.0",
        }
    }

    /// Returns the version's build number, as recorded for 7.11.2: major, then three digits each.
    pub(super) fn build_number(self) -> &'static str {
        match self {
            Self::Four => "4011002",
            Self::Seven => "7011002",
            Self::Eight => "8019000",
            Self::Nine => "9004000",
            Self::Ten => "10000000",
        }
    }

    /// Returns the cookie that holds a session.
    pub fn session_cookie(self) -> &'static str {
        if self == Self::Four { "JSESSIONID" } else { "BITBUCKETSESSIONID" }
    }

    /// Returns whether its login page is the one in two steps. Whether the target of the form is still served beside it is
    /// not known; here it is not.
    pub(super) fn logs_in_by_call(self) -> bool {
        self >= Self::Nine
    }

    /// Returns whether it serves what lies below `/rest/SERVICE`.
    pub(super) fn has_service(self, service: &str) -> bool {
        match service {
            "api" | "branch-utils" | "build-status" | "default-reviewers" | "jira" => true,
            "audit" | "pull-request-source-branch-deletion" => self < Self::Eight,
            "auditing" | "pull-request-cleanup" => self >= Self::Eight,
            _ => false,
        }
    }

    /// Returns whether `default-branch` is there; `branches/default` always is.
    pub(super) fn names_default_branch(self) -> bool {
        self >= Self::Eight
    }

    /// Returns whether pull requests are opened by a form.
    pub(super) fn has_creation_form(self) -> bool {
        self == Self::Four
    }

    /// Returns whether `automerge/path` is there: the first E3 asked 4.x for it, and of later ones nothing is known.
    pub(super) fn tells_automerge(self) -> bool {
        self < Self::Eight
    }

    /// Returns whether a write by REST that is no JSON must say that no browser was tricked into it.
    pub(super) fn checks_token(self) -> bool {
        self >= Self::Eight
    }
}
