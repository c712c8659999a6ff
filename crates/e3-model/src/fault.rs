//! Faults: what an experiment does to its own githost, to prove a file before it costs money.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Distribution, Span};

/// A disturbance of some of the requests to a githost; those that match several suffer all of them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Fault {
    /// Which requests: `rest`, `web`, `git`, `fetch` (clones included), `push`, `refs` (ref advertisements), or a path that
    /// begins with `/` and matches all below it; left out, every request but those to `/status`, `/metrics` and the switch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// How much longer each takes, before it is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Distribution>,
    /// Times in which none is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stall: Option<Stall>,
    /// The share that fails, 0 to 1, drawn for each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub error_rate: Option<f64>,
    /// The HTTP status of those that fail; the default is 500. Over SSH they end with exit status 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 400, max = 599))]
    pub status: Option<u16>,
    /// The share whose connection is cut without an answer, 0 to 1, drawn for each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub drop_rate: Option<f64>,
    /// How many bytes of a pack or an answer leave per second at most, each request by itself: a slow disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub bytes_per_second: Option<u64>,
    /// How many are worked on at once, `latency` included; more wait for their turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub slots: Option<u32>,
}

/// Times in which no request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Stall {
    /// When the first begins, from the moment at which the fault is switched on.
    #[serde(default)]
    pub after: Span,
    /// How long it lasts.
    #[serde(rename = "for")]
    pub length: Span,
    /// From one start to the next; left out, it happens once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
}
