//! Replaces what differs from run to run, so that what a user reads can be a snapshot.

use std::path::Path;

/// Replaces paths, ports, process ids, durations, dates and hashes by placeholders.
///
/// `/tmp/x/e3-home` becomes `[HOME]` when so named; the rest is found by its form: `127.0.0.1:[PORT]`,
/// `[DURATION]` for `1.25 s` and `340ms`, `[DATE]` for `2026-01-02T03:04:05Z`, `[HASH]` for 40 or 64 hex digits,
/// `pid [PID]`.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    literals: Vec<(String, String)>,
}

impl Redactor {
    /// Returns a redactor that knows forms only.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces a path by a placeholder; longer paths win over their parents.
    #[must_use]
    pub fn path(self, path: &Path, placeholder: &str) -> Self {
        self.literal(&path.to_string_lossy(), placeholder)
    }

    /// Replaces a text by a placeholder; longer texts win over what they contain.
    #[must_use]
    pub fn literal(mut self, text: &str, placeholder: &str) -> Self {
        self.literals.push((text.to_owned(), placeholder.to_owned()));
        self.literals.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        self
    }

    /// Returns the text with everything replaced.
    pub fn redact(&self, text: &str) -> String {
        let mut redacted = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let word_goes_on = redacted.chars().next_back().is_some_and(char::is_alphanumeric);
            let found = self.literal_at(rest).or_else(|| if word_goes_on { None } else { form_at(rest) });
            match found {
                Some((length, replacement)) => {
                    redacted.push_str(&replacement);
                    rest = rest.get(length..).unwrap_or_default();
                }
                None => {
                    redacted.push(next);
                    rest = rest.get(next.len_utf8()..).unwrap_or_default();
                }
            }
        }
        redacted
    }

    fn literal_at(&self, text: &str) -> Option<(usize, String)> {
        let found = self
            .literals
            .iter()
            .find(|(literal, _)| !literal.is_empty() && text.starts_with(literal.as_str()));
        found.map(|(literal, placeholder)| (literal.len(), placeholder.clone()))
    }
}

/// Returns the length of a form that starts here, and its replacement.
fn form_at(text: &str) -> Option<(usize, String)> {
    date(text).or_else(|| port(text)).or_else(|| hash(text)).or_else(|| pid(text)).or_else(|| duration(text))
}

fn date(text: &str) -> Option<(usize, String)> {
    const PATTERN: &[u8] = b"dddd-dd-ddTdd?dd?dd";
    let bytes = text.as_bytes().get(..PATTERN.len())?;
    let matches = bytes.iter().zip(PATTERN).all(|(byte, pattern)| match pattern {
        b'd' => byte.is_ascii_digit(),
        b'?' => matches!(byte, b':' | b'-'),
        exact => byte == exact,
    });
    let mut length = PATTERN.len();
    let rest = text.get(length..)?;
    if let Some(fraction) = rest.strip_prefix('.') {
        length += 1 + digits(fraction);
    }
    if text.get(length..)?.starts_with('Z') {
        length += 1;
    }
    matches.then(|| (length, "[DATE]".to_owned()))
}

fn port(text: &str) -> Option<(usize, String)> {
    let host = ["127.0.0.1:", "localhost:", "[::1]:"].into_iter().find(|host| text.starts_with(host))?;
    let port = digits(text.get(host.len()..)?);
    (port > 0).then(|| (host.len() + port, format!("{host}[PORT]")))
}

fn hash(text: &str) -> Option<(usize, String)> {
    let length = text.bytes().take_while(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).count();
    let ends = !text.get(length..)?.starts_with(char::is_alphanumeric);
    (ends && matches!(length, 40 | 64)).then(|| (length, "[HASH]".to_owned()))
}

fn pid(text: &str) -> Option<(usize, String)> {
    let before = ["pid ", "pid=", "\"pid\":"].into_iter().find(|before| text.starts_with(before))?;
    let number = digits(text.get(before.len()..)?);
    (number > 0).then(|| (before.len() + number, format!("{before}[PID]")))
}

fn duration(text: &str) -> Option<(usize, String)> {
    let mut length = digits(text);
    if length == 0 {
        return None;
    }
    if let Some(fraction) = text.get(length..)?.strip_prefix('.')
        && digits(fraction) > 0
    {
        length += 1 + digits(fraction);
    }
    let unit = text.get(length..)?;
    let space = usize::from(unit.starts_with(' '));
    let unit = unit.get(space..)?;
    let letters: String = unit.chars().take_while(|c| c.is_alphanumeric()).collect();
    matches!(letters.as_str(), "ns" | "us" | "µs" | "ms" | "s" | "min" | "h")
        .then(|| (length + space + letters.len(), "[DURATION]".to_owned()))
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_what_differs_and_nothing_else() {
        let redactor =
            Redactor::new().path(Path::new("/t/x"), "[TEMP]").path(Path::new("/t/x/e3-home"), "[HOME]");
        for (text, expected) in [
            ("wrote /t/x/e3-home/runs and /t/x/y", "wrote [HOME]/runs and [TEMP]/y"),
            ("http://127.0.0.1:43117/status", "http://127.0.0.1:[PORT]/status"),
            ("took 1.25 s, p99 340ms", "took [DURATION], p99 [DURATION]"),
            ("16 clients for 6 stages", "16 clients for 6 stages"),
            ("smoke-2026-11-22T20-05-31", "smoke-[DATE]"),
            ("at 2026-11-22T20:05:31.123Z.", "at [DATE]."),
            ("pid 4711, \"pid\":12", "pid [PID], \"pid\":[PID]"),
            ("85040fff6e688f9148600929555048056b27bb97 HEAD", "[HASH] HEAD"),
            ("deadbeef", "deadbeef"),
            ("für µ-Dienste 5 µs", "für µ-Dienste [DURATION]"),
        ] {
            assert_eq!(redactor.redact(text), expected);
        }
    }
}
