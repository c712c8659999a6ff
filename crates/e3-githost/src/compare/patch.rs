//! `git diff-tree --raw --patch`: the hunks of every changed file.

use super::quoted::prefixed;
use super::raw::{Change, parse_line};

/// A diff of all files that changed, or of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Diff {
    /// In the order of their paths.
    pub(crate) files: Vec<FileDiff>,
    /// Whether there is more than is shown.
    pub(crate) truncated: bool,
}

/// What changed in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileDiff {
    pub(crate) change: Change,
    /// Whether git takes it for binary; there are no hunks then.
    pub(crate) binary: bool,
    pub(crate) hunks: Vec<Hunk>,
    pub(crate) truncated: bool,
}

/// Lines that changed, with those around them. A span counts lines from a line's number, which begins at 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hunk {
    /// The line that git found fit to say where this is; may be empty.
    pub(crate) context: String,
    pub(crate) source_line: u32,
    pub(crate) source_span: u32,
    pub(crate) destination_line: u32,
    pub(crate) destination_span: u32,
    pub(crate) segments: Vec<Segment>,
    pub(crate) truncated: bool,
}

/// Lines in a row that have the same to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) kind: SegmentKind,
    pub(crate) lines: Vec<Line>,
    pub(crate) truncated: bool,
}

/// What became of a segment's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SegmentKind {
    Added,
    Context,
    Removed,
}

/// A line. On the side where it is not, the number is that of the line that is at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) source: u32,
    pub(crate) destination: u32,
    pub(crate) text: String,
    pub(crate) truncated: bool,
}

/// Reads raw lines and the patch behind them. If the output was cut, its last line is not whole.
pub(super) fn parse(output: &[u8], cut: bool) -> Diff {
    let text = String::from_utf8_lossy(output);
    let whole = if cut { text.rfind('\n').map_or("", |end| text.split_at(end).0) } else { &text };
    let mut lines = whole.split('\n').peekable();
    let mut reader = Reader { cut, ..Reader::default() };
    while let Some(raw) = lines.peek().and_then(|line| parse_line(line)) {
        reader.expected.push(format!(
            "diff --git {} {}",
            prefixed("a/", raw.before),
            prefixed("b/", raw.after)
        ));
        let file = FileDiff { change: raw.change, binary: false, hunks: Vec::new(), truncated: false };
        reader.diff.files.push(file);
        lines.next();
    }
    for line in lines {
        if !reader.line(line) {
            break;
        }
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    diff: Diff,
    /// The first line of each file's part of the patch.
    expected: Vec<String>,
    /// The file whose part is being read.
    current: Option<usize>,
    in_hunk: bool,
    source: u32,
    destination: u32,
    lines: usize,
    cut: bool,
}

impl Reader {
    /// Reads a line; false if there were enough.
    fn line(&mut self, line: &str) -> bool {
        if line.starts_with("diff --git ") {
            self.in_hunk = false;
            // A file without a part was only changed in what the options leave out; a change of type has two parts.
            let from = self.current.unwrap_or(0);
            let found = self.expected.iter().skip(from).position(|expected| expected == line);
            self.current = found.map(|offset| from.saturating_add(offset)).or(self.current);
            return true;
        }
        let Some(file) = self.current.and_then(|current| self.diff.files.get_mut(current)) else {
            return true;
        };
        if let Some(hunk) = parse_hunk(line) {
            (self.source, self.destination) = (hunk.source_line, hunk.destination_line);
            file.hunks.push(hunk);
            self.in_hunk = true;
            return true;
        }
        if !self.in_hunk {
            file.binary |= line.starts_with("Binary files ");
            return true;
        }
        let Some(hunk) = file.hunks.last_mut() else { return true };
        let Some((kind, text)) = parse_content(line) else { return true };
        if self.lines >= MOST_LINES {
            self.cut = true;
            return false;
        }
        self.lines = self.lines.saturating_add(1);
        push(hunk, kind, Line::new(self.source, self.destination, text));
        self.source = self.source.saturating_add(u32::from(kind != SegmentKind::Added));
        self.destination = self.destination.saturating_add(u32::from(kind != SegmentKind::Removed));
        true
    }

    /// Says of everything that was not read to its end that it was not.
    fn finish(mut self) -> Diff {
        if !self.cut {
            return self.diff;
        }
        self.diff.truncated = true;
        let from = self.current.unwrap_or(0);
        for (number, file) in self.diff.files.iter_mut().enumerate().skip(from) {
            file.truncated = true;
            if number == from
                && let Some(hunk) = file.hunks.last_mut()
            {
                hunk.truncated = true;
                hunk.segments.last_mut().into_iter().for_each(|segment| segment.truncated = true);
            }
        }
        self.diff
    }
}

impl Line {
    fn new(source: u32, destination: u32, text: &str) -> Self {
        let end = text.char_indices().nth(LONGEST_LINE).map(|(end, _)| end);
        let shown = end.and_then(|end| text.get(..end)).unwrap_or(text);
        Self { source, destination, text: shown.to_owned(), truncated: end.is_some() }
    }
}

fn push(hunk: &mut Hunk, kind: SegmentKind, line: Line) {
    match hunk.segments.last_mut() {
        Some(segment) if segment.kind == kind => segment.lines.push(line),
        _ => hunk.segments.push(Segment { kind, lines: vec![line], truncated: false }),
    }
}

/// Reads `@@ -1,9 +1,11 @@ context`; a span of one is not written.
fn parse_hunk(line: &str) -> Option<Hunk> {
    let (ranges, context) = line.strip_prefix("@@ -")?.split_once(" @@")?;
    let (source, destination) = ranges.split_once(" +")?;
    let range = |text: &str| {
        let (line, span) = text.split_once(',').unwrap_or((text, "1"));
        Some((line.parse().ok()?, span.parse().ok()?))
    };
    let ((source_line, source_span), (destination_line, destination_span)) =
        (range(source)?, range(destination)?);
    let context = context.trim_start().to_owned();
    Some(Hunk { context, source_line, source_span, destination_line, destination_span, ..Hunk::default() })
}

fn parse_content(line: &str) -> Option<(SegmentKind, &str)> {
    let (mark, text) = line.split_at_checked(1)?;
    let kind = match mark {
        " " => SegmentKind::Context,
        "+" => SegmentKind::Added,
        "-" => SegmentKind::Removed,
        // The note that a file does not end with a newline.
        _ => return None,
    };
    Some((kind, text.strip_suffix('\r').unwrap_or(text)))
}

/// Source: Bitbucket's `page.max.diff.lines`.
const MOST_LINES: usize = 10_000;
/// Source: Bitbucket's `page.max.source.length`.
const LONGEST_LINE: usize = 5_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compare::raw::ChangeKind;

    fn raw(status: &str, paths: &str) -> String {
        format!(":100644 100644 {} {} {status}\t{paths}\n", "1".repeat(40), "2".repeat(40))
    }

    fn numbers(hunk: &Hunk) -> Vec<(SegmentKind, u32, u32, &str)> {
        let line = |kind, line: &'_ Line| (kind, line.source, line.destination);
        hunk.segments
            .iter()
            .flat_map(|segment| segment.lines.iter().map(move |row| (segment.kind, row)))
            .map(|(kind, row)| {
                let (kind, source, destination) = line(kind, row);
                (kind, source, destination, row.text.as_str())
            })
            .collect()
    }

    #[test]
    fn reads_hunks_with_the_numbers_of_both_sides() {
        let text = raw("M", "a.txt")
            + "\ndiff --git a/a.txt b/a.txt\nindex 1..2 100644\n--- a/a.txt\n+++ b/a.txt\n\
               @@ -1,2 +1,3 @@ fn main()\n one\n-two\n+2\n+3\n\\ No newline at end of file\n@@ -9 +10 @@\n-x\n+y\n";
        let diff = parse(text.as_bytes(), false);
        assert!(!diff.truncated);
        let [file] = diff.files.as_slice() else { panic!("{diff:?}") };
        let [first, second] = file.hunks.as_slice() else { panic!("{file:?}") };
        assert_eq!(first.context, "fn main()");
        assert_eq!((second.source_line, second.source_span, second.destination_line), (9, 1, 10));
        assert_eq!(
            numbers(first),
            [
                (SegmentKind::Context, 1, 1, "one"),
                (SegmentKind::Removed, 2, 2, "two"),
                (SegmentKind::Added, 3, 2, "2"),
                (SegmentKind::Added, 3, 3, "3"),
            ]
        );
    }

    #[test]
    fn files_without_hunks_keep_their_place() {
        let text = raw("M", "blank")
            + &raw("R100", "old\tnew")
            + &raw("M", "picture.png")
            + &raw("T", "was-link")
            + "\ndiff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to new\n\
               diff --git a/picture.png b/picture.png\nindex 1..2\nBinary files a/picture.png and b/picture.png differ\n\
               diff --git a/was-link b/was-link\ndeleted file mode 120000\n--- a/was-link\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n\
               diff --git a/was-link b/was-link\nnew file mode 100644\n--- /dev/null\n+++ b/was-link\n@@ -0,0 +1 @@\n+y\n";
        let diff = parse(text.as_bytes(), false);
        let hunks: Vec<_> = diff.files.iter().map(|file| (file.hunks.len(), file.binary)).collect();
        assert_eq!(hunks, [(0, false), (0, false), (0, true), (2, false)]);
        assert_eq!(diff.files[1].change.kind, ChangeKind::Move);
    }

    #[test]
    fn no_line_of_a_file_is_taken_for_a_header() {
        let text = raw("M", "a")
            + &raw("M", "b")
            + "\ndiff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n-diff --git a/b b/b\n--- a/b\n+@@ -1 +1 @@\n+Binary files x\n";
        let diff = parse(text.as_bytes(), false);
        assert_eq!(diff.files[0].hunks.len(), 1);
        assert_eq!(numbers(&diff.files[0].hunks[0]).len(), 4);
        assert!(diff.files[1].hunks.is_empty() && !diff.files[0].binary);
    }

    #[test]
    fn what_is_cut_says_so() {
        let mut text = raw("M", "a") + &raw("M", "b");
        text.push_str("\ndiff --git a/a b/a\n@@ -1,20000 +1,20000 @@\n");
        let head = text.len();
        text.push_str(&"+line\n".repeat(MOST_LINES + 5));
        for (diff, lines) in
            [(parse(text.as_bytes(), false), MOST_LINES), (parse(&text.as_bytes()[..head + 15], true), 2)]
        {
            assert!(diff.truncated && diff.files.iter().all(|file| file.truncated));
            let hunk = &diff.files[0].hunks[0];
            assert!(hunk.truncated && hunk.segments[0].truncated);
            assert_eq!(hunk.segments[0].lines.len(), lines);
        }
        let long = Line::new(1, 1, &"ä".repeat(LONGEST_LINE + 1));
        assert!(long.truncated && long.text.chars().count() == LONGEST_LINE);
    }

    proptest! {
        #[test]
        fn no_patch_breaks_it(bytes in proptest::collection::vec(any::<u8>(), 0..400), cut in any::<bool>()) {
            let _ = parse(&bytes, cut);
            let mut text = raw("M", "a").into_bytes();
            text.extend_from_slice(b"\ndiff --git a/a b/a\n@@ -1 +1 @@\n");
            text.extend_from_slice(&bytes);
            let diff = parse(&text, cut);
            prop_assert!(diff.files.len() <= 1);
        }
    }
}
