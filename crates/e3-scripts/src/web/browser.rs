//! A person's browser: one session that stays logged in, with the headers that the first E3 sent.

use std::sync::Arc;

use e3_bitbucket::{Dialect, LoginWay, path};
use e3_http::{HttpSession, Request, Response};
use e3_model::{OpId, Outcome};
use e3_workload::{Account, ClientContext, Failure, Measured, ScriptError, Setting, Stopped};
use serde_json::Value;

use super::ask::{Ask, PAGE_ACCEPT};
use super::login::{by_call, by_form, shows_form};
use crate::failure;
use crate::measured::of_response;
use crate::setting::http_session;

/// One client's browser.
pub(crate) struct Browser {
    http: HttpSession,
    account: Option<Account>,
    dialect: Dialect,
    logged_in: bool,
}

impl Browser {
    /// Opens a browser for an account, or for an anonymous visitor; connects to nothing yet.
    pub(crate) fn open(
        script: &str,
        setting: &Arc<Setting>,
        account: Option<Account>,
    ) -> Result<Self, ScriptError> {
        let dialect = Dialect::of(setting.product);
        Ok(Self { http: http_session(script, setting)?, account, dialect, logged_in: false })
    }

    /// Returns how the server is spoken to.
    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Logs in, unless the session already is: the login page, then its submission.
    pub(crate) async fn log_in(&mut self, context: &mut ClientContext, op: OpId) -> Result<(), Stopped> {
        if self.logged_in {
            return Ok(());
        }
        let Some(account) = self.account.clone() else { return Ok(()) };
        let (http, login) = (&mut self.http, self.dialect.login());
        // What is left of a session that failed would have its login page lead away from the form.
        http.clear_cookies();
        context
            .op(op, async {
                let page =
                    http.send(page_request(path::login())).await.map_err(|error| failure::of_http(&error))?;
                let measured = of_response(&page);
                expect(&page, "the login page", measured)?;
                let measured = if login == LoginWay::Form || shows_form(&page)? {
                    by_form(http, &account, measured).await?
                } else {
                    by_call(http, &account, measured).await?
                };
                Ok(((), measured))
            })
            .await?;
        self.logged_in = true;
        Ok(())
    }

    /// Logs out; the next iteration logs in anew.
    pub(crate) async fn log_out(&mut self, context: &mut ClientContext, op: OpId) -> Result<(), Stopped> {
        let http = &mut self.http;
        let done = context
            .op(op, async {
                let answer = http
                    .send(page_request(path::logout()))
                    .await
                    .map_err(|error| failure::of_http(&error))?;
                let measured = of_response(&answer);
                match answer.status {
                    200 | 302 => Ok(((), measured)),
                    status => {
                        let outcome = unexpected(status);
                        Err(Failure::new(outcome, format!("logging out answered {status}"))
                            .measured(measured))
                    }
                }
            })
            .await;
        self.logged_in = false;
        self.http.clear_cookies();
        done
    }

    /// Fetches a page, which must answer 200.
    pub(crate) async fn page(
        &mut self,
        context: &mut ClientContext,
        op: OpId,
        path: String,
    ) -> Result<(), Stopped> {
        self.ask(context, op, Ask::page(path), |_| Ok(())).await
    }

    /// Calls REST as the pages' own scripts do; returns the JSON, which must come with status 200.
    pub(crate) async fn rest(
        &mut self,
        context: &mut ClientContext,
        op: OpId,
        path: String,
    ) -> Result<Value, Stopped> {
        self.ask(context, op, Ask::rest(path), json).await
    }

    /// Asks, and reads from the answer what must be in it; the op fails where it is not.
    pub(crate) async fn ask<T: Send>(
        &mut self,
        context: &mut ClientContext,
        op: OpId,
        ask: Ask,
        read: impl FnOnce(&Response) -> Result<T, String> + Send,
    ) -> Result<T, Stopped> {
        self.attempt(context, op, ask, read).await?.map_err(|refusal| refusal.stopped)
    }

    /// Asks as [`Browser::ask`] does, and tells apart what the server refused, which is a failed op all the same.
    pub(crate) async fn attempt<T: Send>(
        &mut self,
        context: &mut ClientContext,
        op: OpId,
        ask: Ask,
        read: impl FnOnce(&Response) -> Result<T, String> + Send,
    ) -> Result<Result<T, Refusal>, Stopped> {
        let (what, accepted) = (ask.to_string(), ask.accepted);
        let request = ask.request(&self.http.base().to_string(), self.dialect);
        let (http, mut refused) = (&mut self.http, None);
        let asked = context
            .op(op, async {
                let response = http.send(request).await.map_err(|error| failure::of_http(&error))?;
                let measured = of_response(&response);
                let status = response.status;
                if !accepted.contains(&status) {
                    let said = first_error(&response.body);
                    let message = format!("{what} answered {status}{}", said.as_deref().unwrap_or_default());
                    refused = Some((status, said.unwrap_or_default()));
                    return Err(Failure::new(unexpected(status), message).measured(measured));
                }
                let read = read(&response).map_err(|problem| {
                    let message = format!("{what} answered {status} {problem}");
                    Failure::new(Outcome::Unexpected, message).measured(measured)
                })?;
                Ok((read, measured))
            })
            .await;
        if let Err(Stopped::Failed { outcome, .. }) = &asked
            && matches!(outcome, Outcome::Http3xx | Outcome::Http4xx | Outcome::Unexpected)
        {
            // The session may have expired: the next iteration logs in anew, as a person would.
            self.logged_in = false;
        }
        match (asked, refused) {
            (Ok(read), _) => Ok(Ok(read)),
            (Err(stopped), Some((status, said))) => Ok(Err(Refusal { status, said, stopped })),
            (Err(stopped), None) => Err(stopped),
        }
    }
}

/// What a server refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The status.
    pub(crate) status: u16,
    /// The first error of its answer, with the exception's name; empty if it names none.
    pub(crate) said: String,
    /// The failed op.
    pub(crate) stopped: Stopped,
}

/// Returns the JSON of an answer's body.
pub(crate) fn json(response: &Response) -> Result<Value, String> {
    serde_json::from_slice(&response.body).map_err(|_| "with a body that is not JSON".to_owned())
}

/// Takes a page, or a redirect to any page but the login's.
pub(crate) fn leads_on(response: &Response) -> Result<(), String> {
    if response.status == 302 && leads_to_login(response) {
        return Err("to the login page, so the session has ended".to_owned());
    }
    Ok(())
}

/// Returns whether an answer sends the browser to the login page, whatever its address has before the path.
pub(super) fn leads_to_login(response: &Response) -> bool {
    let location = response.header("location").unwrap_or_default();
    let path = location
        .split_once("://")
        .map_or(location, |(_, rest)| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default());
    path.split(['?', '#', ';']).next().unwrap_or_default().trim_end_matches('/').ends_with("/login")
}

/// Returns the first error of Bitbucket's error document, as the end of a sentence.
fn first_error(body: &[u8]) -> Option<String> {
    let document: Value = serde_json::from_slice(body).ok()?;
    let error = document.get("errors")?.get(0)?;
    let text = |field: &str| error.get(field).and_then(Value::as_str).unwrap_or_default();
    let exception = text("exceptionName").rsplit('.').next().unwrap_or_default();
    Some(format!(": {} ({exception})", text("message")))
}

fn page_request(path: String) -> Request {
    Request::get(path).header("accept", PAGE_ACCEPT)
}

fn expect(response: &Response, what: &str, measured: Measured) -> Result<(), Failure> {
    match response.status {
        200 => Ok(()),
        status => {
            Err(Failure::new(unexpected(status), format!("{what} answered {status}")).measured(measured))
        }
    }
}

/// Returns the outcome of a status that the script does not expect; a success of another kind is unexpected too.
pub(super) fn unexpected(status: u16) -> Outcome {
    match Outcome::of_status(status) {
        Outcome::Ok => Outcome::Unexpected,
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use e3_model::{ClientId, JobId, OpDescriptor, Secret, Seed};
    use e3_testkit::{Loopback, answer};
    use e3_workload::{Instant, Load, Seat, sample_channel};

    use super::*;

    /// A server whose login page sends those away who are logged in, and whose first page is not there.
    async fn server() -> Loopback {
        let pages = Arc::new(AtomicUsize::new(0));
        Loopback::serve(move |request| {
            let pages = Arc::clone(&pages);
            async move {
                let known = request.headers().contains_key("cookie");
                match (request.method().as_str(), request.uri().path()) {
                    ("GET", "/login") if known => answer(302, &[("location", "/dashboard")], ""),
                    ("GET", "/login") => answer(200, &[], "<input id=j_username>"),
                    ("POST", _) => {
                        answer(302, &[("location", "/dashboard"), ("set-cookie", "SESSION=1; Path=/")], "")
                    }
                    _ if pages.fetch_add(1, Ordering::AcqRel) == 0 => answer(404, &[], "gone"),
                    _ => answer(if known { 200 } else { 302 }, &[], "a page"),
                }
            }
        })
        .await
    }

    fn context() -> (ClientContext, e3_workload::SampleSource) {
        let (samples, receiver) = sample_channel(64);
        let op_timeout = Duration::from_secs(10);
        let seat = Seat { client: ClientId(0), seed: Seed(1), op_timeout, samples };
        let op = |name: &str| OpDescriptor { name: name.to_owned(), summary: String::new() };
        let mut context = ClientContext::new(seat, JobId(0), vec![op("Login"), op("Page")], 0);
        let origin = Instant::now();
        let end = origin + Duration::from_secs(60);
        context.begin_stage(Load { origin, end, stop: tokio_util::sync::CancellationToken::new() });
        (context, receiver)
    }

    #[tokio::test]
    async fn a_session_whose_page_failed_logs_in_anew() {
        let server = server().await;
        let account = Account { name: "admin".to_owned(), password: Secret::new("x"), private_key: None };
        let setting = Arc::new(Setting {
            transport: e3_model::Transport {
                op_timeout: e3_model::Span::from_secs(10),
                ..e3_model::Transport::default()
            },
            ..Setting::at(server.url(), account.clone())
        });
        let mut browser = Browser::open("web.Test", &setting, Some(account)).unwrap();
        let (mut context, mut samples) = context();
        let (login, page) = (OpId(0), OpId(1));
        for _ in 0..3 {
            if browser.log_in(&mut context, login).await.is_ok() {
                let _ = browser.page(&mut context, page, "/projects".to_owned()).await;
            }
        }
        let seen: Vec<_> =
            std::iter::from_fn(|| samples.try_recv().ok()).map(|s| (s.op, s.outcome)).collect();
        let expected =
            [(0, Outcome::Ok), (1, Outcome::Http4xx), (0, Outcome::Ok), (1, Outcome::Ok), (1, Outcome::Ok)];
        assert_eq!(seen, expected);
    }
}
