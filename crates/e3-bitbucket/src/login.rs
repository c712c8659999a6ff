//! Logging in by the call behind the login page in two steps, and what it answers.
//!
//! Source: `POST /rest/tsv/1.0/authenticate` as Atlassian describes it for 9.4, and as its own end-to-end tests call it.

use std::fmt;

use e3_model::Secret;
use serde::Deserialize;
use serde_json::{Value, json};

/// Why a login was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginRefusal {
    /// The name or the password is wrong, or the account is not active.
    Credentials {
        /// What the server said; empty where it said nothing.
        message: String,
    },
    /// Too many wrong passwords: the server now asks what only a person can answer.
    Captcha,
    /// The account must prove itself a second time.
    SecondFactor,
    /// The account must first set up how to prove itself a second time.
    Enrolment,
    /// The server does not have this call.
    NoSuchCall,
    /// The server answered something else.
    Other {
        /// The status.
        status: u16,
    },
}

/// Returns what the call carries.
pub fn login_body(name: &str, password: &Secret) -> Value {
    json!({"username": name, "password": password.expose(), "rememberMe": false})
}

/// Returns whether a login page has the form with `j_username`; one in two steps has not.
///
/// Source: so does Atlassian's performance toolkit tell them apart.
pub fn has_login_form(page: &str) -> bool {
    page.contains("j_username")
}

/// Reads the call's answer.
///
/// # Errors
/// With why the login was refused.
pub fn read_login(status: u16, body: &[u8]) -> Result<(), LoginRefusal> {
    match status {
        200 => Ok(()),
        401 => {
            let refused: Refused = serde_json::from_slice(body).unwrap_or_default();
            if refused.captcha_required {
                return Err(LoginRefusal::Captcha);
            }
            Err(LoginRefusal::Credentials { message: refused.message.unwrap_or_default() })
        }
        412 => {
            let next: Next = serde_json::from_slice(body).unwrap_or_default();
            let enrols = next.next_login_step == "ENROLLMENT";
            Err(if enrols { LoginRefusal::Enrolment } else { LoginRefusal::SecondFactor })
        }
        404 => Err(LoginRefusal::NoSuchCall),
        status => Err(LoginRefusal::Other { status }),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Refused {
    message: Option<String>,
    captcha_required: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Next {
    next_login_step: String,
}

impl fmt::Display for LoginRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credentials { message } if message.is_empty() => f.write_str("the login was refused"),
            Self::Credentials { message } => write!(f, "the login was refused: {message}"),
            Self::Captcha => f.write_str(
                "the login was refused: after several wrong passwords the server asks for a CAPTCHA, which an \
                 administrator can clear in the user's settings",
            ),
            Self::SecondFactor => f.write_str(
                "the login was refused: the account has two-step verification, which a load client cannot pass; use \
                 accounts without it",
            ),
            Self::Enrolment => f.write_str(
                "the login was refused: the server enforces two-step verification and the account has not set it up; \
                 exempt the accounts that make load",
            ),
            Self::NoSuchCall => f.write_str("the login call answered 404: this server does not have it"),
            Self::Other { status } => write!(f, "the login call answered {status}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_told_apart() {
        let captcha = br#"{"message":"Too many.","captchaRequired":true}"#;
        let wrong = br#"{"message":"Wrong.","captchaRequired":false}"#;
        let code = br#"{"conversationId":"c","nextLoginStep":"TOTP_CODE_VERIFICATION"}"#;
        let enrol = br#"{"conversationId":"c","nextLoginStep":"ENROLLMENT"}"#;
        let cases: [(u16, &[u8], Result<(), &str>); 9] = [
            (200, br#"{"next":"/dashboard"}"#, Ok(())),
            (200, b"", Ok(())),
            (401, wrong, Err("the login was refused: Wrong.")),
            (401, b"<html>", Err("the login was refused")),
            (401, captcha, Err("CAPTCHA")),
            (412, code, Err("two-step verification, which")),
            (412, enrol, Err("has not set it up")),
            (404, b"", Err("does not have it")),
            (503, b"", Err("answered 503")),
        ];
        for (status, body, expected) in cases {
            match (read_login(status, body), expected) {
                (Ok(()), Ok(())) => {}
                (Err(refusal), Err(words)) => assert!(refusal.to_string().contains(words), "{refusal}"),
                (read, expected) => panic!("{status}: {read:?} instead of {expected:?}"),
            }
        }
        assert_eq!(read_login(412, b"no JSON"), Err(LoginRefusal::SecondFactor));
    }

    #[test]
    fn the_page_tells_how_to_log_in() {
        assert!(has_login_form(r#"<input type="text" id="j_username" name="j_username">"#));
        assert!(!has_login_form(r#"<input id="username-field"><button id="login-button">"#));
        let body = login_body("ada", &Secret::new("s"));
        assert_eq!(body, json!({"username": "ada", "password": "s", "rememberMe": false}));
    }
}
