//! What all clients of a job share: its steps, read once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use e3_model::{ArgumentFault, Arguments, Span};
use serde_json::Value;

use super::step::Step;

/// A job's steps and how they are done.
#[derive(Debug, Clone, Default)]
pub(crate) struct Steps {
    /// The steps in order; never empty where there was no fault.
    pub(crate) steps: Vec<Step>,
    /// What the job gives to templates.
    pub(crate) variables: BTreeMap<String, Value>,
    /// How long one op may take; none leaves it to the engine.
    pub(crate) timeout: Option<Duration>,
    /// Whether clients log in.
    pub(crate) login: Login,
}

/// Whether clients send the name and password of a user with every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Login {
    /// Where there is a user.
    #[default]
    IfAny,
    /// Always.
    Basic,
    /// Never.
    None,
}

/// The steps of the jobs whose clients are being made, by their arguments.
#[derive(Debug, Default)]
pub(crate) struct Shared(Mutex<Vec<(Weak<Arguments>, Weak<Steps>)>>);

impl Shared {
    /// Returns a job's steps, read unless another client of the job has them.
    ///
    /// # Errors
    /// What is wrong with the arguments.
    pub(crate) fn steps(
        &self,
        arguments: &Arc<Arguments>,
        read: impl FnOnce(&Arguments) -> Result<Steps, Vec<ArgumentFault>>,
    ) -> Result<Arc<Steps>, Vec<ArgumentFault>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, steps)| steps.strong_count() > 0);
        let same = known.iter().find(|(known, _)| std::ptr::eq(known.as_ptr(), Arc::as_ptr(arguments)));
        if let Some(steps) = same.and_then(|(_, steps)| steps.upgrade()) {
            return Ok(steps);
        }
        let steps = Arc::new(read(arguments)?);
        known.push((Arc::downgrade(arguments), Arc::downgrade(&steps)));
        Ok(steps)
    }
}

impl Steps {
    /// Reads the settings that both scripts have.
    pub(crate) fn read_settings(&mut self, arguments: &Arguments, faults: &mut Vec<ArgumentFault>) {
        match arguments.get("timeout").map(timeout) {
            Some(Ok(timeout)) => self.timeout = Some(timeout),
            Some(Err(message)) => faults.push(ArgumentFault::new("/timeout", message)),
            None => {}
        }
        match arguments.get("auth").map(|auth| auth.as_str().unwrap_or_default()) {
            None => {}
            Some("basic") => self.login = Login::Basic,
            Some("none") => self.login = Login::None,
            Some(other) => {
                let message = format!("{other:?} is no way to log in: \"auth\" is \"basic\" or \"none\"");
                faults.push(ArgumentFault::new("/auth", message).among(other, ["basic", "none"]));
            }
        }
    }
}

fn timeout(value: &Value) -> Result<Duration, String> {
    let span: Span = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
    if span == Span::ZERO { Err("a timeout is above 0".to_owned()) } else { Ok(span.to_duration()) }
}
