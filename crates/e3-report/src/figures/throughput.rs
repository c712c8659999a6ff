//! Throughput against clients, all threads.

use e3_model::{Analysis, OpStatistics, StageAnalysis, quantity};

use crate::chart::{Line, LineChart, Point, Series};
use crate::figure::{Cell, Figure, LegendItem, Table, doubt};

/// Returns the chart that opens the report.
pub(crate) fn throughput(analysis: &Analysis) -> Figure {
    let threads = || analysis.threads.iter().enumerate();
    let series: Vec<Series> = threads()
        .map(|(index, thread)| Series {
            thread: index,
            name: thread.name.clone(),
            switches: format!("t{index}"),
            line: Line::Solid,
            points: by_load(&thread.stages).into_iter().map(point).collect(),
        })
        .collect();
    let title = "Throughput against clients, by thread".to_owned();
    let chart = LineChart {
        size: (720.0, 330.0),
        description: &title,
        y_name: "successful ops per second",
        y_is_latency: false,
        y_tick: quantity::short,
        series: &series,
        scaled_by: &series,
    };
    let has_doubt =
        analysis.threads.iter().flat_map(|thread| &thread.stages).any(|stage| doubt(stage).is_some());
    Figure {
        population: format!("{POPULATION}{}", if has_doubt { HOLLOW } else { "" }),
        legend: threads().map(|(index, thread)| LegendItem::thread(index, &thread.name)).collect(),
        svg: chart.svg(),
        table: table(analysis),
        title,
    }
}

/// Returns stages by their number of clients, then in order of execution.
pub(crate) fn by_load(stages: &[StageAnalysis]) -> Vec<&StageAnalysis> {
    let mut sorted: Vec<&StageAnalysis> = stages.iter().collect();
    sorted.sort_by_key(|stage| (stage.clients, stage.position));
    sorted
}

fn point(stage: &StageAnalysis) -> Point {
    let total = &stage.total;
    let doubt = doubt(stage);
    let remark = doubt.map_or_else(String::new, |doubt| format!(", {doubt}"));
    Point {
        x: stage.clients.into(),
        y: Some(total.rate_per_s),
        interval: total.rate_interval.map(|ends| (ends.low, ends.high)),
        hollow: doubt.is_some(),
        words: format!(
            "{}{}, {} ops{remark}",
            quantity::rate(total.rate_per_s),
            ends(total),
            quantity::count(total.ok)
        ),
    }
}

fn ends(total: &OpStatistics) -> String {
    total.rate_interval.map_or_else(String::new, |ends| {
        format!(" ({} to {})", quantity::number(ends.low), quantity::number(ends.high))
    })
}

const POPULATION: &str =
    "Successes of all ops together over the measured window, warm-up excluded. Whiskers: 95 % interval.";
const HOLLOW: &str = " Hollow marks: stages that are invalid or incomplete.";

fn table(analysis: &Analysis) -> Table {
    let head = ["thread", "clients", "ops/s", "95 % interval", "successes", "window", "remark"];
    let rows = analysis.threads.iter().flat_map(|thread| {
        by_load(&thread.stages).into_iter().map(|stage| {
            let total = &stage.total;
            let interval = total.rate_interval.map_or_else(
                || Cell::none("the stage has no measured window"),
                |ends| Cell::of(format!("{} to {}", quantity::number(ends.low), quantity::number(ends.high))),
            );
            let window =
                e3_model::Span::from_millis(stage.window_end_ms.saturating_sub(stage.window_start_ms));
            vec![
                Cell::of(&thread.name),
                Cell::of(quantity::count(stage.clients.into())),
                Cell::of(quantity::number(total.rate_per_s)),
                interval,
                Cell::of(quantity::count(total.ok)),
                Cell::of(window.to_string()),
                Cell::of(doubt(stage).unwrap_or_default()),
            ]
        })
    });
    Table { rows: rows.collect(), head: head.map(str::to_owned).to_vec() }
}
