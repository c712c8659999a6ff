//! `cargo xtask guide`: the user guide says what is true of this tree.
//!
//! Writes the generated parts of `docs/guide/src` (with `--check` it only compares), builds the book into `target/guide`,
//! follows every link and anchor in it, and does what the pages show: their commands are run with this tree's e3, each
//! page in a home of its own, and their documents are validated.

mod block;
mod book;
mod commands;
mod documents;
mod examples;
mod exit_codes;
mod fields;
mod home;
mod links;
mod pages;
mod scripts;
mod session;
mod shape;

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::say::{say, verdict};
use crate::workspace::Workspace;
use crate::{binary, process, tools};

/// The package that brings the program that makes the book.
pub(crate) const REQUIREMENTS: &str = "xtask/src/guide/requirements.txt";
/// Where the pages lie.
const SOURCE: &str = "docs/guide/src";
/// Where the book is built.
const BOOK: &str = "target/guide";

/// Runs the chore.
///
/// # Errors
/// When an argument is unknown, e3 or the book cannot be built, or a file cannot be read or written.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    let options = Options::parse(arguments)?;
    tools::ensure_python(workspace, REQUIREMENTS)?;
    let e3 = match options.e3 {
        Some(path) => path,
        None => build(workspace)?,
    };
    let source = workspace.root.join(SOURCE);
    let mut problems = pages::keep(&source, &generated(&e3)?, options.check)?;
    let pages = pages::all(&source)?;
    problems.extend(book::source_problems(&source, &pages)?);
    let book = workspace.root.join(BOOK);
    book::build(&tools::python_program(workspace, REQUIREMENTS, "mdbook")?, &source, &book)?;
    problems.extend(links::problems(&book)?);
    let examples = examples::run(&e3, &pages)?;
    problems.extend(examples.problems);
    let fine = format!(
        "{} pages in {BOOK}, {} commands run, {} documents validated",
        pages.len(),
        examples.commands,
        examples.documents
    );
    Ok(verdict("guide", &problems, &fine))
}

/// Returns the parts that are generated, by page.
fn generated(e3: &Path) -> Result<pages::Generated> {
    let mut generated = documents::pages();
    generated.insert("scripts.md".to_owned(), scripts::list(e3)?);
    generated.insert("commands.md".to_owned(), commands::list(e3)?);
    generated.insert("exit-codes.md".to_owned(), exit_codes::table(e3)?);
    Ok(generated)
}

struct Options {
    check: bool,
    e3: Option<PathBuf>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self { check: false, e3: None };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--check" => options.check = true,
                "--e3" => {
                    let path = rest.next().context("--e3 needs a path")?;
                    options.e3 = Some(std::path::absolute(path).context("cannot tell where we are")?);
                }
                _ => bail!("`cargo xtask guide` knows --check and --e3 PATH, but got {argument:?}"),
            }
        }
        Ok(options)
    }
}

/// Builds e3 as the tests have it, so that after them nothing is built anew; returns where it lies.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    say("build: the e3 binary of this tree");
    let mut command = process::cargo(&workspace.root);
    command.args(["build", "--locked", "--workspace", "--bin", "e3"]);
    command.args(["--message-format", "json-render-diagnostics"]).stdin(Stdio::null());
    let output = command.stderr(Stdio::inherit()).output().context("cannot start cargo build")?;
    if !output.status.success() {
        bail!("the e3 binary could not be built");
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    binary::executable(&messages).context("cargo build did not say where the e3 binary lies")
}

/// Returns what e3 prints on stdout, as text for a pipe.
fn printed(e3: &Path, arguments: &[&str]) -> Result<String> {
    let output = std::process::Command::new(e3)
        .args(arguments)
        .env_remove("E3_HOME")
        .env_remove("COLUMNS")
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", e3.display()))?;
    if !output.status.success() {
        bail!("`e3 {}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).context("e3 did not print text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_two_flags() {
        let parse = |arguments: &[&str]| {
            Options::parse(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>())
        };
        assert!(!parse(&[]).unwrap().check);
        let options = parse(&["--e3", "/t/e3", "--check"]).unwrap();
        assert!(options.check);
        assert_eq!(options.e3, Some(PathBuf::from("/t/e3")));
        assert!(parse(&["--e3"]).is_err());
        assert!(parse(&["--quick"]).is_err());
    }
}
