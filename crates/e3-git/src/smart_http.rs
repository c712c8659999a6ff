//! Git's requests over HTTP.
//!
//! Source: gitprotocol-http(5).

use bytes::Bytes;
use e3_http::{HttpSession, Request, Streaming};

use crate::{GitError, RepositoryPath, advertisement::Version};

/// Asks for the advertisement, in version 2 if the server knows it.
pub(crate) async fn fetch_advertisement<'s>(
    session: &'s mut HttpSession,
    repository: &RepositoryPath,
) -> Result<Streaming<'s>, GitError> {
    let request = Request::get(repository.advertisement())
        .header("accept", "*/*")
        .header("pragma", "no-cache")
        .header("git-protocol", "version=2");
    exchange(session, repository, request, "application/x-git-upload-pack-advertisement").await
}

/// Sends a request to upload-pack.
pub(crate) async fn post_upload_pack<'s>(
    session: &'s mut HttpSession,
    repository: &RepositoryPath,
    version: Version,
    body: Vec<u8>,
) -> Result<Streaming<'s>, GitError> {
    let mut request = Request::post(repository.upload_pack(), body)
        .header("accept", "application/x-git-upload-pack-result")
        .header("content-type", "application/x-git-upload-pack-request")
        // upload-pack only reads; git's HTTP library repeats such requests too.
        .repeatable();
    if version == Version::V2 {
        request = request.header("git-protocol", "version=2");
    }
    exchange(session, repository, request, "application/x-git-upload-pack-result").await
}

/// Asks for the advertisement of receive-pack, which only knows version 0.
pub(crate) async fn fetch_push_advertisement<'s>(
    session: &'s mut HttpSession,
    repository: &RepositoryPath,
) -> Result<Streaming<'s>, GitError> {
    let request =
        Request::get(repository.push_advertisement()).header("accept", "*/*").header("pragma", "no-cache");
    exchange(session, repository, request, "application/x-git-receive-pack-advertisement").await
}

/// Sends a request to receive-pack; never twice, since it changes the repository.
pub(crate) async fn post_receive_pack<'s>(
    session: &'s mut HttpSession,
    repository: &RepositoryPath,
    body: Vec<u8>,
) -> Result<Streaming<'s>, GitError> {
    let request = Request::post(repository.receive_pack(), body)
        .header("accept", "application/x-git-receive-pack-result")
        .header("content-type", "application/x-git-receive-pack-request");
    exchange(session, repository, request, "application/x-git-receive-pack-result").await
}

/// Returns the next piece of an answer's body.
pub(crate) async fn chunk(
    answer: &mut Streaming<'_>,
    repository: &RepositoryPath,
) -> Result<Option<Bytes>, GitError> {
    answer.chunk().await.map_err(|source| GitError::Http { repository: repository.clone(), source })
}

async fn exchange<'s>(
    session: &'s mut HttpSession,
    repository: &RepositoryPath,
    request: Request,
    expected: &'static str,
) -> Result<Streaming<'s>, GitError> {
    let mut answer = session
        .start(request.header("user-agent", USER_AGENT))
        .await
        .map_err(|source| GitError::Http { repository: repository.clone(), source })?;
    let error = if answer.status == 200 {
        let found =
            answer.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        if found.split(';').next().unwrap_or_default().trim() == expected {
            return Ok(answer);
        }
        GitError::NotSmart { repository: repository.clone(), expected, found: found.to_owned() }
    } else {
        GitError::of_status(repository, answer.status)
    };
    // A short error page is read, so that its connection can be kept; nothing in it changes the error.
    while answer.bytes_in() < LONGEST_ERROR_PAGE && matches!(answer.chunk().await, Ok(Some(_))) {}
    Err(error)
}

const LONGEST_ERROR_PAGE: u64 = 64 << 10;

/// Servers tell Git clients from browsers by the first word.
const USER_AGENT: &str = concat!("git/e3-", env!("CARGO_PKG_VERSION"));
