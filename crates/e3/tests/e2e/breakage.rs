//! What breaks around e3: it says what, ends with the right code, and still cleans up.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use e3_model::{Run, StageOutcome};
use e3_provider::{Journal, Resource};

use crate::support::{E3, Ran, wait_for};

#[test]
fn a_node_that_dies_fails_its_stage_and_is_named() {
    let e3 = E3::new();
    let child = e3.command(&["orchestrate", "-e", "smoke"]).spawn().unwrap();
    wait_for("a stage of the second thread", Duration::from_secs(60), || {
        let runs = e3.home().runs();
        let run = runs.first().ok_or("no run yet")?;
        let record: Run =
            e3.home().run(&run.0).and_then(|run| run.read()).map_err(|error| error.to_string())?;
        record.stages.iter().find(|stage| stage.stage.thread.0 == 1).ok_or("not yet")?;
        Ok(())
    });
    let run = e3.only_run();
    let process =
        Journal::open(&run.journal()).unwrap().open_resources().into_iter().find_map(
            |resource| match resource {
                Resource::Process { name, identity, .. } if name == "thread-002-githost-2" => identity,
                _ => None,
            },
        );
    let pid = rustix::process::Pid::from_raw(process.unwrap().pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();

    // The other node takes all of its requests, so that no op need fail.
    let ran = Ran::of(child.wait_with_output().unwrap()).exits(30);
    let expected = "githost-2 of thread-002 does not serve any more";
    assert!(ran.stderr.contains(&format!("failed: {expected}")), "{}", ran.stderr);
    assert!(ran.stderr.contains("thread-002-githost-2.log"), "{}", ran.stderr);
    e3.assert_nothing_left();
    let record: Run = run.read().unwrap();
    let last = &record.stages.last().unwrap().outcome;
    assert!(matches!(last, StageOutcome::Failed { reason } if reason.contains(expected)), "{last:?}");
    assert!(run.report_file().is_file(), "what was measured before is reported");
}

#[test]
fn without_git_no_run_begins() {
    let e3 = E3::new();
    for command in ["orchestrate", "provision"] {
        let output = e3.command(&[command, "-e", "smoke"]).env("PATH", e3.path()).output().unwrap();
        let ran = Ran::of(output).exits(20);
        assert!(ran.stderr.contains("git 2.39 or newer is needed"), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("hint: ") && ran.stderr.contains("apt-get install git"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(e3.home().runs(), []);
}

#[test]
fn a_run_that_was_moved_is_deprovisioned_from_another_home() {
    let (e3, other) = (E3::new(), E3::new());
    let name = e3.run(&["provision", "-e", "smoke", "-q"]).exits(0).stdout.trim().to_owned();
    let moved = other.path().join("archive").join(&name);
    std::fs::create_dir(moved.parent().unwrap()).unwrap();
    std::fs::rename(e3.only_run().path(), &moved).unwrap();
    other.run(&["deprovision", "-r", moved.to_str().unwrap()]).exits(0);
    e3.assert_nothing_left();
}

#[test]
fn a_disk_that_takes_nothing_keeps_nobody_from_removing_the_rest() {
    let e3 = E3::new();
    let name = e3.run(&["provision", "-e", "smoke", "-q"]).exits(0).stdout.trim().to_owned();
    let home = e3.path().to_str().unwrap();
    let plain = e3.command(&["deprovision", "-r", &name, "--home", home]);
    // Every write to a file fails, as on a full disk; the shell ignores the signal that would end the process.
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""]).arg(plain.get_program());
    limited.args(plain.get_args()).stdin(Stdio::null()).env("E3_HOME", home).process_group(0);
    let ran = Ran::of(limited.output().unwrap()).exits(21);
    assert!(!ran.stderr.contains("tracing"), "{}", ran.stderr);
    assert!(ran.stderr.contains("error: "), "{}", ran.stderr);
    e3.assert_nothing_left();
    let again = e3.run(&["deprovision", "-r", &name]).exits(0);
    assert!(again.stderr.contains("nothing is left"), "{}", again.stderr);
}

#[test]
fn what_to_do_next_can_be_copied() {
    let e3 = E3::new();
    let home = e3.path().join("an other home");
    let home = home.to_str().unwrap();
    let ran = e3.run(&["provision", "-e", "smoke", "--home", home]).exits(0);
    let (_, next) = ran.stderr.split_once("next: ").unwrap();
    let next = next.trim().replacen("e3 run", "deprovision", 1);
    let plain = e3.command(&[]);
    let line = format!("{} {next}", plain.get_program().to_str().unwrap());
    let copied = Ran::of(Command::new("sh").args(["-c", &line]).current_dir("/").output().unwrap()).exits(0);
    assert!(copied.stderr.contains("nothing is left"), "{}", copied.stderr);
    assert_eq!(e3.processes(), Vec::<String>::new());
}

#[test]
fn a_full_stdout_is_named() {
    let e3 = E3::new();
    // Source: full(4): every write to this device fails for want of space.
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = Ran::of(e3.command(&["list"]).stdout(full).output().unwrap()).exits(1);
    assert!(ran.stderr.contains("error: stdout cannot be written"), "{}", ran.stderr);
}

#[test]
fn a_git_that_is_too_old_begins_no_run() {
    let e3 = E3::new();
    let git = e3.write("bin/git", b"#!/bin/sh\necho git version 2.20.1\n");
    let mut permissions = std::fs::metadata(&git).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    std::fs::set_permissions(&git, permissions).unwrap();
    let path = format!("{}:/usr/bin:/bin", git.parent().unwrap().display());
    let ran =
        Ran::of(e3.command(&["orchestrate", "-e", "smoke"]).env("PATH", path).output().unwrap()).exits(20);
    assert!(
        ran.stderr.contains("git 2.39 or newer is needed") && ran.stderr.contains("git 2.20 was found"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
    assert_eq!(e3.home().runs(), []);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let e3 = E3::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let password = e3.write("password", b"secret");
    let home = e3.path().join("githost");
    let serve = ["githost", "serve", "--home", home.to_str().unwrap(), "--http", &address];
    let serve = [&serve[..], &["--admin-password-file", password.to_str().unwrap()]].concat();
    let balance = ["githost", "balance", "--http", &address, "--node", "http://127.0.0.1:1"].to_vec();
    for arguments in [serve, balance] {
        let ran = e3.run(&arguments).exits(1);
        assert!(ran.stderr.contains(&address), "{}", ran.stderr);
        assert!(ran.stderr.contains("Address already in use"), "{}", ran.stderr);
        assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
        assert_eq!(ran.stdout, "", "nobody may think that it is ready");
    }
}
