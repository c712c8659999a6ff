//! One call of one of git's two services: who calls, for which repository, and how git is started for it.
//!
//! The same for both protocols, so that a push over SSH meets the same bounds as one over HTTP.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use http::StatusCode;

use super::wanted::Wanted;
use super::{GitChild, GitError};
use crate::access_log::{Label, Record, Recorded};
use crate::failure::Failure;
use crate::metrics::{GitCall, Transport};
use crate::names::{ProjectKey, Slug};
use crate::permissions::{Level, check_user};
use crate::state::App;
use crate::store::{Repository, User};
use crate::throttle::Ticket;

/// What git serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// Fetches and clones.
    UploadPack,
    /// Pushes.
    ReceivePack,
}

/// One call for one repository by one user.
pub(crate) struct Call {
    pub(crate) host: App,
    pub(crate) user: User,
    pub(crate) repository: Repository,
    pub(crate) service: Service,
    /// What goes into `GIT_PROTOCOL`.
    pub(crate) protocol: Option<String>,
    /// Counts the call while it lives; none while only refs are advertised over HTTP.
    pub(crate) counted: Option<GitCall>,
    /// What is noted of the request or command.
    pub(crate) record: Option<Arc<Record>>,
}

impl Call {
    /// Finds what the address names.
    ///
    /// # Errors
    /// 404 if it names nothing that the user may read, 403 if the user may not push there, with what git should show.
    pub(crate) async fn open(
        host: App,
        user: User,
        address: Option<(ProjectKey, Slug)>,
        (service, protocol): (Service, Option<String>),
    ) -> Result<Self, Failure> {
        let repository = match address {
            Some((key, slug)) => host.store.repository(&key, &slug).await?,
            None => None,
        };
        let repository = repository.ok_or_else(not_found)?;
        let wanted = match service {
            Service::UploadPack => Level::Read,
            Service::ReceivePack => Level::Write,
        };
        match check_user(&host, &user, &repository, wanted).await {
            // Who may read learns why the push is refused; others learn nothing of the repository.
            Err(failure) if failure.status == StatusCode::UNAUTHORIZED => {
                let reads = check_user(&host, &user, &repository, Level::Read).await.is_ok();
                return Err(if reads { not_writable() } else { not_found() });
            }
            checked => checked?,
        }
        Ok(Self { host, user, repository, service, protocol, counted: None, record: None })
    }

    /// Returns the same call, counted from now on until it is dropped.
    pub(crate) fn counted(mut self, transport: Transport) -> Self {
        self.counted = Some(self.host.metrics.git_call(self.service, transport));
        self
    }

    /// Returns the same call, with what is noted of it.
    pub(crate) fn recorded(mut self, record: &Arc<Record>) -> Self {
        self.record = Some(Arc::clone(record));
        self
    }

    /// Returns the same call, with what is noted of its request, if anything is.
    pub(crate) fn recorded_by(mut self, recorded: Recorded) -> Self {
        self.record = recorded.0;
        self
    }

    /// Notes what it turned out to be by what the client wanted, and whether it got a pack.
    pub(crate) fn label_as(&self, wanted: Wanted, has_pack: bool) {
        if let Some(record) = &self.record {
            record.label_as(wanted, has_pack);
        }
    }

    /// Notes that nothing but refs was asked for, if that is so.
    pub(crate) fn label_refs(&self) {
        if let Some(record) = &self.record
            && ![Label::Clone, Label::Fetch].into_iter().any(|label| record.has(label))
        {
            record.label(Label::Refs);
        }
    }

    /// Notes what it turned out to be.
    pub(crate) fn label(&self, label: Label) {
        if let Some(record) = &self.record {
            record.label(label);
        }
    }

    /// Notes bytes that came from the client and went to it, over SSH; by HTTP they are counted as they pass.
    pub(crate) fn note_bytes(&self, received: usize, sent: usize) {
        if let Some(counted) = &self.counted {
            counted.bytes(received, sent);
        }
        if let Some(record) = &self.record {
            record.note_bytes(received, sent);
        }
    }

    /// Returns the version of git's protocol that the client asked for; `receive-pack` knows no version 2.
    pub(crate) fn version(&self) -> u8 {
        let asked = self.protocol.as_deref().unwrap_or("");
        let asks = |version: &str| asked.split(':').any(|part| part == version);
        match self.service {
            Service::UploadPack if asks("version=2") => 2,
            _ if asks("version=1") => 1,
            _ => 0,
        }
    }

    /// Returns the repository's directory.
    pub(crate) fn path(&self) -> PathBuf {
        self.host.repositories.path(self.repository.id)
    }

    /// Waits for the ticket that this operation takes.
    pub(crate) async fn ticket(&self) -> Result<Ticket, GitError> {
        Ok(self.host.throttle.hosting.take().await?)
    }

    /// Waits for the ticket that advertising refs takes.
    pub(crate) async fn ticket_for_refs(&self) -> Result<Ticket, GitError> {
        Ok(self.host.throttle.refs.take().await?)
    }

    /// Starts git, with these flags between the service and the directory; it holds the ticket for as long as it is there.
    pub(crate) fn start(&self, flags: &[&str], ticket: Ticket) -> Result<GitChild, GitError> {
        let mut command = self.host.git.command();
        if self.service == Service::ReceivePack {
            command.arg("-c").arg(format!("receive.maxInputSize={}", self.host.limits.push_bytes));
            // Who pushed which branch, and when, is what pull requests are suggested from.
            command.args(["-c", "core.logAllRefUpdates=true"]);
        }
        command.arg(self.service.command()).args(flags).arg(self.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(protocol) = &self.protocol {
            command.env("GIT_PROTOCOL", protocol);
        }
        command.env("GIT_COMMITTER_NAME", &self.user.name);
        command.env("GIT_COMMITTER_EMAIL", format!("{}@githost", self.user.slug));
        let child = self.host.git.serve(command, ticket)?;
        if self.service == Service::ReceivePack { child.unhurried() } else { Ok(child) }
    }

    /// Returns the most bytes that a client may send.
    pub(crate) fn most(&self) -> u64 {
        match self.service {
            Service::UploadPack => self.host.limits.fetch_bytes,
            Service::ReceivePack => self.host.limits.push_bytes,
        }
    }

    /// Does what follows a push: the first one decides the default branch. A failure is logged.
    pub(crate) async fn settle(&self) {
        if self.service == Service::ReceivePack
            && let Err(error) = self.host.git.settle_head(&self.path()).await
        {
            tracing::warn!(%error, repository = self.repository.id, "cannot settle the default branch");
        }
    }
}

impl Service {
    /// Returns the service's name in git's protocols.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }

    fn command(self) -> &'static str {
        match self {
            Self::UploadPack => "upload-pack",
            Self::ReceivePack => "receive-pack",
        }
    }
}

/// Returns whether the text may go into `GIT_PROTOCOL`: `version=2` and the like, nothing stranger.
pub(crate) fn is_protocol(text: &str) -> bool {
    text.len() <= 256 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"=:._-".contains(&byte))
}

/// Returns whether git complained about what the client sent. Source: the texts of `pkt-line.c`, `serve.c`, `upload-pack.c`
/// and `receive-pack.c`, which the locale of its children leaves as they are.
pub(crate) fn is_malformed(complaint: &str) -> bool {
    let complaints = [
        "protocol error",
        "the remote end hung up unexpectedly",
        "no command requested",
        "invalid command",
        "unknown capability",
        "unexpected line",
        "expected flush after",
    ];
    complaints.iter().any(|text| complaint.contains(text))
}

fn not_found() -> Failure {
    Failure { message: NOT_FOUND.to_owned(), ..Failure::no_repository("", "") }
}

/// A 401 would make git ask for a password again.
fn not_writable() -> Failure {
    let message = "You are not permitted to push to this repository.".to_owned();
    Failure { status: StatusCode::FORBIDDEN, message, ..Failure::not_permitted() }
}

/// Source: what Bitbucket says through git.
const NOT_FOUND: &str = "Repository not found\nThe requested repository does not exist, or you do not have permission \
                         to access it.";
