//! This machine, and processes that do as they are told.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use e3_metrics::{MetricSource, Readout, Targets, WatchedProcess};
use tokio::time::{Instant, sleep};

/// A process that ends with the test.
struct Running(Child);

impl Running {
    fn shell(script: &str) -> Self {
        let mut command = Command::new("sh");
        // A group of its own, so that what it starts ends with it.
        command.process_group(0);
        Self(command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }

    fn watched(&self, subject: &str) -> WatchedProcess {
        let process = e3_node::identify(self.0.id()).unwrap().unwrap();
        WatchedProcess { subject: subject.to_owned(), process, children: Some(format!("{subject} git")) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The number is its own only until it has been waited for.
        if matches!(self.0.try_wait(), Ok(None)) {
            let group = format!("-{}", self.0.id());
            let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        }
        let _ = self.0.wait();
    }
}

fn source(processes: Vec<WatchedProcess>) -> Box<dyn MetricSource> {
    let kind = e3_metrics::all().into_iter().find(|kind| kind.name == "proc").unwrap();
    let mut sources = (kind.open)(&Targets { processes, endpoints: Vec::new() });
    assert_eq!(sources.len(), 1);
    sources.remove(0)
}

fn value(readout: &Readout, subject: &str, name: &str) -> Option<f64> {
    let mut found =
        readout.observations.iter().filter(|found| &*found.subject == subject && &*found.name == name);
    let value = found.next().map(|found| found.value);
    assert!(found.next().is_none(), "{subject} {name} was read twice");
    value
}

fn own() -> WatchedProcess {
    let process = e3_node::identify(std::process::id()).unwrap().unwrap();
    WatchedProcess { subject: "worker".to_owned(), process, children: None }
}

#[tokio::test]
async fn this_machine_says_all_that_it_should() {
    let mut source = source(Vec::new());
    let first = source.read().await;
    assert!(value(&first, "machine", "cpu/user").is_none(), "there is no rate without a reading before");
    sleep(Duration::from_millis(300)).await;
    let readout = source.read().await;
    assert!(readout.problems.is_empty(), "{:?}", readout.problems);
    let states = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
    let total: f64 =
        states.iter().map(|state| value(&readout, "machine", &format!("cpu/{state}")).unwrap()).sum();
    assert!((total - 100.0).abs() < 1e-6, "{total}");
    let (used, available) =
        (value(&readout, "machine", "memory/used"), value(&readout, "machine", "memory/available"));
    assert!(used.unwrap() > 1e6 && available.unwrap() > 1e6);
    for name in [
        "load/1m",
        "load/5m",
        "load/15m",
        "memory/cached",
        "memory/buffers",
        "swap/used",
        "swap/in",
        "swap/out",
        "loopback/received",
        "loopback/sent",
        "switches/context",
        "processes/running",
        "processes/blocked",
        "processes/forks",
    ] {
        assert!(value(&readout, "machine", name).unwrap_or(-1.0) >= 0.0, "{name}");
    }
    assert!(value(&readout, "machine", "switches/context").unwrap() > 0.0);
}

#[tokio::test]
async fn a_process_that_burns_shows_and_so_do_its_children_that_are_gone() {
    // The first only burns by itself; the second only by children, each of which is gone within some milliseconds.
    let burns = Running::shell("while :; do :; done");
    let forks = Running::shell("while :; do sh -c 'i=0; while [ $i -lt 4000 ]; do i=$((i+1)); done'; done");
    let idle = Running::shell("sleep 1000 & wait");
    let mut source =
        source(vec![burns.watched("burns"), forks.watched("forks"), idle.watched("idle"), own()]);
    source.read().await;
    let begun = Instant::now();
    let mut sums = [0.0; 4];
    let mut looks = 0_u32;
    let mut last = Readout::default();
    while begun.elapsed() < Duration::from_secs(3) {
        sleep(Duration::from_millis(500)).await;
        last = source.read().await;
        assert!(last.problems.is_empty(), "{:?}", last.problems);
        looks += 1;
        let used =
            ["burns", "forks git", "idle", "idle git"].map(|subject| value(&last, subject, "cpu/used"));
        for (sum, used) in sums.iter_mut().zip(used) {
            *sum += used.unwrap_or(0.0);
        }
    }
    let [burns_used, forked, idle_used, idle_children] = sums.map(|sum| sum / f64::from(looks));
    // However busy the machine is, and the three of them share it, each gets some of it.
    assert!((5.0..=110.0).contains(&burns_used), "{burns_used}");
    assert!(
        (5.0..=110.0).contains(&forked),
        "{forked}: children that came and went between two looks are lost"
    );
    assert!(idle_used < 5.0, "{idle_used}");
    assert!(idle_children < 5.0, "{idle_children}");
    for subject in ["burns", "worker"] {
        assert!(value(&last, subject, "memory/resident").unwrap() > 100_000.0, "{subject}");
        assert!(value(&last, subject, "threads/count").unwrap() >= 1.0, "{subject}");
        assert!(value(&last, subject, "files/open").unwrap() >= 3.0, "{subject}");
    }
    assert!(value(&last, "idle git", "processes/count").unwrap() >= 1.0);
    assert_eq!(value(&last, "burns git", "processes/count"), Some(0.0), "none is a number, too");
    assert_eq!(value(&last, "worker git", "processes/count"), None, "nobody asked");
}

#[tokio::test]
async fn descriptors_are_counted_as_they_are() {
    let mut source = source(vec![own()]);
    let before = value(&source.read().await, "worker", "files/open").unwrap();
    let held: Vec<_> = (0..40).map(|_| std::fs::File::open("/proc/self/stat").unwrap()).collect();
    let during = value(&source.read().await, "worker", "files/open").unwrap();
    drop(held);
    // Other tests of this process open and close some, too.
    assert!((30.0..=60.0).contains(&(during - before)), "{before} {during}");
}

#[tokio::test]
async fn a_process_that_has_ended_is_a_gap() {
    let mut gone = Running::shell("exit 0");
    let process = loop {
        // It may have ended before it could be identified.
        match e3_node::identify(gone.0.id()).unwrap() {
            Some(process) => break process,
            None => gone = Running::shell("sleep 0.2"),
        }
    };
    gone.0.wait().unwrap();
    let target =
        WatchedProcess { subject: "gone".to_owned(), process, children: Some("gone git".to_owned()) };
    let readout = source(vec![target]).read().await;
    assert_eq!(value(&readout, "gone", "memory/resident"), None);
    assert_eq!(value(&readout, "gone git", "processes/count"), None);
    assert_eq!(
        readout.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["the process of gone has ended"]
    );
}

/// What a look costs is printed, and must stay far below what would disturb clients.
#[tokio::test]
async fn a_look_is_cheap() {
    let sleeps = [Running::shell("sleep 1000"), Running::shell("sleep 1000"), Running::shell("sleep 1000")];
    let mut watched: Vec<_> = sleeps.iter().map(|sleeping| sleeping.watched("node")).collect();
    watched.push(own());
    let mut source = source(watched);
    source.read().await;
    let (before, begun) = (own_ticks(), Instant::now());
    let looks = 50_u32;
    for _ in 0..looks {
        source.read().await;
    }
    let wall = begun.elapsed() / looks;
    let ticks = f64::from(u32::try_from(own_ticks() - before).unwrap());
    eprintln!(
        "a look at the machine and 4 processes: {wall:?}, {:.2} ms of CPU",
        ticks * 10.0 / f64::from(looks)
    );
    assert!(wall < Duration::from_millis(250), "{wall:?}");
}

/// Returns this process's CPU time in ticks of 10 ms.
fn own_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}
