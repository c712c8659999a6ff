//! `http.Request`: one request to any HTTP server, again and again.

use std::sync::Arc;

use e3_model::{ArgumentFault, ArgumentForm, Arguments, OpDescriptor, Protocol, ScriptDescriptor};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting};
use serde_json::Map;

use super::player::Player;
use super::shared::{Shared, Steps};
use super::step::Step;
use super::variables::BUILT_IN;

/// Sends one request, over a connection that each client keeps open.
#[derive(Debug, Default)]
pub(crate) struct Request(Shared);

const NAME: &str = "http.Request";
const OP: &str = "Request";

impl Script for Request {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            NAME,
            "Sends one request to any HTTP server, over a connection that each client keeps open.",
            Protocol::Http,
            &[(OP, "from sending, or connecting where no connection is open, until the body's last byte")],
        )
        .argument("path", ArgumentForm::Text, None, "The path with its query, relative to the system's URL; left out, the URL itself.")
        .argument("method", ArgumentForm::Text, Some("GET"), "The method.")
        .argument("headers", ArgumentForm::Texts, None, "Headers as \"Name: value\", one or several.")
        .argument("body", ArgumentForm::Json, None, "What is sent: a text as it is, anything else as JSON.")
        .argument("body_file", ArgumentForm::File, None, "The file whose text is sent.")
        .argument("expect", ArgumentForm::Json, Some("2xx"), "The statuses that are no failure, such as 200, \"2xx\" or \"200, 404\".")
        .argument("timeout", ArgumentForm::Text, None, "How long a request may take, such as \"2s\"; it has failed then.")
        .argument("auth", ArgumentForm::Text, None, "\"basic\" sends a user's name and password with every request, \"none\" does not; left out, they are sent where there is a user.")
    }

    fn ops(&self, arguments: &Arguments) -> Result<Vec<OpDescriptor>, Vec<ArgumentFault>> {
        steps(arguments).map(|_| self.descriptor().ops)
    }

    fn client(
        &self,
        setting: &Arc<Setting>,
        context: &mut ClientContext,
    ) -> Result<Box<dyn ScriptClient>, ScriptError> {
        Ok(Box::new(Player::open(NAME, setting, context, |arguments| self.0.steps(arguments, steps))?))
    }
}

fn steps(arguments: &Arguments) -> Result<Steps, Vec<ArgumentFault>> {
    let mut faults = Vec::new();
    let mut steps = Steps::default();
    steps.read_settings(arguments, &mut faults);
    let keys: Map<_, _> = arguments.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let step = Step::parse(OP, &keys, "", &mut faults);
    for (pointer, name) in step.names("") {
        if !BUILT_IN.contains(&name.as_str()) {
            let message = format!("{{{{{name}}}}} is no variable here");
            faults.push(ArgumentFault::new(pointer, message).among(&name, BUILT_IN));
        }
    }
    steps.steps.push(step);
    if faults.is_empty() { Ok(steps) } else { Err(faults) }
}
