//! Tables of numbers: as the page shows them, and as CSV.

use e3_model::{Confidence, quantity};
use serde::Serialize;

use crate::csv::quoted;

/// Numbers in rows.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Table {
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// One cell of a table.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Cell {
    pub(crate) text: String,
    /// The number unrounded, for CSV; empty where the text is all there is.
    pub(crate) raw: String,
    /// A smaller second line.
    pub(crate) small: String,
    /// What is said when one asks.
    pub(crate) title: String,
}

impl Table {
    /// Returns an empty table with these heads.
    pub(crate) fn with_head<const N: usize>(head: [&str; N]) -> Self {
        Self { head: head.map(str::to_owned).to_vec(), rows: Vec::new() }
    }

    /// Returns the table as CSV: unrounded numbers, nothing where there is none; smaller second lines are left out.
    ///
    /// Source: RFC 4180, with LF as the end of a line.
    pub(crate) fn csv(&self) -> String {
        let mut out = String::new();
        let mut line = |fields: Vec<String>| {
            out.push_str(&fields.join(","));
            out.push('\n');
        };
        line(self.head.iter().map(|head| quoted(head)).collect());
        for row in &self.rows {
            line(row.iter().map(|cell| quoted(cell.plain())).collect());
        }
        out
    }
}

impl Cell {
    /// Returns a cell of text alone.
    pub(crate) fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Returns a cell that has no number, and says why.
    pub(crate) fn none(why: impl Into<String>) -> Self {
        Self::of(NONE).with_title(why)
    }

    /// Returns a cell of a number, to three digits.
    pub(crate) fn number(value: f64) -> Self {
        Self::of(quantity::number(value)).with_raw(value)
    }

    /// Returns a cell of a count.
    pub(crate) fn count(value: u64) -> Self {
        Self::of(quantity::count(value)).with_raw(value)
    }

    /// Returns a cell of a share, in %.
    pub(crate) fn share(value: f64) -> Self {
        Self::of(quantity::percent(value)).with_raw(value)
    }

    /// Adds the number as CSV has it, unless the text is that already.
    pub(crate) fn with_raw(self, raw: impl std::fmt::Display) -> Self {
        let raw = raw.to_string();
        let raw = if raw == self.text { String::new() } else { raw };
        Self { raw, ..self }
    }

    /// Adds a smaller second line.
    pub(crate) fn with_small(self, small: impl Into<String>) -> Self {
        Self { small: small.into(), ..self }
    }

    /// Adds an interval as a smaller second line.
    pub(crate) fn with_interval(self, interval: Option<Confidence>) -> Self {
        match interval {
            Some(ends) => self.with_small(format!(
                "{}\u{a0}–\u{a0}{}",
                quantity::number(ends.low),
                quantity::number(ends.high)
            )),
            None => self,
        }
    }

    /// Adds what is said when one asks.
    pub(crate) fn with_title(self, title: impl Into<String>) -> Self {
        Self { title: title.into(), ..self }
    }

    /// Returns the cell of a percentile in milliseconds; when there is none, it says how many successes it needs.
    pub(crate) fn percentile(value_ms: Option<f64>, name: &str, needed: u64, successes: u64) -> Self {
        value_ms.map_or_else(
            || {
                Self::none(format!(
                    "{name} is shown from {} successes on, so that at least five lie beyond it; there were {}",
                    quantity::count(needed),
                    quantity::count(successes)
                ))
            },
            Self::number,
        )
    }

    fn plain(&self) -> &str {
        match (self.raw.as_str(), self.text.as_str()) {
            ("", NONE) => "",
            ("", text) => text,
            (raw, _) => raw,
        }
    }
}

/// What stands where there is no number.
const NONE: &str = "–";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_has_the_numbers_unrounded() {
        let mut table = Table::with_head(["thread", "p50 ms", "p99 ms"]);
        table.rows.push(vec![Cell::of("a, b"), Cell::number(1234.5678), Cell::none("too few")]);
        assert_eq!(table.csv(), "thread,p50 ms,p99 ms\n\"a, b\",1234.5678,\n");
        assert_eq!(Cell::count(12).raw, "", "the text says it");
    }
}
