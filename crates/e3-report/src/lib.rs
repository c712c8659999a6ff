//! The report: analysis.json as one HTML page, as Markdown and as CSV.
//!
//! In comes an [`Analysis`](e3_model::Analysis), out comes text. Nothing here computes a statistic, reads a clock or a
//! file: a number that is not in the analysis is in no report. The page is self-contained and asks the network for
//! nothing; its charts are SVG of our own, one file each under `figures/`, and its layout lies in `templates/`.

mod chart;
mod csv;
mod error;
mod figure;
mod figures;
mod html;
mod markdown;
mod operations;
mod page;
mod stamps;

pub use csv::csv;
pub use error::ReportError;
pub use html::html;
pub use markdown::markdown;
