//! Builds, default reviewers, settings, and what is asked of plug-ins that have nothing to say.

use super::NO_REPOSITORY;
use crate::conformance::operation::Described::Not;
use crate::conformance::operation::Recording::{Body, Error, Stated};
use crate::conformance::operation::{Described, Operation, get, post};

const BUILD: &str = "/build-status/latest/commits/{commitId}";
const STATS: &str = "/build-status/latest/commits/stats/{commitId}";
const SETTINGS: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/settings/pull-requests";
const REVIEWERS: &str = "/default-reviewers/latest/projects/{projectKey}/repos/{repositorySlug}/reviewers";
const CONDITION: &str = "/default-reviewers/latest/projects/{projectKey}/repos/{repositorySlug}/condition";
const CONDITIONS: &str = "/default-reviewers/latest/projects/{projectKey}/repos/{repositorySlug}/conditions";
const AUTOMERGE: &str = "/branch-utils/latest/projects/{projectKey}/repos/{repositorySlug}/automerge/path";

/// Described as objects.
pub(super) const NUMBERS: &[(&str, &str)] =
    &[("requiredApprovers", "recorded as a number"), ("requiredSuccessfulBuilds", "recorded as a number")];
const COMMIT: &[(&str, &str)] = &[("commitId", "0123456789012345678901234567890123456789")];
const BRANCHES: &str = "sourceRefId=refs/heads/feature/one&targetRefId=refs/heads/main";

pub(super) const ROWS: &[Operation] = &[
    Operation {
        values: COMMIT,
        status: 204,
        recorded: &[Error(None)],
        ..post(
            BUILD,
            r#"{"state": "SUCCESSFUL", "key": "ROWS", "name": "Rows", "url": "https://ci.example.com/1", "description": "ok"}"#,
        )
    },
    Operation { values: COMMIT, recorded: &[Body("bitbucket-rest/build-status.json", "")], ..get(BUILD) },
    Operation {
        values: COMMIT,
        // Recorded are the three states of older servers.
        recorded: &[
            Stated(r#"{"successful": 1, "inProgress": 0, "failed": 0, "cancelled": 0, "unknown": 0}"#),
            Body("bitbucket-rest/build-summary.json", ""),
        ],
        ..get(STATS)
    },
    Operation {
        recorded: &[Body("bitbucket-rest/pull-request-settings.json", "")],
        known: NUMBERS,
        ..get(SETTINGS)
    },
    Operation {
        says: "of an unknown repository",
        values: &[("repositorySlug", "no-such-repository")],
        status: 404,
        recorded: NO_REPOSITORY,
        ..get(SETTINGS)
    },
    Operation {
        status: 200,
        // The older one has avatars, which only come when their size is asked for.
        recorded: &[
            Body("bitbucket-rest/default-reviwers-list.json", "/*"),
            Body("bitbucket-rest/default-reviwers-create.json", ""),
        ],
        ..post(
            CONDITION,
            r#"{"sourceMatcher": {"id": "ANY_REF_MATCHER_ID", "type": {"id": "ANY_REF"}},
                "targetMatcher": {"id": "ANY_REF_MATCHER_ID", "type": {"id": "ANY_REF"}},
                "reviewers": [{"name": "member"}], "requiredApprovals": 1}"#,
        )
    },
    Operation {
        says: "without a matcher",
        status: 400,
        recorded: &[Error(Some("ArgumentValidationException"))],
        ..post(CONDITION, "{}")
    },
    Operation { recorded: &[Body("bitbucket-rest/default-reviwers-list.json", "")], ..get(CONDITIONS) },
    // Recorded from a 7.11 server: a plain list of users.
    Operation {
        query: BRANCHES,
        described: Described::Wrongly("as conditions; a real server was seen to send users"),
        ..get(REVIEWERS)
    },
    Operation { query: "branchRefId=refs/heads/main", described: Not, ..get(AUTOMERGE) },
];
