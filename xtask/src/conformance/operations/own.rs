//! What is the asking user's own: visited repositories, pull requests that wait, suggestions.

use super::{ANONYMOUS, EMPTY_PAGE, REPOSITORY_PAGE};
use crate::conformance::operation::Recording::Stated;
use crate::conformance::operation::{Operation, Who, get};

const RECENT: &str = "/api/latest/profile/recent/repos";
const COUNT: &str = "/api/latest/inbox/pull-requests/count";
const SUGGESTIONS: &str = "/api/latest/dashboard/pull-request-suggestions";

pub(super) const ROWS: &[Operation] = &[
    Operation { recorded: REPOSITORY_PAGE, ..get(RECENT) },
    Operation { says: "none yet", who: Who::Member, recorded: EMPTY_PAGE, ..get(RECENT) },
    Operation { says: "anonymous", who: Who::Nobody, status: 401, recorded: ANONYMOUS, ..get(RECENT) },
    Operation { recorded: &[Stated(r#"{"count": 0}"#)], ..get(COUNT) },
    Operation { says: "anonymous", who: Who::Nobody, status: 401, recorded: ANONYMOUS, ..get(COUNT) },
    Operation { query: "changesSince=86400&limit=3", recorded: EMPTY_PAGE, ..get(SUGGESTIONS) },
    Operation { says: "anonymous", who: Who::Nobody, status: 401, recorded: ANONYMOUS, ..get(SUGGESTIONS) },
];
