//! Throughput against clients, all threads.

use e3_model::{Analysis, OpStatistics, StageAnalysis, quantity};

use crate::chart::{Line, LineChart, Point, Series};
use crate::figure::{Caption, Figure, LegendItem, between, doubt, ends_cells, stamps_of};
use crate::table::{Cell, Table};

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
    let picture = chart.picture();
    let caption = Caption {
        stem: "throughput".to_owned(),
        population: format!("{POPULATION}{}", if has_doubt { HOLLOW } else { "" }),
        stamps: stamps_of(analysis.threads.iter().flat_map(|thread| &thread.stages)),
        title,
    };
    let legend = threads().map(|(index, thread)| LegendItem::thread(index, &thread.name));
    Figure::new(caption, legend.collect(), picture, table(analysis))
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
    total.rate_interval.map_or_else(String::new, |ends| format!(" ({})", between(Some(ends))))
}

const POPULATION: &str =
    "Successes of all ops together over the measured window, warm-up excluded. Whiskers: 95 % interval.";
const HOLLOW: &str = " Hollow marks: stages that are invalid or incomplete.";

fn table(analysis: &Analysis) -> Table {
    let mut table = Table::with_head([
        "thread",
        "clients",
        "ops/s",
        "from, 95 %",
        "to, 95 %",
        "successes",
        "window s",
        "remark",
    ]);
    for thread in &analysis.threads {
        for stage in by_load(&thread.stages) {
            let total = &stage.total;
            let window = f64_of_ms(stage.window_end_ms.saturating_sub(stage.window_start_ms));
            let mut row = vec![
                Cell::of(&thread.name),
                Cell::count(stage.clients.into()),
                Cell::number(total.rate_per_s),
            ];
            row.extend(ends_cells(total.rate_interval, "the stage has no measured window"));
            row.extend([
                Cell::count(total.ok),
                Cell::number(window),
                Cell::of(doubt(stage).unwrap_or_default()),
            ]);
            table.rows.push(row);
        }
    }
    table
}

fn f64_of_ms(milliseconds: u64) -> f64 {
    crate::figure::as_f64(milliseconds) / 1000.0
}
