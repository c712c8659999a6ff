//! Repositories, of one project and of all.

use super::{ANONYMOUS, EMPTY_PAGE, INVALID, NO_PROJECT, NO_REPOSITORY, NOT_PERMITTED, REPOSITORY_PAGE};
use crate::conformance::operation::Recording::{Body, Exchange};
use crate::conformance::operation::{Operation, Recording, Who, delete, get, post};
use crate::conformance::world::BARE_PROJECT;

const OF_PROJECT: &str = "/api/latest/projects/{projectKey}/repos";
const ONE: &str = "/api/latest/projects/{projectKey}/repos/{repositorySlug}";

const REPOSITORY: &[Recording] = &[
    Body("bitbucket-server-8.19/getRepository.json", ""),
    Body("bitbucket-server-8.19/listRepositories.json", "/values/*"),
    Body("bitbucket-rest/repository.json", ""),
];
const NEW_REPOSITORY: &[Recording] = &[
    Body("bitbucket-server-8.19/listRepositories.json", "/values/*"),
    Body("bitbucket-server-8.19/getRepository.json", ""),
    Body("bitbucket-rest/repository.json", ""),
];

pub(super) const ROWS: &[Operation] = &[
    Operation { recorded: REPOSITORY_PAGE, ..get(OF_PROJECT) },
    Operation { says: "a page of many", query: "limit=1", recorded: REPOSITORY_PAGE, ..get(OF_PROJECT) },
    Operation {
        says: "none",
        values: &[("projectKey", BARE_PROJECT)],
        recorded: EMPTY_PAGE,
        ..get(OF_PROJECT)
    },
    Operation {
        says: "of an unknown project",
        values: &[("projectKey", "NOSUCHPROJECT")],
        status: 404,
        recorded: NO_PROJECT,
        ..get(OF_PROJECT)
    },
    Operation { says: "anonymous", who: Who::Nobody, status: 401, recorded: ANONYMOUS, ..get(OF_PROJECT) },
    Operation { recorded: REPOSITORY_PAGE, ..get("/api/latest/repos") },
    Operation {
        says: "anonymous",
        who: Who::Nobody,
        status: 401,
        recorded: ANONYMOUS,
        ..get("/api/latest/repos")
    },
    Operation { recorded: REPOSITORY, ..get(ONE) },
    Operation { says: "asked by a member", who: Who::Member, recorded: REPOSITORY, ..get(ONE) },
    Operation {
        says: "unknown",
        values: &[("repositorySlug", "no-such-repository")],
        status: 404,
        recorded: &[
            Exchange("vcr/PullRequests-non-existing-repo.json", 0),
            Body("bitbucket-rest/repository-not-exist.json", ""),
        ],
        ..get(ONE)
    },
    Operation {
        says: "of an unknown project",
        values: &[("projectKey", "NOSUCHPROJECT")],
        status: 404,
        recorded: NO_PROJECT,
        ..get(ONE)
    },
    Operation {
        recorded: NEW_REPOSITORY,
        ..post(
            OF_PROJECT,
            r#"{"name": "New One", "scmId": "git", "forkable": true, "description": "Made by a row"}"#,
        )
    },
    Operation {
        says: "illegal name",
        status: 400,
        recorded: &[Body("bitbucket-rest/repository-illegal-name.json", "")],
        ..post(OF_PROJECT, r#"{"name": "-/-", "scmId": "git"}"#)
    },
    Operation {
        says: "name taken",
        status: 409,
        recorded: INVALID,
        ..post(OF_PROJECT, r#"{"name": "new one", "scmId": "git"}"#)
    },
    Operation {
        says: "by a member",
        who: Who::Member,
        status: 401,
        recorded: NOT_PERMITTED,
        ..post(OF_PROJECT, r#"{"name": "other", "scmId": "git"}"#)
    },
    Operation {
        says: "in an unknown project",
        values: &[("projectKey", "NOSUCHPROJECT")],
        status: 404,
        recorded: NO_PROJECT,
        ..post(OF_PROJECT, r#"{"name": "other", "scmId": "git"}"#)
    },
    Operation {
        says: "by a member",
        who: Who::Member,
        values: &[("repositorySlug", "new-one")],
        status: 401,
        recorded: NOT_PERMITTED,
        ..delete(ONE)
    },
    Operation { values: &[("repositorySlug", "new-one")], status: 202, recorded: &[], ..delete(ONE) },
    Operation { says: "gone already", values: &[("repositorySlug", "new-one")], ..delete(ONE) },
    Operation {
        says: "gone",
        values: &[("repositorySlug", "new-one")],
        status: 404,
        recorded: NO_REPOSITORY,
        ..get(ONE)
    },
];
