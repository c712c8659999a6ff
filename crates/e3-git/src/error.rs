//! What can go wrong with a repository, and which outcome of an op that is.

use e3_git_wire::Fault;
use e3_http::HttpError;
use e3_model::Outcome;

use crate::{ForkedError, RepositoryPath, SshError};

/// Why an operation on a repository failed; each names the repository.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// The exchange failed below Git.
    #[error("cannot talk about repository {repository}")]
    Http {
        /// The repository.
        repository: RepositoryPath,
        /// What failed.
        source: HttpError,
    },
    /// The connection failed below Git.
    #[error("cannot talk about repository {repository}")]
    Ssh {
        /// The repository.
        repository: RepositoryPath,
        /// What failed.
        source: SshError,
    },
    /// The real git failed, below what the other errors tell of.
    #[error("the real git failed with repository {repository}")]
    Forked {
        /// The repository.
        repository: RepositoryPath,
        /// What failed.
        source: ForkedError,
    },
    /// The real git cannot be used as a client.
    #[error("cannot prepare a client that runs git")]
    ForkedClient {
        /// Why.
        source: ForkedError,
    },
    /// The text is not the address of an SSH server, or not its host key.
    #[error("{text:?} is not {what}: {reason}")]
    Endpoint {
        /// The text.
        text: String,
        /// What it should be.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A private key cannot be used.
    #[error("cannot use the private key: {reason}")]
    Key {
        /// Why, without anything of the key.
        reason: String,
    },
    /// 401: the credentials are missing or wrong.
    #[error("repository {repository} wants other credentials (HTTP 401)")]
    Unauthorized {
        /// The repository.
        repository: RepositoryPath,
    },
    /// 403: the user may not read it.
    #[error("the user may not read repository {repository} (HTTP 403)")]
    Forbidden {
        /// The repository.
        repository: RepositoryPath,
    },
    /// 404: there is no such repository, or the user may not know of it.
    #[error("there is no repository {repository} (HTTP 404)")]
    NotFound {
        /// The repository.
        repository: RepositoryPath,
    },
    /// 429: the server asks its clients to come later; like `git`, this one does not try again by itself.
    #[error(
        "the server has too many requests to answer for repository {repository} (HTTP 429, Retry-After: {})",
        if retry_after.is_empty() { "not said" } else { retry_after }
    )]
    TooManyRequests {
        /// The repository.
        repository: RepositoryPath,
        /// When to come again, as the header `Retry-After` has it: seconds, or a date; empty if it does not say.
        retry_after: String,
    },
    /// The server sends the client where it cannot or must not go.
    #[error("cannot follow the server of {repository} to {location:?}: {reason}")]
    Redirect {
        /// The repository.
        repository: RepositoryPath,
        /// Where to, without credentials.
        location: String,
        /// Why not.
        reason: String,
    },
    /// Any other status than 200: an error of the server, or a redirect of another request than the first.
    #[error("the server answered for repository {repository} with HTTP {status}")]
    Status {
        /// The repository.
        repository: RepositoryPath,
        /// The status code.
        status: u16,
    },
    /// The answer is not smart HTTP: a page, or a server that only hands out files.
    #[error(
        "{repository} is not answered by a smart Git server, which would send {expected}, but with {found:?}"
    )]
    NotSmart {
        /// The repository.
        repository: RepositoryPath,
        /// The content type of smart HTTP.
        expected: String,
        /// The answer's content type; empty if it has none.
        found: String,
    },
    /// The Git server reports an error.
    #[error("the Git server reports an error for {repository}: {message}")]
    Remote {
        /// The repository.
        repository: RepositoryPath,
        /// The server's words, at most some hundred characters.
        message: String,
    },
    /// The server cannot do what was asked for.
    #[error("the Git server of {repository} does not know {feature}, which was asked for")]
    Unable {
        /// The repository.
        repository: RepositoryPath,
        /// The capability that it lacks.
        feature: &'static str,
    },
    /// There is no such branch.
    #[error("repository {repository} has no branch {branch}")]
    NoBranch {
        /// The repository.
        repository: RepositoryPath,
        /// The branch.
        branch: String,
    },
    /// The server did not update a ref.
    #[error("the Git server refused to update {branch} of {repository}: {reason}")]
    Refused {
        /// The repository.
        repository: RepositoryPath,
        /// The ref.
        branch: String,
        /// The server's words.
        reason: String,
    },
    /// The repository's object ids are not SHA-1.
    #[error("repository {repository} has object format {format:?}, but only sha1 is spoken here")]
    ObjectFormat {
        /// The repository.
        repository: RepositoryPath,
        /// The format that the server names.
        format: String,
    },
    /// The answer ended before it was whole.
    #[error("the answer for {repository} ends within {within}")]
    Truncated {
        /// The repository.
        repository: RepositoryPath,
        /// What was incomplete.
        within: &'static str,
    },
    /// The pack's trailer is not the checksum of the pack.
    #[error("the pack of {repository} does not have the checksum that it ends with")]
    Checksum {
        /// The repository.
        repository: RepositoryPath,
    },
    /// The answer breaks Git's protocol.
    #[error("the answer for {repository} breaks Git's protocol: {problem}")]
    Protocol {
        /// The repository.
        repository: RepositoryPath,
        /// What is wrong.
        problem: String,
    },
}

impl GitError {
    /// Returns the outcome of an op that ended with this error.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Http { source, .. } => source.outcome(),
            Self::Ssh { source, .. } => source.outcome(),
            Self::Forked { source, .. } | Self::ForkedClient { source } => source.outcome(),
            Self::Unauthorized { .. } | Self::Forbidden { .. } | Self::NotFound { .. } => Outcome::Http4xx,
            Self::Status { status, .. } => match Outcome::of_status(*status) {
                // Git's protocol knows no success but 200.
                Outcome::Ok => Outcome::Protocol,
                other => other,
            },
            Self::TooManyRequests { .. } => Outcome::Http429,
            Self::Redirect { .. } => Outcome::Http3xx,
            Self::Remote { .. } | Self::Refused { .. } => Outcome::Git,
            Self::Unable { .. }
            | Self::ObjectFormat { .. }
            | Self::NoBranch { .. }
            | Self::Endpoint { .. }
            | Self::Key { .. } => Outcome::Unexpected,
            Self::NotSmart { .. }
            | Self::Truncated { .. }
            | Self::Checksum { .. }
            | Self::Protocol { .. } => Outcome::Protocol,
        }
    }

    pub(crate) fn of_status(repository: &RepositoryPath, status: u16) -> Self {
        let repository = repository.clone();
        match status {
            401 => Self::Unauthorized { repository },
            403 => Self::Forbidden { repository },
            404 => Self::NotFound { repository },
            _ => Self::Status { repository, status },
        }
    }

    /// A reader of answers that promises a pack has found one; this names its absence without a panic.
    pub(crate) fn no_pack(repository: &RepositoryPath) -> Self {
        Self::Truncated { repository: repository.clone(), within: "the answer before the pack" }
    }

    pub(crate) fn of_fault(repository: &RepositoryPath, fault: Fault) -> Self {
        let repository = repository.clone();
        match fault {
            Fault::Remote(message) => Self::Remote { repository, message },
            Fault::ObjectFormat(format) => Self::ObjectFormat { repository, format },
            Fault::Truncated(within) => Self::Truncated { repository, within },
            Fault::Checksum => Self::Checksum { repository },
            Fault::Protocol(problem) => Self::Protocol { repository, problem },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_becomes_its_outcome() {
        let repository = RepositoryPath::new("P", "r");
        for (status, outcome) in [
            (401, Outcome::Http4xx),
            (403, Outcome::Http4xx),
            (404, Outcome::Http4xx),
            (429, Outcome::Http429),
            (503, Outcome::Http5xx),
            (302, Outcome::Http3xx),
            (204, Outcome::Protocol),
        ] {
            assert_eq!(GitError::of_status(&repository, status).outcome(), outcome, "{status}");
        }
    }
}
