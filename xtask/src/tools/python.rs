//! Python clients for the tests: each list of requirements gets a virtual environment in the user's cache directory.
//!
//! The environment is named after the list's first package, and tests look for it under that name. Packages come from
//! PyPI, in exactly the versions of the list; an environment that was made from the same list is used as it is.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

use super::{Program, Version, ensure_program};
use crate::process;
use crate::say::say;
use crate::workspace::Workspace;

/// The lists, as paths in the workspace.
const REQUIREMENTS: &[&str] = &[
    "crates/e3-githost/tests/githost/python_client.txt",
    crate::conformance::schemathesis::REQUIREMENTS,
    crate::guide::REQUIREMENTS,
];

/// The oldest Python that the packages run on.
const PYTHON: Program = Program {
    name: "python3",
    version: "--version",
    packages: "python3 python3-venv",
    minimum: Version(3, 10, 0),
};

/// The file that says from which list an environment was made, written last.
const MADE_FROM: &str = "made-from.txt";

/// Finds or makes every environment.
///
/// # Errors
/// When Python is missing or too old, or the packages cannot be installed; the error says what to do.
pub(super) fn ensure(workspace: &Workspace) -> Result<()> {
    ensure_lists(workspace, REQUIREMENTS)
}

/// Finds or makes the environment of one list.
///
/// # Errors
/// When Python is missing or too old, or the packages cannot be installed; the error says what to do.
pub(crate) fn ensure_list(workspace: &Workspace, list: &str) -> Result<()> {
    ensure_lists(workspace, &[list])
}

fn ensure_lists(workspace: &Workspace, lists: &[&str]) -> Result<()> {
    ensure_program(&PYTHON)?;
    for list in lists {
        let (text, environment) = environment(workspace, list)?;
        ensure_environment(&workspace.root.join(list), &text, &environment)?;
    }
    Ok(())
}

/// Returns where a program of a list's packages lies, once [`ensure`] has been there.
///
/// # Errors
/// When the list cannot be read.
pub(crate) fn program(workspace: &Workspace, list: &str, name: &str) -> Result<PathBuf> {
    Ok(environment(workspace, list)?.1.join("bin").join(name))
}

/// Returns a list's text, and where its environment is.
fn environment(workspace: &Workspace, list: &str) -> Result<(String, PathBuf)> {
    let path = workspace.root.join(list);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {list}"))?;
    let name = environment_name(&text).with_context(|| format!("{list} names no package"))?;
    let environment = e3_home::cache_directory().join("python").join(name);
    Ok((text, environment))
}

/// Returns the name of a list's environment: its first package with its version, such as `requests-2.34.2`.
fn environment_name(text: &str) -> Option<String> {
    let first = text.lines().find(|line| !line.is_empty() && !line.starts_with('#'))?;
    Some(first.replacen("==", "-", 1))
}

fn ensure_environment(list: &Path, text: &str, environment: &Path) -> Result<()> {
    let made_from = environment.join(MADE_FROM);
    if std::fs::read_to_string(&made_from).is_ok_and(|made| made == text) && python(environment).exists() {
        say(format!("found {}", environment.display()));
        return Ok(());
    }
    say(format!("{} is not there, or is another one; making it", environment.display()));
    let mut make = Command::new("python3");
    if process::run(make.args(["-m", "venv", "--clear"]).arg(environment))? != ExitCode::SUCCESS {
        bail!(
            "no virtual environment can be made; on Debian or Ubuntu run: sudo apt-get install python3-venv"
        );
    }
    let mut install = Command::new(python(environment));
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--requirement",
    ]);
    if process::run(install.arg(list))? != ExitCode::SUCCESS {
        bail!("the packages of {} cannot be installed; that needs the network, once", list.display());
    }
    std::fs::write(&made_from, text).with_context(|| format!("cannot write {}", made_from.display()))
}

fn python(environment: &Path) -> PathBuf {
    environment.join("bin/python")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_named_after_the_first_package() {
        assert_eq!(environment_name("# Why.\n\nrequests==2.34.2\nidna==3.20\n").unwrap(), "requests-2.34.2");
        assert_eq!(environment_name("# Nothing.\n"), None);
    }

    #[test]
    fn every_list_is_there_and_pins_every_version() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for list in REQUIREMENTS {
            let text = std::fs::read_to_string(root.join(list)).unwrap();
            for line in text.lines().filter(|line| !line.starts_with('#')) {
                assert!(line.contains("=="), "{list}: {line}");
            }
        }
    }
}
