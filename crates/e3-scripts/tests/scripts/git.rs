//! The Git scripts against real git.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::site::{Player, Site};

#[tokio::test(flavor = "multi_thread")]
async fn each_git_op_is_one_sample_with_its_phases() {
    let site = Site::new().await;
    for (script, ops) in [
        ("scm.GitCloneOverHttp", &["Clone"][..]),
        ("scm.GitCloneOverHttpDirect", &["Clone"]),
        ("scm.GitLsRemoteHttp", &["LsRemote"]),
        ("scm.GitLsRemoteHttpDirect", &["LsRemote"]),
        ("scm.PushChangesHttp", &["Fetch", "Push"]),
        ("scm.PushChangesHttpDirect", &["Fetch", "Push"]),
    ] {
        let mut player = Player::new(script, site.setting(), 0);
        player.iterate().await.unwrap();
        let samples = player.samples();
        let seen: Vec<_> = samples.iter().map(|(op, _)| op.as_str()).collect();
        assert_eq!(seen, ops, "{script}");
        for (op, sample) in &samples {
            assert!(
                sample.outcome == e3_model::Outcome::Ok && sample.bytes_in.is_some_and(|bytes| bytes > 0),
                "{script} {op}: {sample:?}"
            );
            assert!(sample.first_byte_ns.is_some() && sample.phases.is_some(), "{script} {op}");
        }
        player.finish().await.unwrap();
    }
    assert_eq!(site.branches().iter().filter(|branch| branch.starts_with("bugfix/")).count(), 0);
    site.git.run(&["fsck", "--strict"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_over_ssh_with_a_users_key() {
    let site = Site::new().await;
    let (sshd, setting) = site.with_ssh().await;
    for (script, ops) in [
        ("scm.GitCloneOverSsh", &["Clone ok"][..]),
        ("scm.GitLsRemoteSsh", &["LsRemote ok"]),
        ("scm.PushChangesSsh", &["Fetch ok", "Push ok"]),
    ] {
        let before = sshd.connections();
        let mut player = Player::new(script, setting.clone(), 1);
        player.iterate().await.unwrap_or_else(|stopped| panic!("{script}: {stopped}\n{}", sshd.log()));
        assert_eq!(player.outcomes(), ops, "{script}");
        assert_eq!(sshd.connections() - before, ops.len(), "{script}: one connection an op");
        player.finish().await.unwrap();
    }
    assert_eq!(site.calls(), Vec::<String>::new(), "nothing goes over HTTP");
    assert_eq!(setting.ciphers.names(), ["aes128-gcm@openssh.com"], "what the worker will tell");
    assert_eq!(site.branches().iter().filter(|branch| branch.starts_with("bugfix/")).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_keep_the_base_and_their_branches_go_at_the_end() {
    let site = Site::new().await;
    let before = site.branches();
    let mut players: Vec<_> =
        (0..2).map(|client| Player::new("scm.PushChangesHttp", site.setting(), client)).collect();
    for player in &mut players {
        for _ in 0..3 {
            player.iterate().await.unwrap();
        }
        let ops = player.outcomes();
        assert_eq!(ops, ["Fetch ok", "Push ok", "Push ok", "Push ok"], "the tip is fetched once");
    }
    let made: BTreeSet<_> = site.branches().into_iter().filter(|branch| !before.contains(branch)).collect();
    assert_eq!(made.len(), 6, "{made:?}");
    for branch in &made {
        let (_, client) = branch.rsplit_once('-').unwrap();
        let changed = site.git.run(&["diff", "--name-status", "main", branch]);
        let [line] = &changed.lines().collect::<Vec<_>>()[..] else { panic!("{changed}") };
        assert!(line.starts_with(&format!("A\tchanges-{client}/part-")), "{line}");
    }
    site.git.run(&["fsck", "--strict"]);
    for player in &mut players {
        player.finish().await.unwrap();
    }
    assert_eq!(site.branches(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_seeds_push_equal_branches_and_commits() {
    let refs = |site: &Site| site.git.run(&["for-each-ref", "refs/heads/bugfix"]);
    let mut seen = BTreeSet::new();
    for _ in 0..2 {
        let site = Site::new().await;
        let mut player = Player::new("scm.PushChangesHttp", site.setting(), 3);
        player.iterate().await.unwrap();
        seen.insert(refs(&site));
    }
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn direct_clients_take_turns_among_the_nodes() {
    let (front, nodes) = (Site::new().await, [Site::new().await, Site::new().await]);
    let mut setting = front.setting();
    setting.nodes = nodes.iter().map(Site::url).collect();
    for client in 0..4 {
        let mut player = Player::new("scm.GitLsRemoteHttpDirect", setting.clone(), client);
        player.iterate().await.unwrap();
    }
    // ls-remote asks twice.
    assert_eq!(nodes.each_ref().map(|node| node.calls().len()), [4, 4]);
    assert_eq!(front.calls().len(), 0);
    let mut player = Player::new("scm.GitLsRemoteHttp", setting, 0);
    player.iterate().await.unwrap();
    assert_eq!(front.calls().len(), 2, "not direct: through the front");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_fails_is_a_sample_and_the_next_one_fetches_anew() {
    let site = Site::new().await;
    let mut player = Player::new("scm.PushChangesHttp", site.setting(), 0);
    player.iterate().await.unwrap();
    site.git.run(&["config", "http.receivepack", "false"]);
    player.iterate().await.unwrap_err();
    site.git.run(&["config", "http.receivepack", "true"]);
    player.iterate().await.unwrap();
    assert_eq!(player.outcomes(), ["Fetch ok", "Push ok", "Push http-4xx", "Fetch ok", "Push ok"]);
    player.finish().await.unwrap();
    assert_eq!(site.branches().iter().filter(|branch| branch.starts_with("bugfix/")).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_git_does_the_same_ops_under_the_same_names() {
    let site = Site::new().await;
    let before = site.branches();
    let (sshd, over_ssh) = site.with_ssh().await;
    let by_git = |mut setting: e3_workload::Setting| {
        setting.git_client = e3_model::GitClient::Git;
        setting
    };
    let over_http = by_git(site.setting());
    let over_ssh = by_git(over_ssh);
    for (script, setting, ops) in [
        ("scm.GitCloneOverHttp", &over_http, &["Clone"][..]),
        ("scm.GitLsRemoteHttpDirect", &over_http, &["LsRemote"]),
        ("scm.PushChangesHttp", &over_http, &["Fetch", "Push"]),
        ("scm.GitCloneOverSsh", &over_ssh, &["Clone"]),
        ("scm.GitLsRemoteSsh", &over_ssh, &["LsRemote"]),
        ("scm.PushChangesSsh", &over_ssh, &["Fetch", "Push"]),
    ] {
        let mut player = Player::new(script, setting.clone(), 0);
        player.iterate().await.unwrap_or_else(|stopped| panic!("{script}: {stopped}\n{}", sshd.log()));
        let samples = player.samples();
        let seen: Vec<_> = samples.iter().map(|(op, _)| op.as_str()).collect();
        assert_eq!(seen, ops, "{script}");
        for (op, sample) in &samples {
            assert_eq!(sample.outcome, e3_model::Outcome::Ok, "{script} {op}");
            // What cannot be seen from outside is not made up.
            assert!(sample.phases.is_none() && sample.first_byte_ns.is_none(), "{script} {op}: {sample:?}");
            let packed = sample.bytes_in.map(|bytes| bytes > 0);
            assert_eq!((packed, sample.bytes_out), ((op == "Clone").then_some(true), None), "{script} {op}");
        }
        if ops.contains(&"Push") {
            assert_eq!(site.branches().len(), before.len() + 1, "{script}");
        }
        player.finish().await.unwrap();
    }
    let agents: BTreeSet<_> = site
        .heads()
        .iter()
        .filter_map(|head| head.headers().get("user-agent")?.to_str().ok().map(str::to_owned))
        .collect();
    assert!(agents.iter().all(|agent| agent.starts_with("git/2.")), "{agents:?}");
    assert_eq!(site.branches(), before);
    site.git.run(&["fsck", "--strict"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn either_client_makes_the_same_commits_from_the_same_seed() {
    let mut seen = BTreeSet::new();
    for git_client in [e3_model::GitClient::Native, e3_model::GitClient::Git] {
        let site = Site::new().await;
        let setting = e3_workload::Setting { git_client, ..site.setting() };
        let mut player = Player::new("scm.PushChangesHttp", setting, 3);
        player.iterate().await.unwrap();
        seen.insert(site.git.run(&["for-each-ref", "refs/heads/bugfix"]));
    }
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_changes_as_many_files_as_it_is_told() {
    let site = Site::new().await;
    let told = |count: &str| Arc::new([("files".to_owned(), serde_json::json!(count))].into());
    let mut player = Player::told("scm.PushChangesHttp", site.setting(), 0, &told("5")).unwrap();
    player.iterate().await.unwrap();
    let branches = site.branches();
    let branch = branches.iter().find(|branch| branch.starts_with("bugfix/")).unwrap();
    assert_eq!(site.git.run(&["diff", "--name-only", "main", branch]).lines().count(), 5);
    player.finish().await.unwrap();
    for wrong in ["0", "41", "x", ""] {
        let error = Player::told("scm.PushChangesHttp", site.setting(), 0, &told(wrong)).err().unwrap();
        assert!(error.contains("from 1 to 40"), "{error}");
    }
}
