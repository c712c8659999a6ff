//! How a server breaks HTTP.

use std::{borrow::Cow, error::Error, fmt};

/// How a server breaks HTTP, as the end of a sentence that begins with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation(Cow<'static, str>);

impl Violation {
    /// Returns a violation that a sentence tells.
    pub fn new(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Violation {}
