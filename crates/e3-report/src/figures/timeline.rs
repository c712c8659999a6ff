//! Latency and throughput over time, one chart per stage.

use e3_model::{Analysis, StageAnalysis, ThreadAnalysis, TimelinePoint, quantity};
use serde::Serialize;

use super::latency::latency_tick;
use crate::chart::{Frame, Hit, Line, Scale, Svg, path};
use crate::figure::{Cell, Figure, LegendItem, Table, clients, doubt, thread_class};

/// The stages of one load, side by side.
#[derive(Debug, Serialize)]
pub(crate) struct TimelineGroup {
    pub(crate) title: String,
    pub(crate) open: bool,
    /// How many charts share a row where there is room.
    pub(crate) columns: u8,
    pub(crate) figures: Vec<Figure>,
}

/// Returns the timelines by load, ascending; all share one latency axis, so that charts can be compared.
pub(crate) fn timelines(analysis: &Analysis) -> Vec<TimelineGroup> {
    let mut loads: Vec<u32> = stages(analysis).map(|(_, _, stage)| stage.clients).collect();
    let count = loads.len();
    loads.sort_unstable();
    loads.dedup();
    let highest = loads.last().copied();
    let group = |load: u32| {
        let own: Vec<Own<'_>> = stages(analysis).filter(|(_, _, stage)| stage.clients == load).collect();
        // Up to three charts share a row; the fewer, the wider.
        let (columns, width) = match own.len() {
            1 => (1, 1080.0),
            2 => (2, 540.0),
            _ => (3, 380.0),
        };
        TimelineGroup {
            title: clients(load),
            open: count <= FEW || Some(load) == highest,
            columns,
            figures: own.into_iter().map(|own| figure(analysis, own, width)).collect(),
        }
    };
    loads.into_iter().map(group).collect()
}

/// The thread's place, the thread, and its stage.
type Own<'a> = (usize, &'a ThreadAnalysis, &'a StageAnalysis);

fn stages(analysis: &Analysis) -> impl Iterator<Item = Own<'_>> {
    analysis
        .threads
        .iter()
        .enumerate()
        .flat_map(|(index, thread)| thread.stages.iter().map(move |stage| (index, thread, stage)))
}

fn figure(analysis: &Analysis, (index, thread, stage): Own<'_>, width: f64) -> Figure {
    let remark = doubt(stage).map_or_else(String::new, |doubt| format!(" ({doubt})"));
    let title = format!("{}, {}{remark}", thread.name, clients(stage.clients));
    let mut svg = Svg::new(width, 286.0, &format!("Latency and throughput over time: {title}"));
    let upper = Frame { left: 58.0, top: 34.0, width: width - 68.0, height: 128.0 };
    let lower = Frame { left: 58.0, top: 200.0, width: width - 68.0, height: 42.0 };
    let seconds = seconds(stage);
    let x = Scale::linear((0.0, seconds), upper.across());
    shade(&mut svg, (upper, lower), &x, stage);
    latencies(&mut svg, upper, &x, latency_scale(analysis, upper), (index, stage));
    throughput(&mut svg, lower, &x, rate_scale(analysis, lower), (index, stage));
    let ticks: Vec<f64> = x.ticks().into_iter().filter(|tick| tick.fract() == 0.0).collect();
    lower.x_axis(&mut svg, &x, &ticks, "seconds since the stage's start", quantity::short);
    hits(&mut svg, Frame { height: lower.bottom() - upper.top, ..upper }, &x, (index, stage));
    Figure {
        title,
        population: String::new(),
        legend: LINES.map(|(name, line, _)| LegendItem::line(name, name, line)).to_vec(),
        svg: svg.finish(),
        table: table(stage),
    }
}

/// Shades what is not measured: the warm-up, and the grace after the end.
fn shade(svg: &mut Svg, (upper, lower): (Frame, Frame), x: &Scale, stage: &StageAnalysis) {
    let at = |ms: u64| x.at(seconds_of(ms));
    let (start, end) = (at(stage.window_start_ms), at(stage.window_end_ms));
    for frame in [upper, lower] {
        svg.rectangle("unmeasured", (frame.left, frame.top), (start - frame.left, frame.height));
        svg.rectangle("unmeasured", (end, frame.top), (frame.right() - end, frame.height));
    }
    if start - upper.left > 46.0 {
        svg.text(upper.left + 3.0, upper.top + 11.0, "start", "remark", "warm-up");
    }
    if upper.right() - end > 34.0 {
        svg.text(upper.right() - 3.0, upper.top + 11.0, "end", "remark", "grace");
    }
}

fn latencies(svg: &mut Svg, frame: Frame, x: &Scale, y: Scale, (index, stage): (usize, &StageAnalysis)) {
    let name = if y.is_log() { "latency, logarithmic" } else { "latency" };
    frame.y_axis(svg, &y, name, latency_tick);
    for (name, line, read) in LINES {
        let places: Vec<Option<(f64, f64)>> =
            stage.timeline.iter().map(|point| Some((x.at(middle(point)), y.at(read(point)?)))).collect();
        let class = format!("{} {}", thread_class(index), line.class());
        svg.put(format_args!(
            r#"<g data-series="{name}"><path class="line {class}" d="{}"/>"#,
            path(places.iter().copied())
        ));
        for (position, place) in places.iter().enumerate() {
            let gap_at = |neighbour: Option<usize>| neighbour.and_then(|at| *places.get(at)?).is_none();
            // A point between two gaps is no line, but has to be seen.
            let alone = gap_at(position.checked_sub(1)) && gap_at(position.checked_add(1));
            if let Some((across, up)) = place.filter(|_| alone || places.len() <= DOTS) {
                svg.put(format_args!(
                    r#"<circle class="dot {class}" cx="{across:.1}" cy="{up:.1}" r="2.2"/>"#
                ));
            }
        }
        svg.put(format_args!("</g>"));
    }
}

/// Successes stand on the axis; failures stand on them, in the colour of failure.
fn throughput(svg: &mut Svg, frame: Frame, x: &Scale, y: Scale, (index, stage): (usize, &StageAnalysis)) {
    svg.text(4.0, frame.top - 14.0, "start", "axis", "ops per second");
    if let Some(tick) = y.ticks().last() {
        svg.line("grid", (frame.left, y.at(*tick)), (frame.right(), y.at(*tick)));
        svg.text(frame.left - 7.0, y.at(*tick) + 4.0, "end", "tick", &quantity::short(*tick));
    }
    for point in &stage.timeline {
        let (from, to) = (x.at(f64::from(point.second)), x.at(f64::from(point.second) + 1.0));
        let width = ((to - from) * 0.86).max(0.5);
        let (ok, all) = (y.at(as_f64(point.ok)), y.at(as_f64(point.ok + point.errors)));
        svg.rectangle(&format!("bar {}", thread_class(index)), (from, ok), (width, frame.bottom() - ok));
        if point.errors > 0 {
            svg.rectangle("bar failed", (from, all.min(ok - 2.0)), (width, (ok - all).max(2.0)));
        }
    }
}

fn hits(svg: &mut Svg, frame: Frame, x: &Scale, (index, stage): (usize, &StageAnalysis)) {
    let every = stage.timeline.len().div_ceil(MOST_HITS).max(1);
    for chunk in stage.timeline.chunks(every) {
        let (Some(first), Some(last)) = (chunk.first(), chunk.last()) else { continue };
        let class = thread_class(index);
        let said = |name: &str, value: Option<f64>| {
            (
                class.clone(),
                format!("{name}: {}", value.map_or_else(|| "too few to tell".to_owned(), quantity::latency)),
            )
        };
        let mut lines = vec![said("p50", first.p50_ms), said("p95", first.p95_ms), said("max", first.max_ms)];
        lines.push((class.clone(), format!("successes: {}", quantity::count(first.ok))));
        if first.errors > 0 {
            lines.push(("failed".to_owned(), format!("failures: {}", quantity::count(first.errors))));
        }
        let span = (x.at(f64::from(first.second)), x.at(f64::from(last.second) + 1.0));
        let heading = format!("second {} to {}", first.second, first.second + 1);
        frame.hit(svg, &Hit { span, guide: x.at(middle(first)), heading, lines });
    }
}

fn latency_scale(analysis: &Analysis, frame: Frame) -> Scale {
    let points = stages(analysis).flat_map(|(_, _, stage)| &stage.timeline);
    Scale::latency(points.flat_map(|point| [point.p50_ms, point.max_ms]).flatten(), frame.upwards())
}

fn rate_scale(analysis: &Analysis, frame: Frame) -> Scale {
    let points = stages(analysis).flat_map(|(_, _, stage)| &stage.timeline);
    Scale::from_zero(points.map(|point| as_f64(point.ok + point.errors)).fold(0.0, f64::max), frame.upwards())
}

fn seconds(stage: &StageAnalysis) -> f64 {
    let last = stage.timeline.last().map_or(0.0, |point| f64::from(point.second) + 1.0);
    last.max(seconds_of(stage.window_end_ms)).max(1.0)
}

fn middle(point: &TimelinePoint) -> f64 {
    f64::from(point.second) + 0.5
}

fn table(stage: &StageAnalysis) -> Table {
    let head = ["second", "successes", "failures", "p50 ms", "p95 ms", "max ms"];
    let rows = stage.timeline.iter().map(|point| {
        let max = point
            .max_ms
            .map_or_else(|| Cell::none("no op succeeded"), |value| Cell::of(quantity::number(value)));
        vec![
            Cell::of(point.second.to_string()),
            Cell::of(quantity::count(point.ok)),
            Cell::of(quantity::count(point.errors)),
            Cell::percentile(point.p50_ms, "p50", 10, point.ok),
            Cell::percentile(point.p95_ms, "p95", 100, point.ok),
            max,
        ]
    });
    Table { rows: rows.collect(), head: head.map(str::to_owned).to_vec() }
}

fn seconds_of(milliseconds: u64) -> f64 {
    as_f64(milliseconds) / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

type TimelineLine = (&'static str, Line, fn(&TimelinePoint) -> Option<f64>);

const LINES: [TimelineLine; 3] = [
    ("p50", Line::Solid, |point| point.p50_ms),
    ("p95", Line::Dashed, |point| point.p95_ms),
    ("max", Line::Dotted, |point| point.max_ms),
];

/// Up to so many stages are all open at first.
const FEW: usize = 8;
/// Up to so many seconds have a dot each.
const DOTS: usize = 40;
/// A stage has no more areas to point at than this.
const MOST_HITS: usize = 120;
