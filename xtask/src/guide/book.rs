//! The book: its pages are all in the table of contents, what they include exists, and mdbook makes it.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

use super::pages::Page;
use crate::process;

/// The page that mdbook reads as the table of contents.
const CONTENTS: &str = "SUMMARY.md";

/// Says which pages are in no table of contents, and which includes would stay empty: mdbook minds neither.
///
/// # Errors
/// When there is no table of contents.
pub(super) fn source_problems(source: &Path, pages: &[Page]) -> Result<Vec<String>> {
    let contents = pages.iter().find(|page| page.path == CONTENTS).context("the guide has no SUMMARY.md")?;
    let mut problems = Vec::new();
    for page in pages {
        if page.path != CONTENTS && !contents.text.contains(&format!("]({})", page.path)) {
            problems.push(format!("{} is not in {CONTENTS}", page.path));
        }
        let folder = source.join(&page.path).parent().unwrap_or(source).to_owned();
        problems.extend(includes(&page.text).filter_map(|include| {
            let (path, anchor) = include.split_once(':').unwrap_or((include, ""));
            let Ok(text) = std::fs::read_to_string(folder.join(path)) else {
                return Some(format!("{} includes {path}, which cannot be read", page.path));
            };
            let there = anchor.is_empty()
                || text.lines().any(|line| line.trim_end().ends_with(&format!("ANCHOR: {anchor}")));
            (!there).then(|| format!("{} includes {include}, but there is no such anchor", page.path))
        }));
    }
    Ok(problems)
}

/// Returns what a page includes, as `PATH` or `PATH:ANCHOR`.
fn includes(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{#include ").skip(1).filter_map(|rest| rest.split("}}").next()).map(str::trim)
}

/// Builds the book.
///
/// # Errors
/// When mdbook cannot be started, or fails.
pub(super) fn build(mdbook: &Path, source: &Path, book: &Path) -> Result<()> {
    let root = source.parent().context("the guide's source lies in no directory")?;
    // What an earlier build left is none of this one's.
    if book.exists() {
        std::fs::remove_dir_all(book).with_context(|| format!("cannot remove {}", book.display()))?;
    }
    let mut command = Command::new(mdbook);
    command.arg("build").arg(root).arg("--dest-dir").arg(book).env("MDBOOK_LOG", "warn");
    if process::run(&mut command)? != ExitCode::SUCCESS {
        bail!("mdbook could not build the guide");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_an_entry_and_an_include_without_its_anchor_are_problems() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(
            directory.path().join("code.rs"),
            "// ANCHOR: whole\nfn f() {}\n// ANCHOR_END: whole\n",
        )
        .unwrap();
        let page = |path: &str, text: &str| Page { path: path.to_owned(), text: text.to_owned() };
        let pages = [
            page("SUMMARY.md", "- [A](a.md)\n"),
            page(
                "a.md",
                "{{#include code.rs:whole}} {{#include code.rs}} {{#include code.rs:half}} {{#include no.rs}}",
            ),
            page("b.md", ""),
        ];
        let problems = source_problems(directory.path(), &pages).unwrap();
        assert_eq!(
            problems,
            [
                "a.md includes code.rs:half, but there is no such anchor",
                "a.md includes no.rs, which cannot be read",
                "b.md is not in SUMMARY.md"
            ]
        );
        assert!(source_problems(directory.path(), &[]).is_err());
    }
}
