//! Signing in and out, in the form of Bitbucket before its two-step page.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, http::HeaderMap};
use http::header;
use serde::{Deserialize, Serialize};

use super::sent::Sent;
use super::{found, refuse};
use crate::auth::{SESSION_COOKIE, Visitor, open_session};
use crate::failure::{Failure, WRONG_CREDENTIALS};
use crate::state::{App, Host};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/login", get(form))
        .route("/j_atl_security_check", post(sign_in))
        .route("/j_atl_security_logout", get(sign_out).post(sign_out))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Query {
    next: String,
    failed: Option<String>,
}

#[derive(Serialize)]
struct Content {
    next: String,
    failure: Option<&'static str>,
}

async fn form(State(host): State<App>, visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let query: Query = serde_urlencoded::from_str(query.as_deref().unwrap_or("")).unwrap_or_default();
    let next = if is_local(&query.next) { query.next } else { String::new() };
    let content = Content { next, failure: query.failed.map(|_| WRONG_CREDENTIALS) };
    let account = visitor.account().map(AsRef::as_ref);
    host.pages.page(account, ("login.html", "Sign in"), content).unwrap_or_else(IntoResponse::into_response)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Form {
    j_username: String,
    j_password: String,
    next: String,
}

async fn sign_in(
    State(host): State<App>,
    headers: HeaderMap,
    visitor: Visitor,
    Sent(body): Sent,
) -> Response {
    let form: Form = serde_urlencoded::from_bytes(&body).unwrap_or_default();
    let next = if is_local(&form.next) { form.next.as_str() } else { "/dashboard" };
    match enter(&host, &form).await {
        Ok(Some(token)) => {
            leave(&host, &visitor).await;
            let mut response = found(next);
            set_cookie(
                &mut response,
                &format!("{SESSION_COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax{}", secure(&headers)),
            );
            response
        }
        Ok(None) => {
            let next = percent_encoding::utf8_percent_encode(next, percent_encoding::NON_ALPHANUMERIC);
            found(&format!("/login?failed=true&next={next}"))
        }
        Err(failure) => refuse(&host, &Visitor::Anonymous, &failure),
    }
}

async fn sign_out(State(host): State<App>, visitor: Visitor) -> Response {
    leave(&host, &visitor).await;
    let mut response = found("/login");
    set_cookie(&mut response, &format!("{SESSION_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"));
    response
}

async fn enter(host: &Host, form: &Form) -> Result<Option<String>, Failure> {
    match host.credentials.verify(&host.store, &form.j_username, &form.j_password).await? {
        Some(user) => open_session(host, &user).await.map(Some),
        None => Ok(None),
    }
}

/// Ends the session that the browser came with, if any.
async fn leave(host: &Host, visitor: &Visitor) {
    let Some(session) = visitor.account().and_then(|account| account.session.as_ref()) else { return };
    if let Err(error) = host.store.delete_session(&session.token_hash).await {
        tracing::warn!(%error, "cannot end a session");
    }
}

fn set_cookie(response: &mut Response, cookie: &str) {
    if let Ok(value) = cookie.parse() {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// Keeps the cookie off plain connections when a proxy before us speaks TLS.
fn secure(headers: &HeaderMap) -> &'static str {
    if headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https") { "; Secure" } else { "" }
}

/// Returns whether a redirect to this stays here: browsers read `//x` and `/\x` as another host.
fn is_local(next: &str) -> bool {
    next.starts_with('/')
        && !next.starts_with("//")
        && next.len() <= 2048
        && !next.starts_with("/login")
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere_after_signing_in() {
        for good in ["/dashboard", "/projects/A/repos/b/browse?at=refs%2Fheads%2Fx"] {
            assert!(is_local(good), "{good}");
        }
        for bad in [
            "",
            "//evil.example",
            "/\\evil.example",
            "http://evil.example",
            "/a\r\nSet-Cookie: x",
            "x",
            "/login",
        ] {
            assert!(!is_local(bad), "{bad:?}");
        }
    }
}
