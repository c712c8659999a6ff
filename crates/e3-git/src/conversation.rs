//! One operation's talk with one service of a server, whichever protocol carries it.

use std::time::Instant;

pub(crate) use e3_git_wire::AnswerReader;
use e3_git_wire::{Advertisement, AdvertisementReader, ListedRef, Service, Version};

use crate::{
    GitError, Remote, RepositoryPath, Transfer, http::HttpConversation, remote::Way, ssh::SshConversation,
};

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
            Way::Http(server) => Self::Http(HttpConversation::new(server, repository, service)),
            Way::Ssh(server) => Self::Ssh(SshConversation::open(server, repository, service).await?),
        })
    }

    /// Returns whether the server forgets each request with its answer.
    pub(crate) fn is_stateless(&self) -> bool {
        matches!(self, Self::Http(_))
    }

    /// Reads the advertisement, which comes first and once; its refs are handed to the closure and forgotten.
    pub(crate) async fn advertisement(
        &mut self,
        each: impl FnMut(&ListedRef<'_>),
        transfer: &mut Transfer,
    ) -> Result<Exchange<Advertisement>, GitError> {
        match self {
            Self::Http(http) => http.advertisement(each, transfer).await,
            Self::Ssh(ssh) => ssh.read(Vec::new(), AdvertisementReader::plain(each), transfer).await,
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

    /// Takes leave of the server, hears whether it is content, and closes the connection or leaves it for the next
    /// operation.
    pub(crate) async fn end(self) -> Result<(), GitError> {
        match self {
            Self::Http(http) => {
                http.end();
                Ok(())
            }
            Self::Ssh(ssh) => ssh.end().await,
        }
    }
}
