//! `git diff-tree --raw`: which files changed, and how.

use super::quoted::unquote;

/// A changed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) kind: ChangeKind,
    pub(crate) node: NodeKind,
    /// Where the file is; where it was, if it is gone.
    pub(crate) path: String,
    /// Where it was before, if it was moved or copied.
    pub(crate) source: Option<String>,
    /// The blob that is there now; all zeros if the file is gone.
    pub(crate) content: String,
    /// The blob that was there before; all zeros if the file is new.
    pub(crate) from_content: String,
    /// None if the file is gone.
    pub(crate) executable: Option<bool>,
    /// None if the file is new.
    pub(crate) source_executable: Option<bool>,
    /// How much of a moved or copied file stayed the same; none where git did not compute it.
    pub(crate) percent_unchanged: Option<u8>,
}

/// How a file changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    Add,
    Copy,
    Delete,
    Modify,
    Move,
    Unknown,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeKind {
    File,
    Submodule,
}

/// All changes, and whether there were more than are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) list: Vec<Change>,
    pub(super) cut: bool,
}

impl Change {
    /// Returns the path before the change; none for a new file.
    pub(crate) fn before(&self) -> Option<&str> {
        (self.kind != ChangeKind::Add).then(|| self.source.as_deref().unwrap_or(&self.path))
    }

    /// Returns the path after the change; none for a deleted file.
    pub(crate) fn after(&self) -> Option<&str> {
        (self.kind != ChangeKind::Delete).then_some(self.path.as_str())
    }
}

/// Reads raw lines up to the first that is none.
pub(super) fn parse(text: &str) -> Vec<Change> {
    text.lines().map_while(|line| parse_line(line).map(|raw| raw.change)).collect()
}

/// One raw line: the change, and the paths as they are written.
pub(super) struct RawLine<'a> {
    pub(super) change: Change,
    pub(super) before: &'a str,
    pub(super) after: &'a str,
}

/// Reads `:100644 100755 <blob> <blob> R087<TAB>old<TAB>new`. Source: git-diff(1), "Raw output format".
pub(super) fn parse_line(line: &str) -> Option<RawLine<'_>> {
    let (head, paths) = line.strip_prefix(':')?.split_once('\t')?;
    let mut words = head.split(' ');
    let (from_mode, mode) = (words.next()?, words.next()?);
    let (from_content, content, status) = (words.next()?, words.next()?, words.next()?);
    let (letter, score) = status.split_at_checked(1)?;
    let kind = match letter {
        "A" => ChangeKind::Add,
        "C" => ChangeKind::Copy,
        "D" => ChangeKind::Delete,
        "M" | "T" => ChangeKind::Modify,
        "R" => ChangeKind::Move,
        _ => ChangeKind::Unknown,
    };
    let (before, after) = paths.split_once('\t').unwrap_or((paths, paths));
    let moved = matches!(kind, ChangeKind::Move | ChangeKind::Copy);
    let executable = |mode: &str| (mode != NO_MODE).then_some(mode == EXECUTABLE);
    let change = Change {
        kind,
        node: if [mode, from_mode].contains(&SUBMODULE) { NodeKind::Submodule } else { NodeKind::File },
        path: unquote(after),
        source: moved.then(|| unquote(before)),
        content: content.to_owned(),
        from_content: from_content.to_owned(),
        executable: executable(mode),
        source_executable: executable(from_mode),
        percent_unchanged: score.parse().ok().filter(|_| moved),
    };
    Some(RawLine { change, before, after })
}

const NO_MODE: &str = "000000";
const EXECUTABLE: &str = "100755";
const SUBMODULE: &str = "160000";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_every_kind_of_change() {
        let zero = "0".repeat(40);
        let (one, two) = ("1".repeat(40), "2".repeat(40));
        let text = format!(
            ":000000 100644 {zero} {one} A\tnew.txt\n:100644 100755 {one} {two} M\trun.sh\n\
             :100644 000000 {one} {zero} D\t\"t\\tab\"\n:100644 100644 {one} {two} R087\told name\tnew name\n\
             :160000 160000 {one} {two} M\tlib\n\nnot a line\n:100644"
        );
        let found = parse(&text);
        assert_eq!(
            found.iter().map(|change| change.kind).collect::<Vec<_>>(),
            [ChangeKind::Add, ChangeKind::Modify, ChangeKind::Delete, ChangeKind::Move, ChangeKind::Modify]
        );
        assert_eq!(found[0].before(), None);
        assert_eq!((found[1].source_executable, found[1].executable), (Some(false), Some(true)));
        assert_eq!((found[2].before(), found[2].after()), (Some("t\tab"), None));
        assert_eq!((found[3].before(), found[3].after()), (Some("old name"), Some("new name")));
        assert_eq!(found[3].percent_unchanged, Some(87));
        assert_eq!(found[4].node, NodeKind::Submodule);
    }

    proptest! {
        #[test]
        fn no_line_breaks_it(line in any::<String>()) {
            let _ = parse_line(&line);
            let _ = parse_line(&format!(":1 2 3 4 {line}"));
        }
    }
}
