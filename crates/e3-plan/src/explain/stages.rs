//! The table of stages: when each starts, with which load, for how long.

use e3_model::{
    ArrivalPlan, ClientPlan, Connections, Distribution, HttpVersion, Plan, Span, StagePlan, StageRef,
    ThreadPlan, Transport, Verify, quantity,
};

use super::{clock, length_ms};
use crate::table;
use crate::words::counted;

/// Returns a line per stage, in the order in which they run; columns that would say the same of every stage are left out.
pub(super) fn table(plan: &Plan) -> String {
    let all = || plan.threads.iter().flat_map(|thread| &thread.stages);
    let columns = Columns {
        rate: all().any(|stage| stage.arrivals.is_some()),
        transport: all().any(|stage| stage.transport != Transport::default()),
    };
    let mut rows = vec![];
    let mut start = 0;
    for round in &plan.rounds {
        rows.extend(round.stages.iter().filter_map(|stage| row(plan, *stage, start, columns)));
        start += length_ms(plan, round);
    }
    table::lines(&columns.header(), &rows)
}

/// Which columns there are beside those that every table has.
#[derive(Clone, Copy)]
struct Columns {
    rate: bool,
    transport: bool,
}

impl Columns {
    fn header(self) -> Vec<String> {
        let rate = self.rate.then_some("rate");
        let transport = self.transport.then_some("clients talk");
        let header = ["starts at", "thread", "stage", "clients"].into_iter().chain(rate);
        let header = header.chain(["duration", "warm-up", "clients start", "think time", "workload"]);
        header.chain(transport).map(str::to_owned).collect()
    }
}

fn row(plan: &Plan, at: StageRef, start_ms: u64, columns: Columns) -> Option<Vec<String>> {
    let (thread, stage) = plan.stage(at)?;
    let mut row = vec![
        format!("+{}", clock(start_ms)),
        thread.name.clone(),
        at.stage.0.to_string(),
        clients_in_words(thread, stage),
    ];
    if columns.rate {
        row.push(
            stage.arrivals.as_ref().map_or_else(|| "–".to_owned(), |arrivals| rate_in_words(stage, arrivals)),
        );
    }
    row.extend([
        length_in_words(stage),
        if stage.warm_up == Span::ZERO { "none".to_owned() } else { stage.warm_up.to_string() },
        starts_in_words(stage),
        if stage.think_time == Distribution::NONE { "none".to_owned() } else { stage.think_time.to_string() },
        stage.workload.clone(),
    ]);
    if columns.transport {
        row.push(transport_in_words(&stage.transport));
    }
    Some(row)
}

fn length_in_words(stage: &StagePlan) -> String {
    match (&stage.search, stage.operations) {
        (Some(search), _) => format!("at most {} × {}", search.probes, stage.duration),
        (None, Some(operations)) => {
            format!("{} ops, at most {}", quantity::count(operations), stage.duration)
        }
        (None, None) => stage.duration.to_string(),
    }
}

/// Returns the number of clients, and how they are spread where there is more than one worker.
fn clients_in_words(thread: &ThreadPlan, stage: &StagePlan) -> String {
    let all = stage.clients.len();
    let most = if stage.arrivals.is_some() || stage.search.is_some() { "at most " } else { "" };
    if thread.workers.len() < 2 {
        return format!("{most}{all}");
    }
    let of_worker =
        |worker| stage.clients.iter().filter(|client| client.worker == worker).count().to_string();
    let spread: Vec<String> = thread.workers.iter().map(|worker| of_worker(worker.worker)).collect();
    format!("{most}{all} = {}", spread.join(" + "))
}

/// Returns when iterations are due; of a search at most.
fn rate_in_words(stage: &StagePlan, arrivals: &ArrivalPlan) -> String {
    if stage.search.is_some() { format!("at most {arrivals}") } else { arrivals.to_string() }
}

/// Returns a line per search: what is searched for, and by how many probes.
pub(super) fn searches(plan: &Plan) -> String {
    let stages =
        plan.threads.iter().flat_map(|thread| (0_u32..).zip(&thread.stages).map(move |it| (thread, it)));
    let lines = stages.filter_map(|(thread, (position, stage))| {
        let search = stage.search.as_ref()?;
        let conditions: Vec<&str> = search.slo.iter().map(|condition| condition.text.as_str()).collect();
        let unit = if stage.arrivals.is_some() { "/s" } else { " clients" };
        Some(format!(
            "  {} stage {position}: the highest load at which {} holds, from {} to {}{unit}, to within {} %; at most {}, {} of \
             which must hold\n",
            thread.name,
            conditions.join(" and "),
            quantity::short(search.from),
            quantity::short(search.to),
            quantity::short(100.0 * search.precision),
            counted(search.probes, "probe"),
            search.repeats,
        ))
    });
    let lines: String = lines.collect();
    if lines.is_empty() { lines } else { format!("\nSearches, each probe a stage of its own\n{lines}") }
}

fn starts_in_words(stage: &StagePlan) -> String {
    let last = stage.clients.iter().map(|client: &ClientPlan| client.start_offset).max();
    match last {
        _ if stage.arrivals.is_some() => "when due".to_owned(),
        Some(last) if last > Span::ZERO => format!("within {last}"),
        _ => "at once".to_owned(),
    }
}

/// Returns what is unusual about how clients talk.
fn transport_in_words(transport: &Transport) -> String {
    let usual = Transport::default();
    let unusual = [
        (transport.http == HttpVersion::Http2).then(|| "HTTP/2".to_owned()),
        transport.connections.map(|connections| match connections {
            Connections::KeepAlive => "connections kept".to_owned(),
            Connections::PerOp => "a connection per op".to_owned(),
        }),
        (transport.verify == Verify::Sampled).then(|| format!("1 of {} packs verified", Verify::SAMPLE)),
        (transport.op_timeout != usual.op_timeout).then(|| format!("at most {} an op", transport.op_timeout)),
    ];
    let unusual: Vec<String> = unusual.into_iter().flatten().collect();
    if unusual.is_empty() { "as usual".to_owned() } else { unusual.join(", ") }
}
