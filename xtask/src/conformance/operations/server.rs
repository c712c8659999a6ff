//! What runs here, and paths that lead nowhere.

use crate::conformance::operation::Described::Not;
use crate::conformance::operation::Recording::{Body, Error, Exchange, Stated};
use crate::conformance::operation::{Operation, Who, get};

pub(super) const ROWS: &[Operation] = &[
    Operation {
        recorded: &[Stated(r#"{"state": "RUNNING"}"#)],
        described: Not,
        who: Who::Nobody,
        ..get("//status")
    },
    Operation {
        recorded: &[Exchange("vcr/GetVersion.json", 0), Body("bitbucket-rest/version.json", "")],
        ..get("/api/latest/application-properties")
    },
    Operation {
        says: "anonymous",
        who: Who::Nobody,
        recorded: &[Body("bitbucket-rest/version.json", "")],
        ..get("/api/latest/application-properties")
    },
    Operation {
        says: "no such resource",
        status: 404,
        recorded: &[Error(None)],
        described: Not,
        ..get("/api/latest/definitely-not-a-route")
    },
];
