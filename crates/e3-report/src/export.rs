//! The figures as files: each chart as an SVG of its own, and its numbers as CSV.

use e3_model::Analysis;

use crate::figure::Figure;
use crate::page::Page;

/// One figure as two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureFile {
    /// The files' name without its ending, of lowercase letters, digits and hyphens; no two figures share one.
    pub stem: String,
    /// What the figure shows.
    pub title: String,
    /// The chart on a light ground, with title, legend, population and stamps; it needs nothing else.
    pub svg: String,
    /// The numbers behind it, unrounded, after a line that names the columns; metrics have six digits.
    pub csv: String,
}

/// Returns every figure of the report, in the order of the page; the same analysis gives the same names.
pub fn figures(analysis: &Analysis) -> Vec<FigureFile> {
    let file = |figure: &Figure| FigureFile {
        stem: figure.stem.clone(),
        title: figure.title.clone(),
        svg: figure.standalone(),
        csv: figure.all.as_ref().unwrap_or(&figure.table).csv(),
    };
    Page::of(analysis).figures().into_iter().map(file).collect()
}
