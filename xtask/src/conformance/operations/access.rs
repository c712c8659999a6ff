//! Groups, permissions and access tokens.

use super::{NO_PROJECT, NOT_PERMITTED};
use crate::conformance::operation::Recording::{Body, Error};
use crate::conformance::operation::{Described, Operation, Recording, Who, delete, get, post};

const GROUPS: &str = "/api/latest/admin/groups";
const ADMIN_USERS: &str = "/api/latest/admin/users";
const MEMBERS: &str = "/api/latest/admin/groups/more-members";
const ADD_USER: &str = "/api/latest/admin/groups/add-user";
const SERVER_USERS: &str = "/api/latest/admin/permissions/users";
const SERVER_GROUPS: &str = "/api/latest/admin/permissions/groups";
const PROJECT_USERS: &str = "/api/latest/projects/{projectKey}/permissions/users";
const PROJECT_GROUPS: &str = "/api/latest/projects/{projectKey}/permissions/groups";
const REPOSITORY_USERS: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/permissions/users";
const REPOSITORY_GROUPS: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/permissions/groups";
const ALL: &str = "/api/latest/projects/{projectKey}/permissions/{permission}/all";
const TOKENS: &str = "/access-tokens/latest/users/{userSlug}";
const TOKEN: &str = "/access-tokens/latest/users/{userSlug}/{tokenId}";

const USERS: &[Recording] = &[
    Body("bitbucket-rest/repository-permission-users.json", ""),
    Body("bitbucket-rest/project-permission-users.json", ""),
];
const PERMITTED_GROUPS: &[Recording] = &[Body("bitbucket-rest/project-permission-group.json", "")];
const DETAILED: &[Recording] = &[
    Body("bitbucket-rest/admin-list-user-by-group.json", ""),
    Body("bitbucket-rest/admin-list-users.json", ""),
];
/// When somebody was last there is not kept, so that signing in does not write; nor is a page always followed.
const NOT_KEPT: &[(&str, &str)] = &[
    ("lastAuthenticationTimestamp", "not kept, so that signing in does not write"),
    ("nextPageStart", "no further page"),
];
const GONE: &[Recording] = &[Error(None)];

const fn put(path: &'static str) -> Operation {
    Operation { method: "PUT", status: 204, recorded: GONE, ..get(path) }
}

pub(super) const ROWS: &[Operation] = &[
    Operation { query: "name=crew", status: 200, ..post(GROUPS, "") },
    Operation {
        says: "name taken",
        query: "name=crew",
        status: 409,
        recorded: super::INVALID,
        ..post(GROUPS, "")
    },
    Operation { query: "filter=crew", ..get(GROUPS) },
    Operation { status: 200, known: EMPTY, ..post(ADD_USER, MEMBER_OF_CREW) },
    Operation { query: "context=crew", recorded: DETAILED, known: NOT_KEPT, ..get(MEMBERS) },
    Operation {
        says: "by a member",
        who: Who::Member,
        query: "context=crew",
        status: 401,
        recorded: NOT_PERMITTED,
        ..get(MEMBERS)
    },
    Operation { query: "filter=member", recorded: DETAILED, known: NOT_KEPT, ..get(ADMIN_USERS) },
    Operation { query: "name=crew&permission=PROJECT_CREATE", ..put(SERVER_GROUPS) },
    Operation { query: "filter=crew", recorded: PERMITTED_GROUPS, ..get(SERVER_GROUPS) },
    Operation { recorded: USERS, ..get(SERVER_USERS) },
    Operation { query: "name=member&permission=PROJECT_READ", ..put(PROJECT_USERS) },
    Operation { recorded: USERS, ..get(PROJECT_USERS) },
    Operation {
        says: "of an unknown project",
        values: &[("projectKey", "NOSUCHPROJECT")],
        status: 404,
        recorded: NO_PROJECT,
        ..get(PROJECT_USERS)
    },
    Operation {
        says: "by a member",
        who: Who::Member,
        status: 401,
        recorded: NOT_PERMITTED,
        ..get(PROJECT_USERS)
    },
    Operation { query: "name=crew&permission=PROJECT_WRITE", ..put(PROJECT_GROUPS) },
    Operation { recorded: PERMITTED_GROUPS, ..get(PROJECT_GROUPS) },
    Operation { query: "name=member&permission=REPO_READ", ..put(REPOSITORY_USERS) },
    Operation { recorded: USERS, ..get(REPOSITORY_USERS) },
    Operation { query: "name=crew&permission=REPO_WRITE", ..put(REPOSITORY_GROUPS) },
    Operation {
        recorded: &[Body("bitbucket-rest/repository-permission-group.json", "")],
        ..get(REPOSITORY_GROUPS)
    },
    Operation { query: "name=crew", ..delete(REPOSITORY_GROUPS) },
    Operation { query: "name=member", ..delete(REPOSITORY_USERS) },
    Operation { query: "name=crew", ..delete(PROJECT_GROUPS) },
    Operation { query: "name=member", ..delete(PROJECT_USERS) },
    Operation { query: "name=crew", ..delete(SERVER_GROUPS) },
    Operation { values: &[("permission", "PROJECT_WRITE")], ..get(ALL) },
    Operation { says: "made by another", status: 401, recorded: NOT_PERMITTED, ..token() },
    Operation { who: Who::Member, described: WITHOUT_RIGHTS, ..token() },
    Operation { who: Who::Member, described: WITHOUT_RIGHTS, ..get(TOKENS) },
    Operation { says: "unknown", values: &[("tokenId", "1")], status: 404, recorded: &[], ..get(TOKEN) },
    Operation { says: "unknown", values: &[("tokenId", "1")], status: 404, recorded: &[], ..delete(TOKEN) },
    Operation { query: "name=crew", status: 200, recorded: &[], ..delete(GROUPS) },
];

const fn token() -> Operation {
    Operation {
        method: "PUT",
        body: r#"{"name": "For rows", "permissions": ["REPO_READ"], "expiryDays": 2}"#,
        ..get(TOKENS)
    }
}

/// Source: the pages about tokens, which have all of them, and times as numbers.
const WITHOUT_RIGHTS: Described =
    Described::Wrongly("without user, permissions and expiry, and with a text for the time");
const MEMBER_OF_CREW: &str = r#"{"context": "crew", "itemName": "member"}"#;
/// Described with the status 200 and nothing else.
const EMPTY: &[(&str, &str)] = &[("body", "described as none, though the status is 200")];
