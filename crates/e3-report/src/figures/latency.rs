//! Latency against clients, by thread: all ops together, and each op by itself.

use e3_model::{Analysis, Latency, OpStatistics, StageAnalysis, quantity};

use super::throughput::by_load;
use crate::chart::{Line, LineChart, Point, Series};
use crate::figure::{Cell, Figure, LegendItem, Table, doubt};

/// Returns the charts of all ops together, one per figure, with one latency axis for both.
pub(crate) fn latency(analysis: &Analysis) -> Vec<Figure> {
    let of = |stage: &StageAnalysis| Some(stage.total.clone());
    let all = series(analysis, &FIGURES, of);
    FIGURES
        .map(|figure| {
            let own = series(analysis, &[(figure.0, Line::Solid, figure.2)], of);
            let title = format!(
                "{} of latency against clients, by thread",
                if figure.0 == "p50" { "Median" } else { "95th percentile" }
            );
            Figure {
                population: POPULATION.to_owned(),
                legend: threads(analysis).collect(),
                svg: chart((540.0, 310.0), &title, (&own, &all)),
                table: table(analysis, of),
                title,
            }
        })
        .to_vec()
}

/// Returns one chart per op, in the order in which workloads name them.
pub(crate) fn latency_by_op(analysis: &Analysis) -> Vec<Figure> {
    let mut names: Vec<(&str, &str)> = Vec::new();
    for op in analysis.threads.iter().flat_map(|thread| &thread.stages).flat_map(|stage| &stage.ops) {
        if !names.contains(&(&op.script, &op.op)) {
            names.push((&op.script, &op.op));
        }
    }
    let one = |(script, op): (&str, &str)| {
        let of = |stage: &StageAnalysis| {
            stage.ops.iter().find(|own| own.script == script && own.op == op).cloned()
        };
        let series = series(analysis, &FIGURES, of);
        let description =
            format!("Median and 95th percentile of latency against clients, by thread: {op} ({script})");
        Figure {
            title: op.to_owned(),
            population: script.to_owned(),
            legend: legend_by_op(analysis),
            svg: chart((380.0, 250.0), &description, (&series, &series)),
            table: table(analysis, of),
        }
    };
    names.into_iter().map(one).collect()
}

/// Returns the legend that all charts of [`latency_by_op`] share.
pub(crate) fn legend_by_op(analysis: &Analysis) -> Vec<LegendItem> {
    threads(analysis).chain(FIGURES.map(|(figure, line, _)| LegendItem::line(figure, figure, line))).collect()
}

fn threads(analysis: &Analysis) -> impl Iterator<Item = LegendItem> {
    analysis.threads.iter().enumerate().map(|(index, thread)| LegendItem::thread(index, &thread.name))
}

fn chart(size: (f64, f64), description: &str, (series, scaled_by): (&[Series], &[Series])) -> String {
    let chart = LineChart {
        size,
        description,
        y_name: "latency",
        y_is_latency: true,
        y_tick: latency_tick,
        series,
        scaled_by,
    };
    chart.svg()
}

fn series(
    analysis: &Analysis,
    figures: &[Figures],
    of: impl Fn(&StageAnalysis) -> Option<OpStatistics>,
) -> Vec<Series> {
    let mut series = Vec::new();
    for (index, thread) in analysis.threads.iter().enumerate() {
        for (figure, line, read) in figures {
            let stages = by_load(&thread.stages).into_iter();
            series.push(Series {
                thread: index,
                name: format!("{} {figure}", thread.name),
                switches: format!("t{index} {figure}"),
                line: *line,
                points: stages.filter_map(|stage| Some(point(stage, &of(stage)?, *read))).collect(),
            });
        }
    }
    series
}

fn point(stage: &StageAnalysis, op: &OpStatistics, read: fn(&Latency) -> Option<f64>) -> Point {
    let value = op.latency.as_ref().and_then(read);
    let doubt = doubt(stage);
    let remark = doubt.map_or_else(String::new, |doubt| format!(", {doubt}"));
    let shown = value.map_or_else(|| "too few to tell".to_owned(), quantity::latency);
    Point {
        x: stage.clients.into(),
        y: value,
        interval: None,
        hollow: doubt.is_some(),
        words: format!("{shown} of {} ops{remark}", quantity::count(op.ok)),
    }
}

fn table(analysis: &Analysis, of: impl Fn(&StageAnalysis) -> Option<OpStatistics>) -> Table {
    let head = ["thread", "clients", "successes", "mean ms", "p50 ms", "p95 ms", "p99 ms", "max ms"];
    let mut rows = Vec::new();
    for thread in &analysis.threads {
        for stage in by_load(&thread.stages) {
            let Some(op) = of(stage) else { continue };
            let mut row = vec![
                Cell::of(&thread.name),
                Cell::of(quantity::count(stage.clients.into())),
                Cell::of(quantity::count(op.ok)),
            ];
            row.extend(latency_cells(&op));
            rows.push(row);
        }
    }
    Table { rows, head: head.map(str::to_owned).to_vec() }
}

/// Returns mean, p50, p95, p99 and the largest latency of an op, in milliseconds.
pub(crate) fn latency_cells(op: &OpStatistics) -> [Cell; 5] {
    let Some(latency) = &op.latency else {
        return [(); 5].map(|()| Cell::none("no op succeeded"));
    };
    [
        Cell::of(quantity::number(latency.mean_ms)),
        Cell::percentile(latency.p50_ms, "p50", 10, op.ok),
        Cell::percentile(latency.p95_ms, "p95", 100, op.ok),
        Cell::percentile(latency.p99_ms, "p99", 500, op.ok),
        Cell::of(quantity::number(latency.max_ms)),
    ]
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

const POPULATION: &str =
    "Successes of all ops together, from the scheduled start to the end, warm-up excluded.";

type Figures = (&'static str, Line, fn(&Latency) -> Option<f64>);

const FIGURES: [Figures; 2] =
    [("p50", Line::Solid, |latency| latency.p50_ms), ("p95", Line::Dashed, |latency| latency.p95_ms)];
