//! Git's requests over HTTP.
//!
//! Source: gitprotocol-http(5); git's http.c and remote-curl.c for what it says nothing about: redirects, credentials,
//! compression.

mod encoding;
mod redirect;
mod server;

use std::time::Instant;

use bytes::Bytes;
use e3_git_wire::{Advertisement, AdvertisementReader, AnswerReader, ListedRef, Service, Version};
use e3_http::{HttpError, Request as HttpRequest, Streaming};

pub(crate) use self::server::HttpServer;
use self::{
    encoding::{ACCEPTED, Plain, Wrong, compressed},
    redirect::{MOST_REDIRECTS, follow},
    server::Kept,
};
use crate::{
    GitError, RepositoryPath, Transfer,
    conversation::{Exchange, Request},
};

/// One operation's requests to one service, all on one connection if the server does not send the client elsewhere.
pub(crate) struct HttpConversation<'r> {
    server: &'r HttpServer,
    /// None while it is being changed.
    session: Option<Kept>,
    repository: &'r RepositoryPath,
    /// The repository's address: a path below the base's, or the URL to which the server has sent the client.
    address: String,
    service: Service,
    /// Whether the session is one with the remote's own server, which alone gets credentials.
    is_home: bool,
}

/// What is asked, so that it can be asked again.
enum Ask {
    Refs,
    Service { body: Bytes, is_compressed: bool, version: Version },
}

impl<'r> HttpConversation<'r> {
    pub(crate) fn new(server: &'r HttpServer, repository: &'r RepositoryPath, service: Service) -> Self {
        let (session, address) = (Some(server.session()), repository.over_http());
        Self { server, session, repository, address, service, is_home: true }
    }

    /// Asks for the advertisement, of upload-pack in version 2 if the server knows it; receive-pack only knows 0.
    ///
    /// Where the server sends the client elsewhere, the rest of the operation goes there, too.
    pub(crate) async fn advertisement(
        &mut self,
        each: impl FnMut(&ListedRef<'_>),
        transfer: &mut Transfer,
    ) -> Result<Exchange<Advertisement>, GitError> {
        let reader = AdvertisementReader::new(self.service, each);
        self.exchange(&Ask::Refs, reader, transfer).await
    }

    /// Sends a request; one to receive-pack never twice, since it changes the repository.
    pub(crate) async fn ask<R: AnswerReader>(
        &mut self,
        request: Request,
        reader: R,
        transfer: &mut Transfer,
    ) -> Result<Exchange<R::Answer>, GitError> {
        let Request { version, body, .. } = request;
        let gzip = (self.service == Service::UploadPack).then(|| compressed(&body)).flatten();
        let is_compressed = gzip.is_some();
        let body = Bytes::from(gzip.unwrap_or(body));
        self.exchange(&Ask::Service { body, is_compressed, version }, reader, transfer).await
    }

    /// Ends the operation well; its connection may serve the next.
    pub(crate) fn end(self) {
        if let Some(session) = self.session.filter(|_| self.is_home) {
            self.server.keep(session);
        }
    }

    async fn exchange<R: AnswerReader>(
        &mut self,
        ask: &Ask,
        reader: R,
        transfer: &mut Transfer,
    ) -> Result<Exchange<R::Answer>, GitError> {
        let repository = self.repository;
        let expected = self.expected(ask);
        let mut redirects = 0;
        loop {
            let request = self.request(ask, &expected);
            let Some(Kept { session, is_authorized }) = &mut self.session else {
                return Err(self.lost());
            };
            let broken = |source| GitError::Http { repository: repository.clone(), source };
            let mut answer = session.start(&request).await.map_err(broken)?;
            match answer.status {
                401 if !*is_authorized && self.is_home => {
                    forget(&mut answer, transfer).await;
                    drop(answer);
                    self.session = self.session.take().map(|kept| self.server.authorized(kept.session));
                }
                301 | 302 | 303 | 307 | 308 if matches!(ask, Ask::Refs) => {
                    let location = header(&answer, "location").to_owned();
                    forget(&mut answer, transfer).await;
                    drop(answer);
                    redirects += 1;
                    self.follow(&location, redirects)?;
                }
                _ => {
                    return match refusal(&answer, &expected, repository) {
                        Some(error) => Err(error),
                        None => read(answer, reader, transfer, repository).await,
                    };
                }
            }
        }
    }

    /// Returns the content type of the answer to a request.
    fn expected(&self, ask: &Ask) -> String {
        let what = if matches!(ask, Ask::Refs) { "advertisement" } else { "result" };
        format!("application/x-{}-{what}", self.service.name())
    }

    fn request(&self, ask: &Ask, expected: &str) -> HttpRequest {
        let service = self.service.name();
        let (mut request, is_v2) = match ask {
            Ask::Refs => {
                let request = HttpRequest::get(format!("{}{}", self.address, self.asked()))
                    .header("accept", "*/*")
                    .header("pragma", "no-cache");
                (request, self.service == Service::UploadPack)
            }
            Ask::Service { body, is_compressed, version } => {
                let mut request = HttpRequest::post(format!("{}/{service}", self.address), body.clone())
                    .header("accept", expected)
                    .header("content-type", &format!("application/x-{service}-request"));
                if *is_compressed {
                    request = request.header("content-encoding", "gzip");
                }
                if self.service == Service::UploadPack {
                    // upload-pack only reads; git's HTTP library repeats such requests too.
                    request = request.repeatable();
                }
                (request, *version == Version::V2)
            }
        };
        if is_v2 {
            request = request.header("git-protocol", "version=2");
        }
        request.header("accept-encoding", ACCEPTED).header("user-agent", USER_AGENT)
    }

    /// Returns what is asked for behind the repository's address to get its refs.
    fn asked(&self) -> String {
        format!("/info/refs?service={}", self.service.name())
    }

    /// Goes where the server sends the client that asks for refs.
    fn follow(&mut self, location: &str, redirects: u32) -> Result<(), GitError> {
        let failed = |reason| GitError::Redirect {
            repository: self.repository.clone(),
            // It may hold a password.
            location: location.rsplit('@').next().unwrap_or_default().chars().take(LONGEST_SHOWN).collect(),
            reason,
        };
        if redirects > MOST_REDIRECTS {
            return Err(failed(format!("it is one of more than {MOST_REDIRECTS}")));
        }
        let (asked, now) = (self.asked(), self.address.as_str());
        let Some(Kept { session, .. }) = &self.session else { return Err(self.lost()) };
        let base = session.base();
        let at = if now.starts_with('/') { format!("{base}{now}{asked}") } else { format!("{now}{asked}") };
        let moved = follow(&at, &asked, location).map_err(failed)?;
        if moved.base.origin() != base.origin() {
            self.is_home = moved.base.origin() == self.server.base().origin();
            let session = self.server.session_with(&moved.base);
            // Nobody else's server gets the credentials, as with git.
            self.session = Some(Kept { session, is_authorized: !self.is_home });
        }
        self.address = moved.repository;
        Ok(())
    }

    /// The session is there whenever something is asked; this names the impossible without a panic.
    fn lost(&self) -> GitError {
        GitError::Protocol {
            repository: self.repository.clone(),
            problem: "the connection was given up".to_owned(),
        }
    }
}

/// Reads the whole body of an answer.
async fn read<R: AnswerReader>(
    mut answer: Streaming<'_>,
    reader: R,
    transfer: &mut Transfer,
    repository: &RepositoryPath,
) -> Result<Exchange<R::Answer>, GitError> {
    let encoding = header(&answer, "content-encoding").to_owned();
    let broken = |source| GitError::Http { repository: repository.clone(), source };
    let undecoded = |source| broken(HttpError::Encoding { encoding: encoding.clone(), source });
    let wrong = |wrong| match wrong {
        Wrong::Fault(fault) => GitError::of_fault(repository, fault),
        Wrong::Encoding(source) => undecoded(source),
    };
    let mut plain = Plain::new(&encoding, reader).map_err(undecoded)?;
    let sent = answer.sent_at();
    let mut begun = None;
    while let Some(bytes) = answer.next().await.map_err(broken)? {
        let came = begun.is_none().then(Instant::now);
        plain.push(bytes).map_err(wrong)?;
        if begun.is_none() && plain.has_begun() {
            begun = came;
        }
    }
    transfer.count(answer.bytes_in(), answer.bytes_out());
    let answer = plain.finish().map_err(wrong)?;
    Ok(Exchange { answer, sent, begun: begun.unwrap_or_else(Instant::now) })
}

/// Reads to the end of an answer that says nothing more than its head, if it is not long, so that its connection stays.
async fn forget(answer: &mut Streaming<'_>, transfer: &mut Transfer) {
    while answer.bytes_in() < LONGEST_FORGOTTEN && matches!(answer.next().await, Ok(Some(_))) {}
    transfer.count(answer.bytes_in(), answer.bytes_out());
}

/// Returns what is wrong with an answer's head, if it does not promise what was asked for.
fn refusal(answer: &Streaming<'_>, expected: &str, repository: &RepositoryPath) -> Option<GitError> {
    if answer.status == 429 {
        let asked = header(answer, "retry-after").chars().take(LONGEST_SHOWN).collect();
        return Some(GitError::TooManyRequests { repository: repository.clone(), retry_after: asked });
    }
    if answer.status != 200 {
        return Some(GitError::of_status(repository, answer.status));
    }
    let found = header(answer, "content-type");
    (found.split(';').next().unwrap_or_default().trim() != expected).then(|| GitError::NotSmart {
        repository: repository.clone(),
        expected: expected.to_owned(),
        found: found.chars().take(LONGEST_SHOWN).collect(),
    })
}

/// Returns the value of a header; empty if it is not there or no text.
fn header<'a>(answer: &'a Streaming<'_>, name: &str) -> &'a str {
    answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Servers tell Git clients from browsers by the first word.
const USER_AGENT: &str = concat!("git/e3-", env!("CARGO_PKG_VERSION"));

/// How many bytes of an answer are read for the sake of its connection alone.
const LONGEST_FORGOTTEN: u64 = 64 << 10;

/// How many characters of what a server says are shown.
const LONGEST_SHOWN: usize = 200;
