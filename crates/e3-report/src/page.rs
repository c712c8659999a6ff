//! What the page's template is given: words, numbers as text, and charts as SVG.

use e3_model::{Analysis, Headline, Honesty, ThreadAnalysis, quantity};
use serde::Serialize;

use crate::figure::{Cell, Figure, LegendItem, Table, clients, doubt, thread_class, thread_mark};
use crate::figures::{
    TimelineGroup, latency, latency_by_op, legend_by_op, mix, order, throughput, timelines,
};
use crate::operations::{HEAD, LoadTable, load_tables};
use crate::stamps::{StampWords, stamps};

/// Everything on the page.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    experiment: String,
    run: String,
    started: String,
    /// What was to be found out; the experiment's name where its author did not say.
    question: String,
    /// How many threads, stages and ops there are.
    extent: String,
    headlines: Vec<Headline>,
    stamps: Vec<StampWords>,
    threads: Vec<ThreadWords>,
    throughput: Figure,
    latency: Vec<Figure>,
    latency_by_op: Vec<Figure>,
    legend_by_op: Vec<LegendItem>,
    timelines: Vec<TimelineGroup>,
    operations_head: Vec<(&'static str, &'static str)>,
    operations: Vec<LoadTable>,
    mix: Vec<Figure>,
    order: Figure,
    honesty: Table,
    has_doubt: bool,
    provenance: String,
}

/// A thread in words.
#[derive(Debug, Serialize)]
struct ThreadWords {
    name: String,
    instance: String,
    colour: String,
    mark: String,
}

impl Page {
    /// Returns the page of an analysis.
    pub(crate) fn of(analysis: &Analysis) -> Self {
        let stages = || analysis.threads.iter().flat_map(|thread| &thread.stages);
        Self {
            experiment: analysis.experiment.clone(),
            run: analysis.run.clone(),
            started: started(&analysis.started_at),
            question: analysis.description.clone().unwrap_or_else(|| analysis.experiment.clone()),
            extent: extent(analysis),
            headlines: analysis.headlines.iter().map(tied).collect(),
            stamps: stamps(analysis),
            threads: analysis.threads.iter().enumerate().map(thread).collect(),
            throughput: throughput(analysis),
            latency: latency(analysis),
            latency_by_op: latency_by_op(analysis),
            legend_by_op: legend_by_op(analysis),
            timelines: timelines(analysis),
            operations_head: HEAD.to_vec(),
            operations: load_tables(analysis),
            mix: mix(analysis),
            order: order(analysis),
            honesty: honesty(analysis),
            has_doubt: stages().any(|stage| doubt(stage).is_some()),
            provenance: provenance(analysis),
        }
    }
}

/// Returns a headline whose units stay on the line of their numbers.
fn tied(headline: &Headline) -> Headline {
    let tie = |text: &str| {
        [" %", " ops/s", " ms"]
            .iter()
            .fold(text.to_owned(), |text, unit| text.replace(unit, &format!("\u{a0}{}", unit.trim_start())))
    };
    Headline { label: headline.label.clone(), value: tie(&headline.value), detail: tie(&headline.detail) }
}

fn thread((index, thread): (usize, &ThreadAnalysis)) -> ThreadWords {
    ThreadWords {
        name: thread.name.clone(),
        instance: thread.instance.clone(),
        colour: thread_class(index),
        mark: thread_mark(index),
    }
}

/// Returns an RFC 3339 stamp as people read it: to the second, with a space and the zone's name.
fn started(stamp: &str) -> String {
    let plain = stamp.strip_suffix('Z').map(|stamp| stamp.split('.').next().unwrap_or(stamp));
    plain.map_or_else(|| stamp.to_owned(), |stamp| format!("{} UTC", stamp.replace('T', " ")))
}

pub(crate) fn extent(analysis: &Analysis) -> String {
    let stages = || analysis.threads.iter().flat_map(|thread| &thread.stages);
    let ops: u64 = stages().map(|stage| stage.total.count).sum();
    let plural =
        |count: usize, word: &str| if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") };
    format!(
        "{}, {}, {} measured ops",
        plural(analysis.threads.len(), "thread"),
        plural(stages().count(), "stage"),
        quantity::count(ops)
    )
}

fn provenance(analysis: &Analysis) -> String {
    let header = &analysis.header;
    let parent = header.parent.as_ref().map_or_else(String::new, |parent| {
        format!(", made from {} with SHA-256 {}", parent.file, parent.sha256)
    });
    format!("{} version {}{parent}", header.format, header.version)
}

fn honesty(analysis: &Analysis) -> Table {
    let head = [
        "thread",
        "clients",
        "scheduling lag p99",
        "lag max",
        "worker CPUs",
        "machine CPU",
        "steal",
        "open files",
        "lost samples",
        "remark",
    ];
    let mut rows = Vec::new();
    for thread in &analysis.threads {
        for stage in &thread.stages {
            let own = &stage.honesty;
            let mut row = vec![Cell::of(&thread.name), Cell::of(clients(stage.clients))];
            row.extend(honesty_cells(own));
            row.push(Cell::of(doubt(stage).unwrap_or("kept up")));
            rows.push(row);
        }
    }
    Table { rows, head: head.map(str::to_owned).to_vec() }
}

fn honesty_cells(own: &Honesty) -> [Cell; 7] {
    let share = |share: Option<f64>| {
        share.map_or_else(
            || Cell::none("this machine does not tell"),
            |share| Cell::of(quantity::percent(share)),
        )
    };
    [
        Cell::of(format!("{} ms", quantity::number(own.scheduling_lag_p99_ms))),
        Cell::of(format!("{} ms", quantity::number(own.scheduling_lag_max_ms))),
        Cell::of(format!("{} of {}", quantity::number(own.worker_cpus), own.cpus)),
        share(own.machine_cpu),
        share(own.steal),
        Cell::of(quantity::count(own.file_descriptors)),
        Cell::of(quantity::count(own.lost_samples)),
    ]
}
