//! What a stranger meets first: the first page, a home of one's own, the doctor, explanations, status, completions.

use std::process::{Command, Stdio};

use e3_model::{Kind, Plan, Run};

use crate::support::{E3, Ran, wait_for};

#[test]
fn e3_alone_shows_a_first_page_and_reads_nothing() {
    let e3 = E3::new();
    let page = e3.run(&[]).exits(0);
    for word in ["e3 doctor", "e3 orchestrate -e quickstart", "deprovision", "completions"] {
        assert!(page.stdout.contains(word), "{word} in {}", page.stdout);
    }
    assert_eq!(page.stderr, "");
    // A home that cannot exist keeps nobody from help.
    for arguments in
        [&["--help"][..], &["-h"], &["--version"], &[], &["run", "--help"], &["new", "experiment", "-h"]]
    {
        let output = e3.command(arguments).env("E3_HOME", "/dev/null/home").output().unwrap();
        assert_eq!(Ran::of(output).exits(0).stderr, "");
    }
    assert_eq!(std::fs::read_dir(e3.path()).unwrap().count(), 0, "nothing was written");
}

#[test]
fn a_new_home_has_an_example_that_is_valid() {
    let e3 = E3::new();
    let made = Ran::of(e3.command(&["init"]).env_remove("E3_HOME").output().unwrap()).exits(0);
    assert!(
        made.stdout.contains("e3 orchestrate -e first") && !made.stdout.contains("E3_HOME"),
        "{}",
        made.stdout
    );
    let home = e3.path().join("e3-home");
    let here = |arguments: &[&str]| Ran::of(e3.command(arguments).env_remove("E3_HOME").output().unwrap());
    let valid = here(&["validate", "-e", "first"]).exits(0);
    assert_eq!((valid.stdout.as_str(), valid.stderr.as_str()), ("first is valid: 2 threads, 6 stages\n", ""));
    std::fs::write(home.join("README.md"), "mine").unwrap();
    let again = here(&["init"]).exits(1);
    assert!(again.stderr.contains("exists already") && again.stderr.contains("hint: "), "{}", again.stderr);
    assert_eq!(std::fs::read_to_string(home.join("README.md")).unwrap(), "mine");

    let other = e3.path().join("an other");
    let made = here(&["init", other.to_str().unwrap()]).exits(0);
    assert!(made.stdout.contains(&format!("export E3_HOME='{}'", other.display())), "{}", made.stdout);
    let json = here(&["init", "third", "--json"]).exits(0).json();
    assert_eq!(json["files"].as_array().unwrap().len(), 3);
    // A directory of something else stays as it is.
    e3.write("project/Cargo.toml", b"");
    let refused = here(&["init", "project"]).exits(1);
    assert!(refused.stderr.contains("Cargo.toml"), "{}", refused.stderr);
}

#[test]
fn what_new_writes_is_valid_and_never_replaces_anything() {
    let e3 = E3::new();
    for (arguments, threads, stages) in [
        (&["new", "experiment", "plain"][..], 2, 6),
        (&["new", "experiment", "one", "--threads", "1", "--clients", "1,2,4,8", "--duration", "2m"], 1, 4),
        (
            &["new", "experiment", "four", "--threads", "4", "--workload", "smoke", "--duration", "500ms"],
            4,
            12,
        ),
        (&["new", "experiment", "open", "--rates", "0.5,5,20"], 2, 6),
        (&["new", "experiment", "copy", "--from", "smoke"], 2, 4),
        (&["new", "experiment", "copy of a copy", "--from", "copy"], 2, 4),
    ] {
        let made = e3.run(arguments).exits(0);
        assert!(made.stderr.contains("first to edit: "), "{}", made.stderr);
        let name = arguments[2];
        let path = e3.home().root().join("experiments").join(format!("{name}.json"));
        assert_eq!(made.stdout, format!("{}\n", path.display()));
        let valid = e3.run(&["validate", "-e", name, "--json"]).exits(0).json();
        assert_eq!(valid["findings"], serde_json::json!([]), "{name}");
        let plan: Plan = serde_json::from_value(valid["plan"].clone()).unwrap();
        assert_eq!(plan.threads.len(), threads, "{name}");
        assert_eq!(plan.threads.iter().map(|thread| thread.stages.len()).sum::<usize>(), stages, "{name}");
        let text = e3.home().find(Kind::Experiment, name).unwrap().text;
        assert!(text.contains(&format!("\"name\": \"{name}\"")), "{text}");
        let before = std::fs::read(&path).unwrap();
        let again = e3.run(arguments).exits(1);
        assert!(again.stderr.contains("exists already"), "{}", again.stderr);
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
    e3.run(&["new", "workload", "mine"]).exits(0);
    e3.run(&["new", "experiment", "with-mine", "--workload", "mine"]).exits(0);

    for (arguments, code, word) in [
        (&["new", "experiment", "bad", "--duration", "soon"][..], 10, "soon"),
        (&["new", "experiment", "bad", "--workload", "quickstrat"], 10, "quickstart"),
        (&["new", "experiment", "bad", "--from", "quickstrat"], 1, "did you mean"),
        (&["new", "experiment", "../bad"], 1, "hint: "),
        (&["new", "workload", "bad", "--from", "nowhere"], 1, "nowhere"),
        (&["new", "experiment", "bad", "--threads", "0"], 2, "--threads"),
        (&["new", "experiment", "bad", "--rates", "0"], 10, "\"rate\" is 0"),
        (&["new", "experiment", "bad", "--rates", "NaN"], 10, "error"),
        (&["new", "experiment", "bad", "--rates", "5", "--clients", "3"], 2, "cannot be used with"),
        (&["new", "experiment", "bad", "--from", "smoke", "--clients", "3"], 2, "cannot be used with"),
    ] {
        let ran = e3.run(arguments).exits(code);
        assert!(ran.stderr.contains(word), "{word} in {}", ran.stderr);
    }
    let bad = ["experiments/bad.json", "workloads/bad.json"].map(|file| e3.path().join(file).exists());
    assert_eq!(bad, [false, false], "nothing invalid was written");
}

#[test]
fn the_doctor_looks_at_everything_and_says_what_to_do() {
    let e3 = E3::new();
    let json = e3.run(&["doctor", "--json"]).exits(0).json();
    let checks = json.as_array().unwrap();
    for name in
        ["git", "ports", "home", "open files", "CPUs", "memory", "/proc", "clock", "leftovers", "terminal"]
    {
        let check = checks.iter().find(|check| check["name"] == name);
        let check = check.unwrap_or_else(|| panic!("{name} in {json:#}"));
        // This machine may be busy or small, but it runs experiments.
        assert_ne!(check["state"], "problem", "{check:#}");
        assert_eq!(check["state"] == "ok", check["hint"].is_null(), "{check:#}");
    }
    let without_git = Ran::of(e3.command(&["doctor"]).env("PATH", e3.path()).output().unwrap()).exits(1);
    let line = without_git.stdout.lines().find(|line| line.starts_with("problem  git")).unwrap();
    assert!(line.contains("git 2.39 or newer"), "{line}");
    assert!(without_git.stdout.contains("apt-get install git"), "{}", without_git.stdout);

    let file = e3.write("a file", b"");
    let no_home =
        Ran::of(e3.command(&["doctor"]).env("E3_HOME", file.join("home")).output().unwrap()).exits(1);
    assert!(no_home.stdout.contains("is no directory"), "{}", no_home.stdout);
    let read_only = Ran::of(e3.command(&["doctor"]).env("E3_HOME", "/proc/home").output().unwrap()).exits(1);
    assert!(read_only.stdout.contains("problem  home"), "{}", read_only.stdout);
}

#[test]
fn explain_knows_codes_words_and_findings() {
    let e3 = E3::new();
    for (subject, word) in [
        (&["32"][..], "client-bound"),
        (&["co-located"], "capacity"),
        (&["weights"], "add up to 1"),
        (&["warm", "up"], "results"),
    ] {
        let arguments: Vec<_> = ["explain"].iter().chain(subject).copied().collect();
        let ran = e3.run(&arguments).exits(0);
        assert!(ran.stdout.contains(word), "{word} in {}", ran.stdout);
    }
    let list = e3.run(&["explain"]).exits(0).stdout;
    assert!(list.contains("client-bound") && list.contains("weight-without-client"), "{list}");
    let unknown = e3.run(&["explain", "wieghts"]).exits(2);
    assert!(unknown.stderr.contains("did you mean \"weights\"?"), "{}", unknown.stderr);
    let json = e3.run(&["explain", "3", "--json"]).exits(0).json();
    assert_eq!(json[0]["kind"], "exit code");
}

#[test]
fn completions_are_what_their_shells_can_read() {
    let e3 = E3::new();
    for (shell, word) in [("bash", "complete -F _e3"), ("zsh", "#compdef e3"), ("fish", "complete -c e3")] {
        let script = e3.run(&["completions", shell]).exits(0).stdout;
        assert!(script.contains(word) && script.contains("orchestrate"), "{shell}");
    }
    let script = e3.run(&["completions", "bash"]).exits(0).stdout;
    e3.write("e3.bash", script.as_bytes());
    let check = Command::new("bash").args(["-n", "e3.bash"]).current_dir(e3.path()).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    let unknown = e3.run(&["completions", "bsh"]).exits(2);
    assert!(unknown.stderr.contains("bash"), "{}", unknown.stderr);
}

#[test]
fn status_follows_a_run_through_its_phases() {
    let e3 = E3::new();
    let none = e3.run(&["status"]).exits(1);
    assert!(none.stderr.contains("hint: "), "{}", none.stderr);

    let name = e3.run(&["provision", "-e", "smoke", "-q"]).exits(0).stdout.trim().to_owned();
    let phase = |expected: &str| {
        let status = e3.run(&["status", "--json"]).exits(0).json();
        assert_eq!((status["run"].as_str(), status["phase"].as_str()), (Some(name.as_str()), Some(expected)));
        assert_eq!(status["process"], serde_json::Value::Null);
        status
    };
    let status = phase("provisioned");
    assert_eq!(status["next"][0], format!("e3 run -r {name}"));
    let nodes = status["nodes"].as_array().unwrap();
    assert!(nodes.len() >= 3 && nodes.iter().all(|node| node["serves"] == true), "{nodes:#?}");
    assert!(!status["standing"].as_array().unwrap().is_empty());
    let doctor = e3.run(&["doctor"]).exits(0).stdout;
    assert!(
        doctor.contains("may still stand") && doctor.contains(&format!("e3 deprovision -r {name}")),
        "{doctor}"
    );

    // While another e3 works on the run, it is watched without a wait, and nobody else may work on it.
    let child = e3.command(&["run", "-r", &name, "-q"]).spawn().unwrap();
    wait_for("a running stage", std::time::Duration::from_secs(60), || {
        let status = e3.run(&["status", "-r", &name, "--json"]).exits(0).json();
        let running = status["stages"].as_array().unwrap().iter().any(|stage| stage["state"] == "running");
        if running && status["process"] == child.id() { Ok(()) } else { Err(format!("{status:#}")) }
    });
    let locked = e3.run(&["gather", "-r", &name]).exits(1);
    let holder = format!("process {}", child.id());
    assert!(locked.stderr.contains(&holder) && locked.stderr.contains("hint: "), "{}", locked.stderr);
    assert!(!e3.only_run().path().join("results.json").exists(), "nothing was written meanwhile");
    Ran::of(child.wait_with_output().unwrap()).exits(0);

    let status = phase("ran");
    assert_eq!(status["stages"].as_array().unwrap().len(), 4);
    assert!(status["stages"][0]["samples"].as_u64().unwrap() > 0, "{status:#}");
    e3.run(&["gather", "-r", &name]).exits(0);
    assert_eq!(phase("gathered")["next"][0], format!("e3 analyze -r {name}"));
    let analyzed = e3.run(&["analyze", "-r", &name]).code;
    assert!(matches!(analyzed, Some(0 | 32)), "{analyzed:?}");
    assert_eq!(phase("analysed")["next"][0], format!("e3 deprovision -r {name}"));
    e3.run(&["deprovision", "-r", &name]).exits(0);
    let status = phase("deprovisioned");
    assert_eq!((&status["next"], &status["standing"]), (&serde_json::json!([]), &serde_json::json!([])));
    let list = e3.run(&["list", "runs"]).exits(0).stdout;
    assert!(list.contains("(deprovisioned)"), "{list}");

    // A run is no better than itself.
    let compared = e3.run(&["compare", &name, &name, "--json"]).exits(0).json();
    assert_eq!(compared["format"], "e3/run-comparison");
    let verdicts = compared["comparisons"].as_array().unwrap();
    let decided = |one: &&serde_json::Value| one["verdict"] == "better" || one["verdict"] == "worse";
    assert!(!verdicts.is_empty() && !verdicts.iter().any(|one| decided(&one)), "{verdicts:#?}");
    let text = e3.run(&["compare", &name, &name]).exits(0).stdout;
    assert!(text.contains("all ops") && text.contains("baseline"), "{text}");
    e3.run(&["compare", &name, "nowhere"]).exits(1);

    let typo = e3.run(&["status", "-r", &name.replacen("smoke", "smoek", 1)]).exits(1);
    assert!(typo.stderr.contains(&format!("did you mean \"{name}\"?")), "{}", typo.stderr);
}

#[test]
fn a_run_that_was_killed_is_called_cut_off() {
    let e3 = E3::new();
    let mut child = e3.command(&["orchestrate", "-e", "smoke", "-q"]).spawn().unwrap();
    wait_for("the first stage", std::time::Duration::from_secs(60), || {
        let runs = e3.home().runs();
        let run = runs.first().ok_or("no run yet")?;
        let record: Run =
            e3.home().run(&run.0).and_then(|run| run.read()).map_err(|error| error.to_string())?;
        if record.stages.is_empty() { Err("no stage yet".to_owned()) } else { Ok(()) }
    });
    child.kill().unwrap();
    child.wait().unwrap();
    let status = e3.run(&["status", "--json"]).exits(0).json();
    assert_eq!(status["phase"], "run-cut-off", "{status:#}");
    let states: Vec<_> =
        status["stages"].as_array().unwrap().iter().map(|stage| stage["state"].clone()).collect();
    assert!(states.contains(&"cut-off".into()) && states.contains(&"to-come".into()), "{states:?}");
    let next: Vec<_> = status["next"].as_array().unwrap().iter().map(|next| next.as_str().unwrap()).collect();
    assert!(next[0].starts_with("e3 gather -r ") && next[1].starts_with("e3 deprovision -r "), "{next:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let e3 = E3::new();
    for arguments in
        [&["list"][..], &["schema", "plan"], &["explain"], &["--help"], &[], &["completions", "zsh"]]
    {
        let mut child = e3.command(arguments).spawn().unwrap();
        // Nobody reads a byte of it.
        drop(child.stdout.take());
        let ran = Ran::of(child.wait_with_output().unwrap()).exits(0);
        assert_eq!(ran.stderr, "", "{arguments:?}");
    }
}

#[test]
fn a_home_that_cannot_be_one_is_named_and_nothing_is_left() {
    let e3 = E3::new();
    let file = e3.write("a file", b"not a directory");
    for (home, why) in [(file.to_str().unwrap(), "file"), ("/proc/e3-home", "No such file")] {
        for arguments in [
            &["orchestrate", "-e", "smoke"][..],
            &["provision", "-e", "smoke"],
            &["init"],
            &["new", "experiment", "x"],
        ] {
            let output = e3.command(arguments).env("E3_HOME", home).output().unwrap();
            let ran = Ran::of(output).exits(1);
            assert!(
                ran.stderr.contains("error: ") && ran.stderr.contains(home),
                "{arguments:?}: {}",
                ran.stderr
            );
            assert!(ran.stderr.contains(why), "{arguments:?} in {home}: {}", ran.stderr);
            assert_eq!(ran.stdout, "", "{arguments:?}");
        }
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"not a directory");
    assert_eq!(std::fs::read_dir(e3.path()).unwrap().count(), 1);
}

#[test]
fn colours_and_escapes_are_for_terminals() {
    let e3 = E3::new();
    let piped = e3.run(&["orchestrate", "-e", "nothing"]);
    assert!(!piped.stderr.contains('\u{1b}'), "{}", piped.stderr);
    let asked = e3.run(&["orchestrate", "-e", "nothing", "--color", "always"]);
    assert!(asked.stderr.contains("\u{1b}[1;31merror:"), "{}", asked.stderr);
    let both = e3.run(&["list", "-q", "-v"]).exits(2);
    assert!(both.stderr.contains("cannot be used with"), "{}", both.stderr);
}

#[test]
fn verbose_shows_the_log_and_quiet_shows_nothing() {
    let e3 = E3::new();
    let quiet = e3.run(&["provision", "-e", "smoke", "-q"]).exits(0);
    assert_eq!(quiet.stderr, "");
    let run = quiet.stdout.trim();
    let removed = e3.run(&["deprovision", "-r", run, "-v"]).exits(0);
    assert!(
        removed.stderr.contains("INFO e3_provision") && removed.stderr.contains("removal"),
        "{}",
        removed.stderr
    );
    assert!(
        removed.stderr.contains("nothing is left") && !removed.stderr.contains('\u{1b}'),
        "{}",
        removed.stderr
    );
    let said = removed.stderr.matches("nothing is left").count();
    assert_eq!(said, 1, "what the printer says is not said again by the log: {}", removed.stderr);
    let log = std::fs::read_to_string(e3.only_run().e3_log()).unwrap();
    assert!(log.lines().all(|line| line.starts_with('{')), "the file holds JSON alone");
}

#[test]
fn a_threshold_decides_the_exit_code() {
    let e3 = E3::new();
    let experiment = e3.home().find(Kind::Experiment, "smoke").unwrap().text;
    let gated = |limit: &str| {
        experiment.replace("\"seed\": 1,", &format!("\"seed\": 1, \"thresholds\": [\"max < {limit}\"],"))
    };
    for (limit, expected) in [("1h", 0), ("1ms", 3)] {
        e3.write("experiments/gated.json", gated(limit).as_bytes());
        let ran = e3.run(&["orchestrate", "-e", "gated"]);
        // Tests share the machine with others, so that a worker may be the bottleneck; that outranks a threshold.
        let slow = ran.stderr.contains("its numbers cannot be believed");
        let ran = ran.exits(if slow { 32 } else { expected });
        assert!(ran.stdout.contains("4 thresholds: "), "{}", ran.stdout);
        let run = e3.home().runs().pop().unwrap();
        let run = e3.home().run(&run.0).unwrap();
        let junit = std::fs::read_to_string(run.path().join("report/junit.xml")).unwrap();
        assert!(junit.contains("<testsuite") && junit.contains(&format!("max &lt; {limit}")), "{junit}");
        let again = e3.run(&["report", "-r", &run.name().0]);
        assert_eq!(again.code, ran.code, "the report stands for the same");
    }
    e3.assert_nothing_left();
}

#[test]
fn a_closed_stderr_is_nobodys_loss() {
    let e3 = E3::new();
    let mut command = e3.command(&["orchestrate", "-e", "nothing"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}
