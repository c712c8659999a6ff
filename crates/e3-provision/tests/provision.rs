//! Setting up and removing over the local provider, with real processes, journals and secrets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use e3_home::{Home, RunDir, RunSecrets, ThreadSecrets};
use e3_model::{Plan, Reset, RunName, Secret, Teardown, Topology, from_json};
use e3_node::{base_environment, find_marked};
use e3_provider::{Journal, Provider, Resource, chain};
use e3_provider_local::{Bounds, LocalProvider};
use e3_provision::{ProvisionError, ProvisionEvent, ProvisionInput, deprovision, provision, reset};

const RUN: &str = "smoke-2026-01-02T03-04-05";

/// A home with one run of two threads, and the program that stands in for e3.
struct Place {
    folder: tempfile::TempDir,
    home: Home,
    run: RunDir,
    plan: Plan,
    events: Mutex<Vec<ProvisionEvent>>,
}

impl Place {
    /// The script is what runs as `e3 githost serve`.
    fn new(script: &str) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a directory");
        let program = folder.path().join("e3");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("the program");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("it may run");
        let home = Home::at(folder.path().join("e3-home"));
        let run = home.create_run(&RunName(RUN.to_owned())).expect("a run");
        let plan = from_json(PLAN.as_bytes()).expect("a plan");
        run.write::<Plan>(&plan).expect("the plan is written");
        Self { folder, home, run, plan, events: Mutex::default() }
    }

    fn providers(&self) -> Vec<Arc<dyn Provider>> {
        let bounds = Bounds {
            ready: Duration::from_secs(20),
            running: Duration::from_millis(300),
            grace: Duration::from_secs(5),
        };
        vec![Arc::new(LocalProvider::new(self.folder.path().join("e3")).with_bounds(bounds))]
    }

    async fn provision(&self) -> Result<Topology, ProvisionError> {
        let input = ProvisionInput {
            home: &self.home,
            run: &self.run,
            plan: &self.plan,
            cache: &self.folder.path().join("cache"),
            providers: &self.providers(),
        };
        provision(&input, &|event| self.note(event)).await
    }

    async fn deprovision(&self) -> Teardown {
        let teardown = deprovision(&self.home, &self.run, &self.providers(), &|event| self.note(event)).await;
        teardown.expect("a teardown")
    }

    fn note(&self, event: ProvisionEvent) {
        self.events.lock().expect("no event panics").push(event);
    }

    fn journal(&self) -> Journal {
        Journal::open(&self.run.journal()).expect("a journal")
    }

    fn secrets_and_scratch(&self) -> [PathBuf; 2] {
        [self.home.root().join("secrets").join(RUN), self.home.scratch(self.run.name())]
    }
}

/// Returns every file below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let nested = entries.flatten().map(|entry| match entry.path() {
        path if path.is_dir() => files(&path),
        path => vec![path],
    });
    nested.flatten().collect()
}

fn marks(resources: &[Resource]) -> Vec<&str> {
    let marks = resources.iter().map(|resource| match resource {
        Resource::Process { mark, .. } => Some(mark.as_str()),
        Resource::Directory { .. } => None,
    });
    marks.flatten().collect()
}

#[tokio::test]
async fn what_a_failed_provision_leaves_is_removed_from_the_journal_alone() {
    // It says that it is ready, but nothing serves on that port; its own child is in its group.
    let place = Place::new(
        "sleep 300 & echo '{\"event\":\"ready\",\"http\":\"http://127.0.0.1:1\",\"ssh\":\"ssh://127.0.0.1:1\",\"hostKey\":\"k\"}'; wait",
    );
    let error = place.provision().await.unwrap_err();
    assert!(
        matches!(&error, ProvisionError::Provider { thread, .. } if thread.0 < 2),
        "the error names its thread: {error}"
    );
    assert!(
        chain(&error).contains("is not running after 0.3 s, last seen: cannot connect to"),
        "{}",
        chain(&error)
    );
    let stands = place.journal().open_resources();
    let marks = marks(&stands);
    assert_eq!(marks.len(), 2, "{stands:?}");
    assert!(marks.iter().all(|mark| !find_marked(mark).unwrap().is_empty()));

    // No secret is in the run's directory, also while it stands.
    let secrets = place.home.read_secrets(place.run.name()).unwrap();
    assert_eq!(secrets.threads.len(), 2);
    for file in files(place.run.path()) {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        for thread in &secrets.threads {
            let mut known = thread.users.values().chain([&thread.admin_password]);
            assert!(known.all(|secret| !text.contains(secret.expose())), "{}", file.display());
        }
    }

    let error = place.provision().await.unwrap_err();
    assert!(matches!(&error, ProvisionError::Occupied { count: 6, .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("e3 deprovision"), "{error}");

    // Neither plan nor topology is needed.
    std::fs::remove_file(place.run.path().join("plan.json")).unwrap();
    std::fs::write(place.run.path().join("topology.json"), b"{ torn").unwrap();
    let teardown = place.deprovision().await;
    assert_eq!(teardown.left, []);
    assert_eq!(teardown.removed.len(), 6, "{:?}", teardown.removed);
    assert!(marks.iter().all(|mark| find_marked(mark).unwrap().is_empty()));
    for path in place.secrets_and_scratch() {
        assert!(!path.exists(), "{}", path.display());
    }
    assert_eq!(place.journal().open_resources(), []);
    assert_eq!(place.run.read::<Teardown>().unwrap(), teardown);
    let removed = |event: &ProvisionEvent| matches!(event, ProvisionEvent::Removed { .. });
    assert_eq!(place.events.lock().unwrap().iter().filter(|event| removed(event)).count(), 6);

    let again = place.deprovision().await;
    assert_eq!(
        (again.removed, again.left),
        (teardown.removed, Vec::new()),
        "a second teardown tells the same"
    );
}

#[tokio::test]
async fn a_program_that_cannot_start_is_named_with_its_thread() {
    let place = Place::new("");
    std::fs::remove_file(place.folder.path().join("e3")).unwrap();
    let error = chain(&place.provision().await.unwrap_err());
    assert!(error.starts_with("cannot set up the system under test of thread-001: "), "{error}");
    assert!(error.ends_with("e3: No such file or directory (os error 2)"), "{error}");
    let teardown = place.deprovision().await;
    assert_eq!(teardown.left, []);
    let events = place.events.lock().unwrap();
    let datasets = events.iter().filter(|event| matches!(event, ProvisionEvent::DatasetReady { .. })).count();
    assert_eq!(datasets, 1, "both threads share one dataset: {events:?}");
}

#[tokio::test]
async fn what_nobody_can_remove_is_left_and_told() {
    let place = Place::new("");
    let foreign = place.folder.path().join("somebody-elses");
    std::fs::create_dir(&foreign).unwrap();
    let mark = format!("{RUN}/{}", place.folder.path().display());
    let process = e3_node::spawn(e3_node::Spawn {
        program: "sh".into(),
        args: vec!["-c".into(), "echo ready; exec sleep 300".into()],
        environment: base_environment(),
        log: place.run.log_file("orphan"),
        mark: mark.clone(),
        ready_within: Duration::from_secs(20),
    });
    let process = process.await.unwrap().process;
    let journal = place.journal();
    // Killed before it could write down which process it was.
    let intent = Resource::Process {
        name: "orphan".to_owned(),
        mark: mark.clone(),
        program: "sh".into(),
        identity: None,
    };
    journal.intent(&intent).unwrap();
    journal.created(&Resource::Directory { path: foreign.clone() }).unwrap();

    let teardown = deprovision(&place.home, &place.run, &[], &|event| place.note(event)).await.unwrap();
    let reasons: Vec<&str> = teardown.left.iter().map(|left| left.reason.as_str()).collect();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(reasons[0].contains("does not name the run"), "{reasons:?}");
    assert_eq!(reasons[1], "this e3 does not have the local provider");
    assert!(e3_node::is_alive(&process).unwrap() && foreign.exists());

    let teardown = place.deprovision().await;
    assert!(!e3_node::is_alive(&process).unwrap(), "its mark is enough");
    assert_eq!(teardown.removed, ["orphan"]);
    assert_eq!(teardown.left.len(), 1);
    assert!(foreign.exists(), "a directory that does not name the run is never removed");
}

#[tokio::test]
async fn a_damaged_journal_is_told_and_the_rest_of_it_serves() {
    let place = Place::new("");
    let journal = place.journal();
    let scratch = place.home.scratch(place.run.name());
    std::fs::create_dir_all(scratch.join("thread-001/githost")).unwrap();
    for path in [scratch.clone(), scratch.join("thread-001/githost")] {
        let resource = Resource::Directory { path };
        journal.intent(&resource).unwrap();
        journal.created(&resource).unwrap();
    }
    let mut bytes = std::fs::read(place.run.journal()).unwrap();
    bytes[5] = 0;
    std::fs::write(place.run.journal(), bytes).unwrap();
    let teardown = place.deprovision().await;
    assert!(!scratch.exists());
    assert_eq!(teardown.removed.len(), 2);
    assert_eq!(teardown.left.len(), 1, "{:?}", teardown.left);
    assert!(teardown.left[0].resource.starts_with("whatever 1 line of "), "{:?}", teardown.left);
}

#[tokio::test]
async fn a_journal_that_is_gone_is_told_when_something_was_set_up() {
    let place = Place::new("");
    std::fs::write(place.run.path().join("topology.json"), b"{}").unwrap();
    let teardown = place.deprovision().await;
    assert_eq!(teardown.left.len(), 1, "{:?}", teardown.left);
    assert!(teardown.left[0].reason.contains("provision.journal is empty"), "{:?}", teardown.left);
}

#[tokio::test]
async fn a_run_that_never_was_provisioned_has_an_empty_teardown() {
    let place = Place::new("");
    let teardown = place.deprovision().await;
    assert_eq!((teardown.removed, teardown.left), (Vec::new(), Vec::new()));
    assert_eq!(teardown.header.parent.unwrap().file, "plan.json");
}

#[tokio::test]
async fn nothing_is_created_for_a_plan_that_cannot_be_provisioned() {
    let mut place = Place::new("");
    place.plan.threads[1].instance.dataset.generate = None;
    let error = place.provision().await.unwrap_err();
    assert!(matches!(&error, ProvisionError::NoRecipe { thread, .. } if thread.0 == 1), "{error}");
    place.plan.threads[1].instance.provider = e3_model::ProviderName::Aws;
    let error = place.provision().await.unwrap_err();
    assert_eq!(error.to_string(), "thread-002 needs the aws provider, which this e3 does not have");
    assert!(!place.run.journal().exists());
    assert!(place.secrets_and_scratch().iter().all(|path| !path.exists()));
}

#[tokio::test]
async fn a_reset_that_cannot_be_done_is_refused_by_name() {
    let place = Place::new("");
    let thread = serde_json::from_value(serde_json::json!({
        "thread": 0, "workers": [],
        "instance": {
            "provider": "local", "url": "http://127.0.0.1:1", "admin": "admin", "nodes": [],
            "snapshot": "thread-001/snapshot.json"
        }
    }));
    let thread = thread.unwrap();
    let reset = async |wanted| reset(&place.home, &place.run, &thread, wanted, &place.providers()).await;
    reset(Reset::None).await.unwrap();
    let error = reset(Reset::Restore).await.unwrap_err();
    assert!(chain(&error).contains("secrets"), "{}", chain(&error));
    let secrets = |threads| RunSecrets { threads };
    place.home.write_secrets(place.run.name(), &secrets(Vec::new())).unwrap();
    let error = reset(Reset::Restore).await.unwrap_err();
    assert_eq!(error.to_string(), "the run has no secrets for thread-001");
    let known = ThreadSecrets {
        admin_password: Secret::new("x"),
        users: BTreeMap::new(),
        private_keys: BTreeMap::new(),
    };
    place.home.write_secrets(place.run.name(), &secrets(vec![known])).unwrap();
    let error = reset(Reset::Restore).await.unwrap_err();
    assert_eq!(
        chain(&error),
        "cannot reset the system under test of thread-001: the local provider cannot restore a dataset whose loaded \
         state was not kept"
    );
}

const PLAN: &str = r#"{
    "format": "e3/plan", "version": 1, "experiment": "smoke", "description": null, "seed": 1,
    "order": "interleaved", "git_client": "native", "reset": "none", "baseline": 0, "rounds": [],
    "threads": [
        {
            "name": "one node", "co_located": true, "stages": [],
            "workers": [{"worker": 0, "provider": "local"}],
            "instance": {"provider": "local", "nodes": 1, "dataset": {"snapshot": "tiny", "generate": {
                "seed": 1, "projects": 1, "repositories": 1, "commits_min": 2, "commits_max": 2, "users": 1
            }}}
        },
        {
            "name": "two nodes", "co_located": true, "stages": [],
            "workers": [{"worker": 0, "provider": "local"}],
            "instance": {"provider": "local", "nodes": 2, "dataset": {"snapshot": "tiny", "generate": {
                "seed": 1, "projects": 1, "repositories": 1, "commits_min": 2, "commits_max": 2, "users": 1
            }}}
        }
    ]
}"#;
