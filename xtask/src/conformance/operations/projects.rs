//! Projects.

use super::{ANONYMOUS, IMPOSTOR, INVALID, NO_PROJECT, NOT_PERMITTED};
use crate::conformance::operation::Described::Not;
use crate::conformance::operation::Recording::{Body, Error, Exchange};
use crate::conformance::operation::{Operation, Recording, Who, delete, get, post};
use crate::conformance::world::BARE_PROJECT;

const PAGE: &[Recording] = &[
    Exchange("vcr/Projects.json", 0),
    Body("bitbucket-server-8.19/listProjects.json", ""),
    Body("bitbucket-rest/project-page-truncated.json", ""),
];
const PROJECT: &[Recording] =
    &[Body("bitbucket-server-8.19/getProject.json", ""), Body("bitbucket-rest/project.json", "")];
const WITHOUT_DESCRIPTION: &[Recording] = &[Body("bitbucket-server-8.19/listProjects.json", "/values/*")];

pub(super) const ROWS: &[Operation] = &[
    Operation { recorded: PAGE, ..get("/api/latest/projects") },
    Operation { says: "a page of many", query: "limit=1", recorded: PAGE, ..get("/api/latest/projects") },
    Operation {
        says: "a later page",
        query: "start=1&limit=1",
        recorded: PAGE,
        ..get("/api/latest/projects")
    },
    Operation {
        says: "past the last page",
        query: "start=1000",
        recorded: super::EMPTY_PAGE,
        ..get("/api/latest/projects")
    },
    Operation {
        says: "anonymous",
        who: Who::Nobody,
        status: 401,
        recorded: ANONYMOUS,
        ..get("/api/latest/projects")
    },
    Operation {
        says: "wrong password",
        who: Who::Impostor,
        status: 401,
        recorded: IMPOSTOR,
        ..get("/api/latest/projects")
    },
    Operation { says: "with a description", recorded: PROJECT, ..get("/api/latest/projects/{projectKey}") },
    Operation {
        says: "without a description",
        values: &[("projectKey", BARE_PROJECT)],
        recorded: WITHOUT_DESCRIPTION,
        ..get("/api/latest/projects/{projectKey}")
    },
    Operation {
        says: "unknown",
        values: &[("projectKey", "NOSUCHPROJECT")],
        status: 404,
        recorded: NO_PROJECT,
        ..get("/api/latest/projects/{projectKey}")
    },
    Operation {
        says: "XML wanted",
        accept: "application/xml",
        status: 406,
        recorded: &[Error(None)],
        described: Not,
        ..get("/api/latest/projects/{projectKey}")
    },
    Operation {
        recorded: PROJECT,
        ..post("/api/latest/projects", r#"{"key": "NEW", "name": "New", "description": "Made by a row"}"#)
    },
    Operation {
        says: "without a key",
        status: 400,
        recorded: &[Error(None)],
        ..post("/api/latest/projects", r#"{"name": "X"}"#)
    },
    Operation {
        says: "illegal key",
        status: 400,
        recorded: &[Body("bitbucket-rest/project-create-fail.json", "")],
        ..post("/api/latest/projects", r#"{"key": "1-2", "name": "X"}"#)
    },
    Operation {
        says: "key taken",
        status: 409,
        recorded: INVALID,
        ..post("/api/latest/projects", r#"{"key": "NEW", "name": "X"}"#)
    },
    Operation {
        says: "name taken",
        status: 409,
        recorded: INVALID,
        ..post("/api/latest/projects", r#"{"key": "OTHER", "name": "New"}"#)
    },
    Operation {
        says: "by a member",
        who: Who::Member,
        status: 401,
        recorded: NOT_PERMITTED,
        ..post("/api/latest/projects", r#"{"key": "OTHER", "name": "Other"}"#)
    },
    Operation {
        says: "with repositories",
        status: 409,
        recorded: &[Error(Some("IntegrityException"))],
        ..delete("/api/latest/projects/{projectKey}")
    },
    Operation {
        says: "by a member",
        who: Who::Member,
        values: &[("projectKey", "NEW")],
        status: 401,
        recorded: NOT_PERMITTED,
        ..delete("/api/latest/projects/{projectKey}")
    },
    Operation { values: &[("projectKey", "NEW")], ..delete("/api/latest/projects/{projectKey}") },
    Operation {
        says: "gone already",
        values: &[("projectKey", "NEW")],
        status: 404,
        recorded: NO_PROJECT,
        ..delete("/api/latest/projects/{projectKey}")
    },
];
