//! Projects, repositories, their settings and permissions.

use super::operation::Body::{List, Nothing, One, Page};
use super::operation::{Operation, Query, delete, get, post, put};

const NAME: Query = Query::text("name");
const FILTER: Query = Query::text("filter");

pub(super) const TABLE: &[Operation] = &[
    get("/openapi.json", "Describes this interface.", One("Anything")).public(),
    get("/api/latest/application-properties", "Says what runs here.", One("ApplicationProperties")).public(),
    get("/api/latest/projects", "Lists the projects that the user may see, by name.", Page("Project"))
        .query(&[NAME]),
    post("/api/latest/projects", "Makes a project.", One("Project"))
        .body("ProjectWish")
        .status(201)
        .fails(&[409]),
    get("/api/latest/projects/{key}", "Returns a project.", One("Project")),
    put("/api/latest/projects/{key}", "Changes a project.", One("Project")).body("ProjectWish").fails(&[409]),
    delete("/api/latest/projects/{key}", "Deletes a project without repositories.").fails(&[409]),
    get("/api/latest/repos", "Lists the repositories that the user may see.", Page("Repository"))
        .query(&[NAME]),
    get("/api/latest/projects/{key}/repos", "Lists a project's repositories.", Page("Repository")),
    post("/api/latest/projects/{key}/repos", "Makes a repository.", One("Repository"))
        .body("RepositoryWish")
        .status(201)
        .fails(&[409]),
    get(ONE, "Returns a repository.", One("Repository")),
    put(ONE, "Changes, renames or moves a repository.", One("Repository"))
        .body("RepositoryChange")
        .status(201)
        .fails(&[409]),
    Operation { answer: One("Scheduled"), ..delete(ONE, "Deletes a repository.").status(202).or(&[204]) },
    get(
        "/api/latest/profile/recent/repos",
        "Lists the repositories that the user was at last.",
        Page("Repository"),
    )
    .query(&[Query::one_of("permission", &["REPO_READ", "REPO_WRITE", "REPO_ADMIN"])]),
    get(SETTINGS, "Returns what merges have to meet.", One("PullRequestSettings")),
    post(SETTINGS, "Sets what merges have to meet.", One("PullRequestSettings")).body("Anything"),
    get("/api/latest/admin/permissions/users", "Lists users' permissions everywhere.", Page("PermittedUser"))
        .query(&[FILTER]),
    put("/api/latest/admin/permissions/users", "Permits users everywhere.", Nothing)
        .query(&[NAME.required(), SERVER.required()])
        .status(204)
        .fails(&[409]),
    delete("/api/latest/admin/permissions/users", "Takes a user's permission back.")
        .query(&[NAME.required()])
        .fails(&[409]),
    get(
        "/api/latest/admin/permissions/groups",
        "Lists groups' permissions everywhere.",
        Page("PermittedGroup"),
    )
    .query(&[FILTER]),
    put("/api/latest/admin/permissions/groups", "Permits groups everywhere.", Nothing)
        .query(&[NAME.required(), SERVER.required()])
        .status(204)
        .fails(&[409]),
    delete("/api/latest/admin/permissions/groups", "Takes a group's permission back.")
        .query(&[NAME.required()])
        .fails(&[409]),
    get("/api/latest/projects/{key}/permissions/users", "Lists users' permissions.", Page("PermittedUser"))
        .query(&[FILTER]),
    put("/api/latest/projects/{key}/permissions/users", "Permits users.", Nothing)
        .query(&[NAME.required(), PROJECT.required()])
        .status(204)
        .fails(&[409]),
    delete("/api/latest/projects/{key}/permissions/users", "Takes a user's permission back.")
        .query(&[NAME.required()])
        .fails(&[409]),
    get(
        "/api/latest/projects/{key}/permissions/groups",
        "Lists groups' permissions.",
        Page("PermittedGroup"),
    )
    .query(&[FILTER]),
    put("/api/latest/projects/{key}/permissions/groups", "Permits groups.", Nothing)
        .query(&[NAME.required(), PROJECT.required()])
        .status(204)
        .fails(&[409]),
    delete("/api/latest/projects/{key}/permissions/groups", "Takes a group's permission back.")
        .query(&[NAME.required()])
        .fails(&[409]),
    get(
        "/api/latest/projects/{key}/permissions/{permission}/all",
        "Says whether all users may.",
        One("Permitted"),
    ),
    post("/api/latest/projects/{key}/permissions/{permission}/all", "Lets all users, or none.", Nothing)
        .query(&[Query::flag("allow").required()])
        .status(204),
    get(
        "/api/latest/projects/{key}/repos/{slug}/permissions/users",
        "Lists permissions.",
        Page("PermittedUser"),
    )
    .query(&[FILTER]),
    put("/api/latest/projects/{key}/repos/{slug}/permissions/users", "Permits users.", Nothing)
        .query(&[NAME.required(), REPOSITORY.required()])
        .status(204)
        .fails(&[409]),
    delete("/api/latest/projects/{key}/repos/{slug}/permissions/users", "Takes a user's permission back.")
        .query(&[NAME.required()])
        .fails(&[409]),
    get(
        "/api/latest/projects/{key}/repos/{slug}/permissions/groups",
        "Lists permissions.",
        Page("PermittedGroup"),
    )
    .query(&[FILTER]),
    put("/api/latest/projects/{key}/repos/{slug}/permissions/groups", "Permits groups.", Nothing)
        .query(&[NAME.required(), REPOSITORY.required()])
        .status(204)
        .fails(&[409]),
    delete("/api/latest/projects/{key}/repos/{slug}/permissions/groups", "Takes a group's permission back.")
        .query(&[NAME.required()])
        .fails(&[409]),
    get(
        "/default-reviewers/latest/projects/{key}/conditions",
        "Lists a project's conditions.",
        List("Condition"),
    ),
    post("/default-reviewers/latest/projects/{key}/condition", "Makes a condition.", One("Condition"))
        .body("ConditionWish"),
    put("/default-reviewers/latest/projects/{key}/condition/{id}", "Changes a condition.", One("Condition"))
        .body("ConditionWish"),
    delete("/default-reviewers/latest/projects/{key}/condition/{id}", "Deletes a condition."),
    get(
        "/default-reviewers/latest/projects/{key}/repos/{slug}/conditions",
        "Lists conditions.",
        List("Condition"),
    ),
    post(
        "/default-reviewers/latest/projects/{key}/repos/{slug}/condition",
        "Makes a condition.",
        One("Condition"),
    )
    .body("ConditionWish"),
    put(
        "/default-reviewers/latest/projects/{key}/repos/{slug}/condition/{id}",
        "Changes one.",
        One("Condition"),
    )
    .body("ConditionWish"),
    delete("/default-reviewers/latest/projects/{key}/repos/{slug}/condition/{id}", "Deletes a condition."),
    get(
        "/default-reviewers/latest/projects/{key}/repos/{slug}/reviewers",
        "Lists whom to ask.",
        List("User"),
    )
    .query(&[
        Query::text("sourceRefId").required(),
        Query::text("targetRefId").required(),
        Query::text("sourceRepoId"),
        Query::text("targetRepoId"),
    ]),
    get(
        "/audit/latest/projects/{key}/repos/{slug}/events",
        "Lists what happened, the latest first.",
        Page("AuditEvent"),
    ),
    get("/keys/latest/projects/{key}/ssh", "Lists access keys; there are none.", Page("Anything")),
    get(
        "/keys/latest/projects/{key}/repos/{slug}/ssh",
        "Lists access keys; there are none.",
        Page("Anything"),
    ),
];

const ONE: &str = "/api/latest/projects/{key}/repos/{slug}";
const SETTINGS: &str = "/api/latest/projects/{key}/repos/{slug}/settings/pull-requests";
const SERVER: Query = Query::one_of("permission", &crate::permissions::GLOBAL);
const PROJECT: Query = Query::one_of("permission", &crate::rest::permissions::PROJECT);
const REPOSITORY: Query = Query::one_of("permission", &crate::rest::permissions::REPOSITORY);
