//! Branches, tags, commits, differences, files and builds.

use super::operation::Body::{Nothing, One, Page, Paged, Raw};
use super::operation::{Operation, Query, delete, get, post, put};

const FILTER: Query = Query::text("filterText");
const ORDER: Query = Query::one_of("orderBy", &["ALPHABETICAL", "MODIFICATION"]);
const AT: Query = Query::text("at");
const SINCE: Query = Query::text("since");
const WHITESPACE: Query = Query::one_of("whitespace", &["SHOW", "IGNORE_ALL"]);
const CONTEXT: Query = Query::number("contextLines");
const SOURCE: Query = Query::text("srcPath");
const ENDS: &[Query] = &[Query::text("from"), Query::text("to")];
const OF_COMMIT: &[Query] = &[SINCE, CONTEXT, WHITESPACE, SOURCE];
const BETWEEN: &[Query] = &[SINCE, Query::text("until"), CONTEXT, WHITESPACE, SOURCE];
const COMPARED: &[Query] = &[Query::text("from"), Query::text("to"), CONTEXT, WHITESPACE, SOURCE];
const BROWSED: &[Query] =
    &[AT, Query::flag("type"), Query::flag("size"), Query::number("start"), Query::number("limit")];

pub(super) const TABLE: &[Operation] = &[
    get("/api/latest/projects/{key}/repos/{slug}/branches", "Lists the branches.", Page("Branch")).query(&[
        FILTER,
        ORDER,
        Query::flag("details"),
        Query::text("base"),
    ]),
    post("/api/latest/projects/{key}/repos/{slug}/branches", "Makes a branch.", One("Branch"))
        .body("RefWish")
        .fails(&[409]),
    get(
        "/api/latest/projects/{key}/repos/{slug}/branches/default",
        "Returns the default branch.",
        One("Branch"),
    )
    .or(&[204]),
    put("/api/latest/projects/{key}/repos/{slug}/branches/default", "Sets the default branch.", Nothing)
        .body("RefName")
        .status(204),
    get("/api/latest/projects/{key}/repos/{slug}/default-branch", "Returns its name.", One("MinimalRef"))
        .or(&[204]),
    put("/api/latest/projects/{key}/repos/{slug}/default-branch", "Sets the default branch.", Nothing)
        .body("RefName")
        .status(204),
    post("/branch-utils/latest/projects/{key}/repos/{slug}/branches", "Makes a branch.", One("Branch"))
        .body("RefWish")
        .status(201)
        .fails(&[409]),
    delete("/branch-utils/latest/projects/{key}/repos/{slug}/branches", "Deletes a branch.")
        .body("RefRemoval"),
    get(
        "/branch-utils/latest/projects/{key}/repos/{slug}/automerge/path",
        "Says where a merge goes.",
        Page("Anything"),
    )
    .query(&[Query::text("branchRefId").required()]),
    get("/api/latest/projects/{key}/repos/{slug}/tags", "Lists the tags.", Page("Tag"))
        .query(&[FILTER, ORDER]),
    post("/api/latest/projects/{key}/repos/{slug}/tags", "Makes a tag.", One("Tag"))
        .body("RefWish")
        .fails(&[409]),
    get("/api/latest/projects/{key}/repos/{slug}/tags/{name}", "Returns a tag.", One("Tag")),
    post("/git/latest/projects/{key}/repos/{slug}/tags", "Makes a tag.", One("Tag"))
        .body("RefWish")
        .status(201)
        .fails(&[409]),
    delete("/git/latest/projects/{key}/repos/{slug}/tags/{name}", "Deletes a tag."),
    get(
        "/api/latest/projects/{key}/repos/{slug}/commits",
        "Lists commits, the latest first.",
        Page("Commit"),
    )
    .query(&[
        SINCE,
        Query::text("until"),
        Query::text("path"),
        Query::one_of("merges", &["include", "exclude", "only"]),
        Query::flag("ignoreMissing"),
    ]),
    get("/api/latest/projects/{key}/repos/{slug}/commits/{commit}", "Returns a commit.", One("Commit"))
        .query(&[Query::text("path")]),
    get(
        "/api/latest/projects/{key}/repos/{slug}/commits/{commit}/changes",
        "Lists changes.",
        Paged("Changes"),
    )
    .query(&[SINCE]),
    get("/api/latest/projects/{key}/repos/{slug}/commits/{commit}/diff", "Returns a diff.", One("Diff"))
        .query(OF_COMMIT),
    get(
        "/api/latest/projects/{key}/repos/{slug}/commits/{commit}/diff/{path}",
        "Returns a diff.",
        One("Diff"),
    )
    .query(OF_COMMIT),
    get(
        "/api/latest/projects/{key}/repos/{slug}/commits/{commit}/merge-base",
        "Finds an ancestor.",
        One("Commit"),
    )
    .query(&[Query::text("otherCommitId").required()])
    .or(&[204]),
    get(
        "/api/latest/projects/{key}/repos/{slug}/commits/{commit}/builds",
        "Returns a build's status.",
        One("Build"),
    )
    .query(&[Query::text("key").required()]),
    post(
        "/api/latest/projects/{key}/repos/{slug}/commits/{commit}/builds",
        "Sets a build's status.",
        Nothing,
    )
    .body("BuildWish")
    .status(204),
    delete("/api/latest/projects/{key}/repos/{slug}/commits/{commit}/builds", "Forgets a build's status.")
        .query(&[Query::text("key").required()]),
    get("/build-status/latest/commits/{commit}", "Lists what builds say of a commit.", Page("BuildStatus")),
    post("/build-status/latest/commits/{commit}", "Sets a build's status.", Nothing)
        .body("BuildWish")
        .status(204),
    get("/build-status/latest/commits/stats/{commit}", "Counts the builds of a commit.", One("BuildCounts")),
    post("/build-status/latest/commits/stats", "Counts the builds of commits.", One("ManyBuildCounts"))
        .body("CommitIds"),
    get("/api/latest/projects/{key}/repos/{slug}/changes", "Lists what changed.", Paged("Changes"))
        .query(&[SINCE, Query::text("until")]),
    get("/api/latest/projects/{key}/repos/{slug}/diff", "Returns what changed.", One("Diff")).query(BETWEEN),
    get("/api/latest/projects/{key}/repos/{slug}/diff/{path}", "Returns what changed.", One("Diff"))
        .query(BETWEEN),
    get("/api/latest/projects/{key}/repos/{slug}/compare/changes", "Lists what one has.", Paged("Changes"))
        .query(ENDS),
    get("/api/latest/projects/{key}/repos/{slug}/compare/commits", "Lists what one has.", Page("Commit"))
        .query(ENDS),
    get("/api/latest/projects/{key}/repos/{slug}/compare/diff", "Returns what one has.", One("Diff"))
        .query(COMPARED),
    get("/api/latest/projects/{key}/repos/{slug}/compare/diff/{path}", "Returns what one has.", One("Diff"))
        .query(COMPARED),
    get("/api/latest/projects/{key}/repos/{slug}/files", "Lists all files.", Page("string")).query(&[AT]),
    get("/api/latest/projects/{key}/repos/{slug}/files/{path}", "Lists files.", Page("string")).query(&[AT]),
    get("/api/latest/projects/{key}/repos/{slug}/browse", "Returns the root.", One("Browsed")).query(BROWSED),
    get("/api/latest/projects/{key}/repos/{slug}/browse/{path}", "Returns what is there.", One("Browsed"))
        .query(BROWSED),
    get("/api/latest/projects/{key}/repos/{slug}/raw/{path}", "Returns a file.", Raw).query(&[AT]),
];
