//! The table of ops: load by load, each op with its threads next to each other.

use e3_model::{Analysis, LoadLevel, OpStatistics, StageAnalysis, quantity};
use serde::Serialize;

use crate::figure::{doubt, thread_class, thread_mark};
use crate::figures::latency_cells;
use crate::table::Cell;

/// The table of one load.
#[derive(Debug, Serialize)]
pub(crate) struct LoadTable {
    pub(crate) title: String,
    pub(crate) open: bool,
    pub(crate) rows: Vec<OpRow>,
}

/// One op on one thread.
#[derive(Debug, Serialize)]
pub(crate) struct OpRow {
    pub(crate) op: String,
    pub(crate) script: String,
    /// Over how many rows the op's name stands; 0 where a row above has it.
    pub(crate) span: usize,
    pub(crate) thread: String,
    pub(crate) colour: String,
    /// The thread's mark, as SVG.
    pub(crate) mark: String,
    pub(crate) is_total: bool,
    pub(crate) doubt: String,
    pub(crate) cells: Vec<Cell>,
}

/// The heads of the cells of an [`OpRow`].
pub(crate) const HEAD: [(&str, &str); 9] = [
    ("ok / ended", "Successes, of the ops that ended, well or not"),
    ("ok per s", "Successes per second of the measured window; below, the 95 % interval"),
    ("failed", "Failures over ops that ended; below, their kinds"),
    ("mean", "Arithmetic mean of the successes’ latency, in milliseconds"),
    ("p50", "Median latency of the successes, in milliseconds; below, the 95 % interval"),
    ("p95", "95th percentile of the successes’ latency, in milliseconds; below, the 95 % interval"),
    ("p99", "99th percentile of the successes’ latency, in milliseconds; below, the 95 % interval"),
    ("max", "Largest latency of a success, in milliseconds"),
    ("received", "Payload bytes that the successes received"),
];

/// One stage with its thread's place and name.
type Own<'a> = (usize, &'a str, &'a StageAnalysis);

/// Returns one table per load and workload, ascending.
pub(crate) fn load_tables(analysis: &Analysis) -> Vec<LoadTable> {
    let stages: Vec<Own<'_>> = analysis
        .threads
        .iter()
        .enumerate()
        .flat_map(|(index, thread)| {
            thread.stages.iter().map(move |stage| (index, thread.name.as_str(), stage))
        })
        .collect();
    let mut loads: Vec<(LoadLevel, &str)> =
        stages.iter().map(|(_, _, s)| (s.load(), s.workload.as_str())).collect();
    loads.sort_unstable();
    loads.dedup();
    let several_workloads =
        loads.iter().any(|(_, workload)| loads.first().is_some_and(|first| first.1 != *workload));
    let opened = opened(analysis, &stages).or(loads.last().copied());
    let tables: Vec<LoadTable> = loads
        .into_iter()
        .map(|load| {
            let own: Vec<Own<'_>> =
                stages.iter().copied().filter(|(_, _, s)| (s.load(), s.workload.as_str()) == load).collect();
            let workload = if several_workloads { format!(", workload {}", load.1) } else { String::new() };
            LoadTable { title: format!("{}{workload}", load.0), open: Some(load) == opened, rows: rows(&own) }
        })
        .collect();
    let few = tables.iter().map(|table| table.rows.len()).sum::<usize>() <= FEW_ROWS;
    tables.into_iter().map(|table| LoadTable { open: table.open || few, ..table }).collect()
}

/// Returns the load whose table is open at first: the highest of the plan; of searches alone, that which the first found.
fn opened<'a>(analysis: &Analysis, stages: &[Own<'a>]) -> Option<(LoadLevel, &'a str)> {
    let load = |(_, _, stage): &Own<'a>| (stage.load(), stage.workload.as_str());
    let planned = stages.iter().filter(|(_, _, stage)| stage.probed_load.is_none()).map(load).max();
    planned.or_else(|| {
        let search = analysis.searches.first()?;
        let found = search.at(search.highest_held?).next()?.stage;
        let is_found =
            |stage: &StageAnalysis| stage.stage.thread == search.stage.thread && stage.stage.stage == found;
        stages.iter().find(|(_, _, stage)| is_found(stage)).map(load)
    })
}

fn rows(own: &[Own<'_>]) -> Vec<OpRow> {
    let mut rows: Vec<OpRow> = Vec::new();
    for (position, stage) in own.iter().enumerate() {
        rows.push(row(own, (position, *stage), &stage.2.total, true));
    }
    let ops = own.first().map_or(&[][..], |(_, _, stage)| stage.ops.as_slice());
    for named in ops {
        for (position, stage) in own.iter().enumerate() {
            let same = stage.2.ops.iter().find(|op| op.script == named.script && op.op == named.op);
            if let Some(op) = same {
                rows.push(row(own, (position, *stage), op, false));
            }
        }
    }
    rows
}

fn row(own: &[Own<'_>], (position, stage): (usize, Own<'_>), op: &OpStatistics, is_total: bool) -> OpRow {
    let (index, name, analysis) = stage;
    let repeated = own.iter().filter(|(other, _, _)| *other == index).count() > 1;
    let thread = if repeated || analysis.probed_load.is_some() {
        format!("{name} ({})", analysis.stage.stage)
    } else {
        name.to_owned()
    };
    OpRow {
        op: if is_total { "all ops".to_owned() } else { op.op.clone() },
        script: op.script.clone(),
        span: if position == 0 { own.len() } else { 0 },
        thread,
        colour: thread_class(index),
        mark: thread_mark(index),
        is_total,
        doubt: doubt(analysis).unwrap_or_default().to_owned(),
        cells: cells(op, analysis.load().is_open()),
    }
}

fn cells(op: &OpStatistics, is_open: bool) -> Vec<Cell> {
    let ended = format!("{} / {}", quantity::count(op.ok), quantity::count(op.count));
    let cut_off = match op.cancelled {
        0 => String::new(),
        some if is_open => {
            format!("{} more were due, and cut off by the stage’s end or never begun", quantity::count(some))
        }
        some => format!("{} more were cut off by the stage’s end", quantity::count(some)),
    };
    let of_due = match op.cancelled {
        some if is_open && some > 0 => format!("of {} due", quantity::count(op.count.saturating_add(some))),
        _ => String::new(),
    };
    let rate = Cell::of(quantity::number(op.rate_per_s)).with_interval(op.rate_interval);
    let mut cells = vec![Cell::of(ended).with_small(of_due).with_title(cut_off), rate, failed(op)];
    cells.extend(latency_cells(op));
    cells.push(match op.bytes_in {
        Some(bytes) => Cell::of(quantity::bytes(bytes)),
        None => Cell::none("unknown of one op at least, as of what the real git reads"),
    });
    cells
}

fn failed(op: &OpStatistics) -> Cell {
    let Some(rate) = op.error_rate else { return Cell::none("no op ended") };
    let kinds: Vec<String> =
        op.errors.iter().map(|(kind, count)| format!("{} {kind}", quantity::count(*count))).collect();
    let interval = op.error_rate_interval.map_or_else(String::new, |ends| {
        format!("95 % interval: {} to {}", quantity::percent(ends.low), quantity::percent(ends.high))
    });
    Cell::of(quantity::percent(rate)).with_small(kinds.join("\n")).with_title(interval)
}

/// Up to so many rows are all open at first.
const FEW_ROWS: usize = 80;
