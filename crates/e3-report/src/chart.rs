//! Charts as SVG: scales, axes, lines, marks; no statistics, no thread, no stage.
//!
//! Colours are classes (`c0` to `c7`) that the page's style sheet turns into light or dark ones. Parts that belong to a
//! series carry it in `data-series`, so that a legend can switch them off. Every area that answers to the pointer has a
//! `<title>`, which works without any script.

mod axis;
mod frame;
mod lines;
mod picture;
mod steps;
mod style;
mod svg;

pub(crate) use axis::Scale;
pub(crate) use frame::{Frame, Hit};
pub(crate) use lines::{Line, LineChart, Point, Series, path};
pub(crate) use picture::{Picture, Surroundings, TimeAxis};
pub(crate) use steps::{Step, steps};
pub(crate) use style::{CHART_STYLE, alone_style};
pub(crate) use svg::{MARKS, Place, Svg, escape, mark, shorten, swatch};
