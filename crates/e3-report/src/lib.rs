//! The report: analysis.json as one HTML page, as Markdown, CSV and JUnit XML, and each chart as SVG.
//!
//! In comes an [`Analysis`](e3_model::Analysis), out comes text. Nothing here computes a statistic, reads a clock or a
//! file: a number that is not in the analysis is in no report, but for shares of counts and places on an axis. The page
//! is self-contained and asks the network for nothing; its charts are SVG of our own, one file each under `figures/`, and
//! its layout lies in `templates/`.

mod arms;
mod chart;
mod comparisons;
mod csv;
mod error;
mod export;
mod figure;
mod figures;
mod honesty;
mod html;
mod junit;
mod markdown;
mod model;
mod operations;
mod page;
mod searches;
mod sections;
mod stamps;
mod table;
mod talk;
mod thresholds;

pub use csv::csv;
pub use error::ReportError;
pub use export::{FigureFile, figures};
pub use html::html;
pub use junit::junit;
pub use markdown::markdown;
