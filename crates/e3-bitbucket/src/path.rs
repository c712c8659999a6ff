//! The paths of Bitbucket's pages, REST resources and repositories, relative to the server's context path.
//!
//! Keys, slugs and names are percent-encoded as one segment each; `~user`, the key of a personal project, stays as it is.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Returns the login page.
pub fn login() -> String {
    "/login".to_owned()
}

/// Returns where the login form is posted, with the fields `j_username` and `j_password`.
pub fn login_submit() -> String {
    "/j_atl_security_check".to_owned()
}

/// Returns the call behind the login page in two steps.
///
/// Source: as Atlassian's own tests call it; `latest` in its description.
pub fn two_step_login() -> String {
    "/rest/tsv/1.0/authenticate".to_owned()
}

/// Returns what ends the session.
pub fn logout() -> String {
    "/j_atl_security_logout".to_owned()
}

/// Returns the server's state as JSON, for anyone.
pub fn status() -> String {
    "/status".to_owned()
}

/// Returns what product runs there, in which version, for anyone.
pub fn application_properties() -> String {
    "/rest/api/1.0/application-properties".to_owned()
}

/// Returns the page a user sees first.
pub fn dashboard() -> String {
    "/dashboard".to_owned()
}

/// Returns the page of all projects.
pub fn projects_page() -> String {
    "/projects".to_owned()
}

/// Returns the page of a project's repositories.
pub fn project_repos_page(key: &str) -> String {
    format!("/projects/{}/repos", segment(key))
}

/// Returns the page of a repository's files.
pub fn browse_page(key: &str, slug: &str) -> String {
    format!("{}/browse", page(key, slug))
}

/// Returns the page of a repository's branches.
pub fn branches_page(key: &str, slug: &str) -> String {
    format!("{}/branches", page(key, slug))
}

/// Returns a page of the projects by REST.
pub fn rest_projects(start: u64, limit: u32) -> String {
    format!("{REST}/projects?start={start}&limit={limit}")
}

/// Returns one project by REST.
pub fn rest_project(key: &str) -> String {
    format!("{REST}/projects/{}", segment(key))
}

/// Returns a page of a project's repositories by REST.
pub fn rest_repositories(key: &str, start: u64, limit: u32) -> String {
    format!("{REST}/projects/{}/repos?start={start}&limit={limit}", segment(key))
}

/// Returns one repository by REST.
pub fn rest_repository(key: &str, slug: &str) -> String {
    format!("{REST}/projects/{}/repos/{}", segment(key), segment(slug))
}

/// Returns a page of a repository's branches by REST.
pub fn rest_branches(key: &str, slug: &str, start: u64, limit: u32) -> String {
    format!("{}/branches?start={start}&limit={limit}", rest_repository(key, slug))
}

/// Returns the branches whose names contain a text, the last changed first, by REST.
pub fn rest_branches_named(key: &str, slug: &str, text: &str) -> String {
    let text = segment(text);
    format!("{}/branches?filterText={text}&orderBy=MODIFICATION&start=0&limit=25", rest_repository(key, slug))
}

/// Returns the default branch by REST, with its latest commit.
///
/// Source: deprecated in favour of `default-branch`, which names no commit, but served up to 10.0.
pub fn rest_default_branch(key: &str, slug: &str) -> String {
    format!("{}/branches/default", rest_repository(key, slug))
}

/// Returns the default branch by REST, without its latest commit.
pub fn rest_default_branch_name(key: &str, slug: &str) -> String {
    format!("{}/default-branch", rest_repository(key, slug))
}

/// Returns the page that shows the difference between two refs of a repository.
pub fn compare_page(key: &str, slug: &str, from: &str, to: &str, repository: u64) -> String {
    let (repository_path, from, to) = (page(key, slug), segment(from), segment(to));
    format!("{repository_path}/compare/diff?sourceBranch={from}&targetBranch={to}&targetRepoId={repository}")
}

/// Returns the files that differ between two refs by REST.
pub fn rest_compare_changes(key: &str, slug: &str, from: &str, to: &str) -> String {
    let (repository, from, to) = (rest_repository(key, slug), segment(from), segment(to));
    format!("{repository}/compare/changes?start=0&limit=1000&from={from}&to={to}")
}

/// Returns the commits that one ref has and the other has not by REST.
pub fn rest_compare_commits(key: &str, slug: &str, from: &str, to: &str) -> String {
    let (repository, from, to) = (rest_repository(key, slug), segment(from), segment(to));
    format!("{repository}/compare/commits?start=0&limit=10&from={from}&to={to}")
}

/// Returns how one file differs between two refs by REST.
pub fn rest_compare_diff(key: &str, slug: &str, file: &str, from: &str, to: &str) -> String {
    let (repository, file) = (rest_repository(key, slug), segments(file));
    let (from, to) = (segment(from), segment(to));
    format!("{repository}/compare/diff/{file}?from={from}&to={to}&{DIFF_VIEW}&withComments=false")
}

/// Returns how many builds of a commit succeeded and failed.
pub fn build_status(commit: &str) -> String {
    format!("/rest/build-status/latest/commits/stats/{}", segment(commit))
}

/// Returns where builds say how they stand with a commit; the same key again takes the place of what it said before.
pub fn set_build_status(commit: &str) -> String {
    format!("/rest/build-status/1.0/commits/{}", segment(commit))
}

/// Returns who reviews pull requests between two refs of a repository by default.
pub fn default_reviewers(key: &str, slug: &str, from: &str, to: &str, repository: u64) -> String {
    let (key, slug, from, to) = (segment(key), segment(slug), segment(from), segment(to));
    format!(
        "/rest/default-reviewers/latest/projects/{key}/repos/{slug}/reviewers?sourceRefId={from}&targetRefId={to}\
         &sourceRepoId={repository}&targetRepoId={repository}"
    )
}

/// Returns the page of a repository's open pull requests, the newest first.
pub fn pull_requests_page(key: &str, slug: &str) -> String {
    format!("{}/pull-requests?avatarSize=64&order=newest&start=0&state=OPEN", page(key, slug))
}

/// Returns the page on which a pull request between two refs is written.
pub fn pull_request_create_page(key: &str, slug: &str, from: &str, to: &str) -> String {
    let (repository, from, to) = (page(key, slug), segment(from), segment(to));
    format!("{repository}/pull-requests?create&sourceBranch={from}&targetBranch={to}")
}

/// Returns where the form of that page is posted, with the fields `fromBranch`, `toBranch`, `title`, `description`,
/// `reviewers`, `atl_token`, `fromRepoId` and `toRepoId`.
///
/// Source: the first E3 against 4.x.
pub fn pull_request_create_form(key: &str, slug: &str) -> String {
    format!("{}/pull-requests?create", page(key, slug))
}

/// Returns the page of a pull request.
pub fn pull_request_page(key: &str, slug: &str, id: u64) -> String {
    format!("{}/pull-requests/{id}", page(key, slug))
}

/// Returns the page of a pull request's description and activities.
pub fn pull_request_overview_page(key: &str, slug: &str, id: u64) -> String {
    format!("{}/overview", pull_request_page(key, slug, id))
}

/// Returns a page of a repository's open pull requests by REST.
pub fn rest_pull_requests(key: &str, slug: &str, start: u64, limit: u32) -> String {
    format!("{}?start={start}&limit={limit}", rest_create_pull_request(key, slug))
}

/// Returns a page of a repository's open pull requests by REST, the oldest first.
pub fn rest_oldest_pull_requests(key: &str, slug: &str, start: u64, limit: u32) -> String {
    format!("{}?order=OLDEST&start={start}&limit={limit}", rest_create_pull_request(key, slug))
}

/// Returns the open pull requests that come from a ref by REST.
pub fn rest_pull_requests_from(key: &str, slug: &str, from: &str) -> String {
    let (pull_requests, from) = (rest_create_pull_request(key, slug), segment(from));
    format!("{pull_requests}?at={from}&direction=OUTGOING&state=OPEN&start=0&limit=25")
}

/// Returns where a pull request is created by REST.
pub fn rest_create_pull_request(key: &str, slug: &str) -> String {
    format!("{}/pull-requests", rest_repository(key, slug))
}

/// Returns one pull request by REST.
pub fn rest_pull_request(key: &str, slug: &str, id: u64) -> String {
    format!("{}/{id}", rest_create_pull_request(key, slug))
}

/// Returns whether a pull request can be merged by REST.
pub fn rest_pull_request_mergeability(key: &str, slug: &str, id: u64) -> String {
    format!("{}/merge", rest_pull_request(key, slug, id))
}

/// Returns where that version of a pull request is merged by REST.
pub fn rest_merge_pull_request(key: &str, slug: &str, id: u64, version: u64) -> String {
    format!("{}/merge?avatarSize=16&version={version}", rest_pull_request(key, slug, id))
}

/// Returns where that version of a pull request is declined by REST.
pub fn rest_decline_pull_request(key: &str, slug: &str, id: u64, version: u64) -> String {
    format!("{}/decline?avatarSize=16&version={version}", rest_pull_request(key, slug, id))
}

/// Returns the files that a pull request changes by REST, those first that the user has not reviewed.
pub fn rest_pull_request_changes(key: &str, slug: &str, id: u64) -> String {
    format!("{}/changes?start=0&limit=1000&changeScope=unreviewed", rest_pull_request(key, slug, id))
}

/// Returns how a pull request changes one file by REST, with the comments on it.
pub fn rest_pull_request_diff(key: &str, slug: &str, id: u64, file: &str) -> String {
    let (pull_request, file) = (rest_pull_request(key, slug, id), segments(file));
    format!("{pull_request}/diff/{file}?{DIFF_VIEW}&withComments=true")
}

/// Returns where a user approves a pull request by POST, and takes that back by DELETE.
///
/// Source: deprecated since 4.2 in favour of `participants`, which wants the user's slug; served up to 9.x.
pub fn rest_pull_request_approval(key: &str, slug: &str, id: u64) -> String {
    format!("{}/approve", rest_pull_request(key, slug, id))
}

/// Returns where comments on a pull request are written.
pub fn rest_pull_request_comments(key: &str, slug: &str, id: u64) -> String {
    format!("{}/comments", rest_pull_request(key, slug, id))
}

/// Returns that version of a comment on a pull request, as it is deleted.
pub fn rest_pull_request_comment(key: &str, slug: &str, id: u64, (comment, version): (u64, u64)) -> String {
    format!("{}/{comment}?version={version}", rest_pull_request_comments(key, slug, id))
}

/// Returns the issues that a pull request names.
pub fn pull_request_issues(key: &str, slug: &str, id: u64) -> String {
    let (key, slug) = (segment(key), segment(slug));
    format!("/rest/jira/latest/projects/{key}/repos/{slug}/pull-requests/{id}/issues")
}

/// Returns the settings of a repository's pull requests by REST.
pub fn rest_pull_request_settings(key: &str, slug: &str) -> String {
    format!("{}/settings/pull-requests", rest_repository(key, slug))
}

/// Returns which branches a merge into a branch would go on to.
pub fn automerge_path(key: &str, slug: &str, branch: &str) -> String {
    let (key, slug, branch) = (segment(key), segment(slug), segment(branch));
    format!("/rest/branch-utils/latest/projects/{key}/repos/{slug}/automerge/path?branchRefId={branch}")
}

/// Returns where the source branch of a pull request is deleted; a dry run only says whether it could be.
///
/// Source: what a browser calls when a pull request is merged with its branch; undocumented.
pub fn source_branch_deletion(key: &str, slug: &str, id: u64, dry_run: bool) -> String {
    let (key, slug) = (segment(key), segment(slug));
    format!(
        "/rest/pull-request-source-branch-deletion/1.0/projects/{key}/repos/{slug}/pull-requests/{id}\
         ?dryRun={dry_run}"
    )
}

/// Returns where a merged pull request is tidied up: its source branch deleted, what depends on it given another target.
///
/// Source: what newer browsers call; undocumented, and called internal by Atlassian.
pub fn pull_request_cleanup(key: &str, slug: &str, id: u64) -> String {
    let (key, slug) = (segment(key), segment(slug));
    format!("/rest/pull-request-cleanup/latest/projects/{key}/repos/{slug}/pull-requests/{id}")
}

/// Returns whether a pull request could be tidied up.
pub fn pull_request_cleanup_check(key: &str, slug: &str, id: u64) -> String {
    format!("{}?deleteSourceRef=true&retargetDependents=true", pull_request_cleanup(key, slug, id))
}

/// Returns where branches are deleted, one a request.
pub fn branch_utils(key: &str, slug: &str) -> String {
    format!("/rest/branch-utils/latest/projects/{}/repos/{}/branches", segment(key), segment(slug))
}

/// Returns the first page of a repository's audit events; gone in 8.0.
pub fn repository_audit_events(key: &str, slug: &str) -> String {
    format!("/rest/audit/1.0/projects/{}/repos/{}/events", segment(key), segment(slug))
}

/// Returns the newest events of the server's audit log; since 8.0, and for its administrator.
///
/// Source: Atlassian's description of the audit log that all its products share.
pub fn audit_events(limit: u32) -> String {
    format!("/rest/auditing/1.0/events?offset=0&limit={limit}")
}

/// Returns a page of the users by REST.
pub fn rest_users(start: u64, limit: u32) -> String {
    format!("{REST}/users?start={start}&limit={limit}")
}

/// Returns the number of pull requests that wait for the user.
pub fn inbox_count() -> String {
    format!("{REST}/inbox/pull-requests/count")
}

/// Returns a page of the pull requests that wait for the user's review.
pub fn inbox(start: u64, limit: u32) -> String {
    format!("{REST}/inbox/pull-requests?role=reviewer&start={start}&limit={limit}")
}

/// Returns the repositories that the user saw last.
pub fn recent_repositories(limit: u32) -> String {
    format!("{REST}/profile/recent/repos?limit={limit}")
}

/// Returns the pull requests that the dashboard proposes: pushed within the last day, at most three.
pub fn pull_request_suggestions() -> String {
    format!("{REST}/dashboard/pull-request-suggestions?changesSince=86400&limit=3&avatarSize=16")
}

/// Returns where Git finds a repository over HTTP.
pub fn scm(key: &str, slug: &str) -> String {
    format!("/scm/{}/{}.git", segment(key), segment(slug))
}

pub(crate) fn rest_create_project() -> String {
    format!("{REST}/projects")
}

pub(crate) fn rest_create_repository(key: &str) -> String {
    format!("{REST}/projects/{}/repos", segment(key))
}

pub(crate) fn rest_create_user() -> String {
    format!("{REST}/admin/users")
}

/// Returns what all pages of a repository begin with.
fn page(key: &str, slug: &str) -> String {
    format!("/projects/{}/repos/{}", segment(key), segment(slug))
}

/// Encodes a path of several segments, whose slashes stay.
fn segments(path: &str) -> String {
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// Encodes one segment; a segment of dots only would be taken for a step up the path, so its dots are encoded too.
fn segment(text: &str) -> String {
    if matches!(text, "." | "..") {
        return text.replace('.', "%2E");
    }
    utf8_percent_encode(text, RESERVED).to_string()
}

const REST: &str = "/rest/api/latest";
/// How the first E3 asked for a difference: with the server's own number of lines around each change.
const DIFF_VIEW: &str = "avatarSize=64&markup=true&whitespace=show&contextLines=-1";

/// Everything but the unreserved characters.
///
/// Source: RFC 3986 section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_encoded_one_by_one() {
        let cases = [
            (project_repos_page("ALPHA"), "/projects/ALPHA/repos", "an ordinary key"),
            (project_repos_page("~ada.lovelace"), "/projects/~ada.lovelace/repos", "a personal project"),
            (branches_page("A B", "x"), "/projects/A%20B/repos/x/branches", "a space"),
            (scm("A", "b/../../c"), "/scm/A/b%2F..%2F..%2Fc.git", "a slash does not end the segment"),
            (scm("..", "."), "/scm/%2E%2E/%2E.git", "dots are no step up"),
            (rest_project("K?x=1#f"), "/rest/api/latest/projects/K%3Fx%3D1%23f", "query and fragment marks"),
            (
                rest_repository("Ä", "100%"),
                "/rest/api/latest/projects/%C3%84/repos/100%25",
                "UTF-8 and percent",
            ),
            (
                browse_page("A", "b\r\nX: y"),
                "/projects/A/repos/b%0D%0AX%3A%20y/browse",
                "no header injection",
            ),
        ];
        for (built, expected, why) in cases {
            assert_eq!(built, expected, "{why}");
        }
    }

    #[test]
    fn the_calls_of_a_pull_request() {
        const REPOSITORY: &str = "/rest/api/latest/projects/A/repos/b";
        let (from, to) = ("refs/heads/feature/x", "refs/heads/main");
        let (from_encoded, to_encoded) = ("refs%2Fheads%2Ffeature%2Fx", "refs%2Fheads%2Fmain");
        let rest = |rest: &str| format!("{REPOSITORY}{rest}");
        // In the order and under the numbers of the table of calls that the first E3 made.
        let cases = [
            ("R6", rest_branches_named("A", "b", "feature/x"), rest("/branches?filterText=feature%2Fx&orderBy=MODIFICATION&start=0&limit=25")),
            ("R7", rest_default_branch("A", "b"), rest("/branches/default")),
            ("W9", compare_page("A", "b", from, to, 7), format!("/projects/A/repos/b/compare/diff?sourceBranch={from_encoded}&targetBranch={to_encoded}&targetRepoId=7")),
            ("R8", build_status("ab12"), "/rest/build-status/latest/commits/stats/ab12".to_owned()),
            ("R9", rest_compare_changes("A", "b", from, to), rest(&format!("/compare/changes?start=0&limit=1000&from={from_encoded}&to={to_encoded}"))),
            ("R10", rest_compare_commits("A", "b", from, to), rest(&format!("/compare/commits?start=0&limit=10&from={from_encoded}&to={to_encoded}"))),
            ("R12", default_reviewers("A", "b", from, to, 7), format!("/rest/default-reviewers/latest/projects/A/repos/b/reviewers?sourceRefId={from_encoded}&targetRefId={to_encoded}&sourceRepoId=7&targetRepoId=7")),
            ("R11", rest_compare_diff("A", "b", "d/e f.txt", from, to), rest(&format!("/compare/diff/d/e%20f.txt?from={from_encoded}&to={to_encoded}&avatarSize=64&markup=true&whitespace=show&contextLines=-1&withComments=false"))),
            ("W11", pull_request_create_page("A", "b", from, to), format!("/projects/A/repos/b/pull-requests?create&sourceBranch={from_encoded}&targetBranch={to_encoded}")),
            ("create", rest_create_pull_request("A", "b"), rest("/pull-requests")),
            ("W14", pull_request_page("A", "b", 3), "/projects/A/repos/b/pull-requests/3".to_owned()),
            ("W13", pull_request_overview_page("A", "b", 3), "/projects/A/repos/b/pull-requests/3/overview".to_owned()),
            ("R17", rest_pull_request_mergeability("A", "b", 3), rest("/pull-requests/3/merge")),
            ("R18", pull_request_issues("A", "b", 3), "/rest/jira/latest/projects/A/repos/b/pull-requests/3/issues".to_owned()),
            ("R19", rest_pull_request_settings("A", "b"), rest("/settings/pull-requests")),
            ("R20", rest_pull_request_changes("A", "b", 3), rest("/pull-requests/3/changes?start=0&limit=1000&changeScope=unreviewed")),
            ("R21", rest_pull_request_diff("A", "b", 3, "d/../e#f"), rest("/pull-requests/3/diff/d/%2E%2E/e%23f?avatarSize=64&markup=true&whitespace=show&contextLines=-1&withComments=true")),
            ("W10", pull_requests_page("A", "b"), "/projects/A/repos/b/pull-requests?avatarSize=64&order=newest&start=0&state=OPEN".to_owned()),
            ("R15", rest_pull_requests("A", "b", 0, 50), rest("/pull-requests?start=0&limit=50")),
            ("left", rest_pull_requests_from("A", "b", from), rest(&format!("/pull-requests?at={from_encoded}&direction=OUTGOING&state=OPEN&start=0&limit=25"))),
            ("R16", rest_pull_request("A", "b", 3), rest("/pull-requests/3")),
            ("R22", rest_merge_pull_request("A", "b", 3, 0), rest("/pull-requests/3/merge?avatarSize=16&version=0")),
            ("R23", rest_decline_pull_request("A", "b", 3, 2), rest("/pull-requests/3/decline?avatarSize=16&version=2")),
            ("R24", automerge_path("A", "b", to), format!("/rest/branch-utils/latest/projects/A/repos/b/automerge/path?branchRefId={to_encoded}")),
            ("R25", source_branch_deletion("A", "b", 3, true), "/rest/pull-request-source-branch-deletion/1.0/projects/A/repos/b/pull-requests/3?dryRun=true".to_owned()),
            ("R7 since 9", rest_default_branch_name("A", "b"), rest("/default-branch")),
            ("W12", pull_request_create_form("A", "b"), "/projects/A/repos/b/pull-requests?create".to_owned()),
            ("R25 since 8", pull_request_cleanup("A", "b", 3), "/rest/pull-request-cleanup/latest/projects/A/repos/b/pull-requests/3".to_owned()),
            ("its check", pull_request_cleanup_check("A", "b", 3), "/rest/pull-request-cleanup/latest/projects/A/repos/b/pull-requests/3?deleteSourceRef=true&retargetDependents=true".to_owned()),
            ("R27", repository_audit_events("A", "b"), "/rest/audit/1.0/projects/A/repos/b/events".to_owned()),
            ("R27 since 8", audit_events(25), "/rest/auditing/1.0/events?offset=0&limit=25".to_owned()),
            ("delete", branch_utils("A", "b"), "/rest/branch-utils/latest/projects/A/repos/b/branches".to_owned()),
        ];
        for (number, built, expected) in cases {
            assert_eq!(built, expected, "{number}");
        }
    }

    #[test]
    fn pages_carry_start_and_limit() {
        assert_eq!(rest_projects(0, 50), "/rest/api/latest/projects?start=0&limit=50");
        assert_eq!(rest_repositories("A", 8, 25), "/rest/api/latest/projects/A/repos?start=8&limit=25");
        assert_eq!(
            rest_branches("A", "b", 0, 25),
            "/rest/api/latest/projects/A/repos/b/branches?start=0&limit=25"
        );
        assert_eq!(rest_users(25, 25), "/rest/api/latest/users?start=25&limit=25");
        assert_eq!(recent_repositories(5), "/rest/api/latest/profile/recent/repos?limit=5");
    }
}
