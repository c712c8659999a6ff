//! Smart HTTP: `/scm/{project}/{repository}.git/…`.
//!
//! Source: git's `gitprotocol-http` and the behaviour of its own `http-backend`.

use std::sync::{Arc, Mutex, PoisonError};

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
use super::fetch_cache::{Recording, Tap};
use super::inflate::Inflate;
use super::wanted::{Kind, Wanted, has_pack};
use crate::access_log::{Label, Record, Recorded};
use crate::auth::Visitor;
use crate::failure::Failure;
use crate::faults::{GitFaults, GitHeld, Part, part_of, while_waiting};
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
    recorded: Recorded,
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
        Ok(call) => {
            let call = call.recorded_by(recorded);
            call.label(Label::Refs);
            answer_with_refs(call).await
        }
        Err(failure) => refuse(&failure),
    }
}

async fn upload_pack(
    State(host): State<App>,
    address: Result<Address, PathRejection>,
    visitor: Visitor,
    recorded: Recorded,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match open(host, address.ok(), &visitor, (Service::UploadPack, &headers)).await {
        Ok(call) => serve(call.counted(Transport::Http).recorded_by(recorded), &headers, body).await,
        Err(failure) => refuse(&failure),
    }
}

async fn receive_pack(
    State(host): State<App>,
    address: Result<Address, PathRejection>,
    visitor: Visitor,
    recorded: Recorded,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match open(host, address.ok(), &visitor, (Service::ReceivePack, &headers)).await {
        Ok(call) => serve(call.counted(Transport::Http).recorded_by(recorded), &headers, body).await,
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
    let faults = GitFaults::of(&call, Part::Refs);
    match call.advertisement(true).await {
        Ok(Some(data)) => {
            let data = [before.unwrap_or_default(), data].concat();
            let answer = async |_| respond(call.service, "advertisement", data);
            return faults.around(Body::empty(), answer).await;
        }
        Ok(None) => {}
        Err(error) => return refuse(&failure_of(&Broken::Git(error))),
    }
    let request = (Body::empty(), Inflate::Plain);
    let wish = Wish { flags: &["--http-backend-info-refs"], is_for_refs: true, heard: None, faults };
    talk(call, wish, request, ("advertisement", before)).await
}

/// The second request and every further one.
async fn serve(call: Call, headers: &HeaderMap, body: Body) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    if kind != Some(format!("application/x-{}-request", call.service.name()).as_bytes()) {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return refuse(&Failure { status, ..Failure::bad_request("This is not a request that git makes.") });
    }
    let encoding = headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes);
    let (body, heard) = match answer_from_refs(&call, headers, body).await {
        Ok(heard) => heard,
        Err(answer) => return answer,
    };
    let Some(inflate) = Inflate::of(encoding) else {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return refuse(&Failure {
            status,
            ..Failure::bad_request("Only gzip is understood as an encoding.")
        });
    };
    let is_for_refs = heard.as_ref().is_some_and(|(wanted, _)| wanted.kind == Kind::Refs);
    let faults = GitFaults::of(&call, if is_for_refs { Part::Refs } else { part_of(call.service) });
    // Before a large push git asks with nothing but a flush whether it would be let in.
    let length = headers.get(header::CONTENT_LENGTH).map(HeaderValue::as_bytes);
    if call.service == Service::ReceivePack && length != Some(b"4") {
        call.label(Label::Push);
    }
    let wish = Wish { flags: &[], is_for_refs, heard, faults };
    talk(call, wish, (body, inflate), ("result", None)).await
}

/// What a client wants of a service.
struct Wish {
    flags: &'static [&'static str],
    is_for_refs: bool,
    /// What the request is, and the whole of it, inflated; none if it is long or something else.
    heard: Option<(Wanted, Bytes)>,
    /// How it is disturbed.
    faults: GitFaults,
}

/// Answers a request that only asks for refs without git, as an error for the caller's sake; any other body is returned as
/// it came, with what it wants if that could be told.
async fn answer_from_refs(
    call: &Call,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Body, Option<(Wanted, Bytes)>), Response> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if call.service != Service::UploadPack || length.is_none_or(|length: usize| length > SHORT) {
        return Ok((body, None));
    }
    let idle = call.host.limits.git_idle();
    let whole = match tokio::time::timeout(idle, axum::body::to_bytes(body, SHORT)).await {
        Ok(whole) => whole.map_err(|_| refuse(&failure_of(&Broken::Gone)))?,
        Err(_) => return Err(refuse(&failure_of(&Broken::Idle(idle)))),
    };
    let encoding = headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes);
    let plain = Inflate::of(encoding).and_then(|inflate| inflate.whole(&whole, LONG));
    let heard = plain.and_then(|plain| Some((Wanted::of(&plain, call.version())?, plain)));
    if call.version() == 2
        && let Some((_, plain)) = &heard
        && let Asked::LsRefs(request, b"") = LsRefs::parse(plain)
    {
        call.label(Label::Refs);
        match call.ls_refs(&request).await {
            Ok(Some(answer)) => {
                let faults = GitFaults::of(call, Part::Refs);
                let answer = async |_| respond(call.service, "result", answer);
                return Err(faults.around(Body::empty(), answer).await);
            }
            Err(busy @ GitError::Busy(_)) => return Err(refuse(&failure_of(&busy.into()))),
            // Git may know better.
            Ok(None) | Err(_) => {}
        }
    }
    Ok((whole.into(), heard))
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
    mut wish: Wish,
    request: (Body, Inflate),
    (kind, before): (&str, Option<Bytes>),
) -> Response {
    let service = call.service;
    let tap = match wish.heard.take() {
        None => Ok(None),
        Some((wanted, plain)) => match call.kept_answer(wanted, &plain).await {
            Ok((Some(kept), _)) => {
                call.label_as(wanted, has_pack(&kept));
                return wish.faults.around(request.0, async |_| respond(service, kind, kept)).await;
            }
            Ok((None, recording)) => Ok(Some((wanted, recording))),
            Err(error) => Err(Broken::Git(error)),
        },
    };
    let started = match tap {
        Ok(tap) => start(call, wish, request, tap).await,
        Err(broken) => Err(broken),
    };
    match started {
        Ok((answer, mut labelled, held)) => {
            let heard = move |said: Option<&[u8]>| labelled.hear(said);
            held.answer(respond(service, kind, Body::from_stream(answer.into_stream(before, heard)))).await
        }
        Err(Broken::Fault(injected)) => injected.response_to_git(),
        Err(broken) => refuse(&failure_of(&broken)),
    }
}

/// Starts git with these flags; it takes a ticket for refs, or one for what it serves, and is disturbed with it in hand.
async fn start(
    call: Call,
    Wish { flags, is_for_refs, faults, .. }: Wish,
    (body, inflate): (Body, Inflate),
    heard: Option<(Wanted, Option<Recording>)>,
) -> Result<(Answer, Labelled, GitHeld), Broken> {
    let limits = &call.host.limits;
    let bounds = Bounds { body: call.most(), idle: limits.git_idle(), run: limits.git_run() };
    let all: Vec<&str> = std::iter::once("--stateless-rpc").chain(flags.iter().copied()).collect();
    let take = async { if is_for_refs { call.ticket_for_refs().await } else { call.ticket().await } };
    let (ticket, body) = while_waiting(body, take).await;
    let ticket = ticket?;
    let (held, body) = faults.begin(body).await?;
    let child = call.start(&all, ticket)?;
    let pushed = flags.is_empty();
    let record = call.record.clone();
    let (wanted, recording) = heard.unzip();
    let tap: Option<Tap> = recording.flatten().map(|recording| Arc::new(Mutex::new(Some(recording))));
    let tapped = tap.clone();
    let afterwards = async move {
        if pushed {
            call.settle().await;
        }
        let recording = tapped.and_then(|tap| tap.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(recording) = recording {
            call.keep_answer(recording).await;
        }
    };
    let answer = converse(child, (body, inflate), bounds, (tap, afterwards)).await?;
    Ok((answer, Labelled { of: record.zip(wanted), head: Vec::new() }, held))
}

/// What becomes the label of a request for a pack: git says in pieces of any size whether there is one.
struct Labelled {
    /// None where there is nothing to label, or no longer.
    of: Option<(Arc<Record>, Wanted)>,
    head: Vec<u8>,
}

impl Labelled {
    /// Hears on until it is known; nothing more is said after the last piece.
    fn hear(&mut self, said: Option<&[u8]>) {
        let Some((record, wanted)) = &self.of else { return };
        self.head.extend_from_slice(said.unwrap_or_default());
        let has_pack = has_pack(&self.head);
        if has_pack || said.is_none() || self.head.len() > SHORT {
            record.label_as(*wanted, has_pack);
            *self = Self { of: None, head: Vec::new() };
        }
    }
}

/// Returns what goes into `GIT_PROTOCOL`: `version=2` and the like, nothing stranger.
fn parse_protocol(value: &HeaderValue) -> Result<String, Failure> {
    let text = value.to_str().ok().filter(|text| is_protocol(text));
    text.map(str::to_owned).ok_or_else(|| Failure::bad_request("The Git-Protocol header is not one."))
}

fn failure_of(broken: &Broken) -> Failure {
    match broken {
        Broken::TooLarge(_) => Failure::too_large(),
        Broken::Fault(injected) => injected.failure(),
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
