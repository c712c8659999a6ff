//! Users and groups that an administrator changes. None of the answers is recorded by itself.

use super::NOT_PERMITTED;
use crate::conformance::operation::Recording::{Body, Error};
use crate::conformance::operation::{Operation, Recording, Who, delete, get, post};

const USERS: &str = "/api/latest/admin/users";
const GROUPS: &str = "/api/latest/admin/groups";
const ADD_USERS: &str = "/api/latest/admin/groups/add-users";
const REMOVE_USER: &str = "/api/latest/admin/groups/remove-user";
const NON_MEMBERS: &str = "/api/latest/admin/groups/more-non-members";
const GROUPS_OF: &str = "/api/latest/admin/users/more-members";
const OTHER_GROUPS: &str = "/api/latest/admin/users/more-non-members";
const ADD_GROUP: &str = "/api/latest/admin/users/add-group";
const ADD_GROUPS: &str = "/api/latest/admin/users/add-groups";
const REMOVE_GROUP: &str = "/api/latest/admin/users/remove-group";
const NAMES: &str = "/api/latest/groups";
const SERVER_USERS: &str = "/api/latest/admin/permissions/users";

const DETAILED: &[Recording] = &[
    Body("bitbucket-rest/admin-list-user-by-group.json", ""),
    Body("bitbucket-rest/admin-list-users.json", ""),
];
const ONE_DETAILED: &[Recording] = &[
    Body("bitbucket-rest/admin-delete-user.json", ""),
    Body("bitbucket-rest/admin-list-user-by-group.json", "/values/*"),
    Body("bitbucket-rest/admin-list-users.json", "/values/*"),
];
const NO_USER: &[Recording] = &[Error(Some("NoSuchUserException"))];
/// Described as answers without a body.
const EMPTY: &[(&str, &str)] = &[("body", "described as none, though the status is 200")];
const TEAM_AND_NEW: &str = r#"{"context": "team", "itemName": "new"}"#;
const NEW_AND_TEAM: &str = r#"{"context": "new", "itemName": "team"}"#;

const fn put(path: &'static str, body: &'static str) -> Operation {
    Operation { method: "PUT", body, ..get(path) }
}

/// The user `new` is made by the rows of users.
pub(super) const ROWS: &[Operation] = &[
    Operation { says: "team", query: "name=team", status: 200, ..post(GROUPS, "") },
    Operation { query: "filter=team", ..get(NAMES) },
    Operation {
        status: 200,
        known: EMPTY,
        ..post(ADD_USERS, r#"{"group": "team", "users": ["new", "member"]}"#)
    },
    Operation { status: 200, known: EMPTY, ..post(REMOVE_USER, TEAM_AND_NEW) },
    Operation { query: "context=team&filter=new", recorded: DETAILED, known: NOT_KEPT, ..get(NON_MEMBERS) },
    Operation { query: "context=new&filter=team", ..get(OTHER_GROUPS) },
    Operation { status: 200, known: EMPTY, ..post(ADD_GROUP, NEW_AND_TEAM) },
    Operation { query: "context=new&filter=team", ..get(GROUPS_OF) },
    Operation { status: 200, known: EMPTY, ..post(REMOVE_GROUP, NEW_AND_TEAM) },
    Operation { status: 200, known: EMPTY, ..post(ADD_GROUPS, r#"{"user": "new", "groups": ["team"]}"#) },
    Operation {
        recorded: ONE_DETAILED,
        known: NEVER_THERE,
        ..put(USERS, r#"{"name": "new", "displayName": "Renewed", "email": "renewed@example.com"}"#)
    },
    Operation {
        says: "unknown",
        status: 404,
        recorded: NO_USER,
        ..put(USERS, r#"{"name": "nobody-by-that-name", "displayName": "Nobody"}"#)
    },
    Operation {
        status: 204,
        recorded: &[Error(None)],
        ..put(
            "/api/latest/admin/users/credentials",
            r#"{"name": "new", "password": "other-enough", "passwordConfirm": "other-enough"}"#,
        )
    },
    Operation {
        status: 204,
        recorded: &[Error(None)],
        query: "name=new&permission=LICENSED_USER",
        ..put(SERVER_USERS, "")
    },
    Operation { query: "name=new", ..delete(SERVER_USERS) },
    Operation {
        says: "by a member",
        who: Who::Member,
        query: "name=new",
        status: 401,
        recorded: NOT_PERMITTED,
        ..delete(USERS)
    },
    Operation { query: "name=new", status: 200, recorded: ONE_DETAILED, known: NEVER_THERE, ..delete(USERS) },
    Operation { says: "gone already", query: "name=new", status: 404, recorded: NO_USER, ..delete(USERS) },
    Operation { says: "team", query: "name=team", status: 200, recorded: &[], ..delete(GROUPS) },
    Operation { who: Who::Member, ..put("/api/latest/users", r#"{"displayName": "A Member"}"#) },
    Operation {
        says: "with a wrong password",
        who: Who::Member,
        status: 400,
        recorded: &[Body("bitbucket-rest/errors.json", "")],
        ..put(
            "/api/latest/users/credentials",
            r#"{"oldPassword": "wrong", "password": "other-enough", "passwordConfirm": "other-enough"}"#,
        )
    },
];

const NEVER_THERE: &[(&str, &str)] =
    &[("lastAuthenticationTimestamp", "not kept, so that signing in does not write")];
const NOT_KEPT: &[(&str, &str)] = &[
    ("lastAuthenticationTimestamp", "not kept, so that signing in does not write"),
    ("nextPageStart", "no further page"),
];
