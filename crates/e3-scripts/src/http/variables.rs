//! The values that templates have places for.

use std::collections::BTreeMap;

use serde_json::Value;

/// The variables that every template knows.
pub(crate) const BUILT_IN: [&str; 3] = ["client", "iteration", "random"];

/// The values of one iteration.
#[derive(Debug)]
pub(crate) struct Variables<'a> {
    given: &'a BTreeMap<String, Value>,
    extracted: BTreeMap<String, Value>,
    client: u32,
    iteration: u32,
    random: u64,
}

impl<'a> Variables<'a> {
    /// Returns the values at an iteration's begin: what the job gives, and the built-in ones.
    pub(crate) fn of(given: &'a BTreeMap<String, Value>, client: u32, iteration: u32, random: u64) -> Self {
        Self { given, extracted: BTreeMap::new(), client, iteration, random }
    }

    /// Keeps what was read from an answer; it hides what the job gives under that name.
    pub(crate) fn keep(&mut self, name: &str, value: Value) {
        self.extracted.insert(name.to_owned(), value);
    }

    /// Returns a value; null for a name that no template was allowed to have.
    pub(crate) fn value(&self, name: &str) -> Value {
        if let Some(value) = self.extracted.get(name).or_else(|| self.given.get(name)) {
            return value.clone();
        }
        match name {
            "client" => Value::from(self.client),
            "iteration" => Value::from(self.iteration),
            "random" => Value::from(self.random),
            _ => Value::Null,
        }
    }
}
