//! The teardown: what was stopped, and what is left.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Document, Header};

/// What was stopped, and what is left; an empty `left` is the promise kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Teardown {
    /// Format, version, parent.
    #[serde(flatten)]
    pub header: Header,
    /// When, as RFC 3339 in UTC.
    pub finished_at: String,
    /// What was stopped or found gone, one line each.
    pub removed: Vec<String>,
    /// What could not be removed.
    pub left: Vec<Leftover>,
}

/// Something that could not be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Leftover {
    /// What it is.
    pub resource: String,
    /// Why it is still there.
    pub reason: String,
}

impl Document for Teardown {
    const FORMAT: &'static str = "e3/teardown";
    const VERSION: u32 = 1;
    const FILE: &'static str = "teardown.json";

    fn header(&self) -> &Header {
        &self.header
    }
}
