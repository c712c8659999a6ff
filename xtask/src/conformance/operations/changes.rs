//! What is changed of projects and repositories: their details, default branch, settings and default permissions, default
//! reviewers and builds.

use super::{INVALID, NO_REPOSITORY, NOT_PERMITTED};
use crate::conformance::operation::Recording::{Body, Error};
use crate::conformance::operation::{Operation, Recording, Who, delete, get, post};

const PROJECT: &str = "/api/latest/projects/{projectKey}";
const REPOSITORY: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}";
const DEFAULT: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/branches/default";
const SETTINGS: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/settings/pull-requests";
const ALL: &str = "/api/latest/projects/{projectKey}/permissions/{permission}/all";
const BUILDS: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/commits/{commitId}/builds";
const STATS: &str = "/build-status/latest/commits/stats";
const OF_PROJECT: &str = "/default-reviewers/latest/projects/{projectKey}/conditions";
const IN_PROJECT: &str = "/default-reviewers/latest/projects/{projectKey}/condition";
const ONE_IN_PROJECT: &str = "/default-reviewers/latest/projects/{projectKey}/condition/{id}";
const ONE: &str = "/default-reviewers/latest/projects/{projectKey}/repos/{repositorySlug}/condition/{id}";
const PROJECT_KEYS: &str = "/keys/latest/projects/{projectKey}/ssh";
const REPOSITORY_KEYS: &str = "/keys/latest/projects/{projectKey}/repos/{repositorySlug}/ssh";

const PROJECT_RECORDED: &[Recording] =
    &[Body("bitbucket-server-8.19/getProject.json", ""), Body("bitbucket-rest/project.json", "")];
const REPOSITORY_RECORDED: &[Recording] = &[
    Body("bitbucket-server-8.19/getRepository.json", ""),
    Body("bitbucket-server-8.19/listRepositories.json", "/values/*"),
    Body("bitbucket-rest/repository.json", ""),
];
const CONDITION: &[Recording] = &[
    Body("bitbucket-rest/default-reviwers-list.json", "/*"),
    Body("bitbucket-rest/default-reviwers-create.json", ""),
];
const GONE: &[Recording] = &[Error(None)];
const EMPTY_PAGE: &[Recording] = &[Body("bitbucket-rest/accesskeys-list-empty.json", "")];
const WISH: &str = r#"{"sourceMatcher": {"id": "ANY_REF_MATCHER_ID", "type": {"id": "ANY_REF"}},
    "targetMatcher": {"id": "ANY_REF_MATCHER_ID", "type": {"id": "ANY_REF"}},
    "reviewers": [{"name": "member"}], "requiredApprovals": 0}"#;
/// The condition that the rows of plug-ins made comes first.
const FIRST: &[(&str, &str)] = &[("id", "1")];
const SECOND: &[(&str, &str)] = &[("id", "2")];

const fn put(path: &'static str, body: &'static str) -> Operation {
    Operation { method: "PUT", body, ..get(path) }
}

pub(super) const ROWS: &[Operation] = &[
    Operation { recorded: PROJECT_RECORDED, ..put(PROJECT, r#"{"description": "What the rows look at"}"#) },
    Operation {
        says: "by a member",
        who: Who::Member,
        status: 401,
        recorded: NOT_PERMITTED,
        ..put(PROJECT, r#"{"name": "Mine"}"#)
    },
    Operation {
        status: 201,
        recorded: REPOSITORY_RECORDED,
        ..put(REPOSITORY, r#"{"name": "filled", "description": "Changed by a row"}"#)
    },
    Operation {
        says: "unknown",
        values: &[("repositorySlug", "no-such-repository")],
        status: 404,
        recorded: NO_REPOSITORY,
        ..put(REPOSITORY, r#"{"name": "x"}"#)
    },
    Operation { status: 204, recorded: GONE, ..put(DEFAULT, r#"{"id": "refs/heads/main"}"#) },
    Operation {
        status: 200,
        recorded: &[Body("bitbucket-rest/pull-request-settings.json", "")],
        known: super::plugins::NUMBERS,
        ..post(SETTINGS, r#"{"requiredApprovers": 0, "requiredAllTasksComplete": false}"#)
    },
    Operation {
        says: "out of range",
        status: 400,
        recorded: &[Error(None)],
        ..post(SETTINGS, r#"{"requiredApprovers": -1}"#)
    },
    Operation {
        values: &[("permission", "PROJECT_WRITE")],
        query: "allow=true",
        status: 204,
        recorded: GONE,
        ..post(ALL, "")
    },
    Operation {
        says: "that is none",
        values: &[("permission", "PROJECT_WHAT")],
        query: "allow=true",
        status: 400,
        recorded: INVALID,
        ..post(ALL, "")
    },
    Operation {
        values: MAIN,
        status: 204,
        recorded: GONE,
        ..post(
            BUILDS,
            r#"{"state": "SUCCESSFUL", "key": "ROW", "name": "Row", "url": "https://ci.example.com/2", "description": "ok"}"#,
        )
    },
    Operation { values: MAIN, query: "key=ROW", ..get(BUILDS) },
    Operation { values: MAIN, query: "key=ROW", ..delete(BUILDS) },
    Operation { status: 200, ..post(STATS, r#"["0123456789012345678901234567890123456789"]"#) },
    Operation { status: 200, recorded: CONDITION, ..post(IN_PROJECT, WISH) },
    Operation { recorded: &[Body("bitbucket-rest/default-reviwers-list.json", "")], ..get(OF_PROJECT) },
    Operation { values: SECOND, recorded: CONDITION, ..put(ONE_IN_PROJECT, WISH) },
    Operation { values: SECOND, ..delete(ONE_IN_PROJECT) },
    Operation { says: "gone already", values: SECOND, status: 404, ..delete(ONE_IN_PROJECT) },
    Operation { values: FIRST, recorded: CONDITION, ..put(ONE, WISH) },
    Operation { values: FIRST, ..delete(ONE) },
    Operation { recorded: EMPTY_PAGE, ..get(PROJECT_KEYS) },
    Operation { recorded: EMPTY_PAGE, ..get(REPOSITORY_KEYS) },
];

const MAIN: &[(&str, &str)] = &[("commitId", "main")];
