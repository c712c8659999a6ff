//! Real processes: started, found, stopped, and verified to be gone.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use e3_node::{
    MARK, NodeError, ProcessIdentity, Spawn, Stopped, base_environment, find_marked, group_members, identify,
    is_alive, launch, spawn, stop,
};

const LONG: Duration = Duration::from_secs(20);

/// Returns a mark that no other test, and no other run of this one, uses.
fn mark(test: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("the clock is past 1970").as_nanos();
    format!("e3-node-test/{test}/{}-{next}-{now}", std::process::id())
}

fn shell(script: &str, directory: &Path, mark: &str) -> Spawn {
    Spawn {
        program: "sh".into(),
        args: ["-c", script].map(OsString::from).to_vec(),
        environment: base_environment(),
        log: directory.join("logs/child.log"),
        mark: mark.to_owned(),
        ready_within: LONG,
    }
}

/// Waits until a condition holds; says what was waited for when it does not.
async fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < deadline, "waited for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_ready_process_lives_on_with_nothing_but_its_environment() {
    let directory = tempfile::tempdir().unwrap();
    let mark = mark("ready");
    let mut wanted = shell(
        "tr '\\0' '\\n' < /proc/$$/environ >&2; echo '{\"ready\": 1}'; exec sleep 300",
        directory.path(),
        &mark,
    );
    wanted.environment.push(("E3_TEST".into(), "given".into()));
    let log = wanted.log.clone();
    let started = spawn(wanted).await.unwrap();
    assert_eq!(started.stdout_line, "{\"ready\": 1}");
    assert!(is_alive(&started.process).unwrap());
    assert_eq!(identify(started.process.pid).unwrap().as_ref(), Some(&started.process));

    let text = std::fs::read_to_string(log).unwrap();
    let mut names: Vec<_> =
        text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    names.sort_unstable();
    assert_eq!(names, [MARK, "E3_TEST", "HOME", "LC_ALL", "PATH"].as_slice(), "{text}");
    assert!(text.contains(&format!("{MARK}={mark}\n")) && text.contains("LC_ALL=C\n"), "{text}");

    assert_eq!(stop(&started.process, LONG).await.unwrap(), Stopped::Terminated);
    assert!(!is_alive(&started.process).unwrap());
    assert_eq!(stop(&started.process, LONG).await.unwrap(), Stopped::AlreadyGone);
}

#[tokio::test]
async fn no_zombie_stays_while_this_process_lives() {
    let directory = tempfile::tempdir().unwrap();
    let started =
        spawn(shell("echo ready; exec sleep 300", directory.path(), &mark("zombie"))).await.unwrap();
    stop(&started.process, LONG).await.unwrap();
    let entry = format!("/proc/{}", started.process.pid);
    wait_for("the process's entry to vanish", || !Path::new(&entry).exists()).await;
}

#[tokio::test]
async fn a_process_that_never_gets_ready_is_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let mark = mark("never");
    let mut wanted = shell("echo 'no database' >&2; sleep 300 & wait", directory.path(), &mark);
    wanted.ready_within = Duration::from_millis(300);
    let error = spawn(wanted).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, NodeError::NotReady { .. }), "{text}");
    assert!(text.starts_with("sh printed nothing instead of a ready line within 0.3 s; its log "), "{text}");
    assert!(text.ends_with("ends with:\n  | no database"), "{text}");
    assert_eq!(find_marked(&mark).unwrap(), []);
}

#[tokio::test]
async fn a_process_that_ends_early_is_reported_with_its_last_words() {
    let directory = tempfile::tempdir().unwrap();
    for (case, script) in [
        ("ends at once", "echo 'port taken' >&2; exit 3"),
        ("says only half a line", "printf half; echo 'port taken' >&2; exit 3"),
        ("leaves a child that holds its output", "sleep 300 & echo 'port taken' >&2; exit 3"),
    ] {
        let mark = mark("early");
        let begun = Instant::now();
        let error = spawn(shell(script, directory.path(), &mark)).await.unwrap_err();
        let text = error.to_string();
        assert!(
            matches!(error, NodeError::Ended { status, .. } if status.code() == Some(3)),
            "{case}: {text}"
        );
        assert!(text.ends_with("| port taken"), "{case}: {text}");
        assert!(begun.elapsed() < LONG / 2, "{case} must be noticed at once");
        assert_eq!(find_marked(&mark).unwrap(), [], "{case}");
    }
}

#[tokio::test]
async fn what_cannot_start_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let mut wanted = shell("", directory.path(), "unused");
    wanted.program = directory.path().join("no-such-program");
    let error = spawn(wanted).await.unwrap_err();
    assert!(matches!(error, NodeError::Spawn { .. }), "{error}");
    assert!(error.to_string().ends_with("no-such-program"), "{error}");
    let mut wanted = shell("", directory.path(), "unused");
    wanted.log = "/proc/no-such/child.log".into();
    assert!(matches!(spawn(wanted).await.unwrap_err(), NodeError::Log { .. }));
}

#[tokio::test]
async fn an_output_without_a_line_is_no_ready_line() {
    let directory = tempfile::tempdir().unwrap();
    for (script, found) in [
        ("exec >&-; sleep 300 >/dev/null", "closed its output"),
        ("head -c 100000 /dev/zero; sleep 300", "printed an endless line"),
    ] {
        let mark = mark("line");
        let error = spawn(shell(script, directory.path(), &mark)).await.unwrap_err();
        assert!(error.to_string().contains(found), "{error}");
        assert_eq!(find_marked(&mark).unwrap(), []);
    }
}

#[tokio::test]
async fn what_ignores_sigterm_is_killed_after_the_grace() {
    let directory = tempfile::tempdir().unwrap();
    let mark = mark("stubborn");
    let script = "trap '' TERM; echo ready; while :; do sleep 0.05; done";
    let started = spawn(shell(script, directory.path(), &mark)).await.unwrap();
    let grace = Duration::from_millis(200);
    let begun = Instant::now();
    assert_eq!(stop(&started.process, grace).await.unwrap(), Stopped::Killed);
    assert!(begun.elapsed() >= grace);
    assert!(!is_alive(&started.process).unwrap());
    assert_eq!(find_marked(&mark).unwrap(), []);
}

#[tokio::test]
async fn grandchildren_go_with_their_leader() {
    let directory = tempfile::tempdir().unwrap();
    let mark = mark("grandchildren");
    // The second grandchild has no mark: only its group tells whose it is. The third ignores SIGTERM.
    let script = "sleep 300 & env -i sleep 301 & (trap '' TERM; sleep 302) & echo ready; wait";
    let started = spawn(shell(script, directory.path(), &mark)).await.unwrap();
    wait_for("three grandchildren", || group_members(&started.process).unwrap().len() >= 3).await;
    let members = group_members(&started.process).unwrap();
    stop(&started.process, LONG).await.unwrap();
    for member in members {
        assert!(!is_alive(&member).unwrap(), "{member:?}");
    }
    assert_eq!(find_marked(&mark).unwrap(), []);
    assert_eq!(group_members(&started.process).unwrap(), []);
}

#[tokio::test]
async fn a_reused_number_is_never_signalled() {
    let directory = tempfile::tempdir().unwrap();
    let started = spawn(shell("echo ready; exec sleep 300", directory.path(), &mark("reuse"))).await.unwrap();
    let own = &started.process;
    for other in [
        ProcessIdentity { started: own.started - 1, ..own.clone() },
        ProcessIdentity { started: own.started + 1, ..own.clone() },
        ProcessIdentity { boot_id: "00000000-0000-0000-0000-000000000000".to_owned(), ..own.clone() },
    ] {
        assert_eq!(stop(&other, Duration::ZERO).await.unwrap(), Stopped::AlreadyGone, "{other:?}");
        assert_eq!(group_members(&other).unwrap(), [], "{other:?}");
    }
    assert!(is_alive(own).unwrap(), "the process that has the number now must not have been touched");
    assert_eq!(stop(own, LONG).await.unwrap(), Stopped::Terminated);
}

#[tokio::test]
async fn a_zombie_counts_as_gone() {
    // A child of this test that nobody waits for stays a zombie.
    let mut child = std::process::Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    let process = identify(child.id()).unwrap().unwrap();
    drop(child.stdin.take());
    wait_for("cat to end", || !is_alive(&process).unwrap()).await;
    assert!(Path::new(&format!("/proc/{}", process.pid)).exists(), "it is a zombie");
    assert_eq!(stop(&process, LONG).await.unwrap(), Stopped::AlreadyGone);
    child.wait().unwrap();
}

#[tokio::test]
async fn a_mark_finds_its_processes_and_no_others() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (mark("find"), mark("find"));
    let script = "sleep 300 & echo ready; wait";
    let started = spawn(shell(script, directory.path(), &one)).await.unwrap();
    let longer =
        spawn(shell("echo ready; exec sleep 300", directory.path(), &format!("{one}0"))).await.unwrap();
    wait_for("both processes of the mark", || find_marked(&one).unwrap().len() == 2).await;
    assert!(find_marked(&one).unwrap().contains(&started.process));
    assert!(
        !find_marked(&one).unwrap().contains(&longer.process),
        "a mark that begins alike is another mark"
    );
    assert_eq!(find_marked(&other).unwrap(), []);
    for process in [started.process, longer.process] {
        stop(&process, LONG).await.unwrap();
    }
    assert_eq!(find_marked(&one).unwrap(), []);
}

#[tokio::test]
async fn what_is_dropped_before_it_is_ready_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let mark = mark("drop");
    let launched = launch(shell("sleep 300 & wait", directory.path(), &mark)).unwrap();
    let process = launched.process().clone();
    drop(launched);
    wait_for("the dropped process to be gone", || !is_alive(&process).unwrap()).await;
    wait_for("its child to be gone", || find_marked(&mark).unwrap().is_empty()).await;

    let waiting = spawn(shell("sleep 300", directory.path(), &mark));
    assert!(tokio::time::timeout(Duration::from_millis(200), waiting).await.is_err());
    wait_for("the cancelled process to be gone", || find_marked(&mark).unwrap().is_empty()).await;
}

#[test]
fn a_started_process_outlives_the_runtime_that_started_it() {
    let directory = tempfile::tempdir().unwrap();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let wanted = shell("echo ready; exec sleep 300", directory.path(), &mark("outlive"));
    let started = runtime().block_on(spawn(wanted)).unwrap();
    assert!(is_alive(&started.process).unwrap());
    assert_eq!(runtime().block_on(stop(&started.process, LONG)).unwrap(), Stopped::Terminated);
}
