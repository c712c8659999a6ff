//! Pull requests, and what waits for whom.

use super::operation::Body::{List, Nothing, One, Page, Paged};
use super::operation::{Operation, Query, delete, get, post, put};

const VERSION: Query = Query::number("version");
const DIFF: &[Query] = &[
    Query::number("contextLines"),
    Query::one_of("whitespace", &["SHOW", "IGNORE_ALL"]),
    Query::text("srcPath"),
    Query::text("sinceId"),
    Query::text("untilId"),
];
const STATE: Query = Query::one_of("state", &["OPEN", "MERGED", "DECLINED", "ALL"]);

pub(super) const TABLE: &[Operation] = &[
    get("/api/latest/projects/{key}/repos/{slug}/pull-requests", "Lists pull requests.", Page("PullRequest"))
        .query(&[
            STATE,
            Query::one_of("order", &["NEWEST", "OLDEST"]),
            Query::one_of("direction", &["INCOMING", "OUTGOING"]),
            Query::text("at"),
            Query::text("filterText"),
        ]),
    post(
        "/api/latest/projects/{key}/repos/{slug}/pull-requests",
        "Makes a pull request.",
        One("PullRequest"),
    )
    .body("PullRequestWish")
    .status(201)
    .fails(&[409]),
    get(ONE, "Returns a pull request.", One("PullRequest")),
    put(ONE, "Changes a pull request.", One("PullRequest")).body("PullRequestWish").fails(&[409]),
    delete(ONE, "Deletes a pull request.").body("Anything").fails(&[409]),
    post(DECLINE, "Declines a pull request.", One("PullRequest"))
        .query(&[VERSION])
        .body("Anything")
        .fails(&[409]),
    post(REOPEN, "Opens a pull request again.", One("PullRequest"))
        .query(&[VERSION])
        .body("Anything")
        .fails(&[409]),
    get(MERGE, "Says whether it can be merged.", One("CanMerge")).fails(&[409]),
    post(MERGE, "Merges a pull request.", One("PullRequest"))
        .query(&[VERSION])
        .body("Anything")
        .fails(&[409]),
    get(MERGE_BASE, "Returns where its branches parted.", One("Commit")).or(&[204]),
    get(CHANGES, "Lists what it changes.", Paged("Changes")).query(&[
        Query::text("sinceId"),
        Query::text("untilId"),
        Query::one_of("changeScope", &["ALL", "UNREVIEWED", "RANGE"]),
    ]),
    get(COMMITS, "Lists its commits.", Page("Commit")).query(&[Query::flag("withCounts")]),
    get(WHOLE_DIFF, "Returns its diff.", One("Diff")).query(DIFF),
    get(PATH_DIFF, "Returns its diff of a file.", One("Diff")).query(DIFF),
    get(ACTIVITIES, "Lists what happened.", Page("Anything"))
        .query(&[Query::text("fromId"), Query::one_of("fromType", &["COMMENT", "ACTIVITY"])]),
    post(APPROVE, "Approves it.", One("Participant")).body("Anything").fails(&[409]),
    Operation {
        answer: One("Participant"),
        ..delete(APPROVE, "Takes the approval back.").status(200).fails(&[409])
    },
    get(PARTICIPANTS, "Lists everybody with a part in it.", Page("Participant")),
    post(PARTICIPANTS, "Gives somebody a part.", One("Participant")).body("ParticipantWish").fails(&[409]),
    delete(PARTICIPANTS, "Takes somebody's part away.")
        .query(&[Query::text("username").required()])
        .fails(&[409]),
    put(PARTICIPANT, "Sets what somebody thinks of it.", One("Participant"))
        .body("ParticipantWish")
        .fails(&[409]),
    delete(PARTICIPANT, "Takes somebody's part away.").fails(&[409]),
    get(COMMENTS, "Lists a file's comments.", Page("Anything")).query(&[Query::text("path").required()]),
    post(COMMENTS, "Comments.", One("Anything")).body("CommentWish").status(201).fails(&[409]),
    get(COMMENT, "Returns a comment.", One("Anything")),
    put(COMMENT, "Changes a comment.", One("Anything")).body("CommentWish").fails(&[409]),
    delete(COMMENT, "Deletes a comment.").query(&[VERSION]).fails(&[409]),
    get(BLOCKERS, "Lists what blocks the merge, or counts it.", One("Anything"))
        .query(&[Query::flag("count")]),
    post(BLOCKERS, "Adds what blocks the merge.", One("Anything"))
        .body("CommentWish")
        .status(201)
        .fails(&[409]),
    get(BLOCKER, "Returns such a comment.", One("Anything")),
    put(BLOCKER, "Changes such a comment.", One("Anything")).body("CommentWish").fails(&[409]),
    delete(BLOCKER, "Deletes such a comment.").query(&[VERSION]).fails(&[409]),
    get(OF_COMMIT, "Lists the pull requests with a commit.", Page("PullRequest")),
    post(DELETION, "Deletes the source branch.", Nothing)
        .query(&[Query::flag("dryRun")])
        .body("Anything")
        .status(204)
        .fails(&[409]),
    get(CLEANUP, "Says whether the source branch can go.", One("Anything"))
        .query(&[Query::flag("deleteSourceRef"), Query::flag("retargetDependents")])
        .fails(&[409]),
    post(CLEANUP, "Deletes the source branch.", Nothing).body("Anything").status(204).fails(&[409]),
    get(ISSUES, "Lists linked issues; there are none.", List("Anything")),
    get("/api/latest/inbox/pull-requests", "Lists what waits for the user.", Page("PullRequest"))
        .query(&[Query::one_of("role", &["REVIEWER", "AUTHOR", "PARTICIPANT"])]),
    get("/api/latest/inbox/pull-requests/count", "Counts what waits for the user.", One("Count")),
    get("/api/latest/dashboard/pull-requests", "Lists the user's pull requests.", Page("PullRequest")).query(
        &[
            Query::one_of("state", &["OPEN", "MERGED", "DECLINED"]),
            Query::one_of("role", &["REVIEWER", "AUTHOR", "PARTICIPANT"]),
            Query::one_of("order", &["NEWEST", "OLDEST"]),
        ],
    ),
    get("/api/latest/dashboard/pull-request-suggestions", "Suggests pull requests.", Page("Anything"))
        .query(&[Query::number("changesSince")]),
];

const ONE: &str = "/api/latest/projects/{key}/repos/{slug}/pull-requests/{id}";
const DECLINE: &str = "/api/latest/projects/{key}/repos/{slug}/pull-requests/{id}/decline";
const REOPEN: &str = "/api/latest/projects/{key}/repos/{slug}/pull-requests/{id}/reopen";
const MERGE: &str = "/api/latest/projects/{key}/repos/{slug}/pull-requests/{id}/merge";
const MERGE_BASE: &str = "/api/latest/projects/{key}/repos/{slug}/pull-requests/{id}/merge-base";
const CHANGES: &str = "/api/latest/projects/{key}/repos/{slug}/pull-requests/{id}/changes";
const COMMITS: &str = "/api/latest/projects/{key}/repos/{slug}/pull-requests/{id}/commits";
const WHOLE_DIFF: &str = "/api/latest/projects/{key}/repos/{slug}/pull-requests/{id}/diff";
const PATH_DIFF: &str = "/api/latest/projects/{key}/repos/{slug}/pull-requests/{id}/diff/{path}";
const ACTIVITIES: &str = "/api/latest/projects/{key}/repos/{slug}/pull-requests/{id}/activities";
const APPROVE: &str = "/api/latest/projects/{key}/repos/{slug}/pull-requests/{id}/approve";
const PARTICIPANTS: &str = "/api/latest/projects/{key}/repos/{slug}/pull-requests/{id}/participants";
const PARTICIPANT: &str = "/api/latest/projects/{key}/repos/{slug}/pull-requests/{id}/participants/{user}";
const COMMENTS: &str = "/api/latest/projects/{key}/repos/{slug}/pull-requests/{id}/comments";
const COMMENT: &str = "/api/latest/projects/{key}/repos/{slug}/pull-requests/{id}/comments/{comment}";
const BLOCKERS: &str = "/api/latest/projects/{key}/repos/{slug}/pull-requests/{id}/blocker-comments";
const BLOCKER: &str = "/api/latest/projects/{key}/repos/{slug}/pull-requests/{id}/blocker-comments/{comment}";
const OF_COMMIT: &str = "/api/latest/projects/{key}/repos/{slug}/commits/{commit}/pull-requests";
const DELETION: &str =
    "/pull-request-source-branch-deletion/latest/projects/{key}/repos/{slug}/pull-requests/{id}";
const CLEANUP: &str = "/pull-request-cleanup/latest/projects/{key}/repos/{slug}/pull-requests/{id}";
const ISSUES: &str = "/jira/latest/projects/{key}/repos/{slug}/pull-requests/{id}/issues";
