//! Who asks: Basic credentials or a session cookie, as a [`Visitor`] that every route can read.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::request::Parts;
use http::{HeaderMap, header};
use rand::Rng;
use sha2::{Digest, Sha256};

use crate::failure::Failure;
use crate::permissions::{Ceiling, Level};
use crate::state::Host;
use crate::store::{NewSession, User};

/// Who sent a request.
#[derive(Debug, Clone)]
pub(crate) enum Visitor {
    /// Nobody we know.
    Anonymous,
    /// A user.
    Known(Arc<Account>),
}

/// A known user, and the session if that is how we know.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) user: User,
    /// None for Basic authentication.
    pub(crate) session: Option<OpenSession>,
    /// The most that an access token may do; none for who came by password or session.
    pub(crate) ceiling: Option<Ceiling>,
}

/// The session of a request.
#[derive(Debug)]
pub(crate) struct OpenSession {
    pub(crate) token_hash: Vec<u8>,
    pub(crate) atl_token: String,
}

/// A user or 401: what REST resources ask for.
pub(crate) struct Known(pub(crate) Arc<Account>);

/// An administrator or 401.
pub(crate) struct Admin;

impl Visitor {
    /// Finds out who sent these headers. Access tokens count only where they are taken: for REST and for Git.
    ///
    /// # Errors
    /// 401 for wrong credentials (an unknown cookie is only anonymous), 503 and 500 as the parts beneath.
    pub(crate) async fn identify(host: &Host, headers: &HeaderMap, tokens: bool) -> Result<Self, Failure> {
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            let value = value.to_str().map_err(|_| Failure::wrong_credentials())?;
            if let Some(token) = parse_bearer(value) {
                // Source: elsewhere Bitbucket sends who comes with a token to the login page.
                return if tokens { by_token(host, token, None).await } else { Ok(Self::Anonymous) };
            }
            let (name, password) = parse_basic(value).ok_or_else(Failure::wrong_credentials)?;
            if password.starts_with(TOKEN_PREFIX) && tokens {
                return by_token(host, &password, Some(&name)).await;
            }
            let user = host.credentials.verify(&host.store, &name, &password).await?;
            let user = user.ok_or_else(Failure::wrong_credentials)?;
            return Ok(Self::Known(Arc::new(Account { user, session: None, ceiling: None })));
        }
        let Some(token) = cookie(headers, SESSION_COOKIE) else { return Ok(Self::Anonymous) };
        let token_hash = Sha256::digest(token.as_bytes()).to_vec();
        Ok(match host.store.session(&token_hash).await? {
            Some(found) => {
                let session = OpenSession { token_hash, atl_token: found.atl_token };
                Self::Known(Arc::new(Account { user: found.user, session: Some(session), ceiling: None }))
            }
            None => Self::Anonymous,
        })
    }

    pub(crate) fn account(&self) -> Option<&Arc<Account>> {
        match self {
            Self::Anonymous => None,
            Self::Known(account) => Some(account),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or(Self::Anonymous))
    }
}

impl<S: Sync> FromRequestParts<S> for Known {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let visitor = parts.extensions.get::<Visitor>();
        visitor.and_then(Visitor::account).cloned().map(Self).ok_or_else(Failure::anonymous)
    }
}

impl<S: Sync> FromRequestParts<S> for Admin {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Known(account) = Known::from_request_parts(parts, state).await?;
        // No token administers the server, whatever its user may.
        if account.user.admin && account.ceiling.is_none() { Ok(Self) } else { Err(Failure::not_permitted()) }
    }
}

/// Finds out whose access token it is; as a password it goes with its user's name only.
async fn by_token(host: &Host, token: &str, name: Option<&str>) -> Result<Visitor, Failure> {
    let found = host.store.bearer(&Sha256::digest(token.as_bytes())).await?;
    let found = found.filter(|found| name.is_none_or(|name| found.user.name.eq_ignore_ascii_case(name)));
    let found = found.ok_or_else(Failure::wrong_credentials)?;
    let level = |number| Level::of(number).unwrap_or(Level::Read);
    let ceiling = Ceiling { project: level(found.project_level), repository: level(found.repository_level) };
    Ok(Visitor::Known(Arc::new(Account { user: found.user, session: None, ceiling: Some(ceiling) })))
}

/// Opens a session for the user and returns the token that goes into the browser's cookie.
pub(crate) async fn open_session(host: &Host, user: &User) -> Result<String, Failure> {
    let token = random_token();
    let token_hash = Sha256::digest(token.as_bytes());
    let atl_token = random_token();
    host.store.create_session(user, NewSession { token_hash: &token_hash, atl_token: &atl_token }).await?;
    Ok(token)
}

/// Returns 256 random bits as text for a URL or cookie.
pub(crate) fn random_token() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns the bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns the value of the first cookie of this name.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(candidate, value)| *candidate == name && value.len() <= 512)
        .map(|(_, value)| value)
}

/// Returns the token of a Bearer authorization. Source: RFC 6750.
fn parse_bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= 512).then_some(token)
}

/// Returns name and password of a Basic authorization. Source: RFC 7617.
fn parse_basic(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > 4096 {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// What every access token begins with. Source: Bitbucket Data Center's tokens.
pub(crate) const TOKEN_PREFIX: &str = "BBDC-";
/// Source: Bitbucket's name for it since 5.0.
pub(crate) const SESSION_COOKIE: &str = "BITBUCKETSESSIONID";

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn basic_credentials_keep_colons_of_the_password() {
        assert_eq!(parse_basic("Basic YWRhOmE6Yg=="), Some(("ada".into(), "a:b".into())));
        assert_eq!(parse_basic("basic YWRhOg=="), Some(("ada".into(), String::new())));
        for bad in ["", "Basic", "Basic !!!", "Basic YWRh", "Bearer YWRhOmE6Yg==", "Basic //8="] {
            assert_eq!(parse_basic(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; XBITBUCKETSESSIONID=no"));
        headers.append(header::COOKIE, HeaderValue::from_static("c; BITBUCKETSESSIONID=yes;d=e"));
        assert_eq!(cookie(&headers, SESSION_COOKIE), Some("yes"));
        assert_eq!(cookie(&headers, "none"), None);
    }

    #[test]
    fn tokens_are_long_and_differ() {
        assert_eq!(random_token().len(), 43);
        assert_ne!(random_token(), random_token());
        assert_eq!(hex(&[0, 255, 16]), "00ff10");
    }

    proptest! {
        #[test]
        fn no_authorization_header_breaks_the_parser(value in any::<String>()) {
            let _ = parse_basic(&value);
            let _ = parse_basic(&format!("Basic {value}"));
        }
    }
}
