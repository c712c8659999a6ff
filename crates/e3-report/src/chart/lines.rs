//! Line charts: several series over one axis, each point with its interval.

use super::{Frame, Hit, Picture, Place, Scale, Svg, escape, mark};
use crate::model::Model;

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Solid,
    Dashed,
    Dotted,
    DashDotted,
}

impl Line {
    /// Returns the class that draws the line so.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Solid => "solid",
            Self::Dashed => "dashed",
            Self::Dotted => "dotted",
            Self::DashDotted => "dash-dotted",
        }
    }
}

/// One line of a chart.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    /// The thread, whose colour and mark it has.
    pub(crate) thread: usize,
    /// What it is called when pointed at.
    pub(crate) name: String,
    /// The names by which a legend switches it, separated by spaces.
    pub(crate) switches: String,
    pub(crate) line: Line,
    /// Ascending along the lower axis; of several at one place the line meets the middle one.
    pub(crate) points: Vec<Point>,
}

/// One point of a line.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) x: f64,
    /// None where the line has a gap.
    pub(crate) y: Option<f64>,
    /// The interval around it.
    pub(crate) interval: Option<(f64, f64)>,
    /// Whether the line passes it by: a ramp has a mean rate, but is no step on the way from one held rate to the next.
    pub(crate) beside: bool,
    /// Whether it is drawn hollow.
    pub(crate) hollow: bool,
    /// The point in words, with unit and population.
    pub(crate) words: String,
}

/// A chart of lines over loads of one model.
#[derive(Debug)]
pub(crate) struct LineChart<'a> {
    pub(crate) size: (f64, f64),
    pub(crate) description: &'a str,
    /// What the lower axis counts.
    pub(crate) x: Model,
    pub(crate) y_name: &'a str,
    pub(crate) y_is_latency: bool,
    pub(crate) y_tick: fn(f64) -> String,
    /// Whether to draw where both axes have the same number.
    pub(crate) has_diagonal: bool,
    pub(crate) series: &'a [Series],
    /// The lines that the upright axis has to hold: these, or more of them, so that charts can be compared.
    pub(crate) scaled_by: &'a [Series],
}

impl LineChart<'_> {
    /// Draws the chart.
    pub(crate) fn picture(&self) -> Picture {
        let (width, height) = self.size;
        let frame = Frame { left: 58.0, top: 34.0, width: width - 76.0, height: height - 78.0 };
        let mut svg = Svg::new(width, height, self.description);
        let loads = self.loads();
        let x = Scale::linear((0.0, loads.last().copied().unwrap_or(1.0) * 1.04), frame.across());
        let y = self.y_scale(frame);
        let note = if y.is_log() { format!("{}, logarithmic", self.y_name) } else { self.y_name.to_owned() };
        frame.y_axis(&mut svg, &y, &note, self.y_tick);
        frame.x_axis(&mut svg, &x, &loads, self.x.axis(), e3_model::quantity::short);
        if self.has_diagonal {
            let end = loads.last().copied().unwrap_or(1.0).min(y.high());
            svg.put(format_args!(r#"<g data-series="due">"#));
            svg.line("line thin neutral dashed", (x.at(0.0), y.at(0.0)), (x.at(end), y.at(end)));
            svg.put(format_args!("</g>"));
        }
        for series in self.series {
            draw(&mut svg, series, self.aside(series.thread), &x, &y);
        }
        if !self.series.iter().flat_map(|series| &series.points).any(|point| point.y.is_some()) {
            frame.remark(&mut svg, "too few ops to tell");
        }
        self.hits(&mut svg, frame, &x, &loads);
        svg.finish()
    }

    fn y_scale(&self, frame: Frame) -> Scale {
        let points = || self.scaled_by.iter().flat_map(|series| &series.points);
        let ends = points().filter_map(|point| point.interval).flat_map(|(low, high)| [low, high]);
        let diagonal = points().filter(|_| self.has_diagonal).map(|point| point.x);
        let values = points().filter_map(|point| point.y).chain(ends).chain(diagonal);
        if self.y_is_latency {
            Scale::latency(values, frame.upwards())
        } else {
            Scale::from_zero(values.fold(0.0, f64::max), frame.upwards())
        }
    }

    /// Returns the values of the lower axis that occur, ascending, each once.
    fn loads(&self) -> Vec<f64> {
        let mut loads: Vec<f64> =
            self.series.iter().flat_map(|series| &series.points).map(|point| point.x).collect();
        loads.sort_by(f64::total_cmp);
        loads.dedup();
        loads
    }

    /// Moves the whiskers of different threads a little apart, where there are any.
    fn aside(&self, thread: usize) -> f64 {
        let has_whiskers =
            self.series.iter().flat_map(|series| &series.points).any(|point| point.interval.is_some());
        let last = self.series.iter().map(|series| series.thread).max().unwrap_or(0);
        let number = |count: usize| u32::try_from(count).map_or(0.0, f64::from);
        let gap = (WIDEST_APART / number(last.max(1))).min(5.0);
        if has_whiskers { (number(thread) - number(last) / 2.0) * gap } else { 0.0 }
    }

    fn hits(&self, svg: &mut Svg, frame: Frame, x: &Scale, loads: &[f64]) {
        for (index, load) in loads.iter().enumerate() {
            let place = x.at(*load);
            let before = index.checked_sub(1).and_then(|index| loads.get(index));
            let from = before.map_or(frame.left, |before| place.midpoint(x.at(*before)));
            let to = loads.get(index + 1).map_or(frame.right(), |after| place.midpoint(x.at(*after)));
            let lines = self.series.iter().flat_map(|series| {
                let here = series.points.iter().filter(|point| point.x.total_cmp(load).is_eq());
                here.map(|point| {
                    (crate::figure::thread_class(series.thread), format!("{}: {}", series.name, point.words))
                })
            });
            let heading = self.x.place(*load);
            frame.hit(svg, &Hit { span: (from, to), guide: place, heading, lines: lines.collect() });
        }
    }
}

fn draw(svg: &mut Svg, series: &Series, aside: f64, x: &Scale, y: &Scale) {
    svg.put(format_args!(r#"<g data-series="{}">"#, escape(&series.switches)));
    let colour = crate::figure::thread_class(series.thread);
    let place = |point: &Point| Some((x.at(point.x) + aside, y.at(point.y?)));
    for point in &series.points {
        if let (Some((low, high)), Some((across, _))) = (point.interval, place(point)) {
            svg.line(&format!("whisker {colour}"), (across, y.at(low)), (across, y.at(high)));
        }
    }
    let line = path(on_the_way(&series.points).into_iter().map(place));
    svg.put(format_args!(r#"<path class="line {colour} {}" d="{line}"/>"#, series.line.class()));
    for point in &series.points {
        if let Some((across, up)) = place(point) {
            svg.put(format_args!("{}", mark(series.thread, across, up, point.hollow)));
        }
    }
    svg.put(format_args!("</g>"));
}

/// Returns the points that a line meets: of those at one place the one whose value is in the middle, the lower of two; one
/// without a value only where all are.
fn on_the_way(points: &[Point]) -> Vec<&Point> {
    let met: Vec<&Point> = points.iter().filter(|point| !point.beside).collect();
    met.chunk_by(|own, other| own.x.total_cmp(&other.x).is_eq()).filter_map(middle).collect()
}

fn middle<'a>(here: &[&'a Point]) -> Option<&'a Point> {
    let mut known: Vec<_> = here.iter().filter(|point| point.y.is_some()).copied().collect();
    known.sort_by(|own, other| own.y.unwrap_or(0.0).total_cmp(&other.y.unwrap_or(0.0)));
    known.get(known.len().saturating_sub(1) / 2).or(here.first()).copied()
}

/// Returns the path through points; a point that is missing interrupts it.
pub(crate) fn path(points: impl Iterator<Item = Option<(f64, f64)>>) -> String {
    let mut path = String::new();
    let mut command = 'M';
    for point in points {
        match point {
            Some((x, y)) => {
                path.push_str(&format!("{command}{} {}", Place(x), Place(y)));
                command = 'L';
            }
            None => command = 'M',
        }
    }
    path
}

/// The whiskers of one load lie no farther apart than this.
const WIDEST_APART: f64 = 28.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_point_interrupts_the_line() {
        let points = [Some((0.0, 1.0)), Some((1.0, 2.0)), None, Some((3.0, 4.0)), None];
        assert_eq!(path(points.into_iter()), "M0 1L1 2M3 4");
        assert_eq!(path([].into_iter()), "");
    }

    #[test]
    fn of_several_points_at_one_place_the_line_meets_the_middle_one() {
        let point = |x: f64, y: Option<f64>, beside| Point {
            x,
            y,
            interval: None,
            beside,
            hollow: false,
            words: String::new(),
        };
        let points = [
            point(1.0, Some(5.0), false),
            point(2.0, Some(9.0), false),
            point(2.0, None, false),
            point(2.0, Some(7.0), false),
            point(2.0, Some(8.0), false),
            point(2.0, Some(1.0), true),
            point(3.0, Some(6.0), false),
            point(3.0, Some(4.0), false),
            point(4.0, None, false),
            point(4.0, None, false),
        ];
        let met: Vec<_> = on_the_way(&points).into_iter().map(|point| (point.x, point.y)).collect();
        assert_eq!(met, [(1.0, Some(5.0)), (2.0, Some(8.0)), (3.0, Some(4.0)), (4.0, None)]);
    }
}
