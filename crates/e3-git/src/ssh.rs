//! One operation's talk with a service over SSH: one channel of a connection, the service's stdin and stdout.
//!
//! Source: gitprotocol-pack(5), section SSH Transport; gitprotocol-v2(5), section SSH and Git Transport.

mod command;
mod connection;
mod ending;
mod error;
mod kept;
mod key;
mod negotiated;
mod server;
mod session;
mod verifier;
mod wire;

use std::{pin::pin, time::Instant};

use bytes::Bytes;
use e3_git_wire::Service;

pub use error::SshError;
pub use key::SshKey;
pub use negotiated::Negotiated;

pub(crate) use server::SshServer;

use self::{
    connection::{Command, Connection},
    ending::{Ending, Heard},
    session::LEAVE_BOUND,
};
use crate::{
    GitError, RepositoryPath, Transfer,
    conversation::{AnswerReader, Exchange, Request},
};

/// One operation's talk with a service over SSH; dropping it closes its channel, or its connection where that is its
/// own.
pub(crate) struct SshConversation<'r> {
    connection: Connection,
    repository: &'r RepositoryPath,
    ending: Ending,
    /// Whether the server waits for a request, or for a flush that says that none comes.
    is_asked_more: bool,
}

impl<'r> SshConversation<'r> {
    /// Connects, authenticates and starts the service.
    pub(crate) async fn open(
        server: &SshServer,
        repository: &'r RepositoryPath,
        service: Service,
    ) -> Result<Self, GitError> {
        let line = command::command(service, repository);
        // receive-pack only knows version 0.
        let protocol = (service == Service::UploadPack).then_some("version=2");
        let connection = Box::pin(Connection::open(server, &Command { line, protocol }))
            .await
            .map_err(|source| GitError::Ssh { repository: repository.clone(), source })?;
        Ok(Self { connection, repository, ending: Ending::default(), is_asked_more: true })
    }

    pub(crate) async fn ask<R: AnswerReader>(
        &mut self,
        request: Request,
        reader: R,
        transfer: &mut Transfer,
    ) -> Result<Exchange<R::Answer>, GitError> {
        self.is_asked_more = !request.is_last;
        self.read(request.body, reader, transfer).await
    }

    /// Sends these bytes and reads an answer meanwhile, since a server may refuse before it has read everything.
    pub(crate) async fn read<R: AnswerReader>(
        &mut self,
        request: Vec<u8>,
        mut reader: R,
        transfer: &mut Transfer,
    ) -> Result<Exchange<R::Answer>, GitError> {
        let repository = self.repository;
        let fault = |fault| GitError::of_fault(repository, fault);
        transfer.count(0, u64::try_from(request.len()).unwrap_or(u64::MAX));
        let (mut is_sent, mut handed) = (request.is_empty(), None);
        let (mut sent, mut begun) = (None, None);
        {
            let (outgoing, mut incoming, out) = self.connection.split();
            let mut sending = pin!(outgoing.data_bytes(Bytes::from(request)));
            while !reader.is_complete() {
                let message = tokio::select! {
                    biased;
                    // A failure to send ends the channel, which tells why.
                    _ = &mut sending, if !is_sent => {
                        is_sent = true;
                        handed = Some(Instant::now());
                        continue;
                    }
                    message = incoming.wait() => message,
                };
                match self.ending.note(message) {
                    Heard::Bytes(bytes) => {
                        let came = begun.is_none().then(Instant::now);
                        sent.get_or_insert_with(|| out.last(handed));
                        transfer.count(u64::try_from(bytes.len()).unwrap_or(u64::MAX), 0);
                        reader.push(&bytes).map_err(fault)?;
                        if reader.has_begun() {
                            begun = begun.or(came);
                        }
                    }
                    Heard::Other => {}
                    Heard::End => break,
                }
            }
        }
        let answer = match reader.finish() {
            Ok(answer) => answer,
            // Why the service stopped is worth more than where.
            Err(found) => return Err(self.reason().await.unwrap_or_else(|| fault(found))),
        };
        let now = Instant::now();
        Ok(Exchange { answer, sent: sent.unwrap_or(now), begun: begun.unwrap_or(now) })
    }

    /// Takes leave, hears how the service ended, and closes the connection.
    pub(crate) async fn end(mut self) -> Result<(), GitError> {
        // A server that has gone already is heard below.
        if self.is_asked_more {
            let _ = self.connection.outgoing().data_bytes(&b"0000"[..]).await;
        }
        let _ = self.connection.outgoing().eof().await;
        let ended = self.hear_end().await;
        if let Some(error) = ended {
            return Err(error);
        }
        self.connection.close().await;
        Ok(())
    }

    /// Returns why the service stopped before its answer was whole, if it or its server says.
    async fn reason(&mut self) -> Option<GitError> {
        let _ = self.connection.outgoing().eof().await;
        let error = self.hear_end().await;
        error.or_else(|| self.ending.last_words().map(|message| self.remote(message)))
    }

    /// Hears the channel to its end, for a bounded time; returns the error with which it ended.
    async fn hear_end(&mut self) -> Option<GitError> {
        let hearing = async {
            while !self.ending.is_closed() {
                let message = self.connection.wait().await;
                if let Heard::Bytes(_) = self.ending.note(message) {
                    return Some("it sends more than was asked for".to_owned());
                }
            }
            None
        };
        let surplus = match tokio::time::timeout(LEAVE_BOUND, hearing).await {
            Ok(surplus) => surplus,
            Err(_) => {
                let source = self.connection.session().timeout("the end of the service", LEAVE_BOUND);
                return Some(GitError::Ssh { repository: self.repository.clone(), source });
            }
        };
        if self.ending.is_channel_closed() {
            self.connection.note_closed();
        }
        if let Some(problem) = surplus {
            return Some(GitError::Protocol { repository: self.repository.clone(), problem });
        }
        if self.ending.is_cut()
            && let Some(source) = self.connection.session().broken().await
        {
            return Some(GitError::Ssh { repository: self.repository.clone(), source });
        }
        self.ending.failure().map(|message| self.remote(message))
    }

    fn remote(&self, message: String) -> GitError {
        GitError::Remote { repository: self.repository.clone(), message }
    }
}
