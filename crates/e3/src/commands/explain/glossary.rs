//! The words of docs/glossary.md.

use super::Entry;

/// Returns an entry per row of the glossary, in its order.
pub(super) fn entries() -> Vec<Entry> {
    GLOSSARY.lines().filter_map(row).collect()
}

/// Reads `| word, word | meaning |`; a heading's row has no meaning of its own.
fn row(line: &str) -> Option<Entry> {
    let (words, meaning) = line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | ")?;
    if words == "word" {
        return None;
    }
    let names = words.split(", ").map(|word| word.trim_matches('`').to_owned()).collect();
    Some(Entry { kind: "word", names, meaning: meaning.to_owned(), advice: None })
}

const GLOSSARY: &str = include_str!("../../../../../docs/glossary.md");
