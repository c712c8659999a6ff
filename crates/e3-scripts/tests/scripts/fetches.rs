//! Incremental fetches and shallow clones against real git.

use std::sync::Arc;

use e3_model::{Arguments, GitClient, Outcome};
use e3_workload::Setting;
use serde_json::json;

use crate::site::{Player, Site};

fn behind(commits: u32) -> Arc<Arguments> {
    Arc::new([("behind".to_owned(), json!(commits))].into())
}

/// Adds a commit with a file of noise to the default branch.
fn push_to_main(site: &Site) {
    let noise = "0123456789abcdef\n".repeat(500);
    let stream = format!(
        "commit refs/heads/main\ncommitter A <a@example.com> 1800000000 +0000\ndata 1\nx\nfrom refs/heads/main^0\n\
         M 644 inline more-{0}\ndata {1}\n{noise}\n",
        site.git.run(&["rev-parse", "main"]),
        noise.len()
    );
    site.git.run_with_input(&["fast-import", "--quiet"], stream.as_bytes());
}

/// Returns every way to reach a repository, with its name.
fn ways(site: &Site, over_ssh: &Setting) -> Vec<(&'static str, Setting, GitClient)> {
    let by = |setting: &Setting, git_client| Setting { git_client, ..setting.clone() };
    let mut ways = Vec::new();
    for git_client in [GitClient::Native, GitClient::Git] {
        ways.push(("Http", by(&site.setting(), git_client), git_client));
        ways.push(("Ssh", by(over_ssh, git_client), git_client));
    }
    ways
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_brings_less_than_a_clone_every_time() {
    let site = Site::new().await;
    let (sshd, over_ssh) = site.with_ssh().await;
    for (over, setting, git_client) in ways(&site, &over_ssh) {
        let mut player = Player::told(&format!("scm.GitFetch{over}"), setting, 0, &behind(2)).unwrap();
        for _ in 0..6 {
            player.iterate().await.unwrap_or_else(|stopped| panic!("{over}: {stopped}\n{}", sshd.log()));
        }
        let samples = player.samples();
        assert!(samples.iter().all(|(_, sample)| sample.outcome == Outcome::Ok), "{over}");
        let of = |name: &str| {
            samples.iter().filter(|(op, _)| op == name).map(|(_, sample)| *sample).collect::<Vec<_>>()
        };
        // A clone that is made anew now and then has a base of its own.
        let (bases, fetches) = (of("Base").len(), of("Fetch"));
        assert!((1..=3).contains(&bases) && samples[0].0 == "Base", "{over} {git_client:?}: {bases}");
        assert_eq!((fetches.len(), of("NothingNew").len()), (6, 0), "{over} {git_client:?}");
        assert_eq!(player.finish().await, Ok(()));
        if git_client == GitClient::Native {
            let mut clone = Player::new("scm.GitCloneOverHttp", site.setting(), 0);
            clone.iterate().await.unwrap();
            let whole = clone.samples()[0].1.bytes_in.unwrap();
            assert!(
                fetches
                    .iter()
                    .all(|fetch| fetch.bytes_in.is_some_and(|bytes| bytes > 0 && bytes < whole / 2)),
                "{over}: {whole}"
            );
            assert!(fetches.iter().all(|fetch| fetch.phases.is_some()), "{over}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_new_is_an_op_of_its_own_until_something_is_pushed() {
    let site = Site::new().await;
    for git_client in [GitClient::Native, GitClient::Git] {
        let setting = Setting { git_client, ..site.setting() };
        let mut player = Player::told("scm.GitFetchHttp", setting, 0, &behind(0)).unwrap();
        player.iterate().await.unwrap();
        player.iterate().await.unwrap();
        assert_eq!(player.outcomes(), ["Base ok", "NothingNew ok", "NothingNew ok"], "{git_client:?}");
        push_to_main(&site);
        player.iterate().await.unwrap();
        assert_eq!(player.outcomes(), ["Fetch ok"], "{git_client:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_snapshot_names_no_default_branch_head_does() {
    let site = Site::new().await;
    for git_client in [GitClient::Native, GitClient::Git] {
        let mut setting = Setting { git_client, ..site.setting() };
        setting.repositories = without_branches();
        for (script, ops) in [
            ("scm.GitFetchHttp", &["Base ok", "Fetch ok"][..]),
            ("scm.ShallowCloneHttp", &["ShallowClone ok"]),
        ] {
            let mut player = Player::new(script, setting.clone(), 0);
            player.iterate().await.unwrap();
            assert_eq!(player.outcomes(), ops, "{script} {git_client:?}");
        }
    }
}

fn without_branches() -> e3_workload::RepositoryDraw {
    let repository =
        e3_model::Repository { name: "r".to_owned(), weight: 1.0, ..e3_model::Repository::default() };
    let projects = vec![e3_model::Project { name: "P".to_owned(), repos: vec![repository] }];
    e3_workload::RepositoryDraw::of(&e3_model::Snapshot { projects, ..e3_model::Snapshot::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shallow_clone_brings_the_latest_commit_only() {
    let site = Site::new().await;
    let (sshd, over_ssh) = site.with_ssh().await;
    let mut clone = Player::new("scm.GitCloneOverHttp", site.setting(), 0);
    clone.iterate().await.unwrap();
    let whole = clone.samples()[0].1.bytes_in.unwrap();
    for (over, setting, git_client) in ways(&site, &over_ssh) {
        let mut player = Player::new(&format!("scm.ShallowClone{over}"), setting, 0);
        for _ in 0..3 {
            player.iterate().await.unwrap_or_else(|stopped| panic!("{over}: {stopped}\n{}", sshd.log()));
        }
        let samples = player.samples();
        assert_eq!(samples.len(), 3, "{over} {git_client:?}");
        for (op, sample) in samples {
            assert_eq!((op.as_str(), sample.outcome), ("ShallowClone", Outcome::Ok), "{over} {git_client:?}");
            let bytes = sample.bytes_in.unwrap();
            assert!(bytes > 0 && bytes < whole, "{over}: {bytes} of {whole}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_samples_and_the_clone_that_was_there_stays() {
    let site = Site::new().await;
    let mut player = Player::told("scm.GitFetchHttp", site.setting(), 0, &behind(1)).unwrap();
    player.iterate().await.unwrap();
    let gone = |status| vec![("GET /scm/P/r.git/info/refs", status, json!({}))];
    for (status, outcome) in [(503, "http-5xx"), (429, "http-429"), (404, "http-4xx")] {
        *site.special.lock().unwrap() = gone(status);
        player.outcomes();
        player.iterate().await.unwrap_err();
        // Now and then a clone is made anew.
        let failed = player.outcomes().concat();
        assert!([format!("Fetch {outcome}"), format!("Base {outcome}")].contains(&failed), "{failed}");
        let mut fresh = Player::new("scm.ShallowCloneHttp", site.setting(), 0);
        fresh.iterate().await.unwrap_err();
        assert_eq!(fresh.outcomes(), [format!("ShallowClone {outcome}")]);
    }
    site.special.lock().unwrap().clear();
    player.iterate().await.unwrap();
    assert_eq!(player.outcomes().last().unwrap(), "Fetch ok");
    for wrong in [json!("-1"), json!(1001), json!("x"), json!(true)] {
        let told = Arc::new([("behind".to_owned(), wrong)].into());
        let error = Player::told("scm.GitFetchHttp", site.setting(), 0, &told).err().unwrap();
        assert!(error.contains("from 0 to 1000"), "{error}");
    }
}
