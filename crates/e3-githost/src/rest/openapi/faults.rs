//! How a node is disturbed on purpose: E3's own, no part of Bitbucket's interface.

use serde_json::{Value, json};

use super::operation::Body::List;
use super::operation::{Operation, delete, get, put};

pub(super) const TABLE: &[Operation] = &[
    get("/e3/latest/faults", "Lists the node's faults.", List("Fault")).fails(&[421]),
    put("/e3/latest/faults", "Disturbs the node by these faults and no others.", List("Fault"))
        .body("Faults")
        .fails(&[421]),
    delete("/e3/latest/faults", "Disturbs the node no more.").fails(&[421]),
];

/// Returns the shapes; spans are written as milliseconds, and read as text such as `"2s"` too.
pub(super) fn schemas() -> Value {
    let span = json!({"oneOf": [{"type": "integer", "minimum": 0}, {"type": "string"}]});
    let share = json!({"type": "number", "minimum": 0, "maximum": 1});
    let stall = json!({
        "type": "object",
        "required": ["for"],
        "properties": {"after": span, "for": span, "every": span},
        "additionalProperties": false,
    });
    let shaped = json!({
        "type": "object",
        "required": ["distribution", "mean"],
        "properties": {
            "distribution": {"type": "string", "enum": ["constant", "exponential", "log-normal"]},
            "mean": span,
            "sigma": {"type": "number", "minimum": 0, "maximum": 3},
        },
    });
    let fault = json!({
        "type": "object",
        "properties": {
            "route": {"type": "string"},
            "latency": {"oneOf": [{"type": "integer", "minimum": 0}, {"type": "string"}, shaped]},
            "stall": stall,
            "errorRate": share,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "dropRate": share,
            "bytesPerSecond": {"type": "integer", "minimum": 1024},
            "slots": {"type": "integer", "minimum": 1},
        },
        "additionalProperties": false,
    });
    let one = json!({"$ref": "#/components/schemas/Fault"});
    json!({"Fault": fault, "Faults": {"type": "array", "nullable": true, "items": one}})
}
