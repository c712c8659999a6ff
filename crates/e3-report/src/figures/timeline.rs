//! Latency and throughput of one stage over time.

use e3_model::{Analysis, StageAnalysis, TimelinePoint, quantity};

use super::latency::latency_tick;
use super::stages::Own;
use crate::chart::{Frame, Hit, Line, Picture, Place, Scale, Svg, TimeAxis, path};
use crate::figure::{Caption, Figure, LegendItem, as_f64, doubt, stage_name, stamps_of, thread_class};
use crate::model::Model;
use crate::table::{Cell, Table};

/// Returns the chart of one stage; those of all stages share their upright axes, so that they can be compared.
pub(crate) fn timeline(analysis: &Analysis, own: Own<'_>) -> Figure {
    let remark = doubt(own.stage).map_or_else(String::new, |doubt| format!(" ({doubt})"));
    let stage = stage_name(own.name, own.stage);
    let title = format!("Latency and throughput over time: {stage}{remark}");
    let picture = chart(analysis, own, &title);
    let caption = Caption {
        stem: format!("{}-timeline", own.stem()),
        title,
        population: format!("{POPULATION} {}", Model::of(own.stage.load()).note()),
        stamps: stamps_of([own.stage]),
    };
    let legend = LINES.map(|(name, line, _)| LegendItem::line(name, name, line)).to_vec();
    Figure::new(caption, legend, picture, table(own.stage))
}

fn chart(analysis: &Analysis, own: Own<'_>, title: &str) -> Picture {
    let Own { thread: index, stage, .. } = own;
    let mut svg = Svg::new(WIDTH, 296.0, title);
    let upper = Frame { left: 58.0, top: 34.0, width: WIDTH - 68.0, height: 138.0 };
    let lower = Frame { left: 58.0, top: 210.0, width: WIDTH - 68.0, height: 42.0 };
    let seconds = seconds(stage);
    let x = Scale::linear((0.0, seconds), upper.across());
    svg.time(TimeAxis {
        left: upper.left,
        right: upper.right(),
        top: upper.top,
        bottom: lower.bottom(),
        seconds,
    });
    shade(&mut svg, &[upper, lower], &x, stage);
    if upper.left + 46.0 < x.at(seconds_of(stage.window_start_ms)) {
        svg.text(upper.left + 3.0, upper.top + 11.0, "start", "remark", "warm-up");
    }
    if upper.right() - x.at(seconds_of(stage.window_end_ms)) > 34.0 {
        svg.text(upper.right() - 3.0, upper.top + 11.0, "end", "remark", "grace");
    }
    latencies(&mut svg, upper, &x, latency_scale(analysis, upper), (index, stage));
    throughput(&mut svg, lower, &x, rate_scale(analysis, lower), (index, stage));
    lower.x_axis(&mut svg, &x, &whole(&x), "seconds since the stage's start", quantity::short);
    hits(&mut svg, Frame { height: lower.bottom() - upper.top, ..upper }, &x, (index, stage));
    svg.finish()
}

/// Returns how many seconds a stage's charts cover: to its end, or to where its last op ended.
pub(crate) fn seconds(stage: &StageAnalysis) -> f64 {
    let last = stage.timeline.last().map_or(0.0, |point| f64::from(point.second) + 1.0);
    last.max(seconds_of(stage.window_end_ms)).max(1.0)
}

/// Returns a time scale's ticks, at whole seconds.
pub(crate) fn whole(x: &Scale) -> Vec<f64> {
    x.ticks().into_iter().filter(|tick| tick.fract() == 0.0).collect()
}

/// Shades what is not measured: the warm-up, and the grace after the end.
pub(crate) fn shade(svg: &mut Svg, frames: &[Frame], x: &Scale, stage: &StageAnalysis) {
    let at = |ms: u64| x.at(seconds_of(ms));
    let (start, end) = (at(stage.window_start_ms), at(stage.window_end_ms));
    for frame in frames {
        svg.rectangle("unmeasured", (frame.left, frame.top), (start - frame.left, frame.height));
        svg.rectangle("unmeasured", (end, frame.top), (frame.right() - end, frame.height));
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
                    r#"<circle class="dot {class}" cx="{}" cy="{}" r="2.2"/>"#,
                    Place(across),
                    Place(up)
                ));
            }
        }
        svg.put(format_args!("</g>"));
    }
    if !stage.timeline.iter().any(|point| point.max_ms.is_some()) {
        frame.remark(svg, "no op succeeded");
    }
}

/// Successes stand on the axis; failures stand on them, in the colour of failure.
fn throughput(svg: &mut Svg, frame: Frame, x: &Scale, y: Scale, (index, stage): (usize, &StageAnalysis)) {
    svg.text(4.0, frame.top - 14.0, "start", "axis", "ops ended per second; failures on top, in red");
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
        let mut lines: Vec<(String, String)> = LINES
            .iter()
            .map(|(name, _, read)| {
                let value = read(first).map_or_else(|| "too few to tell".to_owned(), quantity::latency);
                (class.clone(), format!("{name}: {value}"))
            })
            .collect();
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
    let stages = analysis.threads.iter().flat_map(|thread| &thread.stages);
    let points = stages.flat_map(|stage| &stage.timeline);
    Scale::latency(points.flat_map(|point| [point.p50_ms, point.max_ms]).flatten(), frame.upwards())
}

fn rate_scale(analysis: &Analysis, frame: Frame) -> Scale {
    let stages = analysis.threads.iter().flat_map(|thread| &thread.stages);
    let points = stages.flat_map(|stage| &stage.timeline);
    Scale::from_zero(points.map(|point| as_f64(point.ok + point.errors)).fold(0.0, f64::max), frame.upwards())
}

/// Returns the middle of a second.
pub(crate) fn middle(point: &TimelinePoint) -> f64 {
    f64::from(point.second) + 0.5
}

fn table(stage: &StageAnalysis) -> Table {
    let mut table =
        Table::with_head(["second", "successes", "failures", "p50 ms", "p95 ms", "p99 ms", "max ms"]);
    let rows = stage.timeline.iter().map(|point| {
        vec![
            Cell::of(point.second.to_string()),
            Cell::count(point.ok),
            Cell::count(point.errors),
            Cell::percentile(point.p50_ms, "p50", 10, point.ok),
            Cell::percentile(point.p95_ms, "p95", 100, point.ok),
            Cell::percentile(point.p99_ms, "p99", 500, point.ok),
            point.max_ms.map_or_else(|| Cell::none("no op succeeded"), Cell::number),
        ]
    });
    table.rows = rows.collect();
    table
}

fn seconds_of(milliseconds: u64) -> f64 {
    as_f64(milliseconds) / 1000.0
}

type TimelineLine = (&'static str, Line, fn(&TimelinePoint) -> Option<f64>);

const LINES: [TimelineLine; 4] = [
    ("p50", Line::Solid, |point| point.p50_ms),
    ("p95", Line::Dashed, |point| point.p95_ms),
    ("p99", Line::DashDotted, |point| point.p99_ms),
    ("max", Line::Dotted, |point| point.max_ms),
];

const POPULATION: &str = "Each second by itself, by the end of each op; latency of successes from the scheduled start. Grey: not measured. A median needs 10 successes in its second, a 95th percentile 100, a 99th 500.";
const WIDTH: f64 = 1080.0;
/// Up to so many seconds have a dot each.
const DOTS: usize = 40;
/// A stage has no more areas to point at than this.
const MOST_HITS: usize = 120;
