//! `cargo xtask ci`: everything a change must pass, cheapest first; `.ci/run` calls it.
//!
//! Steps come in groups: every step of a group runs, and the first group with a failure is the last. A closing table
//! says how long each step took, and the last line how many tests passed.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::process;
use crate::say::say;
use crate::workspace::Workspace;

/// A step: its name and the cargo command that it is.
struct Step {
    name: &'static str,
    cargo: &'static [&'static str],
}

const GROUPS: &[&[Step]] = &[
    &[
        Step { name: "fmt", cargo: &["fmt", "--all", "--check"] },
        Step { name: "sizes", cargo: &["xtask", "sizes"] },
        Step { name: "layers", cargo: &["xtask", "layers"] },
        Step { name: "map", cargo: &["xtask", "map"] },
        Step { name: "licences", cargo: &["xtask", "licences"] },
        Step { name: "schemas", cargo: &["xtask", "schemas", "--check"] },
    ],
    &[Step {
        name: "clippy",
        cargo: &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
    }],
    &[Step { name: "docs", cargo: &["doc", "--no-deps", "--workspace", "--locked"] }],
    &[Step { name: "release", cargo: &["build", "--release", "--locked"] }],
    &[
        Step { name: "conformance", cargo: &["xtask", "conformance"] },
        Step { name: "test", cargo: &["xtask", "test"] },
    ],
    &[Step { name: "fuzz", cargo: &["xtask", "fuzz"] }],
    // Last, since it runs the e3 that the tests have built.
    &[Step { name: "guide", cargo: &["xtask", "guide", "--check"] }],
];

/// Where nextest's profile `ci` writes its JUnit report, by .config/nextest.toml.
const JUNIT: &str = "target/nextest/ci/junit.xml";

/// Runs the chore.
///
/// # Errors
/// When cargo cannot be started.
pub(crate) fn run(workspace: &Workspace, _: &[String]) -> Result<ExitCode> {
    let junit = workspace.root.join(JUNIT);
    // The counts of an earlier run are none of this one's.
    let _ = std::fs::remove_file(&junit);
    let mut done: Vec<Done> = Vec::new();
    for group in GROUPS {
        for step in *group {
            done.push(step.run(workspace)?);
        }
        if done.iter().any(|step| !step.passed) {
            break;
        }
    }
    say(table(&done));
    if let Some(tests) = tests(&junit) {
        say(tests);
    }
    Ok(if done.iter().all(|step| step.passed) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A step that has run.
struct Done {
    name: &'static str,
    passed: bool,
    took: Duration,
}

impl Step {
    fn run(&self, workspace: &Workspace) -> Result<Done> {
        say(format!("\n== {} ==", self.name));
        let start = Instant::now();
        let mut command = process::cargo(&workspace.root);
        command.args(self.cargo).env("RUSTDOCFLAGS", "-D warnings").env("NEXTEST_PROFILE", "ci");
        let code = process::run(&mut command)?;
        Ok(Done { name: self.name, passed: code == ExitCode::SUCCESS, took: start.elapsed() })
    }
}

/// Returns the closing table: one line a step, the steps that were not reached included.
fn table(done: &[Done]) -> String {
    let mut text = String::from("\n== ci ==\n");
    for step in GROUPS.iter().copied().flatten() {
        let line = match done.iter().find(|done| done.name == step.name) {
            Some(Done { passed, took, .. }) => {
                format!(
                    "{:<11} {:>7.1} s  {}\n",
                    step.name,
                    took.as_secs_f64(),
                    if *passed { "ok" } else { "failed" }
                )
            }
            None => format!("{:<11} {:>9}  not reached\n", step.name, "-"),
        };
        text.push_str(&line);
    }
    let total: Duration = done.iter().map(|step| step.took).sum();
    text + &format!("{:<11} {:>7.1} s", "total", total.as_secs_f64())
}

/// Returns how many tests passed and failed by a JUnit report, or none without one.
fn tests(junit: &Path) -> Option<String> {
    let report = std::fs::read_to_string(junit).ok()?;
    let suites = report.split("<testsuites ").nth(1)?.split('>').next()?;
    let count = |attribute: &str| -> Option<u64> {
        suites.split(&format!(" {attribute}=\"")).nth(1)?.split('"').next()?.parse().ok()
    };
    let failed = count("failures")? + count("errors")?;
    Some(format!("{} passed, {failed} failed", count("tests")?.saturating_sub(failed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_tests_by_the_report() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("junit.xml");
        assert_eq!(tests(&file), None);
        let report = "<?xml version=\"1.0\"?>\n<testsuites name=\"nextest-run\" tests=\"14\" failures=\"2\" errors=\"1\" time=\"1.2\">\n<testsuite name=\"a\" tests=\"3\">";
        std::fs::write(&file, report).unwrap();
        assert_eq!(tests(&file).unwrap(), "11 passed, 3 failed");
    }

    #[test]
    fn the_table_shows_every_step() {
        let done = [Done { name: "fmt", passed: false, took: Duration::from_millis(1500) }];
        let table = table(&done);
        assert!(table.contains("fmt             1.5 s  failed"), "{table}");
        assert!(table.contains("test                -  not reached"), "{table}");
        assert!(table.ends_with("total           1.5 s"), "{table}");
    }
}
