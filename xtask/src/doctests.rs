//! Whether a Rust file holds examples that rustdoc would run.

use crate::workspace::RustFile;

/// Returns the crates of `crates/` whose docs hold a runnable example, by name, without repetition.
pub(crate) fn crates_with_examples(files: &[RustFile]) -> Vec<&str> {
    let mut names: Vec<&str> = files
        .iter()
        .filter(|file| has_example(&file.text))
        .filter_map(|file| file.path.strip_prefix("crates/")?.split_once("/src/").map(|(name, _)| name))
        .collect();
    names.dedup();
    names
}

/// Returns whether a doc comment opens a code block that is Rust and not `ignore`d.
fn has_example(text: &str) -> bool {
    let mut inside = false;
    for line in text.lines() {
        let line = line.trim_start();
        let Some(doc) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
            inside = false;
            continue;
        };
        let Some(language) = doc.trim().strip_prefix("```") else { continue };
        inside = !inside;
        if inside && is_run(language) {
            return true;
        }
    }
    false
}

/// Source: The rustdoc book, "Documentation tests": a block is Rust unless a word says otherwise.
fn is_run(language: &str) -> bool {
    let words = ["", "rust", "should_panic", "no_run", "compile_fail"];
    language.split(',').all(|word| words.contains(&word.trim()) || word.trim().starts_with("edition"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_runnable_examples() {
        for (text, runnable) in [
            ("/// ```\n/// let a = 1;\n/// ```\nfn f() {}", true),
            ("//! ```rust,no_run\n//! f();\n//! ```", true),
            ("/// ```text\n/// a -> b\n/// ```\nfn f() {}", false),
            ("/// ```json\n/// {}\n/// ```\n/// Words.\nfn f() {}", false),
            ("let a = \"```\";", false),
            ("/// ```ignore\n/// f();\n/// ```", false),
        ] {
            assert_eq!(has_example(text), runnable, "{text}");
        }
    }

    #[test]
    fn names_each_crate_once() {
        let file = |path: &str| RustFile { path: path.to_owned(), text: "/// ```\n/// ```\n".to_owned() };
        let files = [file("crates/e3-a/src/a.rs"), file("crates/e3-a/src/b.rs"), file("xtask/src/main.rs")];
        assert_eq!(crates_with_examples(&files), ["e3-a"]);
    }
}
