//! The two ways in which a browser logs in; each is the second half of the login's op.

use e3_bitbucket::{LoginRefusal, has_login_form, login_body, path, read_login};
use e3_http::{HttpSession, Request, Response};
use e3_model::Outcome;
use e3_workload::{Account, Failure, Measured};

use super::ask::PAGE_ACCEPT;
use super::browser::{leads_to_login, unexpected};
use crate::failure;
use crate::measured::of_response;

/// Returns whether the page asks for the form's submission.
pub(super) fn shows_form(page: &Response) -> Result<bool, Failure> {
    let text = page.text().map_err(|error| {
        Failure::new(Outcome::Protocol, format!("the login page cannot be read: {error}"))
            .measured(of_response(page))
    })?;
    Ok(has_login_form(&text))
}

/// Submits the form with `j_username`, after what was measured of its page.
///
/// Source: the first E3's web scripts; success is a 302 that does not lead back to the login page.
pub(super) async fn by_form(
    http: &mut HttpSession,
    account: &Account,
    mut measured: Measured,
) -> Result<Measured, Failure> {
    let fields = [("j_username", account.name.as_str()), ("j_password", account.password.expose())];
    let form = Request::form(path::login_submit(), &fields).header("accept", PAGE_ACCEPT);
    let answer = http.send(form).await.map_err(|error| failure::of_http(&error).measured(measured))?;
    add(&mut measured, &answer);
    match answer.status {
        302 if !leads_to_login(&answer) => Ok(measured),
        302 => Err(Failure::new(Outcome::Http4xx, REFUSED).measured(measured)),
        status => {
            let message = format!("the login form answered {status}");
            Err(Failure::new(unexpected(status), message).measured(measured))
        }
    }
}

/// Makes the call behind the page in two steps, after what was measured of its page; a server that does not have it, though
/// its page has no form that is known, gets the form.
pub(super) async fn by_call(
    http: &mut HttpSession,
    account: &Account,
    mut measured: Measured,
) -> Result<Measured, Failure> {
    let call = Request::json(path::two_step_login(), &login_body(&account.name, &account.password))
        .header("x-requested-with", "XMLHttpRequest")
        .header("origin", &http.base().to_string());
    let answer = http.send(call).await.map_err(|error| failure::of_http(&error).measured(measured))?;
    add(&mut measured, &answer);
    match read_login(answer.status, &answer.body) {
        Ok(()) => Ok(measured),
        Err(LoginRefusal::NoSuchCall) => by_form(http, account, measured).await,
        Err(refusal) => {
            let outcome = match refusal {
                LoginRefusal::Other { status } => unexpected(status),
                _ => Outcome::Http4xx,
            };
            Err(Failure::new(outcome, refusal.to_string()).measured(measured))
        }
    }
}

fn add(measured: &mut Measured, answer: &Response) {
    measured.bytes_in = Some(measured.bytes_in.unwrap_or(0) + answer.bytes_in);
    measured.bytes_out = Some(measured.bytes_out.unwrap_or(0) + answer.bytes_out);
}

/// The form leads back to its page for either reason.
const REFUSED: &str = "the login was refused: the name or the password is wrong, or after several wrong ones the server \
                       asks for a CAPTCHA";
