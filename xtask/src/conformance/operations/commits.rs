//! Commits, what lies in them, and what differs between them.

use super::{EMPTY_PAGE, INVALID, NO_REPOSITORY};
use crate::conformance::operation::Recording::{Body, Error, Page, Stated};
use crate::conformance::operation::{Described, Operation, Recording, get};
use crate::conformance::world::EMPTY_REPOSITORY;

const ALL: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/commits";
const ONE: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/commits/{commitId}";
const CHANGES: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/commits/{commitId}/changes";
const DIFF: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/commits/{commitId}/diff/{path}";
const MERGE_BASE: &str =
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/commits/{commitId}/merge-base";
const BETWEEN: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/diff/{path}";
const COMPARED_CHANGES: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/compare/changes";
const COMPARED_COMMITS: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/compare/commits";
const COMPARED_DIFF: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/compare/diff{path}";
const FILES: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/files";
const FILES_BELOW: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/files/{path}";
const RAW: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/raw/{path}";
const CHANGES_BETWEEN: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/changes";
const DIFF_BETWEEN: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/diff";
const BROWSE: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/browse";
const BROWSE_FILE: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/browse/{path}";

const PAGE: &[Recording] = &[LAST, COMMITS];
const COMMITS: Recording = Body("bitbucket-server-8.19/listCommits.json", "");
/// The recorded page was not the last one; as the first of the two this says that one may be.
const LAST: Recording = Page("bitbucket-server-8.19/listCommits.json", "/values/*");
const COMMIT: &[Recording] = &[Body("bitbucket-server-8.19/getCommit.json", ""), BY_USERS];
/// The recorded parents are from nobody whom that server knows.
const BY_USERS: Recording = Stated(
    r#"{"parents": [{
        "author": {"name": "", "emailAddress": "", "active": true, "displayName": "", "id": 1, "slug": "", "type": "NORMAL",
            "links": {"self": [{"href": ""}]}},
        "committer": {"name": "", "emailAddress": "", "active": true, "displayName": "", "id": 1, "slug": "",
            "type": "NORMAL", "links": {"self": [{"href": ""}]}}
    }]}"#,
);
/// Real servers send what the list is between, too.
const ENDS: &[(&str, &str)] =
    &[("fromHash", "described is the page only"), ("toHash", "described is the page only")];
pub(super) const ONE_FILE: Described =
    Described::Wrongly("as one file's difference; servers send a list of them, and what it is between");
const NO_COMMIT: &[Recording] = &[Error(Some("NoSuchCommitException"))];
const FIRST: &[(&str, &str)] = &[("parents/*/parents", "the first commit has none")];
const MAIN: &[(&str, &str)] = &[("commitId", "main")];
const README: &[(&str, &str)] = &[("commitId", "main"), ("path", "README.md")];
const UNKNOWN_COMMIT: &[(&str, &str)] = &[("commitId", "no-such-commit")];

pub(super) const ROWS: &[Operation] = &[
    Operation { query: "limit=1", recorded: PAGE, ..get(ALL) },
    Operation { says: "of a branch", query: "until=feature/two&limit=1", recorded: PAGE, ..get(ALL) },
    Operation { says: "of a file", query: "path=README.md&limit=1", recorded: PAGE, ..get(ALL) },
    Operation {
        says: "of an empty repository",
        values: &[("repositorySlug", EMPTY_REPOSITORY)],
        recorded: EMPTY_PAGE,
        ..get(ALL)
    },
    Operation {
        says: "of an unknown repository",
        values: &[("repositorySlug", "no-such-repository")],
        status: 404,
        recorded: NO_REPOSITORY,
        ..get(ALL)
    },
    Operation { says: "of nothing", query: "until=no-such", status: 404, recorded: NO_COMMIT, ..get(ALL) },
    Operation { says: "of no path", query: "path=../x", status: 400, recorded: INVALID, ..get(ALL) },
    Operation { values: MAIN, recorded: COMMIT, known: FIRST, ..get(ONE) },
    Operation { says: "unknown", values: UNKNOWN_COMMIT, status: 404, recorded: NO_COMMIT, ..get(ONE) },
    Operation { values: MAIN, known: ENDS, ..get(CHANGES) },
    Operation { says: "unknown", values: UNKNOWN_COMMIT, status: 404, recorded: NO_COMMIT, ..get(CHANGES) },
    Operation { values: README, described: ONE_FILE, ..get(DIFF) },
    Operation { values: MAIN, query: "otherCommitId=feature/one", ..get(MERGE_BASE) },
    Operation { values: README, query: "until=main", ..get(BETWEEN) },
    Operation { query: "from=feature/two&to=main", known: ENDS, ..get(COMPARED_CHANGES) },
    Operation { query: "from=feature/two&to=main", recorded: PAGE, ..get(COMPARED_COMMITS) },
    Operation {
        says: "nothing new",
        query: "from=main&to=main",
        recorded: EMPTY_PAGE,
        ..get(COMPARED_COMMITS)
    },
    Operation {
        says: "from nowhere",
        query: "from=none&to=main",
        status: 404,
        recorded: NO_COMMIT,
        ..get(COMPARED_COMMITS)
    },
    Operation {
        values: &[("path", "/two.txt")],
        query: "from=feature/two&to=main&contextLines=-1",
        described: ONE_FILE,
        ..get(COMPARED_DIFF)
    },
    Operation {
        recorded: &[
            Body("bitbucket-rest/files-page.json", ""),
            Body("bitbucket-server-8.19/listFiles.json", ""),
        ],
        ..get(FILES)
    },
    Operation { says: "below nothing", values: &[("path", "none")], status: 404, ..get(FILES_BELOW) },
    Operation { values: &[("path", "README.md")], accept: "text/plain", ..get(RAW) },
    Operation { query: "until=main", known: ENDS, ..get(CHANGES_BETWEEN) },
    Operation { query: "until=main", ..get(DIFF_BETWEEN) },
    get(BROWSE),
    Operation { values: README, recorded: &[Body("bitbucket-rest/line-page.json", "")], ..get(BROWSE_FILE) },
    Operation { says: "nothing there", values: &[("path", "none")], status: 404, ..get(BROWSE_FILE) },
];
