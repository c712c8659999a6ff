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

/// Returns what ends the session.
pub fn logout() -> String {
    "/j_atl_security_logout".to_owned()
}

/// Returns the server's state as JSON, for anyone.
pub fn status() -> String {
    "/status".to_owned()
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
    format!("/projects/{}/repos/{}/browse", segment(key), segment(slug))
}

/// Returns the page of a repository's branches.
pub fn branches_page(key: &str, slug: &str) -> String {
    format!("/projects/{}/repos/{}/branches", segment(key), segment(slug))
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

/// Returns a page of the users by REST.
pub fn rest_users(start: u64, limit: u32) -> String {
    format!("{REST}/users?start={start}&limit={limit}")
}

/// Returns the number of pull requests that wait for the user.
pub fn inbox_count() -> String {
    format!("{REST}/inbox/pull-requests/count")
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

/// Encodes one segment; a segment of dots only would be taken for a step up the path, so its dots are encoded too.
fn segment(text: &str) -> String {
    if matches!(text, "." | "..") {
        return text.replace('.', "%2E");
    }
    utf8_percent_encode(text, RESERVED).to_string()
}

const REST: &str = "/rest/api/latest";

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
