//! Whether a text is JSON at all, and if not, in words where and why.

use serde_json::Value;
use serde_json::error::Category;

use crate::report::{Place, Report};

/// Returns the text's value; reports why there is none.
pub(crate) fn parse(position: usize, text: &str, report: &mut Report) -> Option<Value> {
    if text.trim().is_empty() {
        report.form("syntax", Place::offset(position, "", 0), "the file is empty");
        return None;
    }
    if text.starts_with('\u{feff}') {
        let found =
            report.form("syntax", Place::offset(position, "", 0), "the file begins with a byte order mark");
        found.hint("save it as UTF-8 without a byte order mark");
        return None;
    }
    match serde_json::from_str(text) {
        Ok(value) => Some(value),
        Err(error) => {
            let offset = offset(text, &error);
            let (message, hint) = in_words(text, offset, &error);
            let found = report.form("syntax", Place::offset(position, "", offset), message);
            if let Some(hint) = hint {
                found.hint(hint);
            }
            None
        }
    }
}

/// Returns the byte that the error speaks of. Source: `serde_json` counts lines from 1, and columns in bytes, the last
/// byte it looked at included.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    if error.classify() == Category::Eof {
        return text.trim_end().len();
    }
    let lines_before = error.line().saturating_sub(1);
    let line_start: usize = text.split_inclusive('\n').take(lines_before).map(str::len).sum();
    (line_start + error.column().saturating_sub(1)).min(text.len())
}

fn in_words(text: &str, offset: usize, error: &serde_json::Error) -> (String, Option<&'static str>) {
    let whole = error.to_string();
    let reason = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(reason, _)| reason);
    if let Some(what) = reason.strip_prefix("EOF while parsing ") {
        return (format!("the file ends in the middle of {what}"), Some("is the file complete?"));
    }
    let next = text.get(text.floor_char_boundary(offset)..).and_then(|rest| rest.chars().next());
    let hint = match (reason, next) {
        ("expected value" | "key must be a string", Some('/' | '#')) => Some("JSON has no comments"),
        ("expected value" | "key must be a string", Some('\'')) => Some("JSON puts text into double quotes"),
        ("key must be a string", _) => Some("put the key into double quotes"),
        ("trailing comma", _) => Some("take away the comma before the closing bracket"),
        ("trailing characters", _) => Some("a document is one value; nothing may follow it"),
        ("number out of range", _) => Some("no such number is needed anywhere"),
        (reason, _) if reason.starts_with("expected `,`") => Some("is a comma missing before this?"),
        (reason, _) if reason.contains("surrogate") => {
            Some("write the character itself instead of its escapes")
        }
        _ => None,
    };
    let message = match reason {
        "recursion limit exceeded" => "values are nested more than 127 levels deep".to_owned(),
        reason => format!("this is not JSON: {reason}"),
    };
    (message, hint)
}

/// Returns how many bytes of a JSON text, from after its quotation mark, stand for its first so many bytes.
pub(crate) fn written_length(written: &str, bytes: usize) -> usize {
    let (mut read, mut stood_for) = (0, 0);
    while stood_for < bytes {
        let rest = written.get(read..).unwrap_or_default();
        let (taken, meaning) = match rest.chars().next() {
            None | Some('"') => break,
            Some('\\') => escape(rest),
            Some(plain) => (plain.len_utf8(), plain.len_utf8()),
        };
        read += taken;
        stood_for += meaning;
    }
    read
}

/// Returns how long an escape is, and how many bytes it stands for.
///
/// Source: RFC 8259, section 7.
fn escape(rest: &str) -> (usize, usize) {
    let unit = |at: usize| u32::from_str_radix(rest.get(at..at + 4)?, 16).ok();
    if !rest.starts_with("\\u") {
        return (2, 1);
    }
    match unit(2) {
        Some(0xD800..=0xDBFF) => (12, 4),
        Some(unit) => (6, char::from_u32(unit).map_or(3, char::len_utf8)),
        None => (2, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_what_they_mean() {
        for (written, bytes, expected) in [
            ("abc\"", 2, 2),
            ("a\\nb\"", 2, 3),
            ("\\u00fcx\"", 2, 6),
            ("\\ud83d\\ude00x\"", 4, 12),
            ("ü\\\"x\"", 3, 4),
            ("ab\"", 99, 2),
            ("\\u", 1, 2),
            ("\\", 1, 2),
            ("", 1, 0),
        ] {
            assert_eq!(written_length(written, bytes), expected, "{written} {bytes}");
        }
    }
}
