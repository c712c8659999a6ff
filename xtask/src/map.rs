//! `cargo xtask map`: the pages name only what exists, and ARCHITECTURE.md shows every crate in its row.
//!
//! Reads the Markdown files of the root and of `docs/`; says every path that leads nowhere.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::layers::ROWS;
use crate::say::verdict;
use crate::workspace::Workspace;

/// A text in backticks that begins so is a path below the root.
const PREFIXES: &[&str] = &["crates/", "xtask/", "docs/", "schemas/", ".ci/", ".config/"];

/// Where pages lie, as paths below the root.
const FOLDERS: &[&str] =
    &["", "docs", "docs/decisions", "docs/guide/src", "docs/guide/src/documents", "docs/guide/src/extending"];

/// Runs the chore.
///
/// # Errors
/// When a page cannot be read.
pub(crate) fn run(workspace: &Workspace, _: &[String]) -> Result<ExitCode> {
    let mut problems = row_problems(&workspace.read("ARCHITECTURE.md")?);
    let pages = pages(&workspace.root)?;
    for page in &pages {
        let text = workspace.read(page)?;
        let directory = workspace.root.join(page).parent().unwrap_or(&workspace.root).to_owned();
        for path in paths(&text).into_iter().filter(|path| !workspace.root.join(path).exists()) {
            problems.push(format!("{page} names {path}, which does not exist"));
        }
        for link in links(&text).into_iter().filter(|link| !directory.join(link).exists()) {
            problems.push(format!("{page} links to {link}, which does not exist"));
        }
    }
    Ok(verdict("map", &problems, &format!("{} pages name only what exists", pages.len())))
}

/// Returns the Markdown files of the folders, as paths below the root.
fn pages(root: &Path) -> Result<Vec<String>> {
    let mut pages = Vec::new();
    for folder in FOLDERS {
        let directory = root.join(folder);
        let unreadable = || format!("cannot read {}", directory.display());
        for entry in std::fs::read_dir(&directory).with_context(unreadable)? {
            let name = entry.with_context(unreadable)?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".md") {
                pages.push(if folder.is_empty() { name } else { format!("{folder}/{name}") });
            }
        }
    }
    pages.sort();
    Ok(pages)
}

/// Says which crates the table of rooms lacks or shows in another row.
fn row_problems(architecture: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (number, row) in ROWS.iter().enumerate() {
        let start = if number + 1 == ROWS.len() { "| dev ".to_owned() } else { format!("| {number} ") };
        for name in *row {
            let shown = |line: &str| line.starts_with(&start) && line.contains(&format!("`{name}`"));
            if !architecture.lines().any(shown) {
                problems.push(format!("ARCHITECTURE.md does not show {name} in a row that begins {start:?}"));
            }
        }
    }
    problems
}

/// Returns the paths below the root that a page names, as far as they are no placeholders.
fn paths(page: &str) -> Vec<String> {
    let quoted = page.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let path = |text: &str| {
        let path = text.split_whitespace().next()?;
        PREFIXES.iter().any(|prefix| path.starts_with(prefix)).then(|| before_placeholder(path))
    };
    quoted.filter_map(path).collect()
}

/// Returns the part of a path before the first name that stands for others: `crates/NAME/src` is `crates`.
fn before_placeholder(path: &str) -> String {
    let placeholder = |name: &str| {
        let stem = name.split('.').next().unwrap_or(name);
        name.contains('*') || stem.len() > 2 && stem.chars().all(|c| c.is_ascii_uppercase())
    };
    path.split('/').take_while(|name| !placeholder(name)).collect::<Vec<_>>().join("/")
}

/// Returns the targets of a page's links to other files, without their anchors.
fn links(page: &str) -> Vec<&str> {
    page.split("](")
        .skip(1)
        .filter_map(|text| text.split_once(')')?.0.split('#').next())
        .filter(|link| !link.is_empty() && !link.contains("://"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_paths_and_links() {
        let page = "See `crates/e3-git/src/lib.rs`, `crates/e3-scripts/src/scm/NAME.rs`, `schemas/*.json` and `git push`;\n\
                    [words](docs/glossary.md#load), [web](https://example.org), [here](#more).";
        assert_eq!(paths(page), ["crates/e3-git/src/lib.rs", "crates/e3-scripts/src/scm", "schemas"]);
        assert_eq!(links(page), ["docs/glossary.md"]);
    }

    #[test]
    fn a_crate_in_another_row_is_a_problem() {
        let row =
            |number: usize| if number + 1 == ROWS.len() { "dev".to_owned() } else { number.to_string() };
        let line = |(number, names): (usize, &&[&str])| {
            format!("| {} words | `{}` |\n", row(number), names.join("`, `"))
        };
        let right: String = ROWS.iter().enumerate().map(line).collect();
        assert_eq!(row_problems(&right), Vec::<String>::new());
        let wrong = right.replace("| 0 ", "| 1 ");
        assert_eq!(row_problems(&wrong).len(), 1);
    }
}
