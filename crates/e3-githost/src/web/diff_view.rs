//! A diff as HTML: the list of files, then each file's hunks, with both sides' line numbers.
//!
//! Written without a template, because it has thousands of lines. What is too long for one page is left out and said to
//! be; the page of a single file shows more.

use std::fmt::Write;

use minijinja::Value;
use serde::Serialize;

use super::escape;
use super::filters::{path, segment};
use crate::compare::{ChangeKind, Diff, FileDiff, Hunk, Line, NodeKind, SegmentKind};

/// A diff as it is shown.
#[derive(Serialize)]
pub(super) struct DiffView {
    /// The changed files in brief, as many as a page lists.
    files: Vec<FileRow>,
    all_files: usize,
    added: usize,
    removed: usize,
    html: Value,
    /// Whether there is more than git was asked for.
    truncated: bool,
    /// The path of the only file that is shown.
    only: Option<String>,
    /// The page that shows all files.
    address: String,
}

/// Where a diff is shown.
pub(super) struct Place<'a> {
    /// The page's own path, encoded, to which `path=` may be added.
    pub(super) address: &'a str,
    /// The repository's pages.
    pub(super) home: &'a str,
    /// The commit after the change.
    pub(super) until: &'a str,
    /// The path of the only file that is wanted.
    pub(super) only: Option<&'a str>,
}

#[derive(Serialize)]
struct FileRow {
    number: usize,
    path: String,
    source: Option<String>,
    mark: &'static str,
    kind: &'static str,
    added: usize,
    removed: usize,
    binary: bool,
}

impl DiffView {
    pub(super) fn new(diff: &Diff, place: &Place<'_>) -> Self {
        let rows: Vec<FileRow> =
            diff.files.iter().enumerate().map(|(at, file)| FileRow::new(at, file)).collect();
        let mut page = Page { html: String::new(), place, lines: 0 };
        for (row, file) in rows.iter().zip(&diff.files).take(MOST_FILES) {
            page.file(row, file);
        }
        let mut view = Self {
            all_files: rows.len(),
            added: rows.iter().map(|row| row.added).sum(),
            removed: rows.iter().map(|row| row.removed).sum(),
            html: Value::from_safe_string(page.html),
            truncated: diff.truncated,
            only: place.only.map(str::to_owned),
            address: place.address.to_owned(),
            files: rows,
        };
        view.files.truncate(MOST_FILES);
        view
    }
}

impl FileRow {
    fn new(at: usize, file: &FileDiff) -> Self {
        let change = &file.change;
        let (mark, kind) = match change.kind {
            ChangeKind::Add => ("A", "added"),
            ChangeKind::Copy => ("C", "copied"),
            ChangeKind::Delete => ("D", "deleted"),
            ChangeKind::Modify => ("M", "modified"),
            ChangeKind::Move => ("R", "renamed"),
            ChangeKind::Unknown => ("?", "changed"),
        };
        let count = |kind: SegmentKind| {
            let segments = file.hunks.iter().flat_map(|hunk| &hunk.segments);
            segments.filter(|segment| segment.kind == kind).map(|segment| segment.lines.len()).sum()
        };
        Self {
            number: at.saturating_add(1),
            path: change.path.clone(),
            source: change.source.clone(),
            mark,
            kind,
            added: count(SegmentKind::Added),
            removed: count(SegmentKind::Removed),
            binary: file.binary,
        }
    }
}

struct Page<'a> {
    html: String,
    place: &'a Place<'a>,
    lines: usize,
}

impl Page<'_> {
    fn file(&mut self, row: &FileRow, file: &FileDiff) {
        self.put(format_args!("<section class=\"file-diff\" id=\"file-{}\"><h3>", row.number));
        self.put(format_args!("<span class=\"mark {0}\" title=\"{0}\">{1}</span> ", row.kind, row.mark));
        if let Some(source) = &row.source {
            escape::push(&mut self.html, source);
            self.html.push_str(" \u{2192} ");
        }
        let (home, until) = (self.place.home, self.place.until);
        if file.change.kind == ChangeKind::Delete || file.change.node == NodeKind::Submodule {
            escape::push(&mut self.html, &row.path);
        } else {
            self.put(format_args!("<a href=\"{home}/browse/{}?at={until}\">", path(&row.path)));
            escape::push(&mut self.html, &row.path);
            self.html.push_str("</a>");
        }
        if row.added > 0 || row.removed > 0 {
            let (added, removed) = (row.added, row.removed);
            self.put(format_args!(
                " <span class=\"counts\"><ins>+{added}</ins> <del>\u{2212}{removed}</del></span>"
            ));
        }
        self.html.push_str("</h3>");
        self.body(row, file);
        self.html.push_str("</section>\n");
    }

    fn body(&mut self, row: &FileRow, file: &FileDiff) {
        let lines: usize = file.hunks.iter().flat_map(|hunk| &hunk.segments).map(|s| s.lines.len()).sum();
        let alone = self.place.only.is_some();
        if file.change.node == NodeKind::Submodule {
            self.note("The commit that a submodule is at.");
        } else if file.binary {
            self.note("A binary file, or one too large to compare.");
        } else if lines == 0 && file.truncated && file.change.content != file.change.from_content {
            self.link(row, "Not shown: the diff is too long for one page.");
        } else if lines == 0 {
            self.note(unchanged(file));
        } else if !alone && (lines > MOST_LINES_OF_FILE || self.is_full(lines)) {
            let least = if file.truncated { "More than " } else { "" };
            self.link(row, &format!("{least}{lines} lines, not shown: too many for one page."));
        } else {
            self.lines = self.lines.saturating_add(lines);
            self.html.push_str("<table class=\"diff\">\n");
            for hunk in &file.hunks {
                self.hunk(hunk);
            }
            self.html.push_str("</table>\n");
            if file.truncated {
                self.link(row, "There is more, not shown: the diff is too long for one page.");
            }
        }
    }

    fn hunk(&mut self, hunk: &Hunk) {
        self.put(format_args!(
            "<tr class=hunk><td><td><td>@@ \u{2212}{},{} +{},{} @@ ",
            hunk.source_line, hunk.source_span, hunk.destination_line, hunk.destination_span
        ));
        escape::push(&mut self.html, &hunk.context);
        self.html.push('\n');
        for segment in &hunk.segments {
            for line in &segment.lines {
                self.line(segment.kind, line);
            }
        }
    }

    /// HTML closes cells and rows by itself, and a page has thousands of them.
    fn line(&mut self, kind: SegmentKind, line: &Line) {
        let Line { source, destination, .. } = line;
        match kind {
            SegmentKind::Added => self.put(format_args!("<tr class=a><td><td>{destination}<td>")),
            SegmentKind::Context => self.put(format_args!("<tr><td>{source}<td>{destination}<td>")),
            SegmentKind::Removed => self.put(format_args!("<tr class=r><td>{source}<td><td>")),
        }
        escape::push(&mut self.html, &line.text);
        self.html.push_str(if line.truncated { " <i>\u{2026} the line goes on</i>\n" } else { "\n" });
    }

    fn is_full(&self, more: usize) -> bool {
        self.lines.saturating_add(more) > MOST_LINES || self.html.len() > MOST_BYTES
    }

    fn note(&mut self, text: &str) {
        self.html.push_str("<p class=\"note\">");
        escape::push(&mut self.html, text);
        self.html.push_str("</p>");
    }

    fn link(&mut self, row: &FileRow, text: &str) {
        self.html.push_str("<p class=\"note\">");
        escape::push(&mut self.html, text);
        if self.place.only.is_none() {
            let address = self.place.address;
            let mark = if address.contains('?') { '&' } else { '?' };
            self.html.push_str(" <a href=\"");
            escape::push(&mut self.html, &format!("{address}{mark}path={}", segment(&row.path)));
            self.html.push_str("\">Show this file alone</a>");
        }
        self.html.push_str("</p>");
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.html.write_fmt(text);
    }
}

/// Says what changed in a file whose lines did not.
fn unchanged(file: &FileDiff) -> &'static str {
    let change = &file.change;
    match change.kind {
        ChangeKind::Move => "Renamed, with the same content.",
        ChangeKind::Copy => "Copied, with the same content.",
        _ if change.executable != change.source_executable && change.content == change.from_content => {
            "Only whether it is executable changed."
        }
        ChangeKind::Add => "An empty file.",
        ChangeKind::Delete => "It was empty.",
        _ => "No line changed.",
    }
}

const MOST_FILES: usize = 200;
const MOST_LINES: usize = 3_000;
const MOST_LINES_OF_FILE: usize = 1_000;
const MOST_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{Change, Segment};

    fn file(path: &str, lines: u32) -> FileDiff {
        let line =
            |number| Line { source: number, destination: number, text: "<b>&".into(), truncated: false };
        let segment =
            Segment { kind: SegmentKind::Added, lines: (1..=lines).map(line).collect(), truncated: false };
        let hunk = Hunk { context: "<i>".into(), segments: vec![segment], ..Hunk::default() };
        let change = Change {
            kind: ChangeKind::Modify,
            node: NodeKind::File,
            path: path.into(),
            source: None,
            content: "1".repeat(40),
            from_content: "2".repeat(40),
            executable: Some(false),
            source_executable: Some(false),
            percent_unchanged: None,
        };
        FileDiff { change, binary: false, hunks: vec![hunk], truncated: false }
    }

    fn html(files: Vec<FileDiff>, only: Option<&str>) -> String {
        let place = Place { address: "/d?a=1", home: "/h", until: "abc", only };
        DiffView::new(&Diff { files, truncated: false }, &place).html.to_string()
    }

    #[test]
    fn what_files_hold_and_are_called_is_escaped() {
        let text = html(vec![file("<x>\"/a b", 1)], None);
        assert!(text.contains("<tr class=a><td><td>1<td>&lt;b&gt;&amp;\n"), "{text}");
        assert!(
            text.contains("href=\"/h/browse/%3Cx%3E%22/a%20b?at=abc\">&lt;x&gt;&quot;/a b</a>"),
            "{text}"
        );
        assert!(text.contains("@@ &lt;i&gt;\n"), "{text}");
    }

    #[test]
    fn a_page_is_bounded_and_says_so() {
        let long = u32::try_from(MOST_LINES_OF_FILE).unwrap();
        let text = html(vec![file("long", long + 1), file("short", 1)], None);
        assert!(
            text.contains("not shown: too many for one page.") && text.contains("/d?a=1&amp;path=long"),
            "{text}"
        );
        assert_eq!(text.matches("<tr class=a>").count(), 1, "the short one is there");
        let alone = html(vec![file("long", long + 1)], Some("long"));
        assert_eq!(alone.matches("<tr class=a>").count(), MOST_LINES_OF_FILE + 1);
        let many = html((0..10).map(|at| file(&at.to_string(), long)).collect(), None);
        assert_eq!(many.matches("<tr class=a>").count(), MOST_LINES);
        let most = html((0..MOST_FILES + 9).map(|at| file(&at.to_string(), 1)).collect(), None);
        assert_eq!(most.matches("<section").count(), MOST_FILES);
    }

    #[test]
    fn files_without_lines_say_what_changed() {
        let mut binary = file("b", 0);
        binary.binary = true;
        let mut moved = file("m", 0);
        (moved.change.kind, moved.change.source) = (ChangeKind::Move, Some("from".into()));
        (moved.change.content, moved.truncated) = (moved.change.from_content.clone(), true);
        let text = html(vec![binary, moved], None);
        assert!(text.contains("A binary file") && text.contains("from \u{2192} <a"), "{text}");
        assert!(text.contains("Renamed, with the same content."), "{text}");
    }
}
