//! Users' SSH keys. None is recorded; what is described holds.

use super::{ANONYMOUS, INVALID, NOT_PERMITTED};
use crate::conformance::operation::Recording::Error;
use crate::conformance::operation::{Operation, Who, delete, get, post};

pub(super) const ROWS: &[Operation] = &[
    post("/ssh/latest/keys", KEY),
    Operation { says: "taken", status: 409, recorded: INVALID, ..post("/ssh/latest/keys", KEY) },
    Operation {
        says: "taken, for another user",
        query: "user=member",
        status: 409,
        recorded: INVALID,
        ..post("/ssh/latest/keys", KEY)
    },
    Operation { says: "for another user", query: "user=member", ..post("/ssh/latest/keys", OTHER) },
    Operation {
        says: "no key",
        status: 400,
        recorded: INVALID,
        ..post("/ssh/latest/keys", r#"{"text":"ssh-rsa what"}"#)
    },
    Operation {
        says: "by a member for another user",
        who: Who::Member,
        query: "user=admin",
        status: 401,
        recorded: NOT_PERMITTED,
        ..post("/ssh/latest/keys", KEY)
    },
    Operation {
        says: "for an unknown user",
        query: "user=nobody-by-that-name",
        status: 404,
        recorded: &[Error(Some("NoSuchUserException"))],
        ..post("/ssh/latest/keys", KEY)
    },
    get("/ssh/latest/keys"),
    Operation { says: "of another user", query: "user=member&limit=1", ..get("/ssh/latest/keys") },
    Operation {
        says: "of another user, by a member",
        who: Who::Member,
        query: "user=admin",
        status: 401,
        recorded: NOT_PERMITTED,
        ..get("/ssh/latest/keys")
    },
    Operation {
        says: "anonymous",
        who: Who::Nobody,
        status: 401,
        recorded: ANONYMOUS,
        ..get("/ssh/latest/keys")
    },
    Operation { values: ID, ..get("/ssh/latest/keys/{keyId}") },
    Operation {
        says: "unknown",
        values: &[("keyId", "4711")],
        status: 404,
        recorded: &[Error(Some("NoSuchEntityException"))],
        ..get("/ssh/latest/keys/{keyId}")
    },
    Operation {
        says: "by a member",
        who: Who::Member,
        values: ID,
        status: 401,
        recorded: NOT_PERMITTED,
        ..delete("/ssh/latest/keys/{keyId}")
    },
    Operation { values: ID, ..delete("/ssh/latest/keys/{keyId}") },
    Operation { says: "gone already", values: ID, ..delete("/ssh/latest/keys/{keyId}") },
    Operation { says: "own", who: Who::Member, ..delete("/ssh/latest/keys") },
    Operation { says: "of another user", query: "userName=member", ..delete("/ssh/latest/keys") },
];

/// The first key in a new home.
const ID: &[(&str, &str)] = &[("keyId", "1")];
const KEY: &str = r#"{"text":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti one@example.com"}"#;
const OTHER: &str = r#"{"text":"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHwf2HMM5TRXvo2SQJjsNkiDD5KqiiNjrGVv3UUh+mMT5RHxiRtOnlqvjhQtBq0VpmpCV/PwUdhOig4vkbqAcEc= two@example.com","label":"other"}"#;
