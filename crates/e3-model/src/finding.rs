//! Findings: what a check has to say about a document, all of it at once.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nothing can be planned from this document.
    Error,
    /// A plan can be made, but its numbers may not mean what the author thinks.
    Warning,
}

/// Where in a file a finding points to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// The file as the user may open it, or `library:NAME` for an embedded document.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// One thing that a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// How much it weighs.
    pub severity: Severity,
    /// The rule that speaks, such as `unknown-key`; stable, for machines.
    pub rule: String,
    /// The value in question as a JSON pointer (RFC 6901); empty for the whole document.
    pub pointer: String,
    /// Line and column, where the document came from a file.
    pub location: Option<Location>,
    /// What was found and what is allowed, as one sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// All findings of one validation, in the order in which they should be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    /// Returns whether nothing stands in the way of a plan.
    pub fn is_ok(&self) -> bool {
        self.errors() == 0
    }

    /// Returns how many findings are errors.
    pub fn errors(&self) -> usize {
        self.0.iter().filter(|finding| finding.severity == Severity::Error).count()
    }

    /// Returns how many findings are warnings.
    pub fn warnings(&self) -> usize {
        self.0.len() - self.errors()
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
