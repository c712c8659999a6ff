//! Users, and how an administrator makes one.

use super::{IMPOSTOR, INVALID, NOT_PERMITTED};
use crate::conformance::operation::Described::PageOf;
use crate::conformance::operation::Recording::{Body, Error, Page};
use crate::conformance::operation::{Operation, Recording, Who, get, post};

/// No user is recorded by itself, but as a part of other answers.
const USER: &[Recording] = &[
    Body("bitbucket-server-8.19/listCommits.json", "/values/*/author"),
    Body("vcr/CreatePullRequest-success.json", "/interactions/0/response/body/author/user"),
];

pub(super) const ROWS: &[Operation] = &[
    Operation {
        recorded: &[Page("bitbucket-server-8.19/listCommits.json", "/values/*/author")],
        // Described is a single user.
        described: PageOf("RestApplicationUser"),
        ..get("/api/latest/users")
    },
    Operation {
        says: "wrong password",
        who: Who::Impostor,
        status: 401,
        recorded: IMPOSTOR,
        ..get("/api/latest/users")
    },
    Operation { recorded: USER, ..get("/api/latest/users/{userSlug}") },
    Operation {
        says: "asked by a member",
        who: Who::Member,
        recorded: USER,
        ..get("/api/latest/users/{userSlug}")
    },
    Operation {
        says: "unknown",
        values: &[("userSlug", "nobody-by-that-name")],
        status: 404,
        recorded: &[Error(Some("NoSuchUserException"))],
        ..get("/api/latest/users/{userSlug}")
    },
    Operation { query: NEW, status: 204, recorded: &[Error(None)], ..post("/api/latest/admin/users", "") },
    Operation {
        says: "name taken",
        query: NEW,
        status: 409,
        recorded: INVALID,
        ..post("/api/latest/admin/users", "")
    },
    Operation {
        says: "illegal e-mail address",
        query: "name=other&password=secret-enough&displayName=Other&emailAddress=none",
        status: 400,
        recorded: INVALID,
        ..post("/api/latest/admin/users", "")
    },
    Operation {
        says: "by a member",
        who: Who::Member,
        query: "name=other&password=secret-enough&displayName=Other&emailAddress=other%40example.com",
        status: 401,
        recorded: NOT_PERMITTED,
        ..post("/api/latest/admin/users", "")
    },
];

const NEW: &str =
    "name=new&password=secret-enough&displayName=New&emailAddress=new%40example.com&addToDefaultGroup=true";
