//! Why git failed, read from what it said.
//!
//! Git tells people, not programs: the words below are those of git 2.39 to 2.51, curl and OpenSSH in the language C.

use e3_model::Outcome;

use super::{Ended, ForkedError, error};
use crate::{GitError, RepositoryPath};

/// Returns the error of a call that failed.
pub(super) fn of(repository: &RepositoryPath, ended: &Ended) -> GitError {
    let said = String::from_utf8_lossy(&ended.stderr);
    if UNAUTHORIZED.iter().any(|words| said.contains(words)) {
        return GitError::of_status(repository, 401);
    }
    if let Some(status) = http_status(&said) {
        return GitError::of_status(repository, status);
    }
    if said.lines().any(|line| line.starts_with("fatal: repository '") && line.ends_with("' not found")) {
        return GitError::of_status(repository, 404);
    }
    if let Some(message) = said.lines().find_map(|line| line.split_once("remote error: ")) {
        return GitError::Remote { repository: repository.clone(), message: clean(message.1) };
    }
    let known = OUTCOMES.iter().find(|(words, _)| said.contains(words));
    let words = last_words(&said);
    match known {
        Some((_, outcome)) => {
            error::forked(repository, ForkedError::Failed { outcome: *outcome, said: words })
        }
        None if words.is_empty() => {
            let said = ended.status.to_string();
            error::forked(repository, ForkedError::Failed { outcome: Outcome::Git, said })
        }
        // Over SSH, the service's own words stand there as they are.
        None => GitError::Remote { repository: repository.clone(), message: words },
    }
}

/// Returns a text of the server without what a terminal would act on, and not too much of it.
pub(super) fn clean(text: &str) -> String {
    let text: String = text.trim().chars().take(LONGEST_QUOTE).collect();
    text.escape_debug().to_string()
}

/// Returns the status in `The requested URL returned error: 403` or `RPC failed; HTTP 500`.
fn http_status(said: &str) -> Option<u16> {
    STATUSES.iter().find_map(|words| {
        let (_, rest) = said.split_once(words)?;
        rest.get(..3)?.parse().ok().filter(|status| (100..600).contains(status))
    })
}

/// Returns what was said, a line after the other, without what git says after everything.
fn last_words(said: &str) -> String {
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty() && !EMPTY.contains(line));
    let joined = lines.collect::<Vec<_>>().join("; ");
    let skipped = joined.chars().count().saturating_sub(LONGEST_QUOTE);
    clean(&joined.chars().skip(skipped).collect::<String>())
}

const UNAUTHORIZED: [&str; 2] = ["terminal prompts disabled", "Authentication failed for"];

const STATUSES: [&str; 2] = ["The requested URL returned error: ", "RPC failed; HTTP "];

/// The first that is found counts: those that say why come before those that say what came of it.
const OUTCOMES: [(&str, Outcome); 33] = [
    ("timed out", Outcome::Timeout),
    ("Connection refused", Outcome::Refused),
    ("Couldn't connect to server", Outcome::Refused),
    ("Failed to connect to", Outcome::Refused),
    // The server works; it is what it was told about keys that is wrong.
    ("Permission denied (", Outcome::Git),
    ("Host key verification failed", Outcome::Git),
    ("Could not resolve host", Outcome::Connection),
    ("SSL certificate", Outcome::Connection),
    ("SSL: ", Outcome::Connection),
    ("certificate verification failed", Outcome::Connection),
    ("SSL_", Outcome::Connection),
    ("gnutls_", Outcome::Connection),
    ("TLS connect error", Outcome::Connection),
    ("Connection reset", Outcome::Connection),
    ("Connection closed by", Outcome::Connection),
    ("Broken pipe", Outcome::Connection),
    ("Empty reply from server", Outcome::Connection),
    ("Recv failure", Outcome::Connection),
    ("Send failure", Outcome::Connection),
    ("transfer closed with", Outcome::Connection),
    ("kex_exchange_identification", Outcome::Connection),
    // An answer that ends too early says no more than that; a connection that broke is heard of before.
    ("unexpected disconnect", Outcome::Protocol),
    ("protocol error", Outcome::Protocol),
    ("bad line length", Outcome::Protocol),
    ("invalid server response", Outcome::Protocol),
    ("is this a git repository?", Outcome::Protocol),
    ("unknown capability", Outcome::Protocol),
    ("pack is corrupted", Outcome::Protocol),
    ("pack has ", Outcome::Protocol),
    ("early EOF", Outcome::Protocol),
    ("invalid index-pack output", Outcome::Protocol),
    ("index-pack failed", Outcome::Protocol),
    ("unexpected flush packet", Outcome::Protocol),
];

/// What git says after whatever a service has said.
const EMPTY: [&str; 4] = [
    "fatal: Could not read from remote repository.",
    "Please make sure you have the correct access rights",
    "and the repository exists.",
    "fatal: the remote end hung up unexpectedly",
];

const LONGEST_QUOTE: usize = 300;

#[cfg(test)]
mod tests {
    use std::{os::unix::process::ExitStatusExt as _, process::ExitStatus};

    use super::*;

    fn judged(said: &str) -> GitError {
        let ended = Ended {
            status: ExitStatus::from_raw(128 << 8),
            stdout: Vec::new(),
            stderr: said.as_bytes().to_vec(),
        };
        of(&RepositoryPath::new("P", "r"), &ended)
    }

    #[test]
    fn words_become_outcomes() {
        for (said, outcome) in [
            ("fatal: could not read Username for 'http://h': terminal prompts disabled", Outcome::Http4xx),
            ("fatal: Authentication failed for 'http://h/scm/P/r.git/'", Outcome::Http4xx),
            ("fatal: unable to access 'http://h/': The requested URL returned error: 403", Outcome::Http4xx),
            ("fatal: unable to access 'http://h/': The requested URL returned error: 429", Outcome::Http429),
            (
                "error: RPC failed; HTTP 503 curl 22 The requested URL returned error: 503\n\
                 fatal: expected flush after ref listing",
                Outcome::Http5xx,
            ),
            ("fatal: repository 'http://h/scm/P/r.git/' not found", Outcome::Http4xx),
            (
                "fatal: unable to access 'http://h/': Failed to connect to h port 1 after 0 ms: Couldn't connect to server",
                Outcome::Refused,
            ),
            (
                "ssh: connect to host h port 1: Connection refused\nfatal: Could not read from remote repository.",
                Outcome::Refused,
            ),
            ("ssh: connect to host h port 1: Connection timed out", Outcome::Timeout),
            (
                "fatal: unable to access 'https://h/': SSL: certificate subject name (x) does not match target host name 'h'",
                Outcome::Connection,
            ),
            ("git@h: Permission denied (publickey).", Outcome::Git),
            ("Host key verification failed.", Outcome::Git),
            (
                "error: RPC failed; curl 18 transfer closed with outstanding read data remaining\n\
                 fatal: early EOF\nfatal: fetch-pack: invalid index-pack output",
                Outcome::Connection,
            ),
            ("fatal: early EOF\nfatal: fetch-pack: invalid index-pack output", Outcome::Protocol),
            ("fatal: protocol error: bad line length character: HTTP", Outcome::Protocol),
            ("fatal: remote error: access denied", Outcome::Git),
            ("fatal: '/P/r.git' does not appear to be a git repository", Outcome::Git),
            ("", Outcome::Git),
        ] {
            let error = judged(said);
            assert_eq!(error.outcome(), outcome, "{said}: {error:?}");
        }
    }

    #[test]
    fn the_services_words_are_kept_and_gits_own_left_out() {
        let error = judged(
            "Repository not found\nIt does not exist.\nfatal: Could not read from remote repository.\n\n\
             Please make sure you have the correct access rights\nand the repository exists.\n",
        );
        let GitError::Remote { message, .. } = error else { panic!("{error:?}") };
        assert_eq!(message, "Repository not found; It does not exist.");
        let GitError::Remote { message, .. } = judged(&format!("{}\u{1b}[2Jend", "x".repeat(900))) else {
            panic!("another error")
        };
        assert!(message.ends_with("\\u{1b}[2Jend") && message.len() < 400, "{message}");
    }
}
