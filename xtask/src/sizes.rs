//! `cargo xtask sizes`: files and functions stay short, names say something, nothing unfinished is left.
//!
//! Reads the working tree; says problems, which fail the chore, and warnings, which ask for a second look.

use std::process::ExitCode;

use anyhow::Result;

use crate::say::{say, verdict};
use crate::source;
use crate::workspace::{RustFile, Workspace};

/// A file of the product has at most so many lines.
const FILE_LINES: usize = 600;
/// A file of the product deserves a second look above this.
const FILE_LINES_WARNING: usize = 400;
/// A file of tests has at most so many lines: below `tests/`, or named `…tests.rs`.
const TEST_FILE_LINES: usize = 1000;
/// A function deserves a second look above this.
const FUNCTION_LINES_WARNING: usize = 60;
/// The map of the house fits on a few pages.
const ARCHITECTURE_LINES: usize = 150;

/// Words that name nothing: a type or module must not end in one.
const EMPTY_WORDS: &[&str] = &[
    "manager",
    "helper",
    "helpers",
    "util",
    "utils",
    "utilities",
    "handler",
    "common",
    "info",
    "imp",
    "misc",
];

/// What must not be left in code, and what to do instead.
const LEFTOVERS: &[(&str, &str)] = &[
    ("todo!(", "finish it"),
    ("unimplemented!(", "finish it"),
    ("dbg!(", "remove it"),
    ("#[ignore", "make the test pass, or remove it"),
    ("#[allow(", "use #[expect(lint, reason = \"...\")]"),
    ("#![allow(", "use #![expect(lint, reason = \"...\")]"),
];

/// Marks of unfinished work in comments.
const MARKS: &[&str] = &["TODO", "FIXME", "XXX"];

/// Runs the chore.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn run(workspace: &Workspace, _: &[String]) -> Result<ExitCode> {
    let files = workspace.rust_files()?;
    let mut found = Found::default();
    for file in &files {
        found.look_at(file);
    }
    let map = workspace.read("ARCHITECTURE.md")?.lines().count();
    if map > ARCHITECTURE_LINES {
        found.problems.push(format!("ARCHITECTURE.md has {map} lines; allowed are {ARCHITECTURE_LINES}"));
    }
    for warning in &found.warnings {
        say(format!("warning: {warning}"));
    }
    let lines: usize = files.iter().map(|file| file.text.lines().count()).sum();
    let fine = format!("{} files, {lines} lines, {} to look at again", files.len(), found.warnings.len());
    Ok(verdict("sizes", &found.problems, &fine))
}

#[derive(Default)]
struct Found {
    problems: Vec<String>,
    warnings: Vec<String>,
}

impl Found {
    fn look_at(&mut self, file: &RustFile) {
        let code = source::code(&file.text);
        self.look_at_length(file);
        self.look_at_functions(&file.path, &code);
        self.look_at_names(&file.path, &code);
        self.look_at_leftovers(file, &code);
    }

    fn look_at_length(&mut self, file: &RustFile) {
        let (path, lines) = (&file.path, file.text.lines().count());
        let test = path.split('/').any(|part| part == "tests") || path.ends_with("tests.rs");
        let allowed = if test { TEST_FILE_LINES } else { FILE_LINES };
        if lines > allowed {
            self.problems.push(format!(
                "{path} has {lines} lines; allowed are {allowed}: split it by what it is about"
            ));
        } else if lines > FILE_LINES_WARNING && !test {
            self.warnings.push(format!("{path} has {lines} lines; look again above {FILE_LINES_WARNING}"));
        }
    }

    fn look_at_functions(&mut self, path: &str, code: &str) {
        for function in source::functions(code) {
            let (name, line, lines) = (&function.name, function.line, function.lines);
            if lines > FUNCTION_LINES_WARNING {
                self.warnings.push(format!(
                    "{path}:{line}: fn {name} has {lines} lines; look again above {FUNCTION_LINES_WARNING}"
                ));
            }
            if name.starts_with("get_") {
                self.problems.push(format!("{path}:{line}: fn {name}: leave out `get_`"));
            }
        }
    }

    fn look_at_names(&mut self, path: &str, code: &str) {
        if path.ends_with("/mod.rs") {
            self.problems.push(format!("{path}: put it beside its folder, under the folder's name"));
        }
        for (name, line) in source::declared(code, &["struct", "enum", "trait", "type", "mod"]) {
            let last = last_word(&name);
            if EMPTY_WORDS.contains(&last.as_str()) {
                self.problems.push(format!(
                    "{path}:{line}: {name}: `{last}` says nothing; name what it does or holds"
                ));
            }
        }
    }

    fn look_at_leftovers(&mut self, file: &RustFile, code: &str) {
        let path = &file.path;
        for (number, line) in code.lines().enumerate() {
            for (leftover, instead) in LEFTOVERS.iter().filter(|(leftover, _)| line.contains(leftover)) {
                self.problems.push(format!("{path}:{}: {leftover}: {instead}", number + 1));
            }
        }
        for (number, (line, code)) in file.text.lines().zip(code.lines()).enumerate() {
            // What the code does not show is comment or literal; a comment's line begins with its slashes.
            let comment = code.trim().is_empty() && line.trim_start().starts_with("//");
            for mark in MARKS.iter().filter(|mark| comment && line.contains(*mark)) {
                self.problems
                    .push(format!("{path}:{}: {mark} in a comment: do it, or say why it is so", number + 1));
            }
        }
    }
}

/// Returns the last word of a `CamelCase` or `snake_case` name, in lower case.
fn last_word(name: &str) -> String {
    let last = name.rsplit('_').next().unwrap_or(name);
    let start = last.rfind(char::is_uppercase).unwrap_or(0);
    last.get(start..).unwrap_or(last).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(path: &str, text: &str) -> Found {
        let mut found = Found::default();
        found.look_at(&RustFile { path: path.to_owned(), text: text.to_owned() });
        found
    }

    #[test]
    fn judges_lengths() {
        for (path, lines, problems, warnings) in [
            ("crates/a/src/lib.rs", 400, 0, 0),
            ("crates/a/src/lib.rs", 401, 0, 1),
            ("crates/a/src/lib.rs", 601, 1, 0),
            ("crates/a/tests/a.rs", 1000, 0, 0),
            ("crates/a/tests/a.rs", 1001, 1, 0),
        ] {
            let found = look(path, &"const A: u8 = 1;\n".repeat(lines));
            assert_eq!((found.problems.len(), found.warnings.len()), (problems, warnings), "{path} {lines}");
        }
        let long = format!("fn long() {{\n{}}}\n", "    a();\n".repeat(60));
        assert_eq!(look("a.rs", &long).warnings, ["a.rs:1: fn long has 62 lines; look again above 60"]);
    }

    #[test]
    fn judges_names_and_leftovers() {
        for (text, problems, why) in [
            ("struct RunManager;", 1, "says nothing"),
            ("mod git_utils;", 1, "says nothing"),
            ("struct Information;", 0, "another word"),
            ("struct ManagerOfRuns;", 0, "only the last word counts"),
            ("fn get_name() {}", 1, "no get_"),
            ("fn target() {}", 0, "not a prefix"),
            ("fn f() { todo!() }", 1, "unfinished"),
            ("fn f() { g(\"todo!(\") } // todo!(", 0, "in text only"),
            ("#[ignore = \"slow\"]", 1, "skipped test"),
            ("#[expect(dead_code, reason = \"a\")]", 0, "how it should be"),
            ("// TODO: later", 1, "mark in a comment"),
            ("let a = \"// TODO\";", 0, "mark in a text"),
        ] {
            let found = look("crates/a/src/a.rs", text).problems;
            assert_eq!(found.len(), problems, "{text}: {why}: {found:?}");
        }
        assert_eq!(look("crates/a/src/b/mod.rs", "").problems.len(), 1);
    }

    #[test]
    fn finds_the_last_word() {
        for (name, word) in
            [("RunManager", "manager"), ("git_utils", "utils"), ("HTTPInfo", "info"), ("imp", "imp")]
        {
            assert_eq!(last_word(name), word);
        }
    }
}
