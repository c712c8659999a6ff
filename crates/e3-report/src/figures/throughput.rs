//! Throughput against load, all threads: a chart for each load model.

use e3_model::{Analysis, OpStatistics, Span, StageAnalysis, quantity};

use crate::chart::{Line, LineChart, Point, Series};
use crate::figure::{Caption, Figure, LegendItem, as_f64, between, doubt, ends_cells, stamps_of};
use crate::model::Model;
use crate::searches::as_probe;
use crate::table::{Cell, Table};

/// Returns the charts that open the report.
pub(crate) fn throughput(analysis: &Analysis) -> Vec<Figure> {
    Model::all(analysis).into_iter().map(|model| figure(analysis, model)).collect()
}

fn figure(analysis: &Analysis, model: Model) -> Figure {
    let threads = || {
        let all = analysis.threads.iter().enumerate();
        all.map(|(index, thread)| (index, thread, model.by_load(&thread.stages)))
    };
    let series: Vec<Series> = threads()
        .map(|(index, thread, stages)| Series {
            thread: index,
            name: thread.name.clone(),
            switches: format!("t{index}"),
            line: Line::Solid,
            points: stages.into_iter().map(point).collect(),
        })
        .collect();
    let stages: Vec<&StageAnalysis> = threads().flat_map(|(_, _, stages)| stages).collect();
    let is_one_op_each = model == Model::Open && stages.iter().all(|stage| stage.due() == stage.iterations());
    let title = format!("Throughput against {}, by thread", model.against());
    let chart = LineChart {
        size: (720.0, 330.0),
        description: &title,
        x: model,
        y_name: "successful ops per second",
        y_is_latency: false,
        y_tick: quantity::short,
        has_diagonal: is_one_op_each,
        series: &series,
        scaled_by: &series,
    };
    let has_doubt = stages.iter().any(|stage| doubt(stage).is_some());
    let picture = chart.picture();
    let probes = if stages.iter().any(|stage| stage.probed_load.is_some()) { PROBES } else { "" };
    let population = match model {
        Model::Closed => format!("{POPULATION} Whiskers: 95 % interval. {}{probes}", model.note()),
        Model::Open => {
            let diagonal = if is_one_op_each { DIAGONAL } else { "" };
            let ramps = if stages.iter().any(|stage| is_ramp(stage)) { RAMPS } else { "" };
            format!("{POPULATION} {SCHEDULED}{diagonal}{ramps}{probes}")
        }
    };
    let caption = Caption {
        stem: format!("throughput{}", model.stem()),
        population: format!("{population}{}", if has_doubt { hollow(model) } else { "" }),
        stamps: stamps_of(stages.iter().copied()),
        title,
    };
    let shown = threads().filter(|(_, thread, _)| model.has(&thread.stages));
    let mut legend: Vec<LegendItem> =
        shown.map(|(index, thread, _)| LegendItem::thread(index, &thread.name)).collect();
    if is_one_op_each {
        legend.push(LegendItem::line("due", "all that was due", Line::Dashed));
    }
    let table = match model {
        Model::Closed => closed_table(analysis),
        Model::Open => open_table(analysis),
    };
    Figure::new(caption, legend, picture, table)
}

fn point(stage: &StageAnalysis) -> Point {
    let total = &stage.total;
    let doubt = doubt(stage);
    let remark = doubt.map_or_else(String::new, |doubt| format!(", {doubt}"));
    let load = stage.load();
    let due = match load.is_open() {
        true => format!(" of {} due, at {load}", quantity::count(stage.due())),
        false => String::new(),
    };
    Point {
        x: stage.load_number(),
        y: Some(total.rate_per_s),
        interval: total.rate_interval.map(|ends| (ends.low, ends.high)),
        beside: is_ramp(stage),
        hollow: doubt.is_some(),
        words: format!(
            "{}{}, {} ops{due}{remark}",
            quantity::rate(total.rate_per_s),
            ends(total),
            quantity::count(total.ok)
        ),
    }
}

fn hollow(model: Model) -> &'static str {
    match model {
        Model::Closed => " Hollow marks: stages that are invalid or incomplete.",
        Model::Open => {
            " Hollow marks: stages that are invalid or incomplete, or whose end came before all arrivals had begun."
        }
    }
}

/// Returns whether the rate changed in the measured window.
pub(crate) fn is_ramp(stage: &StageAnalysis) -> bool {
    stage.load().offered().is_some_and(|offered| offered.ramp != Span::ZERO)
}

fn ends(total: &OpStatistics) -> String {
    total.rate_interval.map_or_else(String::new, |ends| format!(" ({})", between(Some(ends))))
}

fn closed_table(analysis: &Analysis) -> Table {
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
        for stage in Model::Closed.by_load(&thread.stages) {
            let total = &stage.total;
            let mut row = vec![
                Cell::of(&thread.name),
                Cell::count(stage.clients.into()),
                Cell::number(total.rate_per_s),
            ];
            row.extend(ends_cells(total.rate_interval, "the stage has no measured window"));
            row.extend([
                Cell::count(total.ok),
                Cell::number(window_s(stage)),
                Cell::of(remark(analysis, stage)),
            ]);
            table.rows.push(row);
        }
    }
    table
}

fn open_table(analysis: &Analysis) -> Table {
    let mut table = Table::with_head([
        "thread",
        "load",
        "arrivals/s, scheduled",
        "ops/s",
        "ops due",
        "successes",
        "failed",
        "not ended",
        "window s",
        "remark",
    ]);
    for thread in &analysis.threads {
        for stage in Model::Open.by_load(&thread.stages) {
            let total = &stage.total;
            table.rows.push(vec![
                Cell::of(&thread.name),
                Cell::of(stage.load().to_string()),
                Cell::number(stage.load_number()),
                Cell::number(total.rate_per_s),
                Cell::count(stage.due()),
                Cell::count(total.ok),
                Cell::count(total.count.saturating_sub(total.ok)),
                Cell::count(total.cancelled),
                Cell::number(window_s(stage)),
                Cell::of(remark(analysis, stage)),
            ]);
        }
    }
    table
}

/// Returns why a stage's numbers may not be what they seem, and what it was for a search.
fn remark(analysis: &Analysis, stage: &StageAnalysis) -> String {
    let said = [doubt(stage).map(str::to_owned), as_probe(analysis, stage)];
    said.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn window_s(stage: &StageAnalysis) -> f64 {
    as_f64(stage.window_end_ms.saturating_sub(stage.window_start_ms)) / 1000.0
}

const POPULATION: &str =
    "Successes of all ops together that were due in the measured window, warm-up excluded.";
const SCHEDULED: &str = "The schedule sets the rate: a system that keeps up does what is due, and no more; the distance to that is what it could not take.";
const DIAGONAL: &str = " Dashed: all that was due.";
const PROBES: &str =
    " Every probe of a search is a mark; of several at one load the line meets the middle one.";
const RAMPS: &str = " A mark that no line meets: a ramp, at its mean rate.";
