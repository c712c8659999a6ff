//! Branches and tags that are made and removed, and the default branch that is another for a while.

use super::NOT_PERMITTED;
use crate::conformance::operation::Recording::{Body, Error};
use crate::conformance::operation::{Operation, Recording, Who, delete, get, post};

const UTILS: &str = "/branch-utils/latest/projects/{projectKey}/repos/{repositorySlug}/branches";
const BRANCHES: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/branches";
const DEFAULT: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/default-branch";
const TAGS: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/tags";
const TAG: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/tags/{name}";
const GIT_TAGS: &str = "/git/latest/projects/{projectKey}/repos/{repositorySlug}/tags";
const GIT_TAG: &str = "/git/latest/projects/{projectKey}/repos/{repositorySlug}/tags/{name}";

const BRANCH: &[Recording] = &[Body("bitbucket-rest/branch.json", "")];
const ONE_TAG: &[Recording] = &[Body("bitbucket-rest/tag.json", "")];
const DUPLICATE: &[Recording] = &[Error(Some("DuplicateRefException"))];
const NAMED: &[(&str, &str)] = &[("name", "rows/1")];

const fn put(path: &'static str, body: &'static str) -> Operation {
    Operation { method: "PUT", status: 204, body, recorded: &[Error(None)], ..get(path) }
}

pub(super) const ROWS: &[Operation] = &[
    Operation { recorded: BRANCH, ..post(UTILS, r#"{"name": "rows/new", "startPoint": "main"}"#) },
    Operation {
        says: "name taken",
        status: 400,
        recorded: DUPLICATE,
        ..post(UTILS, r#"{"name": "rows/new", "startPoint": "main"}"#)
    },
    Operation {
        status: 200,
        recorded: BRANCH,
        ..post(BRANCHES, r#"{"name": "rows/other", "startPoint": "refs/heads/main"}"#)
    },
    put(DEFAULT, r#"{"id": "refs/heads/rows/other"}"#),
    Operation {
        says: "by a member",
        who: Who::Member,
        status: 401,
        recorded: NOT_PERMITTED,
        ..put(DEFAULT, r#"{"id": "refs/heads/main"}"#)
    },
    Operation { says: "as before", ..put(DEFAULT, r#"{"id": "refs/heads/main"}"#) },
    Operation { body: r#"{"name": "rows/new", "dryRun": true}"#, says: "only to see", ..delete(UTILS) },
    Operation { body: r#"{"name": "rows/new", "dryRun": false}"#, ..delete(UTILS) },
    Operation { body: r#"{"name": "rows/other"}"#, says: "the other one", ..delete(UTILS) },
    Operation {
        body: r#"{"name": "main"}"#,
        says: "the default one",
        status: 400,
        recorded: &[],
        ..delete(UTILS)
    },
    Operation {
        recorded: ONE_TAG,
        ..post(
            GIT_TAGS,
            r#"{"name": "rows/1", "startPoint": "main", "message": "Said so", "type": "ANNOTATED"}"#,
        )
    },
    Operation {
        status: 200,
        recorded: ONE_TAG,
        ..post(TAGS, r#"{"name": "rows/2", "startPoint": "main", "message": "Said so"}"#)
    },
    Operation {
        says: "name taken",
        status: 400,
        recorded: DUPLICATE,
        ..post(TAGS, r#"{"name": "rows/2", "startPoint": "main"}"#)
    },
    Operation { recorded: &[Body("bitbucket-rest/tag-page.json", "")], ..get(TAGS) },
    Operation { values: NAMED, recorded: ONE_TAG, ..get(TAG) },
    Operation { values: NAMED, ..delete(GIT_TAG) },
    Operation { says: "gone", values: NAMED, status: 404, recorded: &[Error(None)], ..get(TAG) },
];
