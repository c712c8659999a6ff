//! Git's requests over HTTP.
//!
//! Source: gitprotocol-http(5).

use std::time::Instant;

use e3_http::{BaseUrl, HttpSession, Request as HttpRequest, Streaming};
use e3_model::Secret;

use crate::{
    GitError, RepositoryPath, Transfer,
    advertisement::{Advertisement, AdvertisementReader, Kept, Service, Version},
    conversation::{AnswerReader, Exchange, Request},
    remote,
};

/// One operation's requests to one service, all on one connection.
pub(crate) struct HttpConversation<'r> {
    session: HttpSession,
    repository: &'r RepositoryPath,
    path: String,
    service: Service,
}

impl<'r> HttpConversation<'r> {
    pub(crate) fn new(
        base: &BaseUrl,
        credentials: Option<&(String, Secret)>,
        repository: &'r RepositoryPath,
        service: Service,
    ) -> Self {
        let session = remote::session(base, credentials);
        Self { session, repository, path: repository.over_http(), service }
    }

    /// Asks for the advertisement, of upload-pack in version 2 if the server knows it; receive-pack only knows 0.
    pub(crate) async fn advertisement(
        &mut self,
        kept: Kept,
        transfer: &mut Transfer,
    ) -> Result<Exchange<Advertisement>, GitError> {
        let service = self.service.name();
        let mut request = HttpRequest::get(format!("{}/info/refs?service={service}", self.path))
            .header("accept", "*/*")
            .header("pragma", "no-cache");
        if self.service == Service::UploadPack {
            request = request.header("git-protocol", "version=2");
        }
        let content_type = format!("application/x-{service}-advertisement");
        self.exchange(request, &content_type, AdvertisementReader::new(self.service, kept), transfer).await
    }

    /// Sends a request; one to receive-pack never twice, since it changes the repository.
    pub(crate) async fn ask<R: AnswerReader>(
        &mut self,
        request: Request,
        reader: R,
        transfer: &mut Transfer,
    ) -> Result<Exchange<R::Answer>, GitError> {
        let service = self.service.name();
        let content_type = format!("application/x-{service}-result");
        let mut message = HttpRequest::post(format!("{}/{service}", self.path), request.body)
            .header("accept", &content_type)
            .header("content-type", &format!("application/x-{service}-request"));
        if self.service == Service::UploadPack {
            // upload-pack only reads; git's HTTP library repeats such requests too.
            message = message.repeatable();
        }
        if request.version == Version::V2 {
            message = message.header("git-protocol", "version=2");
        }
        self.exchange(message, &content_type, reader, transfer).await
    }

    async fn exchange<R: AnswerReader>(
        &mut self,
        request: HttpRequest,
        expected: &str,
        mut reader: R,
        transfer: &mut Transfer,
    ) -> Result<Exchange<R::Answer>, GitError> {
        let repository = self.repository;
        let fault = |fault| GitError::of_fault(repository, fault);
        let broken = |source| GitError::Http { repository: repository.clone(), source };
        let mut answer =
            self.session.start(request.header("user-agent", USER_AGENT)).await.map_err(broken)?;
        if let Some(error) = refusal(&answer, expected, repository) {
            return Err(error);
        }
        let sent = answer.sent_at();
        let mut begun = None;
        while let Some(bytes) = answer.chunk().await.map_err(broken)? {
            let came = begun.is_none().then(Instant::now);
            reader.push(&bytes).map_err(fault)?;
            if reader.has_begun() {
                begun = begun.or(came);
            }
        }
        transfer.count(answer.bytes_in(), answer.bytes_out());
        let answer = reader.finish().map_err(fault)?;
        Ok(Exchange { answer, sent, begun: begun.unwrap_or_else(Instant::now) })
    }
}

/// Returns what is wrong with an answer's head, if it does not promise what was asked for.
fn refusal(answer: &Streaming<'_>, expected: &str, repository: &RepositoryPath) -> Option<GitError> {
    if answer.status != 200 {
        return Some(GitError::of_status(repository, answer.status));
    }
    let found = answer.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    (found.split(';').next().unwrap_or_default().trim() != expected).then(|| GitError::NotSmart {
        repository: repository.clone(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    })
}

/// Servers tell Git clients from browsers by the first word.
const USER_AGENT: &str = concat!("git/e3-", env!("CARGO_PKG_VERSION"));
