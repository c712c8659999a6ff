//! What is the asking user's own: visited repositories, pull requests that wait, suggestions.

use super::{ANONYMOUS, EMPTY_PAGE, NO_REPOSITORY, NOT_PERMITTED, REPOSITORY_PAGE};
use crate::conformance::operation::Described::Not;
use crate::conformance::operation::Recording::Stated;
use crate::conformance::operation::{Operation, Recording, Who, get};

const RECENT: &str = "/api/latest/profile/recent/repos";
const COUNT: &str = "/api/latest/inbox/pull-requests/count";
const SUGGESTIONS: &str = "/api/latest/dashboard/pull-request-suggestions";

/// Gone since 8.0, and recorded nowhere: the members that were documented.
const EVENTS: &str = "/audit/1.0/projects/{projectKey}/repos/{repositorySlug}/events";
const EVENT_PAGE: &[Recording] = &[Stated(
    r#"{"size": 1, "limit": 1, "isLastPage": false, "start": 0, "nextPageStart": 1, "values": [
            {"action": "", "timestamp": 1, "details": "", "user": {
                "name": "", "emailAddress": "", "active": true, "displayName": "", "id": 1, "slug": "", "type": "NORMAL",
                "links": {"self": [{"href": ""}]}}}]}"#,
)];

pub(super) const ROWS: &[Operation] = &[
    Operation { query: "limit=1", recorded: EVENT_PAGE, described: Not, ..get(EVENTS) },
    Operation {
        says: "by a member",
        who: Who::Member,
        status: 401,
        recorded: NOT_PERMITTED,
        described: Not,
        ..get(EVENTS)
    },
    Operation {
        says: "of an unknown repository",
        values: &[("repositorySlug", "no-such-repository")],
        status: 404,
        recorded: NO_REPOSITORY,
        described: Not,
        ..get(EVENTS)
    },
    Operation { recorded: REPOSITORY_PAGE, ..get(RECENT) },
    Operation { says: "none yet", who: Who::Member, recorded: EMPTY_PAGE, ..get(RECENT) },
    Operation { says: "anonymous", who: Who::Nobody, status: 401, recorded: ANONYMOUS, ..get(RECENT) },
    Operation { recorded: &[Stated(r#"{"count": 0}"#)], ..get(COUNT) },
    Operation { says: "anonymous", who: Who::Nobody, status: 401, recorded: ANONYMOUS, ..get(COUNT) },
    Operation { query: "changesSince=86400&limit=3", recorded: EMPTY_PAGE, ..get(SUGGESTIONS) },
    Operation { says: "anonymous", who: Who::Nobody, status: 401, recorded: ANONYMOUS, ..get(SUGGESTIONS) },
];
