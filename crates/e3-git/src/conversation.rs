//! One operation's talk with one service of a server, whichever protocol carries it.

use std::time::Instant;

use crate::{
    GitError, Remote, RepositoryPath, Transfer,
    advertisement::{Advertisement, AdvertisementReader, Kept, Service, Version},
    fault::Fault,
    http::HttpConversation,
    remote::Way,
    ssh::SshConversation,
};

/// Reads one answer of a server as it comes.
pub(crate) trait AnswerReader {
    type Answer;

    fn push(&mut self, bytes: &[u8]) -> Result<(), Fault>;

    /// Returns whether the byte has come that an operation's time to first byte is about.
    fn has_begun(&self) -> bool {
        true
    }

    /// Returns whether the answer's own framing says that it is whole, so that nothing more of it comes.
    fn is_complete(&self) -> bool;

    fn finish(self) -> Result<Self::Answer, Fault>;
}

/// What is asked after the advertisement.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) version: Version,
    pub(crate) body: Vec<u8>,
    /// Whether the server expects no other request after this one.
    pub(crate) is_last: bool,
}

/// An answer, and when it came.
#[derive(Debug)]
pub(crate) struct Exchange<A> {
    pub(crate) answer: A,
    /// When the request's last byte was handed to the operating system.
    pub(crate) sent: Instant,
    /// When the first byte came that [`AnswerReader::has_begun`] tells of.
    pub(crate) begun: Instant,
}

/// One operation's talk with one service; dropping it closes its connection at once.
pub(crate) enum Conversation<'r> {
    Http(HttpConversation<'r>),
    Ssh(SshConversation<'r>),
}

impl<'r> Conversation<'r> {
    /// Opens the conversation; over HTTP, the first request connects.
    pub(crate) async fn open(
        remote: &'r Remote,
        repository: &'r RepositoryPath,
        service: Service,
    ) -> Result<Self, GitError> {
        Ok(match &remote.way {
            Way::Http { base, credentials } => {
                Self::Http(HttpConversation::new(base, credentials.as_ref(), repository, service))
            }
            Way::Ssh(server) => Self::Ssh(SshConversation::open(server, repository, service).await?),
        })
    }

    /// Reads the advertisement, which comes first and once; its other refs are checked and forgotten.
    pub(crate) async fn advertisement(
        &mut self,
        kept: Kept,
        transfer: &mut Transfer,
    ) -> Result<Exchange<Advertisement>, GitError> {
        match self {
            Self::Http(http) => http.advertisement(kept, transfer).await,
            Self::Ssh(ssh) => ssh.read(Vec::new(), AdvertisementReader::plain(kept), transfer).await,
        }
    }

    /// Asks, and reads the whole answer.
    pub(crate) async fn ask<R: AnswerReader>(
        &mut self,
        request: Request,
        reader: R,
        transfer: &mut Transfer,
    ) -> Result<Exchange<R::Answer>, GitError> {
        match self {
            Self::Http(http) => http.ask(request, reader, transfer).await,
            Self::Ssh(ssh) => ssh.ask(request, reader, transfer).await,
        }
    }

    /// Takes leave of the server, hears whether it is content, and closes the connection.
    pub(crate) async fn end(self) -> Result<(), GitError> {
        match self {
            Self::Http(_) => Ok(()),
            Self::Ssh(ssh) => ssh.end().await,
        }
    }
}
