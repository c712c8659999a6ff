//! The JSON of changed files, diffs and paths.

use serde::Serialize;

use super::Links;
use crate::compare::{self, ChangeKind, DiffOptions, NodeKind, Range, SegmentKind};
use crate::rest::Base;

/// A path and its parts. Source: recorded; a file without an extension has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::rest) struct Path {
    components: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    extension: Option<String>,
    #[serde(rename = "toString")]
    text: String,
}

/// A changed file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct Change {
    content_id: String,
    from_content_id: String,
    path: Path,
    #[serde(skip_serializing_if = "Option::is_none")]
    executable: Option<bool>,
    percent_unchanged: i16,
    #[serde(rename = "type")]
    kind: &'static str,
    node_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_path: Option<Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_executable: Option<bool>,
    links: Links,
}

/// The diff of a range, file by file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct Diff {
    from_hash: Option<String>,
    to_hash: String,
    context_lines: u32,
    whitespace: &'static str,
    diffs: Vec<FileDiff>,
    truncated: bool,
}

#[derive(Debug, Serialize)]
struct FileDiff {
    source: Option<Path>,
    destination: Option<Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binary: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hunks: Option<Vec<Hunk>>,
    truncated: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Hunk {
    #[serde(skip_serializing_if = "String::is_empty")]
    context: String,
    source_line: u32,
    source_span: u32,
    destination_line: u32,
    destination_span: u32,
    segments: Vec<Segment>,
    truncated: bool,
}

#[derive(Debug, Serialize)]
struct Segment {
    #[serde(rename = "type")]
    kind: &'static str,
    lines: Vec<Line>,
    truncated: bool,
}

#[derive(Debug, Serialize)]
struct Line {
    source: u32,
    destination: u32,
    line: String,
    truncated: bool,
}

impl Path {
    /// Takes a path apart; the empty one is the root.
    pub(in crate::rest) fn new(path: &str) -> Self {
        let components: Vec<String> =
            path.split('/').filter(|step| !step.is_empty()).map(str::to_owned).collect();
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_owned());
        Self {
            parent: (!components.is_empty()).then(|| parent.to_owned()),
            components,
            name: name.to_owned(),
            extension: extension.filter(|extension| !extension.is_empty()),
            text: path.to_owned(),
        }
    }
}

impl Change {
    /// Takes a change whose page, without the path, is this URL.
    pub(in crate::rest) fn new(row: compare::Change, page: &str) -> Self {
        let path = percent_encoding::utf8_percent_encode(&row.path, percent_encoding::NON_ALPHANUMERIC);
        Self {
            links: Links::to(format!("{page}#{path}")),
            content_id: row.content,
            from_content_id: row.from_content,
            path: Path::new(&row.path),
            executable: row.executable,
            // Source: the interface's "-1 if it was not computed".
            percent_unchanged: row.percent_unchanged.map_or(-1, i16::from),
            kind: match row.kind {
                ChangeKind::Add => "ADD",
                ChangeKind::Copy => "COPY",
                ChangeKind::Delete => "DELETE",
                ChangeKind::Modify => "MODIFY",
                ChangeKind::Move => "MOVE",
                ChangeKind::Unknown => "UNKNOWN",
            },
            node_type: match row.node {
                NodeKind::File => "FILE",
                NodeKind::Submodule => "SUBMODULE",
            },
            src_path: row.source.as_deref().map(Path::new),
            src_executable: row.source_executable,
        }
    }

    /// Returns the page of what a commit changed.
    pub(in crate::rest) fn page_of(key: &str, slug: &str, commit: &str, base: &Base) -> String {
        base.url(&format!("/projects/{key}/repos/{slug}/commits/{commit}"))
    }
}

impl Diff {
    pub(in crate::rest) fn new(diff: &compare::Diff, range: &Range, options: &DiffOptions) -> Self {
        Self {
            from_hash: range.since.clone(),
            to_hash: range.until.clone(),
            context_lines: options.context,
            whitespace: if options.ignore_whitespace { "IGNORE_ALL" } else { "SHOW" },
            diffs: diff.files.iter().map(FileDiff::new).collect(),
            truncated: diff.truncated,
        }
    }
}

impl FileDiff {
    fn new(file: &compare::FileDiff) -> Self {
        Self {
            source: file.change.before().map(Path::new),
            destination: file.change.after().map(Path::new),
            binary: file.binary.then_some(true),
            hunks: (!file.binary).then(|| file.hunks.iter().map(Hunk::new).collect()),
            truncated: file.truncated,
        }
    }
}

impl Hunk {
    fn new(hunk: &compare::Hunk) -> Self {
        Self {
            context: hunk.context.clone(),
            source_line: hunk.source_line,
            source_span: hunk.source_span,
            destination_line: hunk.destination_line,
            destination_span: hunk.destination_span,
            segments: hunk.segments.iter().map(Segment::new).collect(),
            truncated: hunk.truncated,
        }
    }
}

impl Segment {
    fn new(segment: &compare::Segment) -> Self {
        let line = |line: &compare::Line| Line {
            source: line.source,
            destination: line.destination,
            line: line.text.clone(),
            truncated: line.truncated,
        };
        Self {
            kind: match segment.kind {
                SegmentKind::Added => "ADDED",
                SegmentKind::Context => "CONTEXT",
                SegmentKind::Removed => "REMOVED",
            },
            lines: segment.lines.iter().map(line).collect(),
            truncated: segment.truncated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_apart() {
        let path = serde_json::to_value(Path::new("path/to/file.txt")).unwrap();
        assert_eq!(
            path,
            serde_json::json!({"components": ["path", "to", "file.txt"], "parent": "path/to", "name": "file.txt",
                "extension": "txt", "toString": "path/to/file.txt"})
        );
        let path = serde_json::to_value(Path::new(".gitignore")).unwrap();
        assert_eq!((&path["parent"], &path["extension"]), (&"".into(), &"gitignore".into()));
        assert!(serde_json::to_value(Path::new("banana")).unwrap().get("extension").is_none());
        assert!(serde_json::to_value(Path::new("")).unwrap().get("parent").is_none());
    }
}
