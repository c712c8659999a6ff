//! Latency against clients, by thread: all ops together, and each op by itself.

use e3_model::{Analysis, Confidence, Latency, OpStatistics, StageAnalysis, quantity};

use super::throughput::by_load;
use crate::chart::{Line, LineChart, Picture, Point, Series};
use crate::figure::{Caption, Figure, LegendItem, between, doubt, ends_cells, slug, stamps_of};
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
    },
    Percentile {
        name: "p95",
        title: "95th percentile",
        line: Line::Dashed,
        needed: 100,
        value: |latency| latency.p95_ms,
        interval: |latency| latency.intervals.p95,
    },
    Percentile {
        name: "p99",
        title: "99th percentile",
        line: Line::Dotted,
        needed: 500,
        value: |latency| latency.p99_ms,
        interval: |latency| latency.intervals.p99,
    },
];

/// Returns the charts of all ops together, one per percentile, with one latency axis for all of them.
pub(crate) fn latency(analysis: &Analysis) -> Vec<Figure> {
    let of = |stage: &StageAnalysis| Some(stage.total.clone());
    let all = series(analysis, &PERCENTILES, of);
    let one = |percentile: Percentile| {
        let own = series(analysis, &[Percentile { line: Line::Solid, ..percentile }], of);
        let title = format!("{} of latency against clients, by thread", percentile.title);
        let picture = chart((420.0, 300.0), &title, (&own, &all));
        let caption = Caption {
            stem: format!("latency-{}", percentile.name),
            title,
            population: POPULATION.to_owned(),
            stamps: stamps_of(stages(analysis)),
        };
        Figure::new(caption, threads(analysis).collect(), picture, table(analysis, &[percentile], of))
    };
    PERCENTILES.map(one).to_vec()
}

/// Returns one chart per op, in the order in which workloads name them.
pub(crate) fn latency_by_op(analysis: &Analysis) -> Vec<Figure> {
    let mut names: Vec<(&str, &str)> = Vec::new();
    for op in stages(analysis).flat_map(|stage| &stage.ops) {
        if !names.contains(&(&op.script, &op.op)) {
            names.push((&op.script, &op.op));
        }
    }
    let one = |(script, op): (&str, &str)| {
        let of = |stage: &StageAnalysis| {
            stage.ops.iter().find(|own| own.script == script && own.op == op).cloned()
        };
        let series = series(analysis, &PERCENTILES, of);
        let description = format!("Latency against clients, by thread: {op} ({script})");
        let picture = chart((380.0, 250.0), &description, (&series, &series));
        let caption = Caption {
            stem: format!("latency-of-{}", slug(&format!("{script} {op}"))),
            title: op.to_owned(),
            population: script.to_owned(),
            stamps: stamps_of(stages(analysis)),
        };
        Figure::new(caption, legend_by_op(analysis), picture, table(analysis, &PERCENTILES, of))
    };
    names.into_iter().map(one).collect()
}

/// Returns the legend that all charts of [`latency_by_op`] share.
pub(crate) fn legend_by_op(analysis: &Analysis) -> Vec<LegendItem> {
    let lines = PERCENTILES.map(|one| LegendItem::line(one.name, one.name, one.line));
    threads(analysis).chain(lines).collect()
}

fn threads(analysis: &Analysis) -> impl Iterator<Item = LegendItem> {
    analysis.threads.iter().enumerate().map(|(index, thread)| LegendItem::thread(index, &thread.name))
}

fn stages(analysis: &Analysis) -> impl Iterator<Item = &StageAnalysis> {
    analysis.threads.iter().flat_map(|thread| &thread.stages)
}

fn chart(size: (f64, f64), description: &str, (series, scaled_by): (&[Series], &[Series])) -> Picture {
    let chart = LineChart {
        size,
        description,
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
    percentiles: &[Percentile],
    of: impl Fn(&StageAnalysis) -> Option<OpStatistics>,
) -> Vec<Series> {
    let mut series = Vec::new();
    for (index, thread) in analysis.threads.iter().enumerate() {
        for percentile in percentiles {
            let stages = by_load(&thread.stages).into_iter();
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
        x: stage.clients.into(),
        y: value,
        interval: interval.map(|ends| (ends.low, ends.high)),
        hollow: doubt.is_some(),
        words: format!("{shown}{ends} of {} ops{remark}", quantity::count(op.ok)),
    }
}

fn table(
    analysis: &Analysis,
    percentiles: &[Percentile],
    of: impl Fn(&StageAnalysis) -> Option<OpStatistics>,
) -> Table {
    let mut table = Table::with_head(["thread", "clients", "successes"]);
    for Percentile { name, .. } in percentiles {
        table.head.extend([format!("{name} ms"), format!("{name} from, 95 %"), format!("{name} to, 95 %")]);
    }
    table.head.push("remark".to_owned());
    for thread in &analysis.threads {
        for stage in by_load(&thread.stages) {
            let Some(op) = of(stage) else { continue };
            let mut row = vec![Cell::of(&thread.name), Cell::count(stage.clients.into()), Cell::count(op.ok)];
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
        Cell::percentile((one.value)(latency), one.name, one.needed, op.ok)
            .with_interval((one.interval)(latency))
    });
    [Cell::number(latency.mean_ms), p50, p95, p99, Cell::number(latency.max_ms)]
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

const POPULATION: &str = "Successes of all ops together, from the scheduled start to the end, warm-up excluded. Whiskers: 95 % interval.";
