use std::fs;
use std::process::Command;

use e3_model::{Header, StageId, Teardown};

use super::*;
use crate::Home;

fn run() -> (tempfile::TempDir, RunDir) {
    let directory = tempfile::tempdir().unwrap();
    let run = Home::at(directory.path()).create_run(&RunName("r".to_owned())).unwrap();
    (directory, run)
}

fn teardown() -> Teardown {
    Teardown {
        header: Header::of::<Teardown>(None),
        finished_at: "2026-01-01T00:00:00Z".to_owned(),
        removed: vec!["process 1".to_owned()],
        left: Vec::new(),
    }
}

#[test]
fn documents_come_back_as_they_were_written() {
    let (_directory, run) = run();
    let error = run.read::<Teardown>().unwrap_err();
    assert!(error.to_string().ends_with("runs/r/teardown.json yet"), "{error}");
    assert_eq!(error.hint().unwrap(), "`e3 deprovision` writes it");
    run.write(&teardown()).unwrap();
    assert_eq!(run.read::<Teardown>().unwrap(), teardown());
    let parent = run.parent_of::<Teardown>().unwrap();
    assert_eq!(parent.file, "teardown.json");
    assert_eq!(parent.sha256, sha256_hex(&fs::read(run.path().join("teardown.json")).unwrap()));
}

#[test]
fn a_foreign_document_is_refused_with_its_path() {
    let (_directory, run) = run();
    run.write_file("teardown.json", br#"{"format": "e3/plan", "version": 1}"#).unwrap();
    let error = run.read::<Teardown>().unwrap_err();
    assert!(matches!(error, HomeError::Document { .. }));
    assert!(error.to_string().ends_with("runs/r/teardown.json"), "{error}");
}

#[test]
fn everything_has_its_place() {
    let (_directory, run) = run();
    let relative = |path: PathBuf| path.strip_prefix(run.path()).unwrap().to_str().unwrap().to_owned();
    let stage = StageRef { thread: ThreadId(0), stage: StageId(0) };
    assert_eq!(relative(run.stage_directory(stage)), "thread-001/stage-000");
    assert_eq!(relative(run.snapshot_file(ThreadId(1))), "thread-002/snapshot.json");
    assert_eq!(relative(run.log_file("thread-001-node/../1")), "logs/thread-001-node-..-1.log");
    assert_eq!(relative(run.journal()), "provision.journal");
    assert_eq!(relative(run.report_file()), "report/index.html");
}

#[test]
fn files_stay_within_the_run() {
    let (_directory, run) = run();
    let path = run.write_file("report/charts/a.svg", b"<svg/>").unwrap();
    assert_eq!(fs::read(path).unwrap(), b"<svg/>");
    for bad in ["", "../x", "a/../../x", "/etc/x", "."] {
        assert!(matches!(run.write_file(bad, b""), Err(HomeError::Name { .. })), "{bad:?}");
    }
}

#[test]
fn one_e3_works_on_a_run() {
    let (_directory, run) = run();
    let lock = run.lock().unwrap();
    let error = run.lock().unwrap_err();
    assert!(error.to_string().ends_with(&format!("process {}", std::process::id())), "{error}");
    drop(lock);
    drop(run.lock().unwrap());
}

#[test]
fn another_processs_lock_holds_until_it_ends() {
    let (_directory, run) = run();
    drop(run.lock().unwrap());
    let path = run.path().join(LOCK);
    let script = r#"exec 9<>"$1"; flock -n 9 && echo locked && read -r _"#;
    let mut child = Command::new("bash")
        .args(["-c", script, "bash"])
        .arg(&path)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 7];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"locked\n");
    assert!(matches!(run.lock(), Err(HomeError::Locked { .. })));
    child.kill().unwrap();
    child.wait().unwrap();
    drop(run.lock().unwrap());
}

#[test]
fn who_works_on_a_run_can_be_seen_without_the_lock() {
    let directory = tempfile::tempdir().unwrap();
    let run = Home::at(directory.path()).create_run(&RunName("r".to_owned())).unwrap();
    assert_eq!(run.worked_on_by(), None, "nobody ever did");
    let lock = run.lock().unwrap();
    assert_eq!(run.worked_on_by(), Some(std::process::id()));
    drop(lock);
    assert_eq!(run.worked_on_by(), None, "its number is still in the file, but it has let go");
    fs::write(run.path().join(LOCK), "process 1").unwrap();
    assert_eq!(run.worked_on_by(), None, "another process has that number");
}
