//! What the catalogue holds.

use std::collections::BTreeSet;

use e3_model::Protocol;
use e3_workload::{Catalogue, check_descriptor};

use crate::site::{Player, setting};

/// Every script: those for any HTTP server, and those of the first E3's experiments under their names.
const NAMES: [&str; 28] = [
    "http.Request",
    "http.Sequence",
    "persona.CiFleet",
    "persona.CodeReviewer",
    "persona.DeveloperUsingPullRequests",
    "persona.HttpBuildAgent",
    "persona.SshBuildAgent",
    "scm.GitCloneOverHttp",
    "scm.GitCloneOverHttpDirect",
    "scm.GitCloneOverSsh",
    "scm.GitFetchHttp",
    "scm.GitFetchSsh",
    "scm.GitLsRemoteHttp",
    "scm.GitLsRemoteHttpDirect",
    "scm.GitLsRemoteSsh",
    "scm.PushChangesHttp",
    "scm.PushChangesHttpDirect",
    "scm.PushChangesSsh",
    "scm.ShallowCloneHttp",
    "scm.ShallowCloneSsh",
    "web.Audit",
    "web.BrowseProjectsAndRepositories",
    "web.Dashboard",
    "web.ListPullRequests",
    "web.ListUsers",
    "web.PullRequestWorkflow",
    "web.Status",
    "web.ViewPullRequest",
];

#[test]
fn every_script_conforms_and_has_the_name_that_experiments_know() {
    let descriptors = Catalogue::new(e3_scripts::all()).descriptors();
    let faults: Vec<_> = descriptors.iter().flat_map(check_descriptor).collect();
    assert_eq!(faults, Vec::<String>::new());
    let names: Vec<_> = descriptors.iter().map(|descriptor| descriptor.name.as_str()).collect();
    assert_eq!(names, NAMES);
    let over_ssh: BTreeSet<_> = descriptors
        .iter()
        .filter(|descriptor| descriptor.protocol == Protocol::GitSsh)
        .map(|descriptor| descriptor.name.as_str())
        .collect();
    assert_eq!(over_ssh, NAMES.into_iter().filter(|name| name.contains("Ssh")).collect());
}

#[test]
fn a_setting_that_lacks_something_is_told_what() {
    let with = |change: fn(&mut e3_workload::Setting)| {
        let mut setting = setting("http://127.0.0.1:1");
        change(&mut setting);
        setting
    };
    let no_ssh = "scm.GitLsRemoteSsh: the system under test does not say where it serves Git over SSH";
    for (script, setting, expected) in [
        ("scm.GitLsRemoteSsh", with(|_| {}), no_ssh),
        (
            "scm.GitCloneOverSsh",
            with(|setting| {
                setting.ssh = Some(endpoint());
            }),
            "scm.GitCloneOverSsh: the snapshot has no user with a private key",
        ),
        (
            "scm.PushChangesHttp",
            with(|setting| setting.users.clear()),
            "scm.PushChangesHttp: the snapshot has no user with a password",
        ),
        (
            "web.PullRequestWorkflow",
            with(|setting| setting.repositories = e3_workload::RepositoryDraw::default()),
            "web.PullRequestWorkflow: the snapshot has no repository with a weight above 0",
        ),
        (
            "web.ListUsers",
            with(|setting| setting.admin.name.clear()),
            "web.ListUsers: the administrator's name or password is not known",
        ),
        (
            "scm.GitCloneOverHttpDirect",
            with(|setting| setting.nodes = vec!["http://".to_owned()]),
            "scm.GitCloneOverHttpDirect: the URL http:// cannot be used: ",
        ),
    ] {
        let error = Player::try_new(script, setting, 0).err().unwrap();
        assert!(error.starts_with(expected), "{error}");
    }
    let mut broken = with(|_| {});
    broken.ssh = Some(endpoint());
    broken.users[0].private_key = Some(e3_model::Secret::new("no key"));
    let error = Player::try_new("scm.PushChangesSsh", broken, 0).err().unwrap();
    assert!(error.starts_with("scm.PushChangesSsh: the private key of ada cannot be used: "), "{error}");
    assert!(!error.contains("no key"), "{error}");
}

fn endpoint() -> e3_model::SshEndpoint {
    e3_model::SshEndpoint { url: "ssh://127.0.0.1:1".into(), host_key: "ssh-ed25519 AAAA".into() }
}
