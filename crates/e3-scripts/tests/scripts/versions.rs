//! Every web script against a server of every version family: what each family is asked, and that nothing fails.

use std::collections::BTreeMap;

use e3_bitbucket::{Bitbucket, Dialect};
use e3_http::BaseUrl;
use e3_model::{ProductVersion, Secret};
use e3_testkit::{Replay, ReplayCall, ReplayFamily};
use e3_workload::{Account, Stopped};

use crate::site::{Player, setting};

pub(crate) const SCRIPTS: [&str; 8] = [
    "web.Audit",
    "web.BrowseProjectsAndRepositories",
    "web.Dashboard",
    "web.ListPullRequests",
    "web.ListUsers",
    "web.PullRequestWorkflow",
    "web.Status",
    "web.ViewPullRequest",
];
const AUTOMERGE: &str = "/automerge/path?";

/// Plays one iteration of every web script, and returns the calls with what each iteration's ops came to.
pub(crate) async fn play_all(replay: &Replay, product: Option<ProductVersion>) -> Vec<ReplayCall> {
    let before = branches(replay);
    let mut calls = Vec::new();
    for script in SCRIPTS {
        let setting = setting(&replay.url()).with_product(product);
        let mut player = Player::new(script, setting, 0);
        let ended = player.iterate().await;
        let outcomes = player.outcomes();
        let place = format!("{script} on {:?} as {product:?}", replay.family());
        assert_eq!(ended, Ok(()), "{place}: {outcomes:?}");
        assert!(outcomes.iter().all(|op| op.ends_with(" ok")), "{place}: {outcomes:?}");
        player.finish().await.unwrap();
        calls.extend(replay.calls());
    }
    assert_eq!(branches(replay), before, "{:?}: the feature branch is gone", replay.family());
    calls
}

fn branches(replay: &Replay) -> String {
    let listed = replay.git().run(&["for-each-ref", "--format=%(refname)", "refs/heads"]);
    listed.lines().filter(|name| !name.ends_with("/main")).collect::<Vec<_>>().join(" ")
}

/// Asks the server for its version, as a stage's beginning does.
async fn probed(replay: &Replay) -> Option<ProductVersion> {
    let base = BaseUrl::parse(&replay.url()).unwrap();
    let properties = Bitbucket::anonymous(base).application_properties().await.unwrap();
    properties.product_version()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_family_is_asked_in_its_own_way() {
    const R: &str = "/rest/api/latest/projects/P/repos/r";
    let mut seen: BTreeMap<ReplayFamily, Vec<String>> = BTreeMap::new();
    for family in ReplayFamily::ALL {
        let replay = Replay::start(family).await;
        let product = probed(&replay).await.unwrap();
        assert_eq!(product.to_string(), family.version());
        replay.calls();
        let calls = play_all(&replay, Some(product)).await;
        let cookie = Dialect::of(Some(product)).session_cookie();
        for call in &calls {
            // That the merge would go on to other branches is asked of all, as not even its absence is published.
            let may_miss = call.line.contains(AUTOMERGE) && family >= ReplayFamily::Eight;
            // Git asks without a name first only where it has to.
            assert!(call.status < 400 || (may_miss && call.status == 404), "{family:?}: {call:?}");
            if call.line.contains("/rest/") && !call.line.contains("/authenticate") && !is_tidying(call) {
                assert_eq!(call.cookies, [cookie], "{family:?}: {}", call.line);
            }
        }
        seen.insert(family, calls.into_iter().map(|call| call.line).collect());
    }
    let deletion = "/rest/pull-request-source-branch-deletion/1.0/projects/P/repos/r/pull-requests/2";
    let cleanup = "/rest/pull-request-cleanup/latest/projects/P/repos/r/pull-requests/2";
    // How often each call was made of 4.11, 7.11, 8.19, 9.4 and 10.0.
    let table = [
        ("GET /login".to_owned(), [7; 5], "every script but the status logs in, from the page on"),
        ("POST /j_atl_security_check".to_owned(), [7, 7, 7, 0, 0], "the form"),
        ("POST /rest/tsv/1.0/authenticate".to_owned(), [0, 0, 0, 7, 7], "the page in two steps"),
        ("GET /rest/audit/1.0/projects/P/repos/r/events".to_owned(), [1, 1, 0, 0, 0], "until 7.x"),
        ("GET /rest/auditing/1.0/events?offset=0&limit=25".to_owned(), [0, 0, 1, 1, 1], "since 8.0"),
        (format!("GET {R}/branches/default"), [1, 1, 1, 0, 0], "deprecated, and not asked since 9.0"),
        (format!("GET {R}/default-branch"), [0, 0, 0, 1, 1], "which names no commit"),
        (
            format!("GET {R}/branches?filterText=main&orderBy=MODIFICATION&start=0&limit=25"),
            [0, 0, 0, 1, 1],
            "so the list of branches tells it",
        ),
        ("POST /projects/P/repos/r/pull-requests?create".to_owned(), [1, 0, 0, 0, 0], "the page's form"),
        (format!("POST {R}/pull-requests"), [0, 1, 1, 1, 1], "the page's own script"),
        (format!("POST {deletion}?dryRun=true"), [1, 1, 0, 0, 0], "whether the branch can go"),
        (format!("POST {deletion}?dryRun=false"), [1, 1, 0, 0, 0], "the branch goes"),
        (
            format!("GET {cleanup}?deleteSourceRef=true&retargetDependents=true"),
            [0, 0, 1, 1, 1],
            "whether the branch can go",
        ),
        (format!("POST {cleanup}"), [0, 0, 1, 1, 1], "the branch goes"),
        (
            "DELETE /rest/branch-utils/latest/projects/P/repos/r/branches".to_owned(),
            [0; 5],
            "only where the server has neither",
        ),
        (
            format!("POST {R}/pull-requests/2/merge?avatarSize=16&version=0"),
            [1; 5],
            "the merge is one and the same",
        ),
    ];
    for (call, expected, why) in table {
        let counted: Vec<_> =
            seen.values().map(|calls| calls.iter().filter(|line| **line == call).count()).collect();
        assert_eq!(counted, expected, "{call}: {why}");
    }
}

/// Returns whether a call is one of those after the last iteration, which are made with a password.
fn is_tidying(call: &ReplayCall) -> bool {
    call.cookies.is_empty() && call.line.contains("state=OPEN")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_say_its_version_is_served_whichever_it_has() {
    for family in ReplayFamily::ALL {
        let replay = Replay::start(family).await;
        let calls = play_all(&replay, None).await;
        let missed: Vec<_> = calls.iter().filter(|call| call.status == 404).map(|call| &call.line).collect();
        // What is newer than the server is asked once, and then what came before it.
        let newer = ["/auditing/", "/default-branch", "/pull-request-cleanup/", AUTOMERGE];
        assert!(
            missed.iter().all(|line| newer.iter().any(|part| line.contains(part))),
            "{family:?}: {missed:?}"
        );
        let expected = match family {
            ReplayFamily::Four | ReplayFamily::Seven => 3,
            ReplayFamily::Eight | ReplayFamily::Nine | ReplayFamily::Ten => 1,
        };
        assert_eq!(missed.len(), expected, "{family:?}: {missed:?}");
        let deletions =
            calls.iter().filter(|call| call.line.starts_with("DELETE /rest/branch-utils/")).count();
        assert_eq!(deletions, usize::from(family < ReplayFamily::Eight), "{family:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_says_why() {
    for (family, user, words) in [
        (ReplayFamily::Four, "nobody", "asks for a CAPTCHA"),
        (ReplayFamily::Eight, "nobody", "the name or the password is wrong"),
        (ReplayFamily::Nine, "nobody", "Invalid username or password."),
        (ReplayFamily::Nine, "captcha", "after several wrong passwords"),
        (ReplayFamily::Ten, "second-factor", "two-step verification"),
    ] {
        let replay = Replay::start(family).await;
        let account = Account { name: user.to_owned(), password: Secret::new("wrong"), private_key: None };
        let mut told = setting(&replay.url()).with_product(ProductVersion::parse(family.version()));
        told.users = vec![account];
        let mut player = Player::new("web.Dashboard", told, 0);
        match player.iterate().await {
            Err(Stopped::Failed { op, outcome, message }) => {
                assert_eq!(
                    (op.as_str(), outcome),
                    ("Login", e3_model::Outcome::Http4xx),
                    "{family:?} {user}"
                );
                assert!(message.contains(words), "{family:?} {user}: {message}");
            }
            other => panic!("{family:?} {user}: {other:?}"),
        }
        assert_eq!(replay.calls().len(), 2, "{family:?}: the page and its submission, and nothing after it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_by_rest_say_no_check_since_8_and_before_5_the_form_carries_its_pages_token() {
    for family in [ReplayFamily::Four, ReplayFamily::Eight] {
        let replay = Replay::start(family).await;
        let told = setting(&replay.url()).with_product(ProductVersion::parse(family.version()));
        Player::new("web.PullRequestWorkflow", told, 0).iterate().await.unwrap();
        let calls = replay.calls();
        let writes: Vec<_> = calls.iter().filter(|call| call.line.starts_with("POST /rest/")).collect();
        assert!(writes.len() >= 2, "{writes:?}");
        for write in writes {
            assert_eq!(write.says_no_check, family == ReplayFamily::Eight, "{family:?}: {}", write.line);
        }
        let form = calls.iter().find(|call| call.line.ends_with("/pull-requests?create"));
        assert_eq!(form.is_some(), family == ReplayFamily::Four);
        let Some(form) = form else { continue };
        for field in [
            "atl_token=b8a2f06c4f3e1d57",
            "fromBranch=refs%2Fheads%2Ffeature%2F",
            "toBranch=refs%2Fheads%2Fmain",
            "fromRepoId=42",
            "reviewers=&",
        ] {
            assert!(form.body.contains(field), "{field}: {}", form.body);
        }
    }
}
