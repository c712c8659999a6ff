//! The small commands, and how e3 says what it cannot do.

use crate::support::E3;

#[test]
fn help_names_every_command_and_exit_code() {
    let e3 = E3::new();
    let help = e3.run(&["--help"]).exits(0).stdout;
    for word in
        ["orchestrate", "validate", "provision", "deprovision", "githost", "Exit codes:", "  31  The run was"]
    {
        assert!(help.contains(word), "{word} in {help}");
    }
    e3.run(&["--version"]).exits(0);
    let usage = e3.run(&["orchestrat"]).exits(2);
    assert!(usage.stderr.contains("orchestrate"), "{}", usage.stderr);
    e3.run(&["orchestrate"]).exits(2);
}

#[test]
fn list_shows_the_library_the_scripts_and_the_runs() {
    let e3 = E3::new();
    e3.write("experiments/mine.json", b"{}");
    let text = e3.run(&["list"]).exits(0).stdout;
    for word in ["quickstart", "mine", "(home)", "(library)", "scm.GitCloneOverHttp", "runs:"] {
        assert!(text.contains(word), "{word} in {text}");
    }
    let json = e3.run(&["list", "scripts", "--json"]).exits(0).json();
    assert_eq!(json["scripts"].as_array().unwrap().len(), 28);
    assert!(json.get("runs").is_none());
}

#[test]
fn schemas_are_printed_by_name() {
    let e3 = E3::new();
    let names = e3.run(&["schema"]).exits(0).stdout;
    for name in names.lines() {
        let schema = e3.run(&["schema", name]).exits(0).json();
        assert!(schema["$schema"].as_str().unwrap().contains("json-schema.org"), "{name}");
    }
    assert!(names.lines().count() >= 9, "{names}");
    let unknown = e3.run(&["schema", "plain"]).exits(2);
    assert!(
        unknown.stderr.contains("hint: one of: ") && unknown.stderr.contains("plan"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn what_is_not_there_is_named_with_a_hint() {
    let e3 = E3::new();
    let experiment = e3.run(&["orchestrate", "-e", "quikstart"]);
    assert!(
        experiment.stderr.contains("quikstart") && experiment.stderr.contains("quickstart"),
        "{}",
        experiment.stderr
    );
    assert_eq!(experiment.code, Some(1));
    for command in ["run", "gather", "analyze", "report", "deprovision"] {
        let ran = e3.run(&[command, "-r", "no-such-run"]).exits(1);
        assert!(
            ran.stderr.starts_with("error: ") && ran.stderr.contains("no-such-run"),
            "{command}: {}",
            ran.stderr
        );
        assert_eq!(ran.stdout, "");
    }
    let escape = e3.run(&["deprovision", "-r", "../../etc"]);
    assert_ne!(escape.code, Some(0), "{}", escape.stderr);
}
