//! Users, groups, access tokens and SSH keys.

use super::operation::Body::{Nothing, One, Page};
use super::operation::{Operation, Query, delete, get, post, put};

const NAME: Query = Query::text("name").required();
const FILTER: Query = Query::text("filter");
const CONTEXT: Query = Query::text("context").required();
const OF_USER: Query = Query::text("user");

pub(super) const TABLE: &[Operation] = &[
    get("/api/latest/users", "Lists the users.", Page("User")).query(&[FILTER]),
    put("/api/latest/users", "Changes how the user is shown.", One("User")).body("UserChange"),
    put("/api/latest/users/credentials", "Changes the user's password.", Nothing)
        .body("PasswordChange")
        .status(204),
    get("/api/latest/users/{user}", "Returns a user.", One("User")),
    get("/api/latest/groups", "Lists the names of the groups.", Page("string")).query(&[FILTER]),
    get("/api/latest/admin/users", "Lists the users.", Page("DetailedUser")).query(&[FILTER]),
    post("/api/latest/admin/users", "Makes a user.", Nothing)
        .query(&[
            NAME,
            Query::text("password").required(),
            Query::text("displayName").required(),
            Query::text("emailAddress").required(),
            Query::flag("addToDefaultGroup"),
        ])
        .status(204)
        .fails(&[409]),
    put("/api/latest/admin/users", "Changes how a user is shown.", One("DetailedUser")).body("UserChange"),
    Operation {
        answer: One("DetailedUser"),
        ..delete("/api/latest/admin/users", "Deletes a user.").query(&[NAME]).status(200).fails(&[409])
    },
    put("/api/latest/admin/users/credentials", "Sets a user's password.", Nothing)
        .body("PasswordChange")
        .status(204),
    get("/api/latest/admin/users/more-members", "Lists a user's groups.", Page("Group"))
        .query(&[CONTEXT, FILTER]),
    get("/api/latest/admin/users/more-non-members", "Lists the other groups.", Page("Group"))
        .query(&[CONTEXT, FILTER]),
    post("/api/latest/admin/users/add-group", "Puts a user into a group.", Nothing).body("Membership"),
    post("/api/latest/admin/users/add-groups", "Puts a user into groups.", Nothing).body("Membership"),
    post("/api/latest/admin/users/remove-group", "Takes a user out of a group.", Nothing)
        .body("Membership")
        .fails(&[409]),
    get("/api/latest/admin/groups", "Lists the groups.", Page("Group")).query(&[FILTER]),
    post("/api/latest/admin/groups", "Makes a group.", One("Group")).query(&[NAME]).fails(&[409]),
    Operation {
        answer: One("Group"),
        ..delete("/api/latest/admin/groups", "Deletes a group.").query(&[NAME]).status(200).fails(&[409])
    },
    get("/api/latest/admin/groups/more-members", "Lists a group's users.", Page("DetailedUser"))
        .query(&[CONTEXT, FILTER]),
    get("/api/latest/admin/groups/more-non-members", "Lists the other users.", Page("DetailedUser"))
        .query(&[CONTEXT, FILTER]),
    post("/api/latest/admin/groups/add-user", "Puts a user into a group.", Nothing).body("Membership"),
    post("/api/latest/admin/groups/add-users", "Puts users into a group.", Nothing).body("Membership"),
    post("/api/latest/admin/groups/remove-user", "Takes a user out of a group.", Nothing)
        .body("Membership")
        .fails(&[409]),
    get("/access-tokens/latest/users/{user}", "Lists a user's tokens.", Page("AccessToken")),
    put("/access-tokens/latest/users/{user}", "Makes a token, and tells it once.", One("AccessToken"))
        .body("AccessTokenWish"),
    get("/access-tokens/latest/users/{user}/{token}", "Returns a token, but for itself.", One("AccessToken")),
    delete("/access-tokens/latest/users/{user}/{token}", "Deletes a token."),
    get("/ssh/latest/keys", "Lists a user's keys.", Page("SshKey")).query(&[OF_USER]),
    post("/ssh/latest/keys", "Adds a key.", One("SshKey"))
        .query(&[OF_USER])
        .body("SshKeyWish")
        .status(201)
        .fails(&[409]),
    delete("/ssh/latest/keys", "Deletes all of a user's keys.").query(&[OF_USER]),
    get("/ssh/latest/keys/{id}", "Returns a key.", One("SshKey")),
    delete("/ssh/latest/keys/{id}", "Deletes a key."),
];
