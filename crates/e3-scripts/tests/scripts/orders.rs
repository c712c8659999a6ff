//! What each web script asks, in which order, and with which headers.

use crate::site::{Player, Site};

const LOGIN: [&str; 2] = ["GET /login", "POST /j_atl_security_check"];
const PROJECTS: &str = "GET /rest/api/latest/projects?start=0&limit=50";
const REPOSITORIES: &str = "GET /rest/api/latest/projects/P/repos?start=0&limit=50";
const R: &str = "/rest/api/latest/projects/P/repos/r";

/// Returns the calls of one iteration, of which the first E3's order is known.
fn order(script: &str) -> Vec<String> {
    let pull_requests = format!("GET {R}/pull-requests?start=0&limit=50");
    let changes = format!("GET {R}/pull-requests/3/changes?start=0&limit=1000&changeScope=unreviewed");
    let diff = format!(
        "GET {R}/pull-requests/3/diff/changes-0/part-0N.txt?avatarSize=64&markup=true&whitespace=show&contextLines=-1\
         &withComments=true"
    );
    let branches = format!("GET {R}/branches?start=0&limit=25");
    let twice =
        ["GET /projects/P/repos/r/branches", &branches, "GET /projects/P/repos/r/branches", &branches];
    let of_a_project = [&["GET /projects/P/repos", REPOSITORIES][..], &twice].concat();
    let calls: Vec<&str> = match script {
        "web.Status" => vec!["GET /status"],
        "web.ListUsers" => [&LOGIN[..], &["GET /rest/api/latest/users?start=0&limit=25"]].concat(),
        "web.Dashboard" => [
            &LOGIN[..],
            &[
                "GET /dashboard",
                "GET /rest/api/latest/inbox/pull-requests/count",
                "GET /rest/api/latest/profile/recent/repos?limit=10",
                "GET /rest/api/latest/dashboard/pull-request-suggestions?changesSince=86400&limit=3&avatarSize=16",
                "GET /j_atl_security_logout",
            ],
        ]
        .concat(),
        "web.BrowseProjectsAndRepositories" => {
            [&LOGIN[..], &["GET /projects", PROJECTS], &of_a_project.repeat(4)].concat()
        }
        "web.ListPullRequests" => [&LOGIN[..], &[PROJECTS, REPOSITORIES, &pull_requests]].concat(),
        "web.ViewPullRequest" => [
            &LOGIN[..],
            &[PROJECTS, REPOSITORIES, &pull_requests, "GET /projects/P/repos/r/pull-requests/3", &changes, &diff],
        ]
        .concat(),
        _ => panic!("no order of {script}"),
    };
    calls.into_iter().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_web_script_asks_in_its_order() {
    let site = Site::new().await;
    for script in [
        "web.Status",
        "web.ListUsers",
        "web.Dashboard",
        "web.BrowseProjectsAndRepositories",
        "web.ListPullRequests",
        "web.ViewPullRequest",
    ] {
        let mut player = Player::new(script, site.setting(), 0);
        player.iterate().await.unwrap();
        let calls: Vec<_> = site
            .calls()
            .into_iter()
            .map(|call| call.replace("part-00.txt", "part-0N.txt").replace("part-01.txt", "part-0N.txt"))
            .collect();
        assert_eq!(calls, order(script), "{script}");
        for outcome in player.outcomes() {
            assert!(outcome.ends_with(" ok"), "{script}: {outcome}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_rest_calls_carry_a_browsers_headers() {
    let site = Site::new().await;
    let mut player = Player::new("web.ViewPullRequest", site.setting(), 0);
    player.iterate().await.unwrap();
    let mut kinds = (0, 0);
    for head in site.heads() {
        let header = |name: &str| head.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let path = head.uri().path();
        assert_eq!(header("authorization"), None, "{path}: a browser has a session");
        if path.starts_with("/rest/") {
            kinds.0 += 1;
            assert_eq!(header("accept").unwrap(), "application/json, text/javascript, */*; q=0.01");
            assert_eq!(header("x-requested-with").unwrap(), "XMLHttpRequest");
            assert_eq!(header("origin").unwrap(), site.url());
            assert_eq!(header("cookie").unwrap(), "BITBUCKETSESSIONID=1", "{path}");
        } else {
            kinds.1 += 1;
            assert!(header("accept").unwrap().starts_with("text/html,"), "{path}");
            assert_eq!(header("x-requested-with"), None);
        }
    }
    assert_eq!(kinds, (5, 3));
    assert_eq!(site.connections(), 1, "one browser, one connection");
    // The second iteration is logged in already.
    player.iterate().await.unwrap();
    assert_eq!(site.calls()[0], PROJECTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_pull_request_nothing_fails() {
    let site = Site::new().await;
    let none = serde_json::json!({"values": []});
    *site.special.lock().unwrap() =
        vec![("GET /rest/api/latest/projects/P/repos/r/pull-requests", 200, none.clone())];
    let mut player = Player::new("web.ViewPullRequest", site.setting(), 0);
    player.iterate().await.unwrap();
    let lists = player.outcomes().iter().filter(|op| *op == "ListPullRequests ok").count();
    assert_eq!(lists, 4, "it looks through four repositories");
    // An empty server ends an iteration, too.
    *site.special.lock().unwrap() = vec![("GET /rest/api/latest/projects", 200, none)];
    for script in ["web.ViewPullRequest", "web.ListPullRequests", "web.BrowseProjectsAndRepositories"] {
        Player::new(script, site.setting(), 0).iterate().await.unwrap();
    }
}
