//! The library that comes with e3: every document is valid, says what it is, and finishes when it should.

use std::collections::BTreeSet;

use e3_home::Origin;
use e3_model::{Experiment, Kind, Order, Plan, ProviderName, Reset, Span, StagePlan};
use serde_json::{Value, json};

use crate::support::E3;

/// Validates an experiment and returns its plan and its findings.
fn validated(e3: &E3, experiment: &str) -> (Plan, Vec<Value>) {
    let json = e3.run(&["validate", "-e", experiment, "--json"]).exits(0).json();
    let plan = serde_json::from_value(json["plan"].clone()).unwrap();
    (plan, json["findings"].as_array().unwrap().clone())
}

fn names(e3: &E3, kind: Kind) -> Vec<String> {
    let listed = e3.home().list(kind).into_iter();
    listed.filter(|listed| listed.origin == Origin::Library).map(|listed| listed.name).collect()
}

#[test]
fn every_experiment_is_valid_and_only_machines_elsewhere_are_warned_of() {
    let e3 = E3::new();
    let experiments = names(&e3, Kind::Experiment);
    assert!(experiments.len() >= 16, "{experiments:?}");
    for name in &experiments {
        let (plan, findings) = validated(&e3, name);
        let is_local = plan.threads.iter().all(|thread| thread.instance.provider == ProviderName::Local);
        let said: Vec<_> = findings.iter().map(|it| (&it["severity"], &it["rule"])).collect();
        let expected: &[_] =
            if is_local { &[] } else { &[(&json!("warning"), &json!("not-in-this-version"))] };
        assert_eq!(said, expected, "{name}: {findings:#?}");
        assert!(plan.description.is_some_and(|text| text.ends_with('?') || text.ends_with('.')), "{name}");
        let shown = e3.run(&["validate", "-e", name, "--explain"]).exits(0);
        assert!(shown.stdout.contains("In all"), "{}", shown.stdout);
    }
    assert_eq!(e3.home().runs(), [], "nothing was begun");
}

#[test]
fn every_workload_runs_on_the_datasets_of_the_library() {
    let e3 = E3::new();
    for workload in names(&e3, Kind::Workload) {
        for snapshot in names(&e3, Kind::Snapshot) {
            let experiment = json!({
                "duration": "10s", "mix": "ops", "workload": workload,
                "threads": [{"instance": {"snapshot": snapshot}, "stages": [{"clients": 4}]}]
            });
            e3.write("experiments/one.json", experiment.to_string().as_bytes());
            let (_, findings) = validated(&e3, "one");
            assert_eq!(findings, Vec::<Value>::new(), "{workload} on {snapshot}");
        }
    }
}

/// One line of the first E3's experiments: per thread its nodes and its workers.
struct First {
    name: &'static str,
    threads: &'static [(u32, usize)],
    clients: &'static [usize],
    minutes: u64,
    workload: &'static str,
}

/// Source: the predefined experiments of the first E3.
const FIRST: [First; 6] = [
    First {
        name: "cluster-scaling-ssh",
        threads: &[(1, 4), (3, 4), (6, 12), (10, 4)],
        clients: &[40, 80, 160, 320, 640],
        minutes: 10,
        workload: "mixed",
    },
    First {
        name: "horizontal-scaling",
        threads: &[(1, 10), (2, 10), (3, 10), (4, 10), (5, 10), (6, 10), (7, 10), (8, 10)],
        clients: &[40, 80, 120, 160, 200, 240, 280, 320, 360, 400],
        minutes: 5,
        workload: "mixed",
    },
    First {
        name: "adaptive-scaling",
        threads: &[(2, 2), (2, 2), (2, 2)],
        clients: &[300, 400],
        minutes: 5,
        workload: "build-load",
    },
    First {
        name: "loose-coupling",
        threads: &[(3, 10), (6, 10), (3, 10), (6, 10)],
        clients: &[20, 40, 60, 80, 100],
        minutes: 10,
        workload: "mixed",
    },
    First { name: "mixed-test", threads: &[(2, 1)], clients: &[120], minutes: 5, workload: "mixed" },
    First { name: "pull-request", threads: &[(3, 5)], clients: &[10], minutes: 20, workload: "pull-request" },
];

#[test]
fn experiments_of_the_first_e3_are_planned_as_it_ran_them() {
    let e3 = E3::new();
    for first in FIRST {
        let (plan, _) = validated(&e3, first.name);
        assert_eq!(plan.order, Order::Parallel, "{}: machines of their own", first.name);
        let threads: Vec<_> =
            plan.threads.iter().map(|thread| (thread.instance.nodes, thread.workers.len())).collect();
        assert_eq!(threads, first.threads, "{}", first.name);
        for thread in &plan.threads {
            assert_eq!(thread.instance.dataset.snapshot, "e3-small", "{}", first.name);
            let clients: Vec<_> = thread.stages.iter().map(|stage| stage.clients.len()).collect();
            assert_eq!(clients, first.clients, "{}, {}", first.name, thread.name);
            for stage in &thread.stages {
                assert_eq!(stage.duration, Span::from_secs(first.minutes * 60), "{}", first.name);
                assert_eq!(stage.workload, first.workload, "{}", first.name);
                every_job_has_its_share(first.name, stage);
            }
        }
    }
}

/// A client keeps its job: each job has its weight's share of them, rounded.
fn every_job_has_its_share(name: &str, stage: &StagePlan) {
    let clients = f64::from(u32::try_from(stage.clients.len()).unwrap());
    for job in &stage.jobs {
        let quota = job.weight * clients;
        assert!((f64::from(job.clients) - quota).abs() < 1.0, "{name}: {} has {}", job.script, job.clients);
        assert!(job.clients > 0, "{name}: {} has no client", job.script);
    }
}

#[test]
fn properties_and_parameters_of_the_first_e3_are_kept() {
    let e3 = E3::new();
    let read = |name: &str| -> Experiment {
        serde_json::from_str(&e3.home().find(Kind::Experiment, name).unwrap().text).unwrap()
    };
    // Of the first thread that has a line, in the order of the table of the first E3's experiments.
    for (name, line) in [
        ("cluster-scaling-ssh", "throttle.resource.scm-hosting.strategy=adaptive"),
        ("cluster-scaling-ssh", "throttle.resource.scm-hosting.adaptive.limit.min=8"),
        ("cluster-scaling-ssh", "throttle.resource.scm-hosting.adaptive.limit.max=100"),
        ("cluster-scaling-ssh", "throttle.resource.scm-hosting.adaptive.interval=2"),
        ("cluster-scaling-ssh", "throttle.resource.scm-hosting.adaptive.growth.max=1.0"),
        ("cluster-scaling-ssh", "throttle.resource.scm-hosting.adaptive.target.cpu=0.8"),
        ("cluster-scaling-ssh", "plugin.bitbucket-git.throttle.ref.advertisement=false"),
        ("cluster-scaling-ssh", "plugin.bitbucket-scm-cache.upload-pack.enabled=false"),
        ("pull-request", "throttle.resource.scm-hosting.adaptive.limit.min=8"),
        ("adaptive-scaling", "throttle.resource.scm-hosting.strategy=fixed"),
        ("adaptive-scaling", "throttle.resource.scm-hosting.adaptive.target.cpu=0.75"),
        ("adaptive-scaling", "throttle.resource.scm-hosting.adaptive.target.cpu=0.9"),
        ("loose-coupling", "hibernate.cache.mode=LOCAL"),
        ("loose-coupling", "hibernate.cache.mode=DISTRIBUTED"),
    ] {
        let experiment = read(name);
        let has = experiment.threads.iter().any(|it| it.instance.properties.iter().any(|own| own == line));
        assert!(has, "{name}: {line}");
    }
    for (name, key, value) in [
        ("horizontal-scaling", "ClusterNodeInstanceType", "c3.2xlarge"),
        ("horizontal-scaling", "FileServerInstanceType", "m4.10xlarge"),
        ("horizontal-scaling", "DBInstanceClass", "db.r3.2xlarge"),
        ("horizontal-scaling", "HomeIops", "5000"),
        ("loose-coupling", "HomeSize", "300"),
        ("loose-coupling", "HomeIops", "10000"),
    ] {
        for thread in read(name).threads {
            assert_eq!(thread.instance.parameters[key], json!(value), "{name}: {key}");
        }
    }
    for first in FIRST {
        for thread in read(first.name).threads {
            assert_eq!(thread.instance.version, Some(json!("4.11.0")), "{}", first.name);
            let (min, max) = ("ClusterNodeMin", "ClusterNodeMax");
            assert_eq!(thread.instance.parameters[min], thread.instance.parameters[max], "{}", first.name);
        }
    }
}

/// What a run takes beside its load, on two cores: for the dataset when it is made for the first time, for the analysis and
/// the report, for each system that is set up and filled with 200 users, and for each reset.
const ONCE: Span = Span::from_secs(30);
const A_SYSTEM: Span = Span::from_secs(25);
const A_RESET: Span = Span::from_secs(4);
const BOUND: Span = Span::from_secs(600);

#[test]
fn local_variants_finish_within_ten_minutes_and_take_turns() {
    let e3 = E3::new();
    let local: Vec<_> =
        names(&e3, Kind::Experiment).into_iter().filter(|name| name.starts_with("local-")).collect();
    for expected in [
        "local-adaptive-scaling",
        "local-build-load",
        "local-capacity",
        "local-clone-vs-shallow",
        "local-cluster-scaling",
        "local-git-versions",
        "local-http-vs-ssh",
        "local-open-load",
        "local-pull-request",
    ] {
        assert!(local.iter().any(|name| name == expected), "{expected} in {local:?}");
    }
    for name in local {
        let (plan, _) = validated(&e3, &name);
        assert!(plan.threads.iter().all(|thread| thread.co_located), "{name}");
        if plan.threads.len() > 1 {
            assert_eq!(plan.order, Order::Interleaved, "{name}");
        }
        let length = length(&plan);
        assert!(length <= BOUND, "{name} takes {length}");
    }
}

fn length(plan: &Plan) -> Span {
    let systems = u64::try_from(plan.threads.len()).unwrap();
    let stages = plan.rounds.iter().flat_map(|round| &round.stages);
    let resets = if plan.reset == Reset::None { 0 } else { u64::try_from(stages.clone().count()).unwrap() };
    let load: u64 = stages.map(|at| stage_ms(plan.stage(*at).unwrap().1)).sum();
    Span::from_millis(load + ONCE.as_millis() + systems * A_SYSTEM.as_millis() + resets * A_RESET.as_millis())
}

/// A search takes its stage as often as it may probe.
fn stage_ms(stage: &StagePlan) -> u64 {
    let times = stage.search.as_ref().map_or(1, |search| u64::from(search.probes));
    times * (stage.duration.as_millis() + stage.grace.as_millis())
}

#[test]
fn machines_on_aws_are_refused_before_anything_is_created() {
    let e3 = E3::new();
    let valid = e3.run(&["validate", "-e", "cluster-scaling-ssh"]).exits(0);
    assert_eq!(valid.stdout, "cluster-scaling-ssh is valid: 4 threads, 20 stages\n");
    assert!(valid.stderr.contains("warning[not-in-this-version]"), "{}", valid.stderr);
    for command in ["provision", "orchestrate"] {
        let refused = e3.run(&[command, "-e", "cluster-scaling-ssh"]).exits(20);
        for words in [
            "this version of e3 cannot set up machines on AWS yet",
            "its 4 threads, \"1-node\" to \"10-node\"",
            "nothing was created",
            "e3 orchestrate -e local-cluster-scaling",
        ] {
            assert!(refused.stderr.contains(words), "{words} in {}", refused.stderr);
        }
    }
    // A worker alone is enough to refuse, and so are machines over SSH.
    e3.write("instances/mine.json", br#"{"ClusterNodes": ["ada@host"]}"#);
    for (worker, words) in [
        (json!({"template": "WorkerCluster"}), "machines on AWS"),
        (json!({"stack": {"Name": "mine"}}), "machines over SSH"),
    ] {
        let experiment = json!({
            "duration": "1s", "workload": "smoke", "mix": "ops",
            "threads": [{"instance": {"provider": "local", "snapshot": "smoke"}, "worker": worker, "stages": [{"clients": 1}]}]
        });
        e3.write("experiments/elsewhere.json", experiment.to_string().as_bytes());
        let refused = e3.run(&["orchestrate", "-e", "elsewhere"]).exits(20);
        assert!(refused.stderr.contains(words), "{words} in {}", refused.stderr);
        assert!(refused.stderr.contains("its thread \"thread 1\""), "{}", refused.stderr);
    }
    assert_eq!(e3.home().runs(), [], "nothing was begun");
    e3.assert_nothing_left();
}

#[test]
fn a_git_that_is_not_there_is_named_before_anything_is_created() {
    let e3 = E3::new();
    validated(&e3, "local-git-versions");
    let copy = e3.home().find(Kind::Experiment, "local-git-versions").unwrap().text;
    let copy = copy.replace("/opt/git-next/bin/git", "/nowhere/of-e3/git");
    e3.write("experiments/gits.json", copy.as_bytes());
    let refused = e3.run(&["orchestrate", "-e", "gits"]).exits(20);
    for words in [
        "\"another git\"",
        "/nowhere/of-e3/git",
        "cannot be started",
        "nothing was created",
        "e3 new experiment NAME --from gits",
        "plugin.bitbucket-git.path.executable",
    ] {
        assert!(refused.stderr.contains(words), "{words} in {}", refused.stderr);
    }
    assert_eq!(e3.home().runs(), [], "nothing was begun");
}

#[test]
fn list_says_what_each_document_is_and_where_its_machines_are() {
    let e3 = E3::new();
    e3.write("experiments/broken.json", b"{");
    e3.write("experiments/over-ssh.json", br#"{"threads": [{"worker": {"stack": {"Name": "mine"}}}]}"#);
    let text = e3.run(&["list", "experiments"]).exits(0).stdout;
    let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words} in {text}"));
    assert!(at("on this machine:") < at("  local-cluster-scaling "), "{text}");
    assert!(at("  smoke ") < at("on machines over SSH, which this version"), "{text}");
    assert!(at("  over-ssh ") < at("on AWS, which this version"), "{text}");
    assert!(at("on AWS, which this version") < at("  adaptive-scaling "), "{text}");
    assert!(at("unreadable; `e3 validate -e NAME` says why:") < at("  broken "), "{text}");
    let columns: BTreeSet<_> =
        text.lines().filter_map(|line| line.find("(library)").or(line.find("(home)"))).collect();
    assert_eq!(columns.len(), 1, "aligned: {text}");
    let workloads = e3.run(&["list", "workloads"]).exits(0).stdout;
    assert!(
        workloads.contains("persona.SshBuildAgent 70 %, persona.HttpBuildAgent 25 %, persona.DeveloperUsingPullRequests 5 %\n"),
        "{workloads}"
    );
    assert!(
        workloads.contains("scm.GitCloneOverSsh 40 %") && workloads.contains(" and 7 more\n"),
        "{workloads}"
    );
    let json = e3.run(&["list", "experiments", "--json"]).exits(0).json();
    let find = |name: &str| {
        let listed = json["experiments"].as_array().unwrap();
        listed.iter().find(|it| it["name"] == name).unwrap().clone()
    };
    assert_eq!(find("cluster-scaling-ssh")["providers"], json!(["aws"]));
    assert_eq!(find("broken"), json!({"name": "broken", "origin": "home"}));
    assert!(find("smoke")["description"].as_str().unwrap().starts_with("Does "));
}
