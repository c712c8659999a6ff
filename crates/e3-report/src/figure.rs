//! A figure: a chart, what it shows, and the numbers behind it.

use e3_model::{StageAnalysis, Stamp, quantity};
use serde::Serialize;

use crate::chart::{Line, MARKS, mark, swatch};

/// A chart with everything that stands around it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    /// What is compared.
    pub(crate) title: String,
    /// Of which ops, over which window.
    pub(crate) population: String,
    pub(crate) legend: Vec<LegendItem>,
    /// The chart, as SVG.
    pub(crate) svg: String,
    pub(crate) table: Table,
}

/// A line of a legend; `series` is the number that the chart's parts carry.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LegendItem {
    pub(crate) series: String,
    pub(crate) name: String,
    /// A small picture of the line or mark, as SVG.
    pub(crate) swatch: String,
}

impl LegendItem {
    /// Returns the item of a thread.
    pub(crate) fn thread(index: usize, name: &str) -> Self {
        Self {
            series: format!("t{index}"),
            name: name.to_owned(),
            swatch: swatch(Some(index), Line::Solid, true),
        }
    }

    /// Returns the item of a kind of line that every thread has.
    pub(crate) fn line(series: &str, name: &str, line: Line) -> Self {
        Self { series: series.to_owned(), name: name.to_owned(), swatch: swatch(None, line, false) }
    }
}

/// Numbers in rows.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Table {
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// One cell of a table.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Cell {
    pub(crate) text: String,
    /// A smaller second line.
    pub(crate) small: String,
    /// What is said when one asks.
    pub(crate) title: String,
}

impl Cell {
    /// Returns a cell of text alone.
    pub(crate) fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), small: String::new(), title: String::new() }
    }

    /// Returns a cell that has no number, and says why.
    pub(crate) fn none(why: impl Into<String>) -> Self {
        Self { text: "–".to_owned(), small: String::new(), title: why.into() }
    }

    /// Adds a smaller second line.
    pub(crate) fn with_small(self, small: impl Into<String>) -> Self {
        Self { small: small.into(), ..self }
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
            |value| Self::of(quantity::number(value)),
        )
    }
}

/// Returns why a stage's numbers may not be what they seem, if so; such stages are drawn hollow.
pub(crate) fn doubt(stage: &StageAnalysis) -> Option<&'static str> {
    let stamped = |stamp| stage.stamps.contains(&stamp);
    if stamped(Stamp::ClientBound) {
        Some("invalid: client-bound")
    } else if stamped(Stamp::SamplesLost) {
        Some("invalid: samples lost")
    } else if stamped(Stamp::Incomplete) {
        Some("incomplete")
    } else {
        None
    }
}

/// Returns a number of clients in words.
pub(crate) fn clients(count: u32) -> String {
    if count == 1 { "1 client".to_owned() } else { format!("{} clients", quantity::count(count.into())) }
}

/// Returns the mark of a thread as a picture of its own.
pub(crate) fn thread_mark(index: usize) -> String {
    format!(
        r#"<svg class="mark" viewBox="-6 -6 12 12" aria-hidden="true">{}</svg>"#,
        mark(index, 0.0, 0.0, false)
    )
}

/// Returns the class that gives a thread its colour.
pub(crate) fn thread_class(index: usize) -> String {
    format!("c{}", index % MARKS)
}
