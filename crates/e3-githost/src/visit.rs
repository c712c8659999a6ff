//! What happens around every request: who asks, a number, a time limit, and the headers that Bitbucket sends.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use sha2::{Digest as _, Sha256};

use crate::access_log::{Head, Record};
use crate::auth::{Account, Visitor};
use crate::failure::Failure;
use crate::metrics::Peer;
use crate::state::{App, Host};
use crate::{git, web};

/// The three kinds of answers, by the path's beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Area {
    Rest,
    Git,
    Web,
}

/// Serves one request.
pub(crate) async fn serve(State(host): State<App>, mut request: Request, next: Next) -> Response {
    let (number, others, _running) = host.traffic.enter();
    let id = request_id(&host.node, number, others);
    let area = Area::of(request.uri().path());
    let record = request.extensions().get::<Arc<Record>>().cloned();
    if let Some(record) = &record {
        record.open(head_of(&request, &id));
    }
    // Without its query: Bitbucket takes a new user's password there.
    let line = tracing::enabled!(tracing::Level::DEBUG)
        .then(|| format!("{} {}", request.method(), request.uri().path()));
    let (response, visitor) = match Visitor::identify(&host, request.headers(), area != Area::Web).await {
        Ok(visitor) => {
            if let (Some(record), Some(account)) = (&record, visitor.account()) {
                record.identify(&account.user.name, &session_name(account));
            }
            if let Some(refused) = refused(&host, area, &visitor) {
                return dressed(refused, area, &id, &visitor);
            }
            request.extensions_mut().insert(visitor.clone());
            let answer = async { next.run(request).await };
            let response = match area {
                // Git's operations have bounds of their own.
                Area::Git => answer.await,
                Area::Rest | Area::Web => match tokio::time::timeout(host.limits.request(), answer).await {
                    Ok(response) => response,
                    Err(_) => area.refuse(&host, Failure::busy("the request took too long")),
                },
            };
            (response, visitor)
        }
        Err(failure) => (area.refuse(&host, failure), Visitor::Anonymous),
    };
    if let Some(line) = line {
        tracing::debug!(id, line, status = response.status().as_u16(), "served");
    }
    dressed(response, area, &id, &visitor)
}

/// Returns the answer to somebody who has asked too often. Source: Bitbucket counts what comes with Basic or Bearer
/// credentials, REST and Git alike, and neither sessions of its pages nor anonymous requests.
fn refused(host: &Host, area: Area, visitor: &Visitor) -> Option<Response> {
    let account = visitor.account().filter(|account| account.session.is_none())?;
    let wait = host.throttle.rates.as_ref()?.take(account.user.id).err()?;
    let (failure, seconds) = Failure::too_often(wait);
    let mut response = area.refuse(host, failure);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    Some(response)
}

fn dressed(mut response: Response, area: Area, id: &str, visitor: &Visitor) -> Response {
    dress(response.headers_mut(), area, id, visitor);
    response
}

/// Returns what the access log says of a request when it comes in. Without its query: Bitbucket takes a new user's password
/// there.
fn head_of(request: &Request, id: &str) -> Head {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.to_string()).unwrap_or_default();
    let forwarded: String = text("x-forwarded-for").split_whitespace().collect();
    let address = if forwarded.is_empty() { peer } else { format!("{forwarded},{peer}") };
    let (referer, agent) = (text("referer"), text("user-agent"));
    Head {
        address,
        protocol: if text("x-forwarded-proto") == "https" { "https" } else { "http" },
        id: id.to_owned(),
        action: format!("\"{} {} {:?}\"", request.method(), request.uri().path(), request.version()),
        details: format!("\"{referer}\" \"{agent}\""),
        user: None,
        session: None,
        ssh_user: None,
    }
}

impl Area {
    fn of(path: &str) -> Self {
        if path.starts_with("/rest/") || path == "/rest" {
            Self::Rest
        } else if path.starts_with("/scm/") {
            Self::Git
        } else {
            Self::Web
        }
    }

    fn refuse(self, host: &Host, failure: Failure) -> Response {
        match self {
            Self::Rest => failure.into_response(),
            Self::Git => git::refuse(&failure),
            Self::Web => web::refuse(host, &Visitor::Anonymous, &failure),
        }
    }
}

/// Returns `@NODExMINUTExCOUNTxCONCURRENT`. Source: Bitbucket's log formats; the minute is of the day, in UTC.
pub(crate) fn request_id(node: &str, number: u64, others: u64) -> String {
    let now = time::OffsetDateTime::now_utc();
    let minute = u32::from(now.hour()) * 60 + u32::from(now.minute());
    format!("@{node}x{minute}x{number}x{others}")
}

/// Returns a short name of the session for logs, as recorded answers have it: never the token, nor anything that it could
/// be made from. Basic authentication has one name per user.
fn session_name(account: &Account) -> String {
    let seed = match &account.session {
        Some(session) => Sha256::digest(&session.token_hash),
        None => Sha256::digest(account.user.name.as_bytes()),
    };
    short_name(seed.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte)))
}

/// Returns a number as seven letters and digits.
pub(crate) fn short_name(mut rest: u64) -> String {
    let mut name = String::with_capacity(7);
    for _ in 0..7 {
        let digit = u32::try_from(rest % 36).unwrap_or(0);
        name.push(char::from_digit(digit, 36).unwrap_or('0'));
        rest /= 36;
    }
    name
}

/// Adds the headers of recorded answers, and those that keep a browser careful.
fn dress(headers: &mut HeaderMap, area: Area, id: &str, visitor: &Visitor) {
    insert(headers, "x-arequestid", id);
    if let Some(account) = visitor.account() {
        insert(headers, "x-asessionid", &session_name(account));
        insert(headers, "x-auserid", &account.user.id.to_string());
        insert(headers, "x-ausername", &account.user.name);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if area == Area::Git || headers.contains_key(header::CACHE_CONTROL) {
        return;
    }
    for value in ["private, no-cache", "no-cache, no-transform"] {
        headers.append(header::CACHE_CONTROL, HeaderValue::from_static(value));
    }
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("x-ausername,x-auserid,cookie,accept-encoding"));
    if area == Area::Web {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
        headers
            .insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(web::CONTENT_SECURITY_POLICY));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    }
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
