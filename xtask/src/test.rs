//! `cargo xtask test`: everything from a fresh clone to the last test.
//!
//! Arguments go to nextest as they are, so `cargo xtask test -p e3-git clone` runs the tests of e3-git whose name holds
//! "clone"; only `--release` is meant for the build of e3 as well. The exit code is nextest's.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::process;
use crate::say::say;
use crate::workspace::Workspace;
use crate::{doctests, tools};

/// Runs the chore.
///
/// # Errors
/// When a tool is missing and cannot be installed, or cannot be started.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    say("tools: git, a C compiler and cargo-nextest are found or installed");
    tools::ensure(workspace)?;

    say("build: tests start the e3 binary, so it comes first");
    let release = arguments.iter().any(|argument| argument == "--release");
    let mut build = process::cargo(&workspace.root);
    // The whole workspace is named so that the dependencies get the features that the tests' build gives them.
    build.args(["build", "--locked", "--workspace", "--bin", "e3"]);
    let code = process::run(if release { build.arg("--release") } else { &mut build })?;
    if code != ExitCode::SUCCESS {
        return Ok(code);
    }

    if arguments.iter().all(|argument| argument == "--release") {
        let code = run_examples(workspace)?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }

    say("tests: all that follow run at once, as far as .config/nextest.toml lets them");
    process::run(&mut nextest(workspace, arguments))
}

/// Runs the examples in the docs of the crates that have some.
fn run_examples(workspace: &Workspace) -> Result<ExitCode> {
    let files = workspace.rust_files()?;
    let crates = doctests::crates_with_examples(&files);
    if crates.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    say("examples: the docs' own");
    let mut command = process::cargo(&workspace.root);
    command.args(["test", "--doc", "--locked"]);
    process::run(command.args(crates.iter().flat_map(|name| ["-p", name])))
}

fn nextest(workspace: &Workspace, arguments: &[String]) -> Command {
    let mut command = process::cargo(&workspace.root);
    command.args(["nextest", "run", "--locked"]);
    let package = |argument: &String| argument == "--package" || argument.starts_with("-p");
    if !arguments.iter().any(package) {
        command.arg("--workspace");
    }
    command.args(arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_narrows_the_run() {
        let workspace = Workspace { root: ".".into() };
        for (arguments, whole) in [(&[][..], true), (&["clone"][..], true), (&["-p", "e3-git"][..], false)] {
            let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
            let command = nextest(&workspace, &arguments);
            assert_eq!(command.get_args().any(|argument| argument == "--workspace"), whole, "{arguments:?}");
        }
    }
}
