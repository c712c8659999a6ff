//! Prometheus text, line by line. Source: Prometheus' "Exposition formats", text format 0.0.4.

use std::fmt::{Display, Write as _};

/// A text that grows.
#[derive(Debug, Default)]
pub(super) struct Text(String);

/// One metric of a text; its samples follow one another.
pub(super) struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl Text {
    /// Begins a metric: its name, its kind (`counter`, `gauge` or `summary`) and what it is.
    pub(super) fn family(&mut self, name: &'static str, kind: &str, help: &str) -> Family<'_> {
        let _ = writeln!(self.0, "# HELP {name} {}", help.replace('\\', "\\\\").replace('\n', "\\n"));
        let _ = writeln!(self.0, "# TYPE {name} {kind}");
        Family { text: &mut self.0, name }
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

impl Family<'_> {
    /// Adds a sample.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.part("", labels, value);
    }

    /// Adds a sample of a part, such as `_sum`.
    pub(super) fn part(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        let _ = write!(self.text, "{}{suffix}", self.name);
        for (position, (label, text)) in labels.iter().enumerate() {
            let before = if position == 0 { '{' } else { ',' };
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.text, "{before}{label}=\"{escaped}\"");
        }
        let _ = writeln!(self.text, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_the_format_asks_for() {
        let mut text = Text::default();
        let mut family = text.family("a_total", "counter", "What a\\b is.\nAnd is not.");
        family.sample(&[], 1);
        family.sample(&[("x", "1"), ("y", "a\"b\\c\nd")], 0.5);
        family.part("_sum", &[("x", "2")], f64::INFINITY);
        let expected = "# HELP a_total What a\\\\b is.\\nAnd is not.\n# TYPE a_total counter\na_total 1\n\
                        a_total{x=\"1\",y=\"a\\\"b\\\\c\\nd\"} 0.5\na_total_sum{x=\"2\"} inf\n";
        assert_eq!(text.into_string(), expected);
    }
}
