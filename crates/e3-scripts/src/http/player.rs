//! One client that goes through the steps of its job.

use std::sync::Arc;

use async_trait::async_trait;
use e3_http::{HttpSession, Request, Response};
use e3_model::{ArgumentFault, Arguments, OpId, Outcome};
use e3_workload::{ClientContext, Failure, Measured, ScriptClient, ScriptError, Setting, Stopped};
use rand::RngExt as _;
use serde_json::Value;

use super::shared::{Login, Steps};
use super::step::Step;
use super::variables::Variables;
use crate::failure;
use crate::measured::of_response;
use crate::setting::{draw_account, http_session};

/// One client that goes through the steps of its job, over one connection and with its own cookies.
pub(crate) struct Player {
    steps: Arc<Steps>,
    http: HttpSession,
}

/// What is read from an answer: variables and their values.
type Extracted = Vec<(String, Value)>;

impl Player {
    /// Prepares a client; connects to nothing yet.
    pub(crate) fn open(
        script: &str,
        setting: &Arc<Setting>,
        context: &mut ClientContext,
        steps: impl FnOnce(&Arc<Arguments>) -> Result<Arc<Steps>, Vec<ArgumentFault>>,
    ) -> Result<Self, ScriptError> {
        let steps = steps(context.arguments()).map_err(|faults| {
            let reason = faults.into_iter().map(|fault| format!("{}: {}", fault.pointer, fault.message));
            ScriptError::Arguments {
                script: script.to_owned(),
                reason: reason.collect::<Vec<_>>().join("; "),
            }
        })?;
        if let Some(timeout) = steps.timeout {
            context.shorten_op_timeout(timeout);
        }
        let mut http = http_session(script, setting)?;
        if steps.login == Login::Basic || (steps.login == Login::IfAny && !setting.users.is_empty()) {
            let account = draw_account(script, setting, context)?;
            http = http.with_basic(&account.name, &account.password);
        }
        Ok(Self { steps, http })
    }
}

#[async_trait]
impl ScriptClient for Player {
    /// Goes through all steps; the first that fails ends the iteration.
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        // The same for all steps of an iteration, so that what one makes under a random name the next one finds.
        let is_fixed = self.steps.steps.iter().all(Step::is_fixed);
        let random = if is_fixed { 0 } else { context.random().random::<u64>() >> UNUSED_BITS };
        let (client, iteration) = (context.client().0, context.iteration());
        let mut variables = Variables::of(&self.steps.variables, client, iteration, random);
        for (op, step) in (0..).zip(&self.steps.steps) {
            let request = step.request(&variables);
            let http = &mut self.http;
            let extracted = context
                .op(OpId(op), async {
                    let request = request.map_err(|why| Failure::new(Outcome::Unexpected, why))?;
                    if step.extract.is_empty() {
                        drain(http, &request, step).await.map(|measured| (Extracted::new(), measured))
                    } else {
                        read(http, &request, step).await
                    }
                })
                .await?;
            extracted.into_iter().for_each(|(name, value)| variables.keep(&name, value));
        }
        Ok(())
    }
}

/// Sends a request and reads the whole answer, of whatever length, without keeping it.
async fn drain(http: &mut HttpSession, request: &Request, step: &Step) -> Result<Measured, Failure> {
    let mut streaming = http.start(request).await.map_err(|error| failure::of_http(&error))?;
    let broke = loop {
        match streaming.next().await {
            Ok(Some(_)) => {}
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    let measured = Measured {
        first_byte: Some(streaming.head_at()),
        bytes_in: Some(streaming.bytes_in()),
        bytes_out: Some(streaming.bytes_out()),
        ..Measured::default()
    };
    match broke {
        Some(error) => Err(failure::of_http(&error).measured(measured)),
        None => accept(step, streaming.status, measured).map(|()| measured),
    }
}

/// Sends a request, reads the whole answer, and takes values from its JSON.
async fn read(
    http: &mut HttpSession,
    request: &Request,
    step: &Step,
) -> Result<(Extracted, Measured), Failure> {
    let response = http.send(request).await.map_err(|error| failure::of_http(&error))?;
    let measured = of_response(&response);
    accept(step, response.status, measured)?;
    let extracted = extract(&response, step).map_err(|why| {
        let message = format!("{} answered {} {why}", step.title(), response.status);
        Failure::new(Outcome::Unexpected, message).measured(measured)
    })?;
    Ok((extracted, measured))
}

fn accept(step: &Step, status: u16, measured: Measured) -> Result<(), Failure> {
    if step.expected.accepts(status) {
        return Ok(());
    }
    let outcome = match Outcome::of_status(status) {
        Outcome::Ok => Outcome::Unexpected,
        outcome => outcome,
    };
    Err(Failure::new(outcome, format!("{} answered {status}", step.title())).measured(measured))
}

fn extract(response: &Response, step: &Step) -> Result<Extracted, String> {
    let text = response.text().map_err(|error| format!("with a body that cannot be read: {error}"))?;
    let json: Value = serde_json::from_str(&text).map_err(|_| "with a body that is not JSON".to_owned())?;
    let value = |(variable, pointer): &(String, String)| match json.pointer(pointer) {
        None | Some(Value::Null) => {
            Err(format!("with JSON that has nothing at {pointer:?}, from where {{{{{variable}}}}} is read"))
        }
        Some(value) => Ok((variable.clone(), value.clone())),
    };
    step.extract.iter().map(value).collect()
}

/// What is left of 64 bits is a number that every reader of JSON keeps whole.
const UNUSED_BITS: u32 = 64 - 53;
