//! A file's text with numbered lines.

use std::fmt::Write;

use minijinja::Value;
use serde::Serialize;

use super::escape;

/// A file as it is shown.
#[derive(Serialize)]
pub(super) struct Source {
    /// The lines, each with an anchor `L1`, `L2`, … before it.
    html: Value,
    lines: usize,
    /// How many lines there are in all; more than are shown if the file is long.
    all_lines: usize,
}

impl Source {
    pub(super) fn new(text: &str) -> Self {
        let all_lines = text.lines().count();
        let lines = all_lines.min(MOST_LINES);
        let mut html = String::with_capacity(text.len().saturating_add(lines.saturating_mul(ANCHOR)));
        for (index, line) in text.lines().take(MOST_LINES).enumerate() {
            let number = index.saturating_add(1);
            // Writing to a String cannot fail. The number is drawn by the style sheet, so that nobody copies it.
            let _ = write!(html, "<a id=L{number} href=#L{number}></a>");
            escape::push(&mut html, line);
            html.push('\n');
        }
        Self { html: Value::from_safe_string(html), lines, all_lines }
    }
}

const MOST_LINES: usize = 10_000;
/// About what an anchor takes.
const ANCHOR: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_anchors_and_are_escaped() {
        let source = Source::new("a < b\n\n</pre>");
        let expected =
            "<a id=L1 href=#L1></a>a &lt; b\n<a id=L2 href=#L2></a>\n<a id=L3 href=#L3></a>&lt;/pre&gt;\n";
        assert_eq!(source.html.as_str(), Some(expected));
        assert_eq!((source.lines, source.all_lines), (3, 3));
    }

    #[test]
    fn a_long_file_is_cut() {
        let source = Source::new(&"x\n".repeat(MOST_LINES + 7));
        assert_eq!((source.lines, source.all_lines), (MOST_LINES, MOST_LINES + 7));
        assert_eq!(source.html.as_str().unwrap().lines().count(), MOST_LINES);
    }
}
