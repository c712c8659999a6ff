//! A figure: a chart, what it shows, and the numbers behind it.

use e3_model::{Confidence, LoadLevel, StageAnalysis, Stamp, quantity};
use serde::Serialize;

use crate::chart::{Line, MARKS, Picture, Surroundings, mark, swatch};
use crate::stamps::{self, StampTag};
use crate::table::{Cell, Table};

/// A chart with everything that stands around it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    /// Its name in files and on the page: lowercase letters, digits and hyphens.
    pub(crate) stem: String,
    /// What is compared.
    pub(crate) title: String,
    /// Of which ops, over which window.
    pub(crate) population: String,
    /// The stamps of the stages that it shows.
    pub(crate) stamps: Vec<StampTag>,
    pub(crate) legend: Vec<LegendItem>,
    /// The chart as an element of the page.
    pub(crate) svg: String,
    /// The numbers as the page shows them.
    pub(crate) table: Table,
    /// All of the numbers, where they are more than a page can show.
    #[serde(skip)]
    pub(crate) all: Option<Table>,
    #[serde(skip)]
    picture: Picture,
}

/// What a figure says of itself.
#[derive(Debug, Clone)]
pub(crate) struct Caption {
    pub(crate) stem: String,
    pub(crate) title: String,
    pub(crate) population: String,
    pub(crate) stamps: Vec<StampTag>,
}

impl Figure {
    /// Returns the figure of a drawn chart.
    pub(crate) fn new(caption: Caption, legend: Vec<LegendItem>, picture: Picture, table: Table) -> Self {
        let Caption { stem, title, population, stamps } = caption;
        // A number and its sign stay on one line.
        let (population, svg) = (population.replace(" %", "\u{a0}%"), String::new());
        let mut figure = Self { stem, title, population, stamps, legend, svg, table, all: None, picture };
        figure.svg = figure.picture.within_page(&figure.surroundings(&figure.stamp_line()));
        figure
    }

    /// Adds all of the numbers, where the table shows a part of them.
    pub(crate) fn with_all(self, all: Table) -> Self {
        Self { all: Some(all), ..self }
    }

    /// Returns the chart as an SVG file of its own.
    pub(crate) fn standalone(&self) -> String {
        self.picture.standalone(&self.surroundings(&self.stamp_line()))
    }

    fn surroundings<'a>(&'a self, stamp_line: &'a str) -> Surroundings<'a> {
        let legend = self.legend.iter().map(|item| (item.swatch.as_str(), item.name.as_str()));
        let notes = [self.population.as_str(), stamp_line].into_iter().filter(|note| !note.is_empty());
        Surroundings { title: &self.title, legend: legend.collect(), notes: notes.collect() }
    }

    fn stamp_line(&self) -> String {
        let texts: Vec<&str> = self.stamps.iter().map(|stamp| stamp.text.as_str()).collect();
        if texts.is_empty() { String::new() } else { format!("Stamps: {}.", texts.join("; ")) }
    }
}

/// A line of a legend; `series` is the number that the chart's parts carry.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LegendItem {
    pub(crate) series: String,
    pub(crate) name: String,
    /// The inside of a small picture of the line or mark, 26 wide and 12 high, as SVG.
    pub(crate) swatch: String,
    /// Its value where the chart's guide stands; without a guide, the one that says most.
    pub(crate) value: String,
}

impl LegendItem {
    /// Returns the item of a thread.
    pub(crate) fn thread(index: usize, name: &str) -> Self {
        Self::new(&format!("t{index}"), name, swatch(&thread_class(index), Line::Solid, Some(index)))
    }

    /// Returns the item of a kind of line that every thread has.
    pub(crate) fn line(series: &str, name: &str, line: Line) -> Self {
        Self::new(series, name, swatch("neutral", line, None))
    }

    /// Returns the item of a line in the colour of that class.
    pub(crate) fn coloured(series: &str, name: &str, (colour, line): (&str, Line)) -> Self {
        Self::new(series, name, swatch(colour, line, None))
    }

    /// Returns the item of a filled area in the colour of that class.
    pub(crate) fn area(series: &str, name: &str, colour: &str) -> Self {
        let swatch = format!(r#"<rect class="stage {colour}" x="6" y="0" width="14" height="12"/>"#);
        Self::new(series, name, swatch)
    }

    /// Returns the item of a mark, drawn in the middle of 26 by 12.
    pub(crate) fn picture(series: &str, name: &str, mark: &str) -> Self {
        Self::new(series, name, mark.to_owned())
    }

    /// Adds the value that says most.
    pub(crate) fn with_value(self, value: String) -> Self {
        Self { value, ..self }
    }

    fn new(series: &str, name: &str, swatch: String) -> Self {
        let (series, name) = (series.to_owned(), name.to_owned());
        Self { series, name, swatch, value: String::new() }
    }
}

/// Returns a stage's load with its thread's name, such as `one node, 16 clients` or `one node, 100/s`; a probe of a search,
/// which may not be the only one at its load, with the stage's own.
pub(crate) fn stage_name(thread: &str, stage: &StageAnalysis) -> String {
    let own = format!("{thread}, {}", stage.load());
    if stage.probed_load.is_some() { format!("{own} ({})", stage.stage.stage) } else { own }
}

/// Returns a load as part of a file's name, such as `16-clients`, `100-per-s` or `10-to-200-per-s-poisson`.
pub(crate) fn load_stem(load: LoadLevel) -> String {
    match load {
        LoadLevel::Clients(clients) => format!("{clients}-clients"),
        LoadLevel::Arrivals(_) => {
            slug(&load.to_string().replace('→', "to").replace("/s", " per s").replace(',', ""))
        }
    }
}

/// Returns the stamps of some stages, for a caption.
pub(crate) fn stamps_of<'a>(stages: impl IntoIterator<Item = &'a StageAnalysis>) -> Vec<StampTag> {
    stamps::tags(&stages.into_iter().collect::<Vec<_>>())
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
    } else if stage.honesty.arrivals.is_some_and(|arrivals| arrivals.unstarted > 0) {
        Some("arrivals never began")
    } else {
        None
    }
}

/// Returns an interval in words, such as `3.1 to 4.2`; nothing where there is none.
pub(crate) fn between(interval: Option<Confidence>) -> String {
    interval.map_or_else(String::new, |ends| {
        format!("{} to {}", quantity::number(ends.low), quantity::number(ends.high))
    })
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

/// Returns a name as part of a file's name: lowercase letters, digits and single hyphens.
pub(crate) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= LONGEST_SLUG {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "x".to_owned() } else { slug.to_owned() }
}

/// Returns a count as a number that can be drawn with.
pub(crate) fn number_of(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

/// Returns a count as a number that can be drawn with.
#[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}

/// Returns the two cells of an interval's ends.
pub(crate) fn ends_cells(interval: Option<Confidence>, why: &str) -> [Cell; 2] {
    interval.map_or_else(
        || [Cell::none(why), Cell::none(why)],
        |ends| [Cell::number(ends.low), Cell::number(ends.high)],
    )
}

const LONGEST_SLUG: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_a_plain_file_name() {
        for (name, slugged) in [
            ("log in", "log-in"),
            ("scm.GitCloneOverHttp / clone", "scm-gitcloneoverhttp-clone"),
            ("../../etc", "etc"),
            ("Größe", "gr-e"),
            ("…", "x"),
        ] {
            assert_eq!(slug(name), slugged);
        }
        assert!(slug(&"long ".repeat(100)).len() <= LONGEST_SLUG);
    }
}
