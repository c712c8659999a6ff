//! Smart HTTP: `/scm/{project}/{repository}.git/…`.
//!
//! Source: git's `gitprotocol-http` and the behaviour of its own `http-backend`.

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
use super::advertisement::{Asked, LsRefs};
use super::call::{Call, Service, is_malformed, is_protocol};
use super::conversation::{Answer, Bounds, Broken, converse};
use super::inflate::Inflate;
use crate::auth::Visitor;
use crate::failure::Failure;
use crate::metrics::Transport;
use crate::names::{ProjectKey, Slug};
use crate::permissions::Level;
use crate::state::App;

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

#[derive(Deserialize)]
struct Parameters {
    service: Option<String>,
}

type Address = Path<(String, String)>;

async fn advertise(
    State(host): State<App>,
    address: Result<Address, PathRejection>,
    Query(asked): Query<Parameters>,
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
    match open(host, address.ok(), &visitor, (service, &headers)).await {
        Ok(call) => answer_with_refs(call).await,
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
    match open(host, address.ok(), &visitor, (Service::UploadPack, &headers)).await {
        Ok(call) => serve(call.counted(Transport::Http), &headers, body).await,
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
    match open(host, address.ok(), &visitor, (Service::ReceivePack, &headers)).await {
        Ok(call) => serve(call.counted(Transport::Http), &headers, body).await,
        Err(failure) => refuse(&failure),
    }
}

/// Finds out whether this user may, and what the path names; who is not known learns nothing about names.
async fn open(
    host: App,
    address: Option<Address>,
    visitor: &Visitor,
    (service, headers): (Service, &HeaderMap),
) -> Result<Call, Failure> {
    let account = visitor.account().cloned().ok_or_else(Failure::anonymous)?;
    let wanted = if service == Service::ReceivePack { Level::Write } else { Level::Read };
    account.check_token_in_repository(wanted)?;
    let protocol = match headers.get("git-protocol") {
        Some(value) => Some(parse_protocol(value)?),
        None => None,
    };
    let named = address.and_then(|Path((key, slug))| ProjectKey::parse(&key).zip(Slug::parse_clone(&slug)));
    Call::open(host, account.user.clone(), named, (service, protocol)).await
}

/// The first request of every operation: the refs, or the capabilities of protocol v2.
async fn answer_with_refs(call: Call) -> Response {
    if call.service == Service::UploadPack {
        call.host.visit(&call.user, &call.repository).await;
    }
    let before = (call.version() != 2).then(|| {
        let line = format!("# service={}\n", call.service.name());
        Bytes::from(format!("{:04x}{line}0000", line.len() + 4))
    });
    match call.advertisement(true).await {
        Ok(Some(data)) => {
            return respond(call.service, "advertisement", [before.unwrap_or_default(), data].concat());
        }
        Ok(None) => {}
        Err(error) => return refuse(&failure_of(&Broken::Git(error))),
    }
    let inflate = Inflate::Plain;
    talk(call, &["--http-backend-info-refs"], (Body::empty(), inflate), ("advertisement", before)).await
}

/// The second request and every further one.
async fn serve(call: Call, headers: &HeaderMap, body: Body) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    if kind != Some(format!("application/x-{}-request", call.service.name()).as_bytes()) {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return refuse(&Failure { status, ..Failure::bad_request("This is not a request that git makes.") });
    }
    let encoding = headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes);
    let body = match answer_from_refs(&call, headers, body).await {
        Ok(body) => body,
        Err(answer) => return answer,
    };
    let Some(inflate) = Inflate::of(encoding) else {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return refuse(&Failure {
            status,
            ..Failure::bad_request("Only gzip is understood as an encoding.")
        });
    };
    talk(call, &[], (body, inflate), ("result", None)).await
}

/// Answers a request that only asks for refs without git, as an error for the caller's sake; any other body is returned as
/// it came.
async fn answer_from_refs(call: &Call, headers: &HeaderMap, body: Body) -> Result<Body, Response> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if call.service != Service::UploadPack
        || call.version() != 2
        || length.is_none_or(|length: usize| length > SHORT)
    {
        return Ok(body);
    }
    let idle = call.host.limits.git_idle();
    let whole = match tokio::time::timeout(idle, axum::body::to_bytes(body, SHORT)).await {
        Ok(whole) => whole.map_err(|_| refuse(&failure_of(&Broken::Gone)))?,
        Err(_) => return Err(refuse(&failure_of(&Broken::Idle(idle)))),
    };
    let encoding = headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes);
    let plain = Inflate::of(encoding).and_then(|inflate| inflate.whole(&whole, LONG));
    if let Some(plain) = plain
        && let Asked::LsRefs(request, b"") = LsRefs::parse(&plain)
        && let Ok(Some(answer)) = call.ls_refs(&request).await
    {
        return Err(respond(call.service, "result", answer));
    }
    Ok(whole.into())
}

fn respond(service: Service, kind: &str, body: impl Into<Body>) -> Response {
    let mut response = body.into().into_response();
    if let Ok(value) = HeaderValue::from_str(&format!("application/x-{}-{kind}", service.name())) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    forbid_caching(response.headers_mut());
    response
}

async fn talk(
    call: Call,
    flags: &[&str],
    request: (Body, Inflate),
    (kind, before): (&str, Option<Bytes>),
) -> Response {
    let service = call.service;
    match start(call, flags, request).await {
        Ok(answer) => respond(service, kind, Body::from_stream(answer.into_stream(before))),
        Err(broken) => refuse(&failure_of(&broken)),
    }
}

async fn start(call: Call, flags: &[&str], request: (Body, Inflate)) -> Result<Answer, Broken> {
    let limits = &call.host.limits;
    let bounds = Bounds { body: call.most(), idle: limits.git_idle(), run: limits.git_run() };
    let all: Vec<&str> = std::iter::once("--stateless-rpc").chain(flags.iter().copied()).collect();
    let child = call.start(&all).await?;
    let pushed = flags.is_empty();
    let afterwards = async move {
        if pushed {
            call.settle().await;
        }
    };
    converse(child, request, bounds, afterwards).await
}

/// Returns what goes into `GIT_PROTOCOL`: `version=2` and the like, nothing stranger.
fn parse_protocol(value: &HeaderValue) -> Result<String, Failure> {
    let text = value.to_str().ok().filter(|text| is_protocol(text));
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

/// Source: `hdr_nocache` of git's http-backend.
fn forbid_caching(headers: &mut HeaderMap) {
    headers.insert(header::EXPIRES, HeaderValue::from_static("Fri, 01 Jan 1980 00:00:00 GMT"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, max-age=0, must-revalidate"));
}

/// Source: Bitbucket's realm, by which desktop clients know it.
const CHALLENGE: &str = "Basic realm=\"Atlassian Bitbucket\"";
/// A request for refs is short; one with more is sent on as it arrives.
const SHORT: usize = 64 << 10;
/// The same, inflated.
const LONG: usize = 1 << 20;
