//! Cross-site request forgery: what a session must show before it may write.
//!
//! A browser sends the session cookie with requests that other sites make. A form must therefore send back the token of
//! its page; a REST call must carry `X-Atlassian-Token` or an `Origin` of this server, neither of which another site can
//! make a browser send without asking first. Basic credentials come from git and programs, which send no `Origin`, so they
//! need neither; but a browser that learned them sends them with other sites' requests too, and then says whose they are.

use http::{HeaderMap, header};

use crate::auth::Account;
use crate::failure::Failure;

/// Lets a REST write through, or not.
///
/// # Errors
/// 403 for a write that another site could have caused.
pub(crate) fn check_rest(account: &Account, headers: &HeaderMap) -> Result<(), Failure> {
    let safe = match is_same_origin(headers) {
        Some(same) => same,
        None => account.session.is_none(),
    };
    if safe || has_no_check(headers) { Ok(()) } else { Err(Failure::cross_site()) }
}

/// Lets a form through, or not.
///
/// # Errors
/// 403 for a session's form without the session's token, and for another site's form with Basic credentials.
pub(crate) fn check_form(account: &Account, headers: &HeaderMap, atl_token: &str) -> Result<(), Failure> {
    let safe = match &account.session {
        Some(session) => is_same(session.atl_token.as_bytes(), atl_token.as_bytes()),
        None => is_same_origin(headers).unwrap_or(true),
    };
    if safe { Ok(()) } else { Err(Failure::cross_site()) }
}

fn has_no_check(headers: &HeaderMap) -> bool {
    let value = headers.get("x-atlassian-token").and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.eq_ignore_ascii_case("no-check") || value.eq_ignore_ascii_case("nocheck"))
}

/// Returns whether the request's `Origin` is this server; none if it has none.
///
/// The first E3 appends the context path to its `Origin`, so only scheme and authority count.
fn is_same_origin(headers: &HeaderMap) -> Option<bool> {
    let origin = headers.get(header::ORIGIN)?.to_str().unwrap_or_default();
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    let authority = authority.and_then(|rest| rest.split('/').next());
    Some(authority.zip(host).is_some_and(|(found, host)| found.eq_ignore_ascii_case(host)))
}

/// Compares without telling by its duration where the first difference lies.
fn is_same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;
    use crate::auth::OpenSession;
    use crate::store::User;

    fn account(session: bool) -> Account {
        let user = User {
            id: 1,
            name: "ada".into(),
            slug: "ada".into(),
            display_name: "Ada".into(),
            email: String::new(),
            password_hash: String::new(),
            version: 1,
            admin: false,
            active: true,
        };
        let session = session.then(|| OpenSession { token_hash: vec![], atl_token: "secret".into() });
        Account { user, session, ceiling: None }
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn rest_writes_of_a_session_must_come_from_here() {
        let host = ("host", "git.example:7990");
        let cases: [(&[_], bool); 7] = [
            (&[host], false),
            (&[host, ("origin", "http://git.example:7990")], true),
            (&[host, ("origin", "http://git.example:7990/bitbucket")], true),
            (&[host, ("origin", "http://evil.example")], false),
            (&[host, ("origin", "http://git.example:7990.evil.example")], false),
            (&[host, ("origin", "null")], false),
            (&[host, ("origin", "http://evil.example"), ("x-atlassian-token", "no-check")], true),
        ];
        for (pairs, passes) in cases {
            assert_eq!(check_rest(&account(true), &headers(pairs)).is_ok(), passes, "{pairs:?}");
        }
    }

    #[test]
    fn basic_credentials_need_no_token_but_must_not_come_from_another_site() {
        let host = ("host", "git.example:7990");
        let cases: [(&[_], bool); 5] = [
            (&[host], true),
            (&[host, ("origin", "http://git.example:7990")], true),
            (&[host, ("origin", "http://evil.example")], false),
            (&[host, ("origin", "null")], false),
            (&[host, ("origin", "null"), ("x-atlassian-token", "no-check")], true),
        ];
        for (pairs, passes) in cases {
            assert_eq!(check_rest(&account(false), &headers(pairs)).is_ok(), passes, "{pairs:?}");
        }
        assert!(check_form(&account(false), &headers(&[host]), "").is_ok());
        assert!(
            check_form(&account(false), &headers(&[host, ("origin", "http://evil.example")]), "").is_err()
        );
    }

    #[test]
    fn forms_of_a_session_must_know_its_token() {
        let none = HeaderMap::new();
        assert!(check_form(&account(true), &none, "secret").is_ok());
        for wrong in ["", "secreT", "secret ", "s"] {
            assert_eq!(check_form(&account(true), &none, wrong).unwrap_err().status, 403, "{wrong:?}");
        }
    }
}
