//! The table of ops as CSV, for spreadsheets and scripts.

use e3_model::{Analysis, Arrival, Arrivals, Bound, GitClient, OpStatistics, StageAnalysis};

use crate::searches::{probe_of, probe_words};
use crate::talk::{connections_name, git_client_name, http_name, verify_name};

/// Returns one line per thread, stage and op, after a line that names the columns; the total of a stage has neither
/// script nor op. Numbers are unrounded, latencies in milliseconds; a number that does not exist is empty. The columns from
/// `all_due_p50_ms` on count every op that was due; what is only known to be at least so much has a `>=` before it.
///
/// Source: RFC 4180, with LF as the end of a line.
pub fn csv(analysis: &Analysis) -> String {
    let mut out = COLUMNS.join(",");
    out.push('\n');
    for thread in &analysis.threads {
        for stage in &thread.stages {
            for op in std::iter::once(&stage.total).chain(&stage.ops) {
                let mut fields = fields((analysis.git_client, &thread.name), stage, op);
                fields.extend(searched(analysis, stage));
                let fields: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
                out.push_str(&fields.join(","));
                out.push('\n');
            }
        }
    }
    out
}

fn fields(
    (git_client, thread): (Option<GitClient>, &str),
    stage: &StageAnalysis,
    op: &OpStatistics,
) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let errors: Vec<String> = op.errors.iter().map(|(kind, count)| format!("{kind}={count}")).collect();
    let mut fields = vec![
        thread.to_owned(),
        stage.stage.stage.to_string(),
        clients(stage),
        stage.workload.clone(),
        stage.position.to_string(),
        stage.window_start_ms.to_string(),
        stage.window_end_ms.to_string(),
        stamps(stage),
        op.script.clone(),
        op.op.clone(),
        op.count.to_string(),
        op.ok.to_string(),
        op.cancelled.to_string(),
        op.rate_per_s.to_string(),
        number(op.rate_interval.map(|ends| ends.low)),
        number(op.rate_interval.map(|ends| ends.high)),
        number(op.error_rate),
        errors.join(" "),
    ];
    let latency = op.latency.as_ref();
    fields.extend([
        number(latency.map(|latency| latency.min_ms)),
        number(latency.map(|latency| latency.mean_ms)),
        number(latency.and_then(|latency| latency.p50_ms)),
        number(latency.and_then(|latency| latency.p90_ms)),
        number(latency.and_then(|latency| latency.p95_ms)),
        number(latency.and_then(|latency| latency.p99_ms)),
        number(latency.and_then(|latency| latency.p999_ms)),
        number(latency.map(|latency| latency.max_ms)),
        op.bytes_in.map_or_else(String::new, |bytes| bytes.to_string()),
        op.bytes_out.map_or_else(String::new, |bytes| bytes.to_string()),
    ]);
    let intervals = latency.map(|latency| latency.intervals).unwrap_or_default();
    for interval in [intervals.p50, intervals.p90, intervals.p95, intervals.p99, intervals.p999] {
        fields.push(number(interval.map(|ends| ends.low)));
        fields.push(number(interval.map(|ends| ends.high)));
    }
    fields.extend(load(stage));
    fields.extend(all_due(op));
    fields.extend(talk(git_client, stage));
    fields
}

/// The bound on busy clients of the open model is no load.
fn clients(stage: &StageAnalysis) -> String {
    if stage.load().is_open() { String::new() } else { stage.clients.to_string() }
}

fn load(stage: &StageAnalysis) -> [String; 10] {
    let offered = stage.load().offered();
    let arrivals = stage.honesty.arrivals.filter(|_| offered.is_some());
    let count = |of: fn(&Arrivals) -> u64| arrivals.map_or_else(String::new, |own| of(&own).to_string());
    let rate = |rate: Option<f64>| rate.map_or_else(String::new, |rate| rate.to_string());
    [
        stage.load().to_string(),
        rate(offered.map(|own| own.from)),
        rate(offered.map(|own| own.to)),
        offered.map_or("", |own| arrival_name(own.arrival)).to_owned(),
        offered.map_or_else(String::new, |_| stage.clients.to_string()),
        count(|own| own.due),
        count(|own| own.late),
        count(|own| own.unstarted),
        stage.honesty.scheduling_lag_p99_ms.to_string(),
        stage.honesty.worker_cpus.to_string(),
    ]
}

fn arrival_name(arrival: Arrival) -> &'static str {
    match arrival {
        Arrival::Constant => "constant",
        Arrival::Poisson => "poisson",
    }
}

/// A lower bound has a `>=` before it.
fn all_due(op: &OpStatistics) -> [String; 5] {
    let own = op.all_due.unwrap_or_default();
    [own.p50, own.p90, own.p95, own.p99, own.p999].map(|bound| {
        let shown = |bound: Bound| format!("{}{}", if bound.at_least { ">=" } else { "" }, bound.ms);
        bound.map_or_else(String::new, shown)
    })
}

fn talk(git_client: Option<GitClient>, stage: &StageAnalysis) -> [String; 5] {
    let own = &stage.transport;
    [
        own.op_timeout.as_millis().to_string(),
        connections_name(own.connections).to_owned(),
        http_name(own.http).to_owned(),
        verify_name(own.verify).to_owned(),
        git_client_name(git_client).to_owned(),
    ]
}

/// The version that answered, and of a probe its search, its number, its load and how it came out.
fn searched(analysis: &Analysis, stage: &StageAnalysis) -> [String; 5] {
    let product = stage.product.map_or_else(String::new, |version| version.to_string());
    let Some((search, number, probe)) = probe_of(analysis, stage) else {
        return [product, String::new(), String::new(), String::new(), String::new()];
    };
    let verdict = probe.verdict.map_or("", |verdict| probe_words(Some(verdict)).name).to_owned();
    [product, search.stage.stage.to_string(), number.to_string(), probe.load.to_string(), verdict]
}

fn stamps(stage: &StageAnalysis) -> String {
    let names = stage.stamps.iter().map(|stamp| crate::stamps::name(*stamp));
    names.collect::<Vec<_>>().join(" ")
}

/// Returns a field as CSV has it, in quotes where it needs them.
pub(crate) fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

const COLUMNS: [&str; 63] = [
    "thread",
    "stage",
    "clients",
    "workload",
    "position",
    "window_start_ms",
    "window_end_ms",
    "stamps",
    "script",
    "op",
    "count",
    "ok",
    "cancelled",
    "rate_per_s",
    "rate_low_per_s",
    "rate_high_per_s",
    "error_rate",
    "errors",
    "min_ms",
    "mean_ms",
    "p50_ms",
    "p90_ms",
    "p95_ms",
    "p99_ms",
    "p999_ms",
    "max_ms",
    "bytes_in",
    "bytes_out",
    "p50_low_ms",
    "p50_high_ms",
    "p90_low_ms",
    "p90_high_ms",
    "p95_low_ms",
    "p95_high_ms",
    "p99_low_ms",
    "p99_high_ms",
    "p999_low_ms",
    "p999_high_ms",
    "load",
    "rate_from_per_s",
    "rate_to_per_s",
    "arrival",
    "max_clients",
    "arrivals_due",
    "arrivals_late",
    "arrivals_unstarted",
    "scheduling_lag_p99_ms",
    "worker_cpus",
    "all_due_p50_ms",
    "all_due_p90_ms",
    "all_due_p95_ms",
    "all_due_p99_ms",
    "all_due_p999_ms",
    "op_timeout_ms",
    "connections",
    "http",
    "verify",
    "git_client",
    "product",
    "probe_of",
    "probe",
    "probed_load",
    "probe_verdict",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_with_a_separator_is_quoted() {
        for (field, written) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(quoted(field), written);
        }
    }
}
