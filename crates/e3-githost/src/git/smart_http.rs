//! Smart HTTP: `/scm/{project}/{repository}.git/…`.
//!
//! Source: git's `gitprotocol-http` and the behaviour of its own `http-backend`.

use std::process::Stdio;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;

use super::GitError;
use super::conversation::{Bounds, Broken, converse};
use super::inflate::Inflate;
use crate::auth::{Account, Visitor};
use crate::failure::Failure;
use crate::names::{ProjectKey, Slug};
use crate::state::App;
use crate::store::Repository;

/// The routes below `/scm`.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/{project}/{repository}/info/refs", get(advertise))
        .route("/{project}/{repository}/git-upload-pack", post(upload_pack))
        .route("/{project}/{repository}/git-receive-pack", post(receive_pack))
        .fallback(async || refuse(&Failure::no_resource()))
        .method_not_allowed_fallback(async || refuse(&Failure::method_not_allowed()))
}

/// Answers as git shows it: plain text, with the challenge that makes it send credentials.
pub(crate) fn refuse(failure: &Failure) -> Response {
    let text = [(header::CONTENT_TYPE, "text/plain;charset=UTF-8")];
    let mut response = (failure.status, text, format!("{}\n", failure.message)).into_response();
    if failure.status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
    }
    forbid_caching(response.headers_mut());
    failure.dress(&mut response);
    response
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    UploadPack,
    ReceivePack,
}

#[derive(Deserialize)]
struct Asked {
    service: Option<String>,
}

/// One request for one repository by one user.
struct Call {
    host: App,
    account: Arc<Account>,
    repository: Repository,
    service: Service,
    protocol: Option<String>,
}

type Address = Path<(String, String)>;

async fn advertise(
    State(host): State<App>,
    address: Result<Address, PathRejection>,
    Query(asked): Query<Asked>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Response {
    let service = match asked.service.as_deref() {
        Some("git-upload-pack") => Service::UploadPack,
        Some("git-receive-pack") => Service::ReceivePack,
        _ => {
            return refuse(&Failure::bad_request(
                "Only the smart HTTP protocol is served; use git 1.6.6 or newer.",
            ));
        }
    };
    match Call::open(host, address.ok(), &visitor, (service, &headers)).await {
        Ok(call) => call.advertise().await,
        Err(failure) => refuse(&failure),
    }
}

async fn upload_pack(
    State(host): State<App>,
    address: Result<Address, PathRejection>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match Call::open(host, address.ok(), &visitor, (Service::UploadPack, &headers)).await {
        Ok(call) => call.serve(&headers, body).await,
        Err(failure) => refuse(&failure),
    }
}

async fn receive_pack(
    State(host): State<App>,
    address: Result<Address, PathRejection>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match Call::open(host, address.ok(), &visitor, (Service::ReceivePack, &headers)).await {
        Ok(call) => call.serve(&headers, body).await,
        Err(failure) => refuse(&failure),
    }
}

impl Call {
    /// Finds out whether this user may, and what the path names; who is not known learns nothing about names.
    async fn open(
        host: App,
        address: Option<Address>,
        visitor: &Visitor,
        (service, headers): (Service, &HeaderMap),
    ) -> Result<Self, Failure> {
        let account = visitor.account().cloned().ok_or_else(Failure::anonymous)?;
        let protocol = match headers.get("git-protocol") {
            Some(value) => Some(parse_protocol(value)?),
            None => None,
        };
        let named =
            address.and_then(|Path((key, slug))| ProjectKey::parse(&key).zip(Slug::parse_clone(&slug)));
        let repository = match named {
            Some((key, slug)) => host.store.repository(&key, &slug).await?,
            None => None,
        };
        let repository = repository
            .ok_or_else(|| Failure { message: NOT_FOUND.to_owned(), ..Failure::no_repository("", "") })?;
        Ok(Self { host, account, repository, service, protocol })
    }

    /// The first request of every operation: the refs, or the capabilities of protocol v2.
    async fn advertise(self) -> Response {
        if self.service == Service::UploadPack {
            self.host.visit(&self.account.user, &self.repository).await;
        }
        let v2 = self.service == Service::UploadPack
            && self.protocol.as_deref().is_some_and(|value| value.split(':').any(|part| part == "version=2"));
        let before = (!v2).then(|| {
            let line = format!("# service={}\n", self.service.name());
            Bytes::from(format!("{:04x}{line}0000", line.len() + 4))
        });
        let inflate = Inflate::Plain;
        self.talk(&["--http-backend-info-refs"], (Body::empty(), inflate), ("advertisement", before)).await
    }

    /// The second request and every further one.
    async fn serve(self, headers: &HeaderMap, body: Body) -> Response {
        let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        if kind != Some(format!("application/x-{}-request", self.service.name()).as_bytes()) {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return refuse(&Failure {
                status,
                ..Failure::bad_request("This is not a request that git makes.")
            });
        }
        let encoding = headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes);
        let Some(inflate) = Inflate::of(encoding) else {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return refuse(&Failure {
                status,
                ..Failure::bad_request("Only gzip is understood as an encoding.")
            });
        };
        self.talk(&[], (body, inflate), ("result", None)).await
    }

    async fn talk(
        self,
        flags: &[&str],
        request: (Body, Inflate),
        (kind, before): (&str, Option<Bytes>),
    ) -> Response {
        let content_type = format!("application/x-{}-{kind}", self.service.name());
        match self.converse(flags, request).await {
            Ok(answer) => {
                let mut response = Body::from_stream(answer.into_stream(before)).into_response();
                if let Ok(value) = HeaderValue::from_str(&content_type) {
                    response.headers_mut().insert(header::CONTENT_TYPE, value);
                }
                forbid_caching(response.headers_mut());
                response
            }
            Err(broken) => refuse(&failure_of(&broken)),
        }
    }

    async fn converse(
        self,
        flags: &[&str],
        request: (Body, Inflate),
    ) -> Result<super::conversation::Answer, Broken> {
        let Self { host, account, repository, service, protocol } = self;
        let path = host.repositories.path(repository.id);
        let limits = &host.limits;
        let mut command = host.git.command();
        if service == Service::ReceivePack {
            command.arg("-c").arg(format!("receive.maxInputSize={}", limits.push_bytes));
        }
        command.arg(service.command()).arg("--stateless-rpc").args(flags).arg(&path);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(protocol) = protocol {
            command.env("GIT_PROTOCOL", protocol);
        }
        command.env("GIT_COMMITTER_NAME", &account.user.name);
        command.env("GIT_COMMITTER_EMAIL", format!("{}@githost", account.user.slug));
        let body = match service {
            Service::UploadPack => limits.fetch_bytes,
            Service::ReceivePack => limits.push_bytes,
        };
        let bounds = Bounds { body, idle: limits.git_idle(), run: limits.git_run() };
        let child = host.git.spawn(command).await?;
        let pushed = service == Service::ReceivePack && flags.is_empty();
        let afterwards = async move {
            if pushed && let Err(error) = host.git.settle_head(&path).await {
                tracing::warn!(%error, repository = repository.id, "cannot settle the default branch");
            }
        };
        converse(child, request, bounds, afterwards).await
    }
}

impl Service {
    fn name(self) -> &'static str {
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

/// Returns what goes into `GIT_PROTOCOL`: `version=2` and the like, nothing stranger.
fn parse_protocol(value: &HeaderValue) -> Result<String, Failure> {
    let text = value.to_str().ok().filter(|text| {
        text.len() <= 256 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"=:._-".contains(&byte))
    });
    text.map(str::to_owned).ok_or_else(|| Failure::bad_request("The Git-Protocol header is not one."))
}

fn failure_of(broken: &Broken) -> Failure {
    match broken {
        Broken::TooLarge(_) => Failure::too_large(),
        Broken::Gzip(_) | Broken::Gone => Failure::bad_request(broken.to_string()),
        Broken::Idle(_) => {
            Failure { status: StatusCode::REQUEST_TIMEOUT, ..Failure::bad_request(broken.to_string()) }
        }
        Broken::Git(GitError::Busy(busy)) => Failure::busy(&busy.to_string()),
        Broken::Git(GitError::Failed { complaint, .. }) if is_malformed(complaint) => {
            Failure::bad_request("This is not a request that git makes.")
        }
        Broken::Git(error) => Failure::internal("run git", error),
    }
}

/// Returns whether git complained about what the client sent. Source: the texts of `pkt-line.c`, `serve.c`, `upload-pack.c`
/// and `receive-pack.c`, which the locale of its children leaves as they are.
fn is_malformed(complaint: &str) -> bool {
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

/// Source: `hdr_nocache` of git's http-backend.
fn forbid_caching(headers: &mut HeaderMap) {
    headers.insert(header::EXPIRES, HeaderValue::from_static("Fri, 01 Jan 1980 00:00:00 GMT"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, max-age=0, must-revalidate"));
}

/// Source: Bitbucket's realm, by which desktop clients know it.
const CHALLENGE: &str = "Basic realm=\"Atlassian Bitbucket\"";
/// Source: what Bitbucket says through git.
const NOT_FOUND: &str = "Repository not found\nThe requested repository does not exist, or you do not have permission \
                         to access it.";
