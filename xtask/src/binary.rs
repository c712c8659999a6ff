//! The e3 binary as users have it.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::process;
use crate::say::say;
use crate::workspace::Workspace;

/// Builds the e3 binary of this tree with optimisation, and returns where it lies.
///
/// # Errors
/// When the build fails.
pub(crate) fn release(workspace: &Workspace) -> Result<PathBuf> {
    build(workspace, "e3", ["--bin", "e3"])
}

/// Builds an example of a package of this tree with optimisation, and returns where it lies.
///
/// # Errors
/// When the build fails.
pub(crate) fn example(workspace: &Workspace, package: &str, name: &str) -> Result<PathBuf> {
    build(workspace, package, ["--example", name])
}

fn build(workspace: &Workspace, package: &str, [kind, name]: [&str; 2]) -> Result<PathBuf> {
    say(format!("build: the optimised {name} of {package}"));
    let mut command = process::cargo(&workspace.root);
    command.args(["build", "--locked", "--release", "--package", package, kind, name]);
    command
        .args(["--message-format", "json-render-diagnostics"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let output = command.output().context("cannot start cargo build")?;
    if !output.status.success() {
        bail!("{name} could not be built");
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    executable_named(name, &messages).with_context(|| format!("cargo build did not say where {name} lies"))
}

/// Returns the binary that cargo's messages name, one message a line.
pub(crate) fn executable(messages: &str) -> Option<PathBuf> {
    executable_named("e3", messages)
}

/// Returns the binary or example of that name that cargo's messages name, one message a line.
pub(crate) fn executable_named(name: &str, messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let path = |message: Value| {
        let is_it = message.pointer("/target/name")? == name;
        message.get("executable")?.as_str().filter(|_| is_it).map(PathBuf::from)
    };
    messages.filter_map(path).next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_is_where_cargo_says() {
        let messages = "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"e3_git\"},\"executable\":null}\n\
                        not json\n\
                        {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"e3\"},\"executable\":\"/t/release/e3\"}\n\
                        {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(executable(messages), Some(PathBuf::from("/t/release/e3")));
        assert_eq!(executable("{\"reason\":\"build-finished\"}"), None);
    }
}
