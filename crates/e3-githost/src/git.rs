//! Git itself: every object, pack and ref update is made by the `git` that is installed, never by this crate.
//!
//! Children run with a cleared environment and no configuration but ours, a bounded number at once, each in a process
//! group of its own that ends when nobody waits for it any more. Only refs are read here directly, because neither a page
//! that lists branches nor a client that asks whether there is news should cost a fork.

mod advertisement;
mod blob;
mod call;
mod child;
mod conversation;
mod excerpt;
mod fetch_cache;
mod inflate;
mod merging;
mod objects;
pub(crate) mod pkt;
mod refs;
mod smart_http;
mod wanted;

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;
use tokio_util::task::TaskTracker;

use crate::GithostError;
use crate::limits::Limits;
use crate::throttle::{Ticket, Tickets};

use advertisement::Advertisements;

pub(crate) use advertisement::{Asked, LsRefs};
pub(crate) use call::{Call, Service, is_malformed, is_protocol};
pub(crate) use child::{GitChild, GitError};
pub(crate) use excerpt::Excerpt;
pub(crate) use fetch_cache::{FetchCache, Recording};
pub(crate) use merging::{Merged, NewMerge};
pub(crate) use objects::{Content, Entry, EntryKind, Found};
pub(crate) use refs::{Branch, Branches, branches};
pub(crate) use smart_http::{refuse, routes};
pub(crate) use wanted::{Kind, Said, Wanted};

/// The installed Git.
#[derive(Clone)]
pub(crate) struct Git {
    program: PathBuf,
    version: String,
    /// For short commands.
    tickets: Arc<Tickets>,
    reaper: TaskTracker,
    run: Duration,
    advertisements: Arc<Advertisements>,
}

impl Git {
    /// Checks that Git, the chosen one or else the first on the `PATH`, is there and new enough.
    pub(crate) async fn find(
        chosen: Option<&str>,
        limits: &Limits,
        tickets: Arc<Tickets>,
        reaper: TaskTracker,
    ) -> Result<Self, GithostError> {
        let program = chosen.map_or_else(program, PathBuf::from);
        let advertisements = Arc::default();
        let mut git =
            Self { program, version: String::new(), tickets, reaper, run: limits.git_run(), advertisements };
        let asked = git.program.display().to_string();
        let failed = |error| GithostError::Git {
            why: format!(
                "`{asked} version` failed ({}); install git {OLDEST_NAME} or newer",
                e3_model::with_causes(&error)
            ),
        };
        let version = git.output(["version"], b"", 4096).await.map_err(failed)?;
        let version = String::from_utf8_lossy(&version);
        let version = version.trim();
        if parse_version(version).is_some_and(|found| found >= OLDEST) {
            git.version = version.strip_prefix("git version ").unwrap_or(version).to_owned();
            return Ok(git);
        }
        let why = format!("{asked} says {version:?}, but {OLDEST_NAME} or newer is needed");
        Err(GithostError::Git { why })
    }

    /// Returns the version that it says it is, such as `2.47.3`.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Returns what tasks that own children should run under; the node waits for them before it ends.
    pub(crate) fn tracker(&self) -> &TaskTracker {
        &self.reaper
    }

    /// Makes an empty bare repository whose HEAD names the branch.
    pub(crate) async fn init(&self, path: &Path, branch: &str) -> io::Result<()> {
        let branch = format!("--initial-branch={branch}");
        let arguments: [&OsStr; 6] = [
            "init".as_ref(),
            "--bare".as_ref(),
            "--quiet".as_ref(),
            "--template=".as_ref(),
            branch.as_ref(),
            path.as_ref(),
        ];
        self.output(arguments, b"", 4096).await.map(drop).map_err(io::Error::other)
    }

    /// Lets HEAD name a branch that exists, if it names none yet: the first push decides.
    pub(crate) async fn settle_head(&self, path: &Path) -> Result<(), GitError> {
        let at = path.to_owned();
        let found = tokio::task::spawn_blocking(move || branches(&at)).await;
        let Ok(Ok(found)) = found else { return Ok(()) };
        let name = |branch: &Branch| branch.name.clone();
        let settled = found.default().is_some();
        let preferred = ["refs/heads/main", "refs/heads/master"]
            .iter()
            .find_map(|wanted| found.list.iter().find(|branch| branch.name == *wanted))
            .or(found.list.first());
        match preferred.map(name) {
            Some(branch) if !settled => {
                let directory = git_dir(path);
                let arguments: [&OsStr; 4] =
                    [&directory, "symbolic-ref".as_ref(), "HEAD".as_ref(), branch.as_ref()];
                self.output(arguments, b"", 4096).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Returns the full names of all branches, the most recently committed to first.
    pub(crate) async fn branches_by_date(&self, path: &Path) -> Result<Vec<String>, GitError> {
        let directory = git_dir(path);
        let arguments: [&OsStr; 5] = [
            &directory,
            "for-each-ref".as_ref(),
            "--sort=-committerdate".as_ref(),
            "--format=%(refname)".as_ref(),
            "refs/heads".as_ref(),
        ];
        let output = self.output(arguments, b"", 64 << 20).await?;
        Ok(String::from_utf8_lossy(&output).lines().map(str::to_owned).collect())
    }

    /// Runs a short command to its end and returns what it printed.
    ///
    /// # Errors
    /// The command's own failure with the tail of what it complained about, or a bound that was met.
    pub(crate) async fn output<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        input: &[u8],
        most: usize,
    ) -> Result<Vec<u8>, GitError> {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let child = self.spawn(command).await?;
        child.output(input, most, self.run.min(SHORT)).await
    }

    /// Returns a command that sees our environment only.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear();
        for name in PASSED_ON {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.envs(ENVIRONMENT);
        for (key, value) in SETTINGS {
            command.arg("-c").arg(format!("{key}={value}"));
        }
        command
    }

    /// Starts a short command when there is a ticket for it.
    async fn spawn(&self, command: Command) -> Result<GitChild, GitError> {
        let ticket = self.tickets.take().await?;
        self.serve(command, ticket)
    }

    /// Starts a child, which holds the ticket for as long as it is there.
    fn serve(&self, command: Command, ticket: Ticket) -> Result<GitChild, GitError> {
        GitChild::spawn(command, ticket, self.reaper.clone())
    }
}

/// Returns where git is, by `PATH`: a program that need not be searched for is started without copying this process.
fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let candidates = std::env::split_paths(&path).map(|directory| directory.join("git"));
    let mut absolute = candidates.filter(|candidate| candidate.is_absolute());
    absolute.find(|candidate| candidate.is_file()).unwrap_or_else(|| PathBuf::from("git"))
}

pub(crate) fn git_dir(path: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from("--git-dir=");
    argument.push(path);
    argument
}

/// Returns major and minor of `git version 2.47.3`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().strip_prefix("git version ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The second is how whoever started this server finds what it started; its children carry the mark too.
const PASSED_ON: [&str; 2] = ["PATH", "E3_RESOURCE"];

const ENVIRONMENT: [(&str, &str); 6] = [
    ("LC_ALL", "C"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_DEFAULT_HASH", "sha1"),
    // Refs are read by this crate too, in this format.
    ("GIT_DEFAULT_REF_FORMAT", "files"),
];

const SETTINGS: [(&str, &str); 8] = [
    ("uploadpack.allowFilter", "true"),
    ("uploadpack.allowAnySHA1InWant", "true"),
    ("receive.fsckObjects", "true"),
    // A mirror push may replace the branch that HEAD names; there is no work tree to go stale.
    ("receive.denyDeleteCurrent", "ignore"),
    ("receive.shallowUpdate", "false"),
    // Housekeeping ends with the push that caused it, and so never outlives the server.
    ("gc.autoDetach", "false"),
    ("maintenance.autoDetach", "false"),
    // Many operations run at once; one that took every core would starve the others.
    ("pack.threads", "1"),
];

/// The bound of commands that only look something up.
const SHORT: Duration = Duration::from_secs(60);
const OLDEST: (u32, u32) = (2, 39);
const OLDEST_NAME: &str = "2.39";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(parse_version("git version 2.47.3\n"), Some((2, 47)));
        assert_eq!(parse_version("git version 2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(parse_version("git version next"), None);
        assert!(parse_version("git version 3.0").unwrap() > OLDEST);
        assert!(parse_version("git version 2.9.1").unwrap() < OLDEST);
    }
}
