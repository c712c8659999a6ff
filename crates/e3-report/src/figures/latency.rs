//! Latency against load, by thread: all ops together, and each op by itself; a chart for each load model.

use e3_model::{Analysis, Bound, BoundedLatency, Confidence, Latency, OpStatistics, StageAnalysis, quantity};

use super::throughput::is_ramp;
use crate::chart::{Line, LineChart, Picture, Point, Series};
use crate::figure::{Caption, Figure, LegendItem, between, doubt, ends_cells, slug, stamps_of};
use crate::model::Model;
use crate::table::{Cell, Table};

/// A percentile that is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Percentile {
    pub(crate) name: &'static str,
    /// Its name at the beginning of a title.
    title: &'static str,
    pub(crate) line: Line,
    /// From how many successes on it is shown.
    pub(crate) needed: u64,
    pub(crate) value: fn(&Latency) -> Option<f64>,
    pub(crate) interval: fn(&Latency) -> Option<Confidence>,
    /// Over all ops that were due, successes or not.
    pub(crate) all_due: fn(&BoundedLatency) -> Option<Bound>,
}

/// The percentiles that charts show, ascending.
pub(crate) const PERCENTILES: [Percentile; 3] = [
    Percentile {
        name: "p50",
        title: "Median",
        line: Line::Solid,
        needed: 10,
        value: |latency| latency.p50_ms,
        interval: |latency| latency.intervals.p50,
        all_due: |latency| latency.p50,
    },
    Percentile {
        name: "p95",
        title: "95th percentile",
        line: Line::Dashed,
        needed: 100,
        value: |latency| latency.p95_ms,
        interval: |latency| latency.intervals.p95,
        all_due: |latency| latency.p95,
    },
    Percentile {
        name: "p99",
        title: "99th percentile",
        line: Line::Dotted,
        needed: 500,
        value: |latency| latency.p99_ms,
        interval: |latency| latency.intervals.p99,
        all_due: |latency| latency.p99,
    },
];

/// Returns the charts of all ops together, one per model and percentile, with one latency axis for those of a model.
pub(crate) fn latency(analysis: &Analysis) -> Vec<Figure> {
    let of = |stage: &StageAnalysis| Some(stage.total.clone());
    let of_model = |model: Model| {
        let all = series(analysis, model, &PERCENTILES, of);
        PERCENTILES.map(|percentile| {
            let own = series(analysis, model, &[Percentile { line: Line::Solid, ..percentile }], of);
            let title = format!("{} of latency against {}, by thread", percentile.title, model.against());
            let picture = chart((420.0, 300.0), &title, model, (&own, &all));
            let caption = Caption {
                stem: format!("latency-{}{}", percentile.name, model.stem()),
                title,
                population: format!("{POPULATION} {}", model.note()),
                stamps: stamps_of(stages(analysis, model)),
            };
            let table = table(analysis, model, &[percentile], of);
            Figure::new(caption, threads(analysis, model).collect(), picture, table)
        })
    };
    Model::all(analysis).into_iter().flat_map(of_model).collect()
}

/// Returns one chart per model and op, in the order in which workloads name them.
pub(crate) fn latency_by_op(analysis: &Analysis) -> Vec<Figure> {
    let models = Model::all(analysis);
    let several = models.len() > 1;
    models.into_iter().flat_map(|model| by_op(analysis, model, several)).collect()
}

fn by_op(analysis: &Analysis, model: Model, several: bool) -> Vec<Figure> {
    let mut names: Vec<(&str, &str)> = Vec::new();
    for op in stages(analysis, model).flat_map(|stage| &stage.ops) {
        if !names.contains(&(&op.script, &op.op)) {
            names.push((&op.script, &op.op));
        }
    }
    let one = |(script, op): (&str, &str)| {
        let of = |stage: &StageAnalysis| {
            stage.ops.iter().find(|own| own.script == script && own.op == op).cloned()
        };
        let series = series(analysis, model, &PERCENTILES, of);
        let description = format!("Latency against {}, by thread: {op} ({script})", model.against());
        let picture = chart((380.0, 250.0), &description, model, (&series, &series));
        let caption = Caption {
            stem: format!("latency-of-{}{}", slug(&format!("{script} {op}")), model.stem()),
            title: if several { format!("{op}, {}", model.name()) } else { op.to_owned() },
            population: script.to_owned(),
            stamps: stamps_of(stages(analysis, model)),
        };
        let table = table(analysis, model, &PERCENTILES, of);
        Figure::new(caption, legend_by_op(analysis), picture, table)
    };
    names.into_iter().map(one).collect()
}

/// Returns the legend that all charts of [`latency_by_op`] share.
pub(crate) fn legend_by_op(analysis: &Analysis) -> Vec<LegendItem> {
    let lines = PERCENTILES.map(|one| LegendItem::line(one.name, one.name, one.line));
    let threads =
        analysis.threads.iter().enumerate().map(|(index, thread)| LegendItem::thread(index, &thread.name));
    threads.chain(lines).collect()
}

fn threads(analysis: &Analysis, model: Model) -> impl Iterator<Item = LegendItem> {
    let all = analysis.threads.iter().enumerate();
    let own = all.filter(move |(_, thread)| model.has(&thread.stages));
    own.map(|(index, thread)| LegendItem::thread(index, &thread.name))
}

fn stages(analysis: &Analysis, model: Model) -> impl Iterator<Item = &StageAnalysis> {
    analysis.threads.iter().flat_map(move |thread| model.by_load(&thread.stages))
}

fn chart(
    size: (f64, f64),
    description: &str,
    x: Model,
    (series, scaled_by): (&[Series], &[Series]),
) -> Picture {
    let chart = LineChart {
        size,
        description,
        x,
        has_diagonal: false,
        y_name: "latency",
        y_is_latency: true,
        y_tick: latency_tick,
        series,
        scaled_by,
    };
    chart.picture()
}

fn series(
    analysis: &Analysis,
    model: Model,
    percentiles: &[Percentile],
    of: impl Fn(&StageAnalysis) -> Option<OpStatistics>,
) -> Vec<Series> {
    let mut series = Vec::new();
    for (index, thread) in analysis.threads.iter().enumerate() {
        for percentile in percentiles {
            let stages = model.by_load(&thread.stages).into_iter();
            series.push(Series {
                thread: index,
                name: format!("{} {}", thread.name, percentile.name),
                switches: format!("t{index} {}", percentile.name),
                line: percentile.line,
                points: stages.filter_map(|stage| Some(point(stage, &of(stage)?, *percentile))).collect(),
            });
        }
    }
    series
}

fn point(stage: &StageAnalysis, op: &OpStatistics, percentile: Percentile) -> Point {
    let value = op.latency.as_ref().and_then(percentile.value);
    let interval = op.latency.as_ref().and_then(percentile.interval).filter(|_| value.is_some());
    let doubt = doubt(stage);
    let remark = doubt.map_or_else(String::new, |doubt| format!(", {doubt}"));
    let shown = value.map_or_else(|| "too few to tell".to_owned(), quantity::latency);
    let ends = if interval.is_some() { format!(" ({} ms)", between(interval)) } else { String::new() };
    Point {
        x: stage.load_number(),
        y: value,
        interval: interval.map(|ends| (ends.low, ends.high)),
        beside: is_ramp(stage),
        hollow: doubt.is_some(),
        words: format!("{shown}{ends} of {} ops{}{remark}", quantity::count(op.ok), left_out(stage, op)),
    }
}

/// Says of the open model how many ops a percentile of the successes leaves out.
fn left_out(stage: &StageAnalysis, op: &OpStatistics) -> String {
    if op.cancelled == 0 || !stage.load().is_open() {
        return String::new();
    }
    format!(", {} more had not ended with the stage", quantity::count(op.cancelled))
}

fn table(
    analysis: &Analysis,
    model: Model,
    percentiles: &[Percentile],
    of: impl Fn(&StageAnalysis) -> Option<OpStatistics>,
) -> Table {
    let mut table = Table::with_head(["thread", model.column(), "successes"]);
    if model == Model::Open {
        table.head.push("not ended".to_owned());
    }
    for Percentile { name, .. } in percentiles {
        table.head.extend([format!("{name} ms"), format!("{name} from, 95 %"), format!("{name} to, 95 %")]);
    }
    table.head.push("remark".to_owned());
    for thread in &analysis.threads {
        for stage in model.by_load(&thread.stages) {
            let Some(op) = of(stage) else { continue };
            let load = match model {
                Model::Closed => Cell::count(stage.clients.into()),
                Model::Open => Cell::of(stage.load().to_string()).with_raw(stage.load_number()),
            };
            let mut row = vec![Cell::of(&thread.name), load, Cell::count(op.ok)];
            if model == Model::Open {
                row.push(Cell::count(op.cancelled));
            }
            for percentile in percentiles {
                let latency = op.latency.as_ref();
                let value = latency.and_then(percentile.value);
                row.push(Cell::percentile(value, percentile.name, percentile.needed, op.ok));
                row.extend(ends_cells(latency.and_then(percentile.interval), "no interval can be given"));
            }
            row.push(Cell::of(doubt(stage).unwrap_or_default()));
            table.rows.push(row);
        }
    }
    table
}

/// Returns mean, p50, p95, p99 and the largest latency of an op, in milliseconds, percentiles with their intervals.
pub(crate) fn latency_cells(op: &OpStatistics) -> [Cell; 5] {
    let Some(latency) = &op.latency else {
        return [(); 5].map(|()| Cell::none("no op succeeded"));
    };
    let [p50, p95, p99] = PERCENTILES.map(|one| {
        let cell = Cell::percentile((one.value)(latency), one.name, one.needed, op.ok)
            .with_interval((one.interval)(latency));
        with_all_due(cell, (one.value)(latency), op.all_due.as_ref().and_then(one.all_due))
    });
    [Cell::number(latency.mean_ms), p50, p95, p99, Cell::number(latency.max_ms)]
}

/// Adds a percentile over all ops that were due, where those that did not succeed may have made it any longer.
fn with_all_due(cell: Cell, value: Option<f64>, bound: Option<Bound>) -> Cell {
    let Some(words) = bound.and_then(|bound| all_due_words(value, bound)) else { return cell };
    let small = format!("{}\nall due {words}", cell.small);
    let title = if cell.title.is_empty() { ALL_DUE.to_owned() } else { cell.title.clone() };
    cell.with_small(small.trim_start().to_owned()).with_title(title)
}

/// Returns what a percentile is over all ops that were due, beside that of the successes, such as `≥ 6,320`; a lower bound
/// that is no higher than that says nothing but that it is not known. None where it is exact: then it is next to the same.
pub(crate) fn all_due_words(successes: Option<f64>, bound: Bound) -> Option<String> {
    let says_more = successes.is_none_or(|successes| bound.ms > successes);
    let shown = if says_more { format!("≥\u{a0}{}", quantity::number(bound.ms)) } else { "?".to_owned() };
    bound.at_least.then_some(shown)
}

/// Returns a latency as an axis shows it: in the largest unit, without superfluous digits.
pub(crate) fn latency_tick(milliseconds: f64) -> String {
    if milliseconds >= 1000.0 {
        format!("{} s", quantity::short(milliseconds / 1000.0))
    } else if milliseconds == 0.0 {
        "0".to_owned()
    } else {
        format!("{} ms", quantity::short(milliseconds))
    }
}

const ALL_DUE: &str = "All due: of all ops that were due, with failures counted as at least their time-out, and ops that had not ended as at least what they had waited; ?: these decide it, and it is not known";
const POPULATION: &str = "Successes of all ops together, from the scheduled start to the end, warm-up excluded. Whiskers: 95 % interval.";
