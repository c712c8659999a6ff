//! The local provider against real processes: the laws of every provider, and each way in which a start can fail.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use e3_model::{
    Fault, InstancePlan, NodeTopology, PlannedDataset, ProcessIdentity, ProviderName, Reset, RunName,
    ThreadId,
};
use e3_provider::{
    Journal, Provider as _, ProviderError, ProvisionRequest, RemovalOutcome, Resource, chain, conformance,
};
use e3_provider_local::{Bounds, LocalProvider};

const PASSWORD: &str = "correct-horse-battery-staple";

/// A place for one test: the stand-in with its behaviour, the scratch directory, the password.
struct Place {
    folder: tempfile::TempDir,
    run: RunName,
    instance: InstancePlan,
}

impl Place {
    fn new(nodes: u32, behaviour: &str) -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_e3-githost-stand-in"), folder.path().join("e3"))
            .expect("a link to the stand-in");
        std::fs::write(folder.path().join("behaviour"), behaviour).expect("its behaviour");
        std::fs::write(folder.path().join("password"), PASSWORD).expect("the password");
        let dataset = PlannedDataset { snapshot: "small".to_owned(), generate: None };
        let instance =
            InstancePlan { provider: ProviderName::Local, nodes, dataset, properties: BTreeMap::new() };
        Self { folder, run: RunName("smoke-2026-01-02T03-04-05".to_owned()), instance }
    }

    fn provider(&self) -> LocalProvider {
        LocalProvider::new(self.path("e3")).with_bounds(Bounds {
            ready: Duration::from_secs(20),
            running: Duration::from_secs(20),
            grace: Duration::from_secs(5),
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Calls a function with this place's request.
    async fn ask<T>(&self, act: impl AsyncFnOnce(&ProvisionRequest<'_>) -> T) -> T {
        let request = ProvisionRequest {
            run: &self.run,
            thread: ThreadId(0),
            instance: &self.instance,
            scratch: &self.path("scratch"),
            log_file: &|name| self.path("logs").join(format!("{name}.log")),
            admin: "admin",
            admin_password_file: &self.path("password"),
            snapshot: "thread-001/snapshot.json",
            node_ready: &|_| {},
        };
        act(&request).await
    }

    /// Provisions what must fail and returns the error with its causes.
    async fn fails(&self, provider: &LocalProvider) -> (ProviderError, String) {
        let journal = self.path("provision.journal");
        let failure =
            self.ask(async |request| conformance::failure(provider, request, &journal, &exists).await).await;
        let error = failure.expect("it fails and leaves nothing");
        let text = chain(&error);
        (error, text)
    }
}

/// Looks for a resource by other means than the provider: the system's own list of processes.
fn exists(resource: &Resource) -> bool {
    match resource {
        Resource::Directory { path } => path.exists(),
        Resource::Process { mark, .. } => {
            let wanted = format!("E3_RESOURCE={mark}");
            let processes = std::fs::read_dir("/proc").expect("a list of processes");
            processes.flatten().any(|entry| {
                let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
                environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
            })
        }
    }
}

#[tokio::test]
async fn keeps_the_laws_of_a_life() {
    let place = Place::new(3, "");
    let (provider, journal) = (place.provider(), place.path("provision.journal"));
    place.ask(async |request| conformance::life(&provider, request, &journal, &exists).await).await.unwrap();
    assert!(!place.path("scratch/thread-001/githost").exists());
}

#[tokio::test]
async fn a_kill_after_any_line_of_the_journal_leaves_nothing() {
    let place = Place::new(2, "githost-1 forks");
    let provider = place.provider();
    place
        .ask(async |request| {
            conformance::every_prefix(&provider, request, place.folder.path(), &exists).await
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn an_end_before_any_line_of_the_journal_leaves_nothing() {
    let place = Place::new(1, "");
    let provider = place.provider();
    place
        .ask(async |request| {
            conformance::every_interruption(&provider, request, place.folder.path(), &exists).await
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_cancelled_reset_leaves_nothing() {
    let place = Place::new(2, "");
    let provider = place.provider();
    for wait in [0, 1, 3, 10, 20, 30, 50, 75, 100, 150, 200, 250] {
        let journal = Journal::open(&place.path(&format!("cancelled-reset-{wait}.journal"))).unwrap();
        place
            .ask(async |request| {
                let instance = provider.provision(request, &journal).await.unwrap();
                let system = request.standing(&instance);
                let resets = async {
                    provider.keep(&system, &journal).await?;
                    provider.reset(&system, Reset::Restore, &journal).await
                };
                let _ = tokio::time::timeout(Duration::from_millis(wait), resets).await;
            })
            .await;
        let stands = journal.open_resources();
        for removal in provider.deprovision(&stands, &journal).await {
            let left = matches!(removal.outcome, RemovalOutcome::Left { .. });
            assert!(!left && !exists(&removal.resource), "after {wait} ms: {removal:?}");
        }
        assert_eq!(journal.open_resources(), []);
        assert_eq!(std::fs::read_dir(place.path("scratch/thread-001")).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn lines_of_bitbucket_properties_lie_in_the_home_whenever_a_node_starts() {
    let mut place = Place::new(2, "");
    let lines = [("throttle.resource.scm-hosting", "16"), ("feature.rate.limiting", "true")];
    place.instance.properties = lines.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let provider = place.provider();
    let journal = Journal::open(&place.path("provision.journal")).unwrap();
    let file = place.path("scratch/thread-001/githost/config/bitbucket.properties");
    let read = || std::fs::read_to_string(&file).unwrap();
    place
        .ask(async |request| {
            let instance = provider.provision(request, &journal).await.unwrap();
            let expected = "feature.rate.limiting=true\nthrottle.resource.scm-hosting=16\n";
            assert_eq!(read(), expected);
            let system = request.standing(&instance);
            provider.keep(&system, &journal).await.unwrap();
            std::fs::write(&file, "changed").unwrap();
            provider.reset(&system, Reset::Restore, &journal).await.unwrap();
            assert_eq!(read(), expected);
        })
        .await;
    provider.deprovision(&journal.open_resources(), &journal).await;
    assert_eq!(journal.open_resources(), []);
}

#[tokio::test]
async fn a_restore_brings_back_what_was_kept_where_it_was() {
    let place = Place::new(2, "");
    let provider = place.provider();
    let journal = Journal::open(&place.path("provision.journal")).unwrap();
    let home = place.path("scratch/thread-001/githost");
    let processes = || -> Vec<String> {
        let open = journal.open_resources().into_iter();
        open.filter(|resource| matches!(resource, Resource::Process { .. }))
            .map(|resource| resource.to_string())
            .collect()
    };
    place
        .ask(async |request| {
            let instance = provider.provision(request, &journal).await.unwrap();
            let system = request.standing(&instance);
            let refused = provider.reset(&system, Reset::Restore, &journal).await.unwrap_err();
            assert_eq!(
                refused.to_string(),
                "the local provider cannot restore a dataset whose loaded state was not kept"
            );
            std::fs::write(home.join("dataset"), "as loaded").unwrap();
            provider.keep(&system, &journal).await.unwrap();
            for reset in [Reset::Restore, Reset::Restart, Reset::Restore] {
                std::fs::write(home.join("dataset"), "changed").unwrap();
                std::fs::write(home.join("new"), "new").unwrap();
                let before = processes();
                provider.reset(&system, reset, &journal).await.unwrap();
                let dataset = std::fs::read_to_string(home.join("dataset")).unwrap();
                let is_restored = reset == Reset::Restore;
                assert_eq!(dataset, if is_restored { "as loaded" } else { "changed" });
                assert_eq!(home.join("new").exists(), !is_restored);
                let after = processes();
                assert_eq!(after.len(), 3, "{after:?}");
                assert!(after.iter().all(|process| !before.contains(process)), "{before:?} {after:?}");
                assert!(provider.probe(&instance).await.unwrap().is_running());
            }
        })
        .await;
    provider.deprovision(&journal.open_resources(), &journal).await;
    assert_eq!(journal.open_resources(), []);
}

#[tokio::test]
async fn faults_are_for_all_nodes_or_none() {
    let faults = [Fault { route: Some("git".to_owned()), slots: Some(3), ..Fault::default() }];
    for (behaviour, expected) in [
        ("", None),
        (
            "githost-2 refuses",
            Some("the faults of githost-2 cannot be switched: HTTP status 401, You may not."),
        ),
    ] {
        let place = Place::new(3, behaviour);
        let provider = place.provider();
        let journal = Journal::open(&place.path("provision.journal")).unwrap();
        place
            .ask(async |request| {
                let instance = provider.provision(request, &journal).await.unwrap();
                let system = request.standing(&instance);
                let refused = provider.disturb(&system, &faults).await.err();
                assert_eq!(refused.map(|error| error.to_string()).as_deref(), expected);
            })
            .await;
        let switched = |node: u32| -> Option<Vec<Fault>> {
            let text = std::fs::read(place.path(&format!("githost-{node}.faults"))).ok()?;
            Some(serde_json::from_slice(&text).unwrap())
        };
        let wanted = if expected.is_none() { faults.to_vec() } else { Vec::new() };
        assert_eq!((switched(1), switched(3)), (Some(wanted.clone()), Some(wanted)), "{behaviour}");
        assert!(!place.path("balance.faults").exists(), "the front is not asked");
        provider.deprovision(&journal.open_resources(), &journal).await;
        assert_eq!(journal.open_resources(), []);
    }
}

#[tokio::test]
async fn a_node_that_comes_back_elsewhere_is_told() {
    for (behaviour, expected) in [
        ("githost-2 moves", "githost-2 should have come back as http://127.0.0.1:"),
        ("balance moves", "balance should have come back as http://127.0.0.1:"),
    ] {
        let place = Place::new(2, behaviour);
        let provider = place.provider();
        let journal = Journal::open(&place.path("provision.journal")).unwrap();
        place
            .ask(async |request| {
                let instance = provider.provision(request, &journal).await.unwrap();
                let system = request.standing(&instance);
                let error = provider.reset(&system, Reset::Restart, &journal).await.unwrap_err();
                assert!(error.to_string().starts_with(expected), "{error}");
            })
            .await;
        provider.deprovision(&journal.open_resources(), &journal).await;
        assert_eq!(journal.open_resources(), []);
    }
}

#[tokio::test]
async fn a_cancelled_provision_leaves_nothing() {
    let place = Place::new(2, "");
    let provider = place.provider();
    for wait in [0, 1, 3, 10, 20, 30, 50, 75, 100, 150] {
        let journal = Journal::open(&place.path(&format!("cancelled-{wait}.journal"))).unwrap();
        place
            .ask(async |request| {
                let provision = provider.provision(request, &journal);
                let _ = tokio::time::timeout(Duration::from_millis(wait), provision).await;
            })
            .await;
        let stands = journal.open_resources();
        for removal in provider.deprovision(&stands, &journal).await {
            let left = matches!(removal.outcome, RemovalOutcome::Left { .. });
            assert!(!left && !exists(&removal.resource), "after {wait} ms: {removal:?}");
        }
        assert_eq!(journal.open_resources(), []);
    }
}

#[tokio::test]
async fn starts_e3_with_exactly_these_arguments() {
    let place = Place::new(2, "");
    let provider = place.provider();
    let journal = Journal::open(&place.path("provision.journal")).unwrap();
    let instance = place.ask(async |request| provider.provision(request, &journal).await).await.unwrap();
    let arguments = |name: &str| {
        let log = place.path("logs").join(format!("thread-001-{name}.log"));
        std::fs::read_to_string(log).unwrap().lines().next().unwrap().to_owned()
    };
    let (home, password) = (place.path("scratch/thread-001/githost"), place.path("password"));
    for number in [1, 2] {
        let expected = format!(
            "arguments: githost serve --home {} --http 127.0.0.1:0 --ssh 127.0.0.1:0 --admin-password-file {} \
             --node {number}",
            home.display(),
            password.display()
        );
        assert_eq!(arguments(&format!("githost-{number}")), expected);
    }
    let [one, two] = instance.nodes.as_slice() else { panic!("two nodes: {instance:?}") };
    assert_eq!((one.name.as_str(), two.name.as_str()), ("githost-1", "githost-2"));
    let ssh_of = |node: &NodeTopology| node.ssh.clone().expect("it serves SSH");
    let (first, second) = (ssh_of(one), ssh_of(two));
    let expected = format!(
        "arguments: githost balance --http 127.0.0.1:0 --ssh 127.0.0.1:0 --node {} --node {} --ssh-node {} --ssh-node {}",
        one.url, two.url, first.url, second.url
    );
    assert_eq!(arguments("balance"), expected);
    let front = instance.ssh.clone().expect("the front serves SSH");
    assert_ne!(front.url, first.url);
    assert!(front.url.starts_with("ssh://127.0.0.1:"), "{front:?}");
    assert_eq!([&front.host_key, &second.host_key], [&first.host_key; 2], "all are known by one key");
    let journaled = std::fs::read_to_string(journal.path()).unwrap();
    assert!(!journaled.contains(PASSWORD) && !format!("{instance:?}").contains(PASSWORD));
    provider.deprovision(&journal.open_resources(), &journal).await;
    assert_eq!(journal.open_resources(), []);
}

#[tokio::test]
async fn every_way_to_fail_is_told_and_leaves_nothing() {
    let long = Duration::from_secs(20);
    let short = Duration::from_secs(2);
    for (behaviour, ready, running, expected) in [
        ("githost-2 silent", short, long, "cannot create thread-001-githost-2: "),
        ("githost-1 exits", long, long, "ended (exit status: 3) before it printed its ready line; its log "),
        ("balance exits", long, long, "cannot create thread-001-balance: "),
        (
            "githost-2 mumbles",
            long,
            long,
            "thread-001-githost-2 should have said where it is, but said \"hello\"",
        ),
        (
            "githost-1 is-dumb",
            long,
            long,
            "thread-001-githost-1 should have said where it is, but said \"{\\\"event\\\":\\\"ready\\\"",
        ),
        ("githost-1 starts-for-ever", long, short, "githost-1 is not running after 2 s, last seen: STARTING"),
        ("githost-2 dies", long, long, "thread-001-githost-2 ended before it was running; its log "),
    ] {
        let place = Place::new(2, behaviour);
        let provider = place.provider().with_bounds(Bounds { ready, running, grace: long });
        let (_, text) = place.fails(&provider).await;
        assert!(text.contains(expected), "{behaviour}: {text}");
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let place = Place::new(1, "");
    let provider = LocalProvider::new(place.path("no-such-e3"));
    let (error, text) = place.fails(&provider).await;
    assert!(matches!(error, ProviderError::Create { .. }), "{text}");
    assert!(text.contains("no-such-e3: No such file"), "{text}");
    let journal = std::fs::read_to_string(place.path("provision.journal")).unwrap();
    assert!(journal.contains("\"abandoned\""), "{journal}");
}

#[tokio::test]
async fn a_stranger_with_the_number_of_a_node_is_left_alone() {
    let place = Place::new(1, "");
    let mut stranger = std::process::Command::new("sleep").arg("300").spawn().unwrap();
    let now = e3_node::identify(stranger.id()).unwrap().unwrap();
    let resource = Resource::Process {
        name: "thread-001-githost-1".to_owned(),
        mark: format!("{}/thread-001-githost-1/{:x}", place.run, stranger.id()),
        program: place.path("e3"),
        identity: Some(ProcessIdentity { started: now.started - 1, ..now.clone() }),
    };
    let journal = Journal::open(&place.path("provision.journal")).unwrap();
    journal.created(&resource).unwrap();
    let removals = place.provider().deprovision(&journal.open_resources(), &journal).await;
    assert_eq!(removals[0].outcome, RemovalOutcome::Gone);
    assert!(e3_node::is_alive(&now).unwrap(), "the stranger must live");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn a_directory_that_could_be_another_is_left() {
    let place = Place::new(1, "");
    let journal = Journal::open(&place.path("provision.journal")).unwrap();
    let resource = Resource::Directory { path: Path::new("src").to_owned() };
    let removals = place.provider().deprovision(&[resource], &journal).await;
    assert!(matches!(&removals[0].outcome, RemovalOutcome::Left { .. }), "{removals:?}");
    assert!(Path::new("src").exists());
}
