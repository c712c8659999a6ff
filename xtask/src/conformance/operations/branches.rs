//! Branches, and the default one.

use super::{EMPTY_PAGE, NO_PROJECT, NO_REPOSITORY};
use crate::conformance::operation::Recording::{Body, Error, Stated};
use crate::conformance::operation::{Operation, Recording, get};
use crate::conformance::world::EMPTY_REPOSITORY;

const ALL: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/branches";
const DEFAULT: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/default-branch";
const DEFAULT_WITH_COMMIT: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}/branches/default";

const PAGE: &[Recording] =
    &[Body("bitbucket-server-8.19/listBranches.json", ""), Body("bitbucket-rest/branch-list.json", "")];
const BRANCH: &[Recording] = &[
    Body("bitbucket-server-8.19/getDefaultBranch.json", ""),
    Body("bitbucket-rest/branch-default.json", ""),
];
/// Not recorded; the description and the deprecation of its forerunner say the name and nothing of the commit.
const NAME_ONLY: &[Recording] =
    &[Stated(r#"{"id": "refs/heads/main", "displayId": "main", "type": "BRANCH"}"#)];
const EMPTY: &[(&str, &str)] = &[("repositorySlug", EMPTY_REPOSITORY)];
const UNKNOWN: &[(&str, &str)] = &[("repositorySlug", "no-such-repository")];

pub(super) const ROWS: &[Operation] = &[
    Operation { recorded: PAGE, ..get(ALL) },
    Operation { says: "a page of many", query: "limit=1", recorded: PAGE, ..get(ALL) },
    Operation { says: "the latest first", query: "orderBy=MODIFICATION", recorded: PAGE, ..get(ALL) },
    Operation { says: "by a part of the name", query: "filterText=feature", recorded: PAGE, ..get(ALL) },
    Operation { says: "of an empty repository", values: EMPTY, recorded: EMPTY_PAGE, ..get(ALL) },
    Operation {
        says: "of an unknown repository",
        values: UNKNOWN,
        status: 404,
        recorded: NO_REPOSITORY,
        ..get(ALL)
    },
    Operation {
        says: "of an unknown project",
        values: &[("projectKey", "NOSUCHPROJECT")],
        status: 404,
        recorded: NO_PROJECT,
        ..get(ALL)
    },
    Operation { recorded: BRANCH, ..get(DEFAULT_WITH_COMMIT) },
    Operation {
        says: "of an empty repository",
        values: EMPTY,
        status: 204,
        recorded: &[Error(None)],
        ..get(DEFAULT_WITH_COMMIT)
    },
    Operation {
        says: "of an unknown repository",
        values: UNKNOWN,
        status: 404,
        recorded: NO_REPOSITORY,
        ..get(DEFAULT_WITH_COMMIT)
    },
    Operation { recorded: NAME_ONLY, ..get(DEFAULT) },
    Operation { says: "of an empty repository", values: EMPTY, recorded: NAME_ONLY, ..get(DEFAULT) },
    Operation {
        says: "of an unknown repository",
        values: UNKNOWN,
        status: 404,
        recorded: NO_REPOSITORY,
        ..get(DEFAULT)
    },
];
