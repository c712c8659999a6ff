//! REST as programs call it: with a user's name and password, without a browser's session.

use std::sync::Arc;

use e3_http::{HttpSession, Request};
use e3_model::{OpId, Outcome};
use e3_workload::{Account, ClientContext, Failure, ScriptError, Setting, Stopped};
use serde_json::Value;

use crate::failure;
use crate::measured::of_response;
use crate::setting::http_session;

/// One program's connection.
pub(super) struct Rest {
    http: HttpSession,
}

impl Rest {
    /// Prepares a connection; connects to nothing yet.
    pub(super) fn open(script: &str, setting: &Arc<Setting>, account: &Account) -> Result<Self, ScriptError> {
        let http = http_session(script, setting)?;
        Ok(Self { http: http.with_basic(&account.name, &account.password) })
    }

    /// Posts JSON, as one op; any success is one.
    pub(super) async fn post(
        &mut self,
        context: &mut ClientContext,
        op: OpId,
        path: String,
        body: &Value,
    ) -> Result<(), Stopped> {
        let what = format!("POST {path}");
        let (request, http) = (writing(Request::json(path, body)), &mut self.http);
        context
            .op(op, async {
                let answer = http.send(request).await.map_err(|error| failure::of_http(&error))?;
                let measured = of_response(&answer);
                match Outcome::of_status(answer.status) {
                    Outcome::Ok => Ok(((), measured)),
                    outcome => {
                        let message = format!("{what} answered {}", answer.status);
                        Err(Failure::new(outcome, message).measured(measured))
                    }
                }
            })
            .await
    }

    /// Deletes something outside the clock; what is gone already is deleted.
    ///
    /// # Errors
    /// A sentence that says what stood in the way.
    pub(super) async fn delete(&mut self, path: String) -> Result<(), String> {
        let what = format!("DELETE {path}");
        let answer = self.http.send(writing(Request::delete(path))).await;
        match answer.map(|answer| answer.status) {
            Ok(200..=299 | 404) => Ok(()),
            Ok(status) => Err(format!("{what} answered {status}")),
            Err(error) => Err(format!("{what}: {}", e3_model::with_causes(&error))),
        }
    }
}

/// Adds what Bitbucket wants of a program that changes something.
///
/// Source: "XSRF protection" in Bitbucket's REST documentation.
fn writing(request: Request) -> Request {
    request.header("x-atlassian-token", "no-check")
}
