//! `web.PullRequestWorkflow`: its order of calls, refused merges, and what it leaves.

use serde_json::json;

use crate::site::{Player, Site};

const SCRIPT: &str = "web.PullRequestWorkflow";
const SMART: [&str; 5] = [
    "GET /scm/P/r.git/info/refs?service=git-upload-pack",
    "POST /scm/P/r.git/git-upload-pack",
    "POST /scm/P/r.git/git-upload-pack",
    "GET /scm/P/r.git/info/refs?service=git-receive-pack",
    "POST /scm/P/r.git/git-receive-pack",
];

/// Everything before the review of files, of which the number is drawn.
fn until_review() -> Vec<String> {
    let (from, to) = ("refs%2Fheads%2Ffeature%2FWORD", "refs%2Fheads%2Fmain");
    let view = "avatarSize=64&markup=true&whitespace=show&contextLines=-1";
    let calls = [
        "GET /projects/P/repos/r/browse",
        SMART[0],
        SMART[1],
        SMART[2],
        SMART[3],
        SMART[4],
        "GET {R}/branches?filterText=feature%2FWORD&orderBy=MODIFICATION&start=0&limit=25",
        "GET {R}/branches/default",
        "GET {R}",
        "GET /projects/P/repos/r/compare/diff?sourceBranch={from}&targetBranch={to}&targetRepoId=7",
        "GET /rest/build-status/latest/commits/stats/COMMIT",
        "GET /rest/build-status/latest/commits/stats/COMMIT",
        "GET {R}/compare/changes?start=0&limit=1000&from={from}&to={to}",
        "GET {R}/compare/commits?start=0&limit=10&from={from}&to={to}",
        "GET /rest/default-reviewers/latest/projects/P/repos/r/reviewers?sourceRefId={from}&targetRefId={to}\
         &sourceRepoId=7&targetRepoId=7",
        "GET /rest/api/latest/inbox/pull-requests/count",
        "GET {R}/compare/diff/changes-0/part-0N.txt?from={from}&to={to}&{view}&withComments=false",
        "GET /projects/P/repos/r/pull-requests?create&sourceBranch={from}&targetBranch={to}",
        "POST {R}/pull-requests",
        "GET /projects/P/repos/r/pull-requests/3",
        "GET /projects/P/repos/r/pull-requests/3/overview",
        "GET {R}/pull-requests/3/merge",
        "GET /rest/jira/latest/projects/P/repos/r/pull-requests/3/issues",
        "GET {R}/settings/pull-requests",
        "GET {R}/pull-requests/3/changes?start=0&limit=1000&changeScope=unreviewed",
    ];
    let fill = |call: &str| {
        call.replace("{R}", "/rest/api/latest/projects/P/repos/r")
            .replace("{from}", from)
            .replace("{to}", to)
            .replace("{view}", view)
    };
    ["GET /login", "POST /j_atl_security_check"].iter().chain(&calls).map(|call| fill(call)).collect()
}

fn after_review(merge: &[&str]) -> Vec<String> {
    let (r, deletion) = (
        "/rest/api/latest/projects/P/repos/r",
        "/rest/pull-request-source-branch-deletion/1.0/projects/P/repos/r/pull-requests/3",
    );
    let before = [
        "GET /projects/P/repos/r/pull-requests?avatarSize=64&order=newest&start=0&state=OPEN".to_owned(),
        format!("GET {r}/pull-requests/3"),
        "GET /rest/branch-utils/latest/projects/P/repos/r/automerge/path?branchRefId=refs%2Fheads%2Fmain"
            .to_owned(),
        format!("POST {deletion}?dryRun=true"),
    ];
    let merge = merge.iter().map(|call| call.replace("{R}", r).replace("{deletion}", deletion));
    before.into_iter().chain(merge).collect()
}

const RECEIVE: &str = "service=git-receive-pack";
const MERGE: &str = "POST {R}/pull-requests/3/merge?avatarSize=16&version=0";
const DELETE: &str = "POST {deletion}?dryRun=false";
const UTILS: &str = "DELETE /rest/branch-utils/latest/projects/P/repos/r/branches";
const VERSION: &str = "GET {R}/pull-requests/3";
const DECLINE: &str = "POST {R}/pull-requests/3/decline?avatarSize=16&version=0";
const LOGOUT: &str = "GET /j_atl_security_logout";

/// Splits the calls at the review of files, which it checks and leaves out.
fn around_review(calls: Vec<String>) -> (Vec<String>, Vec<String>) {
    let part =
        |call: String| call.replace("part-00.txt", "part-0N.txt").replace("part-01.txt", "part-0N.txt");
    let is_diff = |call: &String| call.contains("/pull-requests/3/diff/changes-0/part-0N.txt?");
    let mut calls: Vec<_> = calls.into_iter().map(part).collect();
    let split =
        calls.iter().position(|call| call.contains("/changes?start=0&limit=1000&changeScope")).unwrap() + 1;
    let after: Vec<_> = calls.split_off(split);
    let diffs = after.iter().take_while(|call| is_diff(call)).count();
    assert!(diffs <= 1, "two files changed, so at most one is read: {after:?}");
    (calls, after.into_iter().skip_while(|call| is_diff(call)).collect())
}

fn out_of_date() -> (u16, serde_json::Value) {
    let exception = "com.atlassian.bitbucket.pull.PullRequestOutOfDateException";
    (409, json!({"errors": [{"message": "out of date", "exceptionName": exception}]}))
}

fn vetoed() -> (u16, serde_json::Value) {
    let exception = "com.atlassian.bitbucket.pull.PullRequestMergeVetoedException";
    (409, json!({"errors": [{"message": "vetoed", "exceptionName": exception}]}))
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_come_in_the_first_e3s_order_and_nothing_is_left() {
    let site = Site::new().await;
    let before = site.branches();
    let mut player = Player::new(SCRIPT, site.setting(), 0);
    player.iterate().await.unwrap();
    let (until, after) = around_review(site.calls());
    assert_eq!(until, until_review());
    assert_eq!(after, after_review(&[MERGE, DELETE, LOGOUT]));
    let samples = player.samples();
    let ops = e3_scripts::all()
        .iter()
        .map(|script| script.descriptor())
        .find(|script| script.name == SCRIPT)
        .unwrap();
    let not_here = ["Diff", "Decline", "DefaultBranchCommit"];
    for op in ops.ops.iter().filter(|op| !not_here.contains(&op.name.as_str())) {
        let of_op: Vec<_> = samples.iter().filter(|(name, _)| *name == op.name).collect();
        assert_eq!(of_op.len(), if op.name == "BuildStatus" { 2 } else { 1 }, "{}", op.name);
        assert!(of_op.iter().all(|(_, sample)| sample.outcome == e3_model::Outcome::Ok), "{}", op.name);
    }
    assert_eq!(site.branches(), before);
    player.finish().await.unwrap();
    assert_eq!(site.calls(), Vec::<String>::new(), "nothing is left to tidy up");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feature_branch_keeps_what_is_there_and_adds_files() {
    let site = Site::new().await;
    *site.special.lock().unwrap() =
        vec![("GET /rest/api/latest/projects/P/repos/r/branches", 500, json!({}))];
    let mut player = Player::new(SCRIPT, site.setting(), 5);
    player.iterate().await.unwrap_err();
    let feature = site.branches().into_iter().find(|branch| branch.starts_with("feature/")).unwrap();
    let changed = site.git.run(&["diff", "--name-status", "main", &feature]);
    let lines: Vec<_> = changed.lines().collect();
    assert!((10..=30).contains(&lines.len()), "{changed}");
    assert!(lines.iter().all(|line| line.starts_with("A\tchanges-5/part-")), "{changed}");
    site.git.run(&["fsck", "--strict"]);
    // Two clients' branches merge one after the other without a conflict.
    let mut other = Player::new(SCRIPT, site.setting(), 6);
    other.iterate().await.unwrap_err();
    let second = site.branches().into_iter().find(|b| b.starts_with("feature/") && *b != feature).unwrap();
    site.git.run(&["merge-tree", "--write-tree", &feature, &second]);
    for player in [&mut player, &mut other] {
        player.finish().await.unwrap();
    }
    assert_eq!(site.branches().iter().filter(|branch| branch.starts_with("feature/")).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_version_is_read_again_and_a_veto_is_declined() {
    let site = Site::new().await;
    let before = site.branches();
    for (refusals, calls, fails) in [
        (vec![out_of_date()], vec![MERGE, VERSION, MERGE, DELETE, LOGOUT], false),
        (vec![vetoed()], vec![MERGE, VERSION, DECLINE, UTILS, LOGOUT], true),
        (
            vec![out_of_date(), out_of_date(), out_of_date()],
            vec![MERGE, VERSION, MERGE, VERSION, MERGE, VERSION, DECLINE, UTILS, LOGOUT],
            true,
        ),
        // It may have been merged or not: what is to be done about that is left to the end.
        (vec![(500, json!({}))], vec![MERGE, LOGOUT], true),
    ] {
        site.refusals.lock().unwrap().extend(refusals.clone());
        let mut player = Player::new(SCRIPT, site.setting(), 0);
        assert_eq!(player.iterate().await.is_err(), fails, "{refusals:?}");
        let (_, after) = around_review(site.calls());
        assert_eq!(after, after_review(&calls), "{refusals:?}");
        let failed = player.outcomes().into_iter().filter(|op| !op.ends_with(" ok")).collect::<Vec<_>>();
        assert!(failed.iter().all(|op| op.starts_with("Merge http-")), "{failed:?}");
        let declined = calls.contains(&DECLINE);
        assert!(!declined || site.branches() == before, "a declined pull request's branch is gone at once");
        player.finish().await.unwrap();
        assert!(!declined || site.calls().is_empty(), "and nothing of it is left to tidy up");
        site.calls();
        assert_eq!(site.branches(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_arrives_while_its_client_tidies_up_is_removed_too() {
    // Equal seeds draw equal names: the first site tells what the second's push is called.
    for (script, prefix) in [(SCRIPT, "feature/"), ("scm.PushChangesHttp", "bugfix/")] {
        let first = Site::new().await;
        *first.special.lock().unwrap() =
            vec![("GET /rest/api/latest/projects/P/repos/r/branches", 500, json!({}))];
        let _ = Player::new(script, first.setting(), 0).iterate().await;
        let pushed = first.branches().into_iter().find(|branch| branch.starts_with(prefix)).unwrap();

        let site = Site::new().await;
        let before = site.branches();
        *site.special.lock().unwrap() = vec![("POST /scm/P/r.git/git-receive-pack", 502, json!({}))];
        let mut player = Player::new(script, site.setting(), 0);
        player.iterate().await.unwrap_err();
        site.special.lock().unwrap().clear();
        site.calls();
        let arrive = async {
            // The first look at the refs is over when the deletion asks for them.
            let looked = || site.heads().iter().any(|head| head.uri().query() == Some(RECEIVE));
            let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
            while !looked() {
                assert!(std::time::Instant::now() < until, "waited for {script} to look for {pushed}");
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            site.git.run(&["update-ref", &format!("refs/heads/{pushed}"), "main"]);
        };
        let (finished, ()) = tokio::join!(player.finish(), arrive);
        finished.unwrap();
        assert_eq!(site.branches(), before, "{script}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_early_end_left_is_declined_and_deleted_at_the_end() {
    let site = Site::new().await;
    let before = site.branches();
    *site.special.lock().unwrap() = vec![("GET /projects/P/repos/r/pull-requests/3", 500, json!({}))];
    let mut player = Player::new(SCRIPT, site.setting(), 0);
    player.iterate().await.unwrap_err();
    let left = site.branches().into_iter().find(|branch| branch.starts_with("feature/")).unwrap();
    site.calls();
    let open = json!({
        "id": 3, "version": 4, "title": "t", "state": "OPEN",
        "fromRef": {"id": format!("refs/heads/{left}")}, "toRef": {"id": "refs/heads/main"},
    });
    let list = json!({"isLastPage": true, "size": 1, "limit": 25, "values": [open]});
    *site.special.lock().unwrap() =
        vec![("GET /rest/api/latest/projects/P/repos/r/pull-requests", 200, list)];
    player.finish().await.unwrap();
    let calls = site.calls();
    let declines = calls.iter().filter(|call| call.contains("/pull-requests/3/decline?version=4")).count();
    // The canned list still shows it as open when it is asked again after the branch is gone.
    assert_eq!(declines, 2, "{calls:?}");
    assert_eq!(site.branches(), before);
    player.finish().await.unwrap();
    assert_eq!(site.calls(), Vec::<String>::new(), "once is enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_the_browsers_resources_is_served_by_the_published_ones() {
    let site = Site::new().await;
    *site.special.lock().unwrap() = vec![
        ("POST /rest/pull-request-source-branch-deletion/", 404, json!({})),
        ("GET /rest/branch-utils/latest/projects/P/repos/r/automerge", 404, json!({})),
    ];
    let mut player = Player::new(SCRIPT, site.setting(), 0);
    player.iterate().await.unwrap();
    let (_, after) = around_review(site.calls());
    assert_eq!(after, after_review(&[MERGE, UTILS, LOGOUT]));
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_repositories_are_passed_by() {
    let site = Site::new().await;
    let page = json!("<div class=empty-repository-instructions>");
    *site.special.lock().unwrap() = vec![("GET /projects/P/repos/r/browse", 200, page)];
    let mut player = Player::new(SCRIPT, site.setting(), 0);
    player.iterate().await.unwrap();
    let calls = site.calls();
    assert_eq!(calls.iter().filter(|call| call.ends_with("/browse")).count(), 8);
    assert!(!calls.iter().any(|call| call.contains("/scm/")), "{calls:?}");
}
