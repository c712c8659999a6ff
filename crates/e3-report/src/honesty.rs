//! Whether the load generator kept up: all stages in a table, and each with every limit and what was measured.

use e3_model::{Analysis, ClientBound, Honesty, StageAnalysis, Stamp, quantity};
use serde::Serialize;

use crate::figure::{Figure, as_f64, doubt, stage_name};
use crate::figures::{Own, scheduling_lag};
use crate::table::{Cell, Table};

/// One stage's honesty meter.
#[derive(Debug, Serialize)]
pub(crate) struct HonestySection {
    /// The stage's name and what is found.
    title: String,
    /// Whether a limit was passed, so that it is open at first.
    open: bool,
    table: Table,
    /// How late clients began; none where nobody waited for a time, or an older version measured.
    lag: Option<Figure>,
}

impl HonestySection {
    /// Returns its figure.
    pub(crate) fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.lag.iter()
    }
}

/// Returns the table of all stages.
pub(crate) fn honesty(analysis: &Analysis) -> Table {
    let mut table = Table::with_head([
        "thread",
        "load",
        "scheduling lag p99",
        "event-loop delay p99",
        "worker CPUs",
        "steal",
        "open files",
        "sent again",
        "lost samples",
        "remark",
    ]);
    for thread in &analysis.threads {
        for stage in &thread.stages {
            let own = &stage.honesty;
            let mut row = vec![Cell::of(&thread.name), Cell::of(stage.load().to_string())];
            row.extend([
                late(own.scheduling_lag_p99_ms),
                late(own.event_loop_delay_p99_ms),
                Cell::of(format!("{} of {}", quantity::number(own.worker_cpus), own.cpus)),
                share(own.steal),
                Cell::of(quantity::count(own.file_descriptors)),
                share(sent_again(own)),
                Cell::of(quantity::count(own.lost_samples)),
                Cell::of(doubt(stage).unwrap_or("kept up")),
            ]);
            table.rows.push(row);
        }
    }
    table
}

/// Returns every stage by itself, by thread, each thread's in its order.
pub(crate) fn honesty_sections(analysis: &Analysis) -> Vec<HonestySection> {
    let threads = analysis.threads.iter().enumerate();
    let stages = threads.flat_map(|(index, thread)| {
        thread.stages.iter().map(move |stage| Own { thread: index, name: &thread.name, stage })
    });
    stages
        .map(|own| {
            let is_bound = own.stage.honesty.is_client_bound();
            let found = if is_bound {
                "the worker was the bottleneck"
            } else {
                doubt(own.stage).unwrap_or("kept up")
            };
            HonestySection {
                title: format!("{}: {found}", stage_name(own.name, own.stage)),
                open: is_bound,
                table: stage_table(own.stage),
                lag: scheduling_lag(analysis, own),
            }
        })
        .collect()
}

/// Returns which limits a stage's worker passed, with what was measured; empty where it passed none.
pub(crate) fn passed(honesty: &Honesty) -> String {
    let reasons: Vec<String> = honesty.client_bound().iter().map(ToString::to_string).collect();
    reasons.join("; ")
}

fn stage_table(stage: &StageAnalysis) -> Table {
    let own = &stage.honesty;
    let bounds = own.client_bound();
    let mut table = Table::with_head(["what", "measured", "limit"]);
    table.rows.extend(time_rows(own, &bounds));
    table.rows.extend(machine_rows(own, &bounds));
    let lost = stage.stamps.contains(&Stamp::SamplesLost);
    let count = Cell::of(quantity::count(own.lost_samples));
    table.rows.push(row("samples lost", count, Some((lost, "none".to_owned()))));
    if !own.ssh_ciphers.is_empty() {
        table.rows.push(row("cipher of SSH", Cell::of(own.ssh_ciphers.join(", ")), None));
    }
    table.rows.extend(arrival_rows(stage));
    table
}

fn time_rows(own: &Honesty, bounds: &[ClientBound]) -> Vec<Vec<Cell>> {
    let limit = |of: fn(&ClientBound) -> bool| {
        let limit = quantity::short(Honesty::SCHEDULING_LAG_LIMIT_MS);
        Some((bounds.iter().any(of), format!("at most {limit} ms")))
    };
    let is_lag = |bound: &ClientBound| matches!(bound, ClientBound::SchedulingLag(_));
    let is_delay = |bound: &ClientBound| matches!(bound, ClientBound::EventLoopDelay(_));
    vec![
        row("scheduling lag, 99th percentile", late(own.scheduling_lag_p99_ms), limit(is_lag)),
        row("scheduling lag, longest", late(own.scheduling_lag_max_ms), None),
        row("event-loop delay, 99th percentile", late(own.event_loop_delay_p99_ms), limit(is_delay)),
        row("event-loop delay, longest", late(own.event_loop_delay_max_ms), None),
    ]
}

/// A limit on what this machine does not tell is none.
fn machine_rows(own: &Honesty, bounds: &[ClientBound]) -> Vec<Vec<Cell>> {
    let limit = |most: f64, of: fn(&ClientBound) -> bool| {
        (bounds.iter().any(of), format!("at most {} %", quantity::short(100.0 * most)))
    };
    let cpus = Cell::of(format!("{} of {}", quantity::number(own.worker_cpus), own.cpus));
    let cpu = limit(Honesty::WORKER_CPU_LIMIT, |bound| matches!(bound, ClientBound::WorkerCpu(..)));
    let steal = limit(Honesty::STEAL_LIMIT, |bound| matches!(bound, ClientBound::Steal(_)));
    let open = limit(Honesty::DESCRIPTOR_LIMIT, |bound| matches!(bound, ClientBound::Descriptors(..)));
    let again_limit = limit(Honesty::RETRANSMIT_LIMIT, |bound| matches!(bound, ClientBound::Retransmits(_)));
    let descriptors = match own.descriptor_limit {
        0 => quantity::count(own.file_descriptors),
        limit => format!("{} of {}", quantity::count(own.file_descriptors), quantity::count(limit)),
    };
    vec![
        row("CPUs that the worker used", cpus, (own.cpus > 0).then_some(cpu)),
        row("CPU use of the whole machine", share(own.machine_cpu), None),
        row("CPU time that the hypervisor took", share(own.steal), own.steal.map(|_| steal)),
        row(
            "file descriptors open at once",
            Cell::of(descriptors),
            (own.descriptor_limit > 0).then_some(open),
        ),
        row("TCP segments sent", count(own.segments_sent), None),
        row("TCP segments sent again", again(own), sent_again(own).map(|_| again_limit)),
    ]
}

/// Returns a row; of a limit, whether it was passed, and what it is.
fn row(what: &str, measured: Cell, limit: Option<(bool, String)>) -> Vec<Cell> {
    let limit = limit
        .map_or_else(String::new, |(passed, limit)| format!("{} {limit}", if passed { "✕" } else { "✓" }));
    vec![Cell::of(what), measured, Cell::of(limit)]
}

/// How the open model kept its schedule; none of it is the load generator's doing.
fn arrival_rows(stage: &StageAnalysis) -> Vec<Vec<Cell>> {
    let Some(own) = stage.honesty.arrivals else { return Vec::new() };
    let count = |value: u64| Cell::of(quantity::count(value));
    let rows = [
        ("arrivals due, warm-up included", count(own.due)),
        ("of these, found every client busy", count(own.late)),
        ("of these, never began", count(own.unstarted)),
        ("most that waited for a client at once", count(own.most_waiting)),
        ("longest wait for a client", late(own.longest_wait_ms)),
        (
            "most clients that were busy at once",
            Cell::of(format!(
                "{} of {}",
                quantity::count(own.most_busy),
                quantity::count(stage.clients.into())
            )),
        ),
    ];
    rows.into_iter().map(|(what, cell)| row(what, cell, None)).collect()
}

fn late(milliseconds: f64) -> Cell {
    Cell::of(quantity::latency(milliseconds))
}

fn share(share: Option<f64>) -> Cell {
    share.map_or_else(|| Cell::none(UNKNOWN), |share| Cell::of(quantity::percent(share)))
}

fn count(count: Option<u64>) -> Cell {
    count.map_or_else(|| Cell::none(UNKNOWN), |count| Cell::of(quantity::count(count)))
}

fn again(own: &Honesty) -> Cell {
    own.segments_retransmitted.zip(sent_again(own)).map_or_else(
        || Cell::none(UNKNOWN),
        |(segments, share)| Cell::of(format!("{} ({})", quantity::count(segments), quantity::percent(share))),
    )
}

/// Returns the share of TCP segments that were sent again; none where that is not known.
fn sent_again(own: &Honesty) -> Option<f64> {
    let (sent, again) = own.segments_sent.zip(own.segments_retransmitted)?;
    (sent > 0).then(|| as_f64(again) / as_f64(sent))
}

const UNKNOWN: &str = "this machine does not tell";
