//! Text as a terminal shows it: how many columns it takes, how it is cut, padded and wrapped.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Returns how many columns a text takes.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// Returns the text in at most so many columns; what was cut off is an ellipsis.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used > most {
            break;
        }
        out.push(character);
    }
    if most > 0 {
        out.push('…');
    }
    out
}

/// Returns the text with spaces behind it up to so many columns.
pub(crate) fn left(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// Returns the text with spaces before it up to so many columns.
pub(crate) fn right(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(columns(text))))
}

/// Returns the text without line breaks and other control characters, which would leave their line.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Returns the text broken at spaces into lines of at most so many columns, all but the first indented; a word that is
/// longer has a line of its own.
pub(crate) fn wrap(text: &str, width: usize, indent: usize) -> String {
    let mut out = String::new();
    for (number, paragraph) in text.split('\n').enumerate() {
        if number > 0 {
            break_line(&mut out, indent);
        }
        let mut used = 0;
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            let length = columns(word);
            if used > 0 && used + 1 + length > width {
                break_line(&mut out, indent);
                used = 0;
            }
            if used > 0 {
                out.push(' ');
                used += 1;
            }
            out.push_str(word);
            used += length;
        }
    }
    out
}

fn break_line(out: &mut String, indent: usize) {
    out.push('\n');
    out.push_str(&" ".repeat(indent));
}

/// Returns a table: columns as wide as their widest cell, two spaces between them; the columns that are named are numbers
/// and stand at the right. The last column is never padded.
pub(crate) fn table(rows: &[Vec<String>], numbers: &[usize]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| columns(cell)).max().unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if numbers.contains(&column) { right(cell, *width) } else { left(cell, *width) }
        });
        out.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        out.push('\n');
    }
    out
}

/// Returns the candidate that a mistyped word was probably meant to be.
pub(crate) fn meant<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns how many characters must be put in, left out or changed to make one word of the other.
///
/// Source: Wagner and Fischer, The String-to-String Correction Problem, 1974.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, character) in one.chars().enumerate() {
        let mut before = line;
        let mut last = line + 1;
        let mut next = vec![last];
        for (target, above) in other.iter().zip(row.iter().skip(1)) {
            let changed = before + usize::from(character != *target);
            last = changed.min(above + 1).min(last + 1);
            next.push(last);
            before = *above;
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_by_columns_and_not_by_characters() {
        for (text, most, expected) in [
            ("1 node", 10, "1 node"),
            ("1 node", 6, "1 node"),
            ("two nodes", 6, "two n…"),
            ("日本語ノード", 12, "日本語ノード"), // Each of these takes two columns.
            ("日本語ノード", 7, "日本語…"),
            ("日本語ノード", 6, "日本…"),
            ("e\u{301}te\u{301}", 3, "e\u{301}te\u{301}"), // A combining accent takes none.
            ("abc", 1, "…"),
            ("abc", 0, ""),
        ] {
            let cut = shortened(text, most);
            assert_eq!(cut, expected, "{text} in {most}");
            assert!(columns(&cut) <= most);
        }
        assert_eq!(left("日本", 6), "日本  ");
        assert_eq!(right("日本", 6), "  日本");
        assert_eq!(one_line("a\nb\u{1b}[2J"), "a b [2J");
    }

    #[test]
    fn wraps_at_spaces_and_keeps_long_words_whole() {
        for (text, width, indent, expected) in [
            ("one two three", 20, 2, "one two three"),
            ("one two three", 7, 2, "one two\n  three"),
            ("extraordinary a b", 5, 0, "extraordinary\na b"),
            ("first\nsecond", 20, 1, "first\n second"),
            ("", 10, 2, ""),
        ] {
            assert_eq!(wrap(text, width, indent), expected);
        }
    }

    #[test]
    fn tables_line_up() {
        let rows = [vec!["a", "1", "x"], vec!["bbb", "200", ""]]
            .map(|row| row.into_iter().map(str::to_owned).collect());
        assert_eq!(table(&rows, &[1]), "a      1  x\nbbb  200\n");
    }

    #[test]
    fn guesses_what_was_meant() {
        let words = ["warm-up", "weights", "workload"];
        for (typed, expected) in [
            ("wieghts", Some("weights")),
            ("Warmup", Some("warm-up")),
            ("worklod", Some("workload")),
            ("xyz", None),
        ] {
            assert_eq!(meant(typed, words.into_iter()), expected, "{typed}");
        }
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
