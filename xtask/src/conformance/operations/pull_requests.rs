//! Pull requests, from the first wish to the last, with what people say about them.
//!
//! The first one brings a file and is merged; the second one has conflicts.

use super::{ANONYMOUS, EMPTY_PAGE, INVALID, NO_REPOSITORY, NOT_PERMITTED};
use crate::conformance::operation::Recording::{Body, Error, Exchange, Page, Stated};
use crate::conformance::operation::{Described, Operation, Recording, Who, delete, get, post};

const ALL: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/pull-requests";
const ONE: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/pull-requests/{pullRequestId}";
const APPROVE: &str =
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/pull-requests/{pullRequestId}/approve";
const ACTIVITIES: &str =
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/pull-requests/{pullRequestId}/activities";
const BLOCKERS: &str =
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/pull-requests/{pullRequestId}/blocker-comments";
const BLOCKER: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/pull-requests/{pullRequestId}/blocker-comments/{commentId}";
const CHANGES: &str =
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/pull-requests/{pullRequestId}/changes";
const COMMENTS: &str =
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/pull-requests/{pullRequestId}/comments";
const COMMENT: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/pull-requests/{pullRequestId}/comments/{commentId}";
const COMMITS: &str =
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/pull-requests/{pullRequestId}/commits";
const DECLINE: &str =
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/pull-requests/{pullRequestId}/decline";
const DIFF: &str =
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/pull-requests/{pullRequestId}/diff/{path}";
const ISSUES: &str =
    "/jira/latest/projects/{projectKey}/repos/{repositorySlug}/pull-requests/{pullRequestId}/issues";
const MERGE: &str =
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/pull-requests/{pullRequestId}/merge";
const MERGE_BASE: &str =
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/pull-requests/{pullRequestId}/merge-base";
const OF_COMMIT: &str =
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/commits/{commitId}/pull-requests";
const PARTICIPANTS: &str =
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/pull-requests/{pullRequestId}/participants";
const PARTICIPANT: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/pull-requests/{pullRequestId}/participants/{userSlug}";
const REOPEN: &str =
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/pull-requests/{pullRequestId}/reopen";
const CLEANUP: &str =
    "/pull-request-cleanup/latest/projects/{projectKey}/repos/{repositorySlug}/pull-requests/{pullRequestId}";
const DELETION: &str = "/pull-request-source-branch-deletion/1.0/projects/{projectKey}/repos/{repositorySlug}/pull-requests/{pullRequestId}";

const SECOND: &[(&str, &str)] = &[("pullRequestId", "2")];
const SECOND_ADMIN: &[(&str, &str)] = &[("pullRequestId", "2"), ("userSlug", "admin")];
const UNKNOWN: &[(&str, &str)] = &[("pullRequestId", "9999")];

const MADE: Recording = Exchange("vcr/CreatePullRequest-success.json", 0);
/// Since 8.0 a repository says whether it is archived; the pull requests that were recorded are older.
const NEWER: Recording = Stated(
    r#"{"fromRef": {"repository": {"archived": false, "project": {"description": ""}}},
        "toRef": {"repository": {"archived": false, "project": {"description": ""}}}}"#,
);
const OPEN: Recording = Body(
    "vcr/CreatePullRequest-pull-request-already-exists.json",
    "/interactions/1/response/body/errors/0/existingPullRequest",
);
const DECLINED: Recording = Body("vcr/DeclinePullRequest-success.json", "/interactions/0/response/body");
const MERGED: Recording = Body("vcr/MergePullRequest-success.json", "/interactions/0/response/body");
const PULL_REQUEST: &[Recording] = &[OPEN, MERGED, DECLINED, REVIEWED, NEWER];
const REVIEWED: Recording = Stated(r#"{"reviewers": [{"lastReviewedCommit": "", "status": "NEEDS_WORK"}]}"#);
const PAGE: &[Recording] = &[
    Page(
        "vcr/CreatePullRequest-pull-request-already-exists.json",
        "/interactions/1/response/body/errors/0/existingPullRequest",
    ),
    Page("vcr/MergePullRequest-success.json", "/interactions/0/response/body"),
    Page("vcr/DeclinePullRequest-success.json", "/interactions/0/response/body"),
    Body("bitbucket-rest/pull-request-page.json", ""),
    Stated(
        r#"{"values": [{"fromRef": {"repository": {"archived": false, "project": {"description": ""}}},
                        "toRef": {"repository": {"archived": false, "project": {"description": ""}}}}]}"#,
    ),
];
const NO_PULL_REQUEST: &[Recording] = &[
    Exchange("vcr/PullRequests-non-existing-pr.json", 0),
    Error(Some("NoSuchPullRequestException")),
    Body("bitbucket-rest/pull-request-not-exist.json", ""),
];
/// The recorded one is about a request from a fork that was merged; this is what every one has, and what it may have.
const OUT_OF_DATE: &[Recording] = &[
    Stated(
        r#"{"errors": [{"context": null, "message": "", "currentVersion": 1, "expectedVersion": 0, "pullRequest": {},
            "exceptionName": "com.atlassian.bitbucket.pull.PullRequestOutOfDateException"}]}"#,
    ),
    Body("bitbucket-rest/pull-request-delete-invalid-version.json", ""),
    Error(Some("PullRequestOutOfDateException")),
    Stated(
        r#"{"errors": [{"pullRequest": {"state": "OPEN", "description": "", "reviewers": [{"user": {"name": "", "emailAddress": "", "id": 1, "displayName": "", "active": true, "slug": "", "type": "NORMAL", "links": {"self": [{"href": ""}]}}, "role": "",
            "approved": false, "status": "", "lastReviewedCommit": ""}],
            "fromRef": {"repository": {"hierarchyId": "", "archived": false, "project": {"public": false, "type": "NORMAL", "description": "", "name": ""}}},
            "toRef": {"repository": {"hierarchyId": "", "archived": false, "project": {"public": false, "type": "NORMAL", "description": "", "name": ""}}},
            "properties": {"mergeCommit": {"id": "", "displayId": ""}}}}]}"#,
    ),
];
const ILLEGAL_STATE: &[Recording] = &[Error(Some("IllegalPullRequestStateException"))];
const NEW_COMMENT: &[Recording] = &[Exchange("vcr/CreatePullRequestComment-success.json", 0), COMMENT_ANCHOR];
/// A reply says what its thread does, and a task may be done.
const REPLY: Recording = Stated(
    r#"{"state": "RESOLVED", "comments": [{"severity": "", "state": "OPEN", "permittedOperations": {"transitionable": true}}]}"#,
);
const ANY_COMMENT: &[Recording] = &[
    Body("vcr/CreatePullRequestComment-success.json", "/interactions/0/response/body"),
    Body("bitbucket-rest/comments.json", ""),
    COMMENT_ANCHOR,
    REPLY,
];
const COMMENT_ANCHOR: Recording = Body("bitbucket-rest/pull-request-comments.json", "/values/*");
const COMMENT_PAGE: &[Recording] = &[
    Page("bitbucket-rest/pull-request-comments.json", "/values/*"),
    Page("vcr/CreatePullRequestComment-success.json", "/interactions/0/response/body"),
];
const PARTICIPANT_RECORDED: &[Recording] =
    &[Body("bitbucket-rest/participants.json", ""), Stated(r#"{"lastReviewedCommit": ""}"#)];

/// Whether one can be merged: described is all but `canMerge`, recorded is all but `outcome`.
const CAN_MERGE: &[Recording] = &[
    Stated(r#"{"canMerge": true, "conflicted": false, "outcome": "CLEAN", "vetoes": []}"#),
    Body("bitbucket-rest/pull-request-can-merge-succeed.json", ""),
    Body("bitbucket-rest/pull-request-can-merge-fail.json", ""),
];

const fn put(path: &'static str, body: &'static str) -> Operation {
    Operation { method: "PUT", status: 200, ..post(path, body) }
}

pub(super) const ROWS: &[Operation] = &[
    Operation { says: "none", recorded: EMPTY_PAGE, ..get(ALL) },
    Operation {
        recorded: &[MADE, MERGED, OPEN, NEWER],
        ..post(
            ALL,
            r#"{"title": "Two", "description": "Brings a file.", "state": "OPEN", "open": true, "closed": false,
                "fromRef": {"id": "refs/heads/feature/two", "repository": {"slug": "filled", "project": {"key": "CONFORMANCE"}}},
                "toRef": {"id": "refs/heads/main", "repository": {"slug": "filled", "project": {"key": "CONFORMANCE"}}},
                "locked": false, "reviewers": [{"user": {"name": "member"}}]}"#,
        )
    },
    Operation {
        says: "open already",
        status: 409,
        recorded: &[
            Exchange("vcr/CreatePullRequest-pull-request-already-exists.json", 1),
            Stated(
                r#"{"errors": [{"existingPullRequest": {
                    "reviewers": [{"user": {"name": "", "emailAddress": "", "id": 1, "displayName": "", "active": true, "slug": "", "type": "NORMAL", "links": {"self": [{"href": ""}]}}, "role": "", "approved": false, "status": "", "lastReviewedCommit": ""}],
                    "fromRef": {"repository": {"archived": false, "project": {"description": ""}}},
                    "toRef": {"repository": {"archived": false, "project": {"description": ""}}}}}]}"#,
            ),
        ],
        ..post(ALL, r#"{"title": "Two", "fromRef": {"id": "feature/two"}, "toRef": {"id": "main"}}"#)
    },
    Operation {
        says: "with nothing to merge",
        status: 409,
        recorded: &[
            Body("bitbucket-rest/pull-request-create-error.json", ""),
            Stated(r#"{"errors": [{"context": null}]}"#),
        ],
        ..post(ALL, r#"{"title": "None", "fromRef": {"id": "main"}, "toRef": {"id": "main"}}"#)
    },
    Operation {
        says: "from an unknown branch",
        status: 404,
        recorded: &[Error(Some("NoSuchCommitException"))],
        ..post(ALL, r#"{"title": "None", "fromRef": {"id": "none"}, "toRef": {"id": "main"}}"#)
    },
    Operation {
        says: "without a title",
        status: 400,
        recorded: INVALID,
        ..post(ALL, r#"{"fromRef": {"id": "feature/one"}, "toRef": {"id": "main"}}"#)
    },
    Operation {
        says: "with conflicts, from short names, by a member",
        who: Who::Member,
        recorded: &[MADE, OPEN, NEWER],
        ..post(
            ALL,
            r#"{"title": "Three", "description": "x", "fromRef": {"id": "feature/three"}, "toRef": {"id": "main"}}"#,
        )
    },
    Operation {
        says: "anonymous",
        who: Who::Nobody,
        status: 401,
        recorded: ANONYMOUS,
        ..post(ALL, r#"{"title": "x"}"#)
    },
    Operation { recorded: PAGE, ..get(ALL) },
    Operation { says: "a page of many", query: "limit=1&order=OLDEST", recorded: PAGE, ..get(ALL) },
    Operation {
        says: "as pages ask",
        query: "avatarSize=64&order=newest&start=0&state=OPEN&at=refs/heads/main",
        recorded: PAGE,
        ..get(ALL)
    },
    Operation {
        says: "in a state that is none",
        query: "state=x",
        status: 400,
        recorded: INVALID,
        ..get(ALL)
    },
    Operation {
        says: "of an unknown repository",
        values: &[("repositorySlug", "no-such-repository")],
        status: 404,
        recorded: NO_REPOSITORY,
        ..get(ALL)
    },
    Operation { recorded: PULL_REQUEST, ..get(ONE) },
    Operation { says: "unknown", values: UNKNOWN, status: 404, recorded: NO_PULL_REQUEST, ..get(ONE) },
    Operation {
        says: "of an unknown repository",
        values: &[("repositorySlug", "no-such-repository")],
        status: 404,
        recorded: &[Exchange("vcr/PullRequests-non-existing-repo.json", 0)],
        ..get(ONE)
    },
    Operation { recorded: PULL_REQUEST, ..put(ONE, r#"{"version": 0, "title": "Two again"}"#) },
    Operation {
        says: "out of date",
        status: 409,
        recorded: OUT_OF_DATE,
        ..put(ONE, r#"{"version": 0, "title": "Too late"}"#)
    },
    Operation {
        says: "unknown",
        values: UNKNOWN,
        status: 404,
        recorded: NO_PULL_REQUEST,
        ..put(ONE, r#"{"version": 0, "title": "x"}"#)
    },
    Operation { recorded: CAN_MERGE, ..get(MERGE) },
    Operation { says: "with conflicts", values: SECOND, recorded: CAN_MERGE, ..get(MERGE) },
    Operation {
        says: "with conflicts",
        values: SECOND,
        query: "version=0",
        status: 409,
        recorded: &[Exchange("vcr/MergePullRequest-not-mergeable.json", 0)],
        ..post(MERGE, "{}")
    },
    Operation {
        recorded: &[
            Stated(
                r#"{"size": 1, "limit": 25, "isLastPage": true, "start": 0, "fromHash": "", "toHash": "", "properties": {"changeScope": ""}}"#,
            ),
            Body("bitbucket-rest/pull-request-changes.json", ""),
            Stated(r#"{"values": [{"type": "ADD", "path": {"extension": ""}}]}"#),
        ],
        query: "start=0&limit=1000&changeScope=unreviewed",
        described: Described::Wrongly("as one change; recorded is a page of them"),
        ..get(CHANGES)
    },
    Operation {
        says: "of an unknown one",
        values: UNKNOWN,
        status: 404,
        recorded: NO_PULL_REQUEST,
        ..get(CHANGES)
    },
    Operation {
        recorded: &[
            Page("bitbucket-server-8.19/listCommits.json", "/values/*"),
            Page("danger-js/bitbucket_server_commits.json", "/*"),
        ],
        ..get(COMMITS)
    },
    Operation {
        values: &[("path", "two.txt")],
        query: "avatarSize=64&markup=true&whitespace=&contextLines=-1&withComments=true&autoSrcPath=undefined",
        recorded: &[
            Stated(
                r#"{"fromHash": "", "toHash": "", "contextLines": 10, "whitespace": "SHOW", "truncated": false}"#,
            ),
            DIFFS,
        ],
        described: super::commits::ONE_FILE,
        ..get(DIFF)
    },
    Operation {
        recorded: &[
            // The first commit of all has no parents.
            Stated(
                r#"{"id": "", "displayId": "", "message": "", "author": {}, "committer": {}, "parents": []}"#,
            ),
            Body("bitbucket-server-8.19/listCommits.json", "/values/*"),
        ],
        ..get(MERGE_BASE)
    },
    Operation {
        says: "by its author",
        status: 409,
        recorded: &[Stated(
            r#"{"errors": [{"context": null, "message": "", "exceptionName": "com.atlassian.bitbucket.pull.IllegalPullRequestStateException"}]}"#,
        )],
        ..post(APPROVE, "")
    },
    Operation { who: Who::Member, status: 200, recorded: PARTICIPANT_RECORDED, ..post(APPROVE, "") },
    Operation {
        who: Who::Member,
        recorded: PARTICIPANT_RECORDED,
        ..put(PARTICIPANT, r#"{"status": "NEEDS_WORK"}"#)
    },
    Operation {
        says: "somebody else's",
        status: 401,
        recorded: NOT_PERMITTED,
        ..put(PARTICIPANT, r#"{"status": "APPROVED"}"#)
    },
    Operation { says: "the same by the page", recorded: PULL_REQUEST, ..get(ONE) },
    Operation { recorded: &[Stated("[]")], ..get(ISSUES) },
    Operation { says: "of none", values: UNKNOWN, status: 404, recorded: NO_PULL_REQUEST, ..get(ISSUES) },
    Operation { who: Who::Member, status: 200, recorded: PARTICIPANT_RECORDED, ..delete(APPROVE) },
    Operation { recorded: &[Body("bitbucket-rest/pull-request-participants.json", "")], ..get(PARTICIPANTS) },
    Operation {
        says: "of an unknown one",
        values: UNKNOWN,
        status: 404,
        recorded: NO_PULL_REQUEST,
        ..get(PARTICIPANTS)
    },
    asks("asks a user to review"),
    Operation { values: SECOND_ADMIN, ..delete(PARTICIPANT) },
    asks("asks once more"),
    Operation { values: SECOND, query: "username=admin", ..delete(PARTICIPANTS) },
    asks("asks a last time"),
    Operation {
        recorded: NEW_COMMENT,
        known: CACHED,
        query: "version=2",
        ..post(COMMENTS, r#"{"text": "test_comment"}"#)
    },
    Operation {
        says: "a reply",
        who: Who::Member,
        recorded: NEW_COMMENT,
        known: CACHED,
        ..post(COMMENTS, r#"{"text": "A measured reply.", "parent": {"id": 1}}"#)
    },
    Operation {
        says: "about a line",
        recorded: NEW_COMMENT,
        known: CACHED_AND_ANCHORED,
        ..post(
            COMMENTS,
            r#"{"text": "This?", "anchor": {"path": "two.txt", "line": 1, "lineType": "ADDED", "fileType": "TO"}}"#,
        )
    },
    Operation { says: "without a text", status: 400, recorded: INVALID, ..post(COMMENTS, "{}") },
    Operation { recorded: ANY_COMMENT, ..get(COMMENT) },
    Operation { query: "path=two.txt", recorded: COMMENT_PAGE, known: ANCHOR_PATH, ..get(COMMENTS) },
    Operation {
        says: "of no path",
        status: 400,
        recorded: &[Error(None), Body("bitbucket-rest/errors.json", "")],
        ..get(COMMENTS)
    },
    Operation { recorded: ANY_COMMENT, ..put(COMMENT, r#"{"text": "Better.", "version": 0}"#) },
    Operation {
        says: "out of date",
        status: 409,
        recorded: &[Error(Some("CommentOutOfDateException"))],
        ..put(COMMENT, r#"{"text": "Too late.", "version": 0}"#)
    },
    Operation {
        says: "somebody else's",
        who: Who::Member,
        status: 401,
        recorded: NOT_PERMITTED,
        ..put(COMMENT, r#"{"text": "Mine.", "version": 1}"#)
    },
    Operation { values: &[("commentId", "2")], query: "version=0", who: Who::Member, ..delete(COMMENT) },
    Operation {
        says: "gone",
        values: &[("commentId", "2")],
        status: 404,
        recorded: &[Stated(
            r#"{"errors": [{"context": null, "message": "", "exceptionName": "com.atlassian.bitbucket.comment.NoSuchCommentException"}]}"#,
        )],
        ..get(COMMENT)
    },
    Operation { recorded: ANY_COMMENT, ..post(BLOCKERS, r#"{"text": "Do this first."}"#) },
    Operation {
        recorded: &[Page("vcr/CreatePullRequestComment-success.json", "/interactions/0/response/body")],
        ..get(BLOCKERS)
    },
    Operation {
        values: &[("commentId", "4")],
        recorded: ANY_COMMENT,
        ..put(BLOCKER, r#"{"state": "RESOLVED", "version": 0}"#)
    },
    Operation { values: &[("commentId", "4")], recorded: ANY_COMMENT, ..get(BLOCKER) },
    Operation { values: &[("commentId", "4")], query: "version=1", ..delete(BLOCKER) },
    Operation {
        says: "of an unknown one",
        values: UNKNOWN,
        status: 404,
        recorded: NO_PULL_REQUEST,
        ..get(BLOCKERS)
    },
    Operation {
        says: "out of date",
        values: SECOND,
        query: "version=7",
        status: 409,
        recorded: OUT_OF_DATE,
        ..post(DECLINE, "null")
    },
    Operation {
        query: "avatarSize=16&version=1",
        status: 200,
        recorded: &[OPEN, Exchange("vcr/DeclinePullRequest-success.json", 0), MERGED, NEWER],
        ..post(DECLINE, "null")
    },
    Operation {
        says: "declined already",
        query: "version=2",
        status: 409,
        recorded: ILLEGAL_STATE,
        ..post(DECLINE, "null")
    },
    Operation { query: "version=2", status: 200, recorded: PULL_REQUEST, ..post(REOPEN, "") },
    Operation {
        says: "open already",
        query: "version=3",
        status: 409,
        recorded: ILLEGAL_STATE,
        ..post(REOPEN, "")
    },
    Operation {
        says: "whether it can be done",
        query: "dryRun=true",
        status: 204,
        recorded: &[Error(None)],
        described: Described::Not,
        ..post(DELETION, "null")
    },
    Operation {
        says: "out of date",
        query: "version=0",
        status: 409,
        recorded: OUT_OF_DATE,
        ..post(MERGE, "{}")
    },
    Operation {
        query: "avatarSize=16&version=3",
        status: 200,
        recorded: &[Exchange("vcr/MergePullRequest-success.json", 0), DECLINED, NEWER],
        ..post(MERGE, r#"{"message": ""}"#)
    },
    Operation {
        says: "merged already",
        query: "version=5",
        status: 409,
        recorded: ILLEGAL_STATE,
        ..post(MERGE, "{}")
    },
    Operation { says: "merged already", status: 409, recorded: ILLEGAL_STATE, ..get(MERGE) },
    Operation {
        recorded: &[
            Page("danger-js/bitbucket_server_activities.json", "/*"),
            Body("bitbucket-rest/pull-request-activities.json", ""),
            Stated(
                r#"{"values": [
                    {"action": "MERGED", "commit": {"id": "", "displayId": "", "message": "", "authorTimestamp": 1, "committerTimestamp": 1,
                        "author": {"name": "", "emailAddress": "", "id": 1, "displayName": "", "active": true, "slug": "", "type": "NORMAL", "links": {"self": [{"href": ""}]}},
                        "committer": {"name": "", "emailAddress": "", "id": 1, "displayName": "", "active": true, "slug": "", "type": "NORMAL", "links": {"self": [{"href": ""}]}},
                        "parents": [{"id": "", "displayId": ""}]}},
                    {"comment": {"severity": "", "state": "OPEN", "permittedOperations": {"transitionable": true}}},
                    {"comment": {"state": "RESOLVED"}}
                ]}"#,
            ),
        ],
        known: MERGE_COMMIT,
        ..get(ACTIVITIES)
    },
    Operation {
        says: "of an unknown one",
        values: UNKNOWN,
        status: 404,
        recorded: &[
            Error(Some("NoSuchPullRequestException")),
            Body("bitbucket-rest/pull-request-activities-error.json", ""),
        ],
        ..get(ACTIVITIES)
    },
    Operation {
        says: "those of a commit",
        values: &[("commitId", "main")],
        recorded: PAGE,
        ..get(OF_COMMIT)
    },
    Operation {
        says: "those of an unknown commit",
        values: &[("commitId", "0000000000000000000000000000000000000000")],
        status: 404,
        recorded: &[Error(Some("NoSuchCommitException"))],
        ..get(OF_COMMIT)
    },
    Operation {
        recorded: PAGE,
        query: "state=MERGED&role=AUTHOR",
        ..get("/api/latest/dashboard/pull-requests")
    },
    Operation {
        says: "those to review",
        recorded: PAGE,
        described: Described::PageOf("RestPullRequest"),
        ..get("/api/latest/inbox/pull-requests")
    },
    Operation {
        says: "merged",
        status: 409,
        recorded: &[Body("bitbucket-rest/pull-request-delete-merged.json", "")],
        ..delete_of(ONE, r#"{"version": 5}"#)
    },
    Operation {
        says: "out of date",
        status: 409,
        recorded: OUT_OF_DATE,
        ..delete_of(ONE, r#"{"version": 9123}"#)
    },
    Operation {
        says: "unknown",
        values: UNKNOWN,
        status: 404,
        recorded: NO_PULL_REQUEST,
        ..delete_of(ONE, r#"{"version": 0}"#)
    },
    Operation { values: SECOND, ..delete_of(ONE, r#"{"version": 0}"#) },
    Operation {
        says: "what can be tidied",
        query: "deleteSourceRef=true&retargetDependents=true",
        recorded: &[Stated(r#"{"canDeleteSourceRef": true}"#)],
        described: Described::Not,
        ..get(CLEANUP)
    },
    Operation {
        query: "dryRun=false",
        status: 204,
        recorded: &[Error(None)],
        described: Described::Not,
        ..post(DELETION, "null")
    },
    Operation {
        says: "the branch is gone",
        status: 204,
        recorded: &[Error(None)],
        described: Described::Not,
        ..post(CLEANUP, r#"{"deleteSourceRef": true, "retargetDependents": true}"#)
    },
];

const fn asks(says: &'static str) -> Operation {
    let body = r#"{"user": {"name": "admin"}, "role": "REVIEWER"}"#;
    Operation {
        says,
        values: SECOND,
        status: 200,
        recorded: PARTICIPANT_RECORDED,
        ..post(PARTICIPANTS, body)
    }
}

const fn delete_of(path: &'static str, body: &'static str) -> Operation {
    Operation { body, ..delete(path) }
}

const DIFFS: Recording = Stated(
    r#"{"diffs": [{"source": null, "destination": {"components": ["a"], "parent": "", "name": "a", "extension": "txt", "toString": "a"},
        "hunks": [{"context": "", "sourceLine": 0, "sourceSpan": 0, "destinationLine": 1, "destinationSpan": 1, "segments": [{"type": "ADDED",
        "lines": [{"destination": 1, "source": 0, "line": "bar", "truncated": false}], "truncated": false}], "truncated": false}],
        "truncated": false}]}"#,
);
const ANCHOR_PATH: &[(&str, &str)] = &[("anchor/path", "described as an object, recorded as text")];
const CACHED: &[(&str, &str)] = &[("header cache-control", "recorded once without its first part")];
const CACHED_AND_ANCHORED: &[(&str, &str)] = &[
    ("header cache-control", "recorded once without its first part"),
    ("anchor/path", "described as an object, recorded as text"),
];
const MERGE_COMMIT: &[(&str, &str)] =
    &[("values/*/commit", "neither recorded nor described, but read by clients")];
