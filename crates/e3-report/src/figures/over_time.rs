//! Latency over time, all threads at the same load in one chart.

use e3_model::{Analysis, LoadLevel, TimelinePoint, quantity};

use super::latency::latency_tick;
use super::stages::{Own, name_among, planned_by_load};
use super::timeline::{middle, seconds, whole};
use crate::chart::{Frame, Hit, Line, Picture, Scale, Svg, TimeAxis, escape, path};
use crate::figure::{Caption, Figure, LegendItem, load_stem, stamps_of, thread_class};
use crate::model::Model;
use crate::table::{Cell, Table};

/// Returns one chart per load of the plan, ascending; all share one latency axis.
pub(crate) fn over_time(analysis: &Analysis) -> Vec<Figure> {
    planned_by_load(analysis).into_iter().map(|(load, own)| figure(analysis, load, &own)).collect()
}

fn figure(analysis: &Analysis, load: LoadLevel, own: &[Own<'_>]) -> Figure {
    let title = format!("Latency over time at {load}, by thread");
    let mut legend: Vec<LegendItem> = Vec::new();
    for one in own {
        let item = LegendItem::thread(one.thread, one.name);
        if !legend.iter().any(|known| known.series == item.series) {
            legend.push(item);
        }
    }
    legend.extend(LINES.map(|(name, line, _)| LegendItem::line(name, name, line)));
    let caption = Caption {
        stem: format!("over-time-{}", load_stem(load)),
        population: format!("{POPULATION} {}", Model::of(load).note()),
        stamps: stamps_of(own.iter().map(|own| own.stage)),
        title: title.clone(),
    };
    Figure::new(caption, legend, chart(analysis, own, &title), table(own))
}

fn chart(analysis: &Analysis, own: &[Own<'_>], title: &str) -> Picture {
    let mut svg = Svg::new(WIDTH, 280.0, title);
    let frame = Frame { left: 58.0, top: 34.0, width: WIDTH - 68.0, height: 200.0 };
    let points = analysis.threads.iter().flat_map(|thread| &thread.stages).flat_map(|stage| &stage.timeline);
    let y = Scale::latency(points.flat_map(|point| [point.p50_ms, point.p95_ms]).flatten(), frame.upwards());
    let seconds = own.iter().map(|own| seconds(own.stage)).fold(1.0, f64::max);
    let x = Scale::linear((0.0, seconds), frame.across());
    svg.time(TimeAxis {
        left: frame.left,
        right: frame.right(),
        top: frame.top,
        bottom: frame.bottom(),
        seconds,
    });
    frame.y_axis(&mut svg, &y, if y.is_log() { "latency, logarithmic" } else { "latency" }, latency_tick);
    for one in own {
        draw(&mut svg, *one, &x, &y);
    }
    let drawn = own.iter().flat_map(|own| &own.stage.timeline);
    if !drawn.into_iter().any(|point| point.p50_ms.is_some() || point.p95_ms.is_some()) {
        frame.remark(&mut svg, "no second had enough successes for a median");
    }
    frame.x_axis(
        &mut svg,
        &x,
        &whole(&x),
        "seconds since each stage's start, warm-up included",
        quantity::short,
    );
    hits(&mut svg, frame, &x, own);
    svg.finish()
}

fn draw(svg: &mut Svg, own: Own<'_>, x: &Scale, y: &Scale) {
    for (name, line, read) in LINES {
        let places: Vec<Option<(f64, f64)>> =
            own.stage.timeline.iter().map(|point| Some((x.at(middle(point)), y.at(read(point)?)))).collect();
        let class = thread_class(own.thread);
        svg.put(format_args!(
            r#"<g data-series="t{} {}"><path class="line {class} {}" d="{}"/>"#,
            own.thread,
            escape(name),
            line.class(),
            path(places.iter().copied())
        ));
        // The marks tell the threads apart in grey; one in so many is enough.
        let every = places.len().div_ceil(MARKS_PER_LINE).max(1);
        for (across, up) in places.into_iter().skip(own.thread % every).step_by(every).flatten() {
            svg.put(format_args!("{}", crate::chart::mark(own.thread, across, up, false)));
        }
        svg.put(format_args!("</g>"));
    }
}

fn hits(svg: &mut Svg, frame: Frame, x: &Scale, own: &[Own<'_>]) {
    let seconds = own.iter().flat_map(|own| &own.stage.timeline).map(|point| point.second).max();
    let Some(last) = seconds else { return };
    let every = last / MOST_HITS + 1;
    for second in (0..=last).step_by(usize::try_from(every).unwrap_or(1)) {
        let lines = own.iter().filter_map(|one| {
            let point = one.stage.timeline.iter().find(|point| point.second == second)?;
            let shown =
                |value: Option<f64>| value.map_or_else(|| "too few to tell".to_owned(), quantity::latency);
            let line = format!(
                "{}: p50 {}, p95 {}, of {} ops",
                name_among(*one, own),
                shown(point.p50_ms),
                shown(point.p95_ms),
                quantity::count(point.ok)
            );
            Some((thread_class(one.thread), line))
        });
        let (from, to) = (f64::from(second), f64::from(second + every));
        let heading = format!("second {second} to {}", second + 1);
        let (span, guide) = ((x.at(from), x.at(to)), x.at(from + 0.5));
        frame.hit(svg, &Hit { span, guide, heading, lines: lines.collect() });
    }
}

fn table(own: &[Own<'_>]) -> Table {
    let mut table = Table { head: vec!["second".to_owned()], rows: Vec::new() };
    for one in own {
        let name = name_among(*one, own);
        table.head.extend(["successes", "p50 ms", "p95 ms"].map(|what| format!("{name}: {what}")));
    }
    let last = own.iter().flat_map(|own| &own.stage.timeline).map(|point| point.second).max();
    for second in 0..last.map_or(0, |last| last + 1) {
        let mut row = vec![Cell::of(second.to_string())];
        for one in own {
            let point = one.stage.timeline.iter().find(|point| point.second == second);
            row.extend(point.map_or_else(
                || [(); 3].map(|()| Cell::none("the stage was over")),
                |point| {
                    [
                        Cell::count(point.ok),
                        Cell::percentile(point.p50_ms, "p50", 10, point.ok),
                        Cell::percentile(point.p95_ms, "p95", 100, point.ok),
                    ]
                },
            ));
        }
        table.rows.push(row);
    }
    table
}

type Reading = (&'static str, Line, fn(&TimelinePoint) -> Option<f64>);

const LINES: [Reading; 2] =
    [("p50", Line::Solid, |point| point.p50_ms), ("p95", Line::Dashed, |point| point.p95_ms)];
const POPULATION: &str = "Successes of each second by their end, from the scheduled start. The stages ran one after another or on machines of their own; they lie over each other here. A median needs 10 successes in its second, a 95th percentile 100.";
const WIDTH: f64 = 720.0;
const MARKS_PER_LINE: usize = 8;
const MOST_HITS: u32 = 120;
