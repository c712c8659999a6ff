//! `GET /metrics`: what this node counts, as Prometheus text.
//!
//! Without a login, as `/status`: who reads it is a machine without an account, and all it learns is how much goes on,
//! nothing of whose or what. It is about the one node that is asked; through the front, any node may answer.

use axum::extract::State;
use axum::response::IntoResponse;
use http::header;
use procfs::process::Process;

use super::text::Text;
use super::{Calls, Metrics, SERVICES, TRANSPORTS, Transport, load};
use super::{bitbucket, faults};
use crate::state::{App, Host};
use crate::store::Store;

/// Answers with all counters.
pub(crate) async fn serve(State(host): State<App>) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text(&host) + &faults::text(&host.faults))
}

fn text(host: &Host) -> String {
    let (metrics, store) = (&*host.metrics, &host.store);
    let mut text = Text::default();
    add_process(&mut text);
    let uptime = metrics.started.elapsed().as_secs_f64();
    text.family("githost_uptime_seconds", "gauge", "Time since this node started.").sample(&[], uptime);
    add_requests(&mut text, metrics);
    add_git(&mut text, metrics);
    add_ssh(&mut text, metrics);
    add_database(&mut text, store);
    add_log(&mut text, host);
    bitbucket::add(&mut text, host);
    text.into_string()
}

/// Source: the names of Prometheus' own client libraries, "Writing client libraries", process metrics.
fn add_process(text: &mut Text) {
    let Ok(process) = Process::myself() else { return };
    if let Ok(stat) = process.stat() {
        #[expect(clippy::cast_precision_loss, reason = "ticks stay far below 2^53")]
        let seconds = (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
        let help = "CPU time of this process, without git's.";
        text.family("process_cpu_seconds_total", "counter", help).sample(&[], seconds);
        let resident = stat.rss.saturating_mul(procfs::page_size());
        text.family("process_resident_memory_bytes", "gauge", "Memory of this process that is resident.")
            .sample(&[], resident);
        text.family("process_threads", "gauge", "Threads of this process.").sample(&[], stat.num_threads);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        // Listing them takes one itself.
        let open = open.count().saturating_sub(1);
        text.family("process_open_fds", "gauge", "File descriptors that are open.").sample(&[], open);
    }
}

fn add_requests(text: &mut Text, metrics: &Metrics) {
    let requests = &metrics.requests;
    let help = "Requests that have ended, but for those of /status, /metrics, style and icon; status is none if the \
                client left before the answer.";
    let mut total = text.family("githost_http_requests_total", "counter", help);
    for of in requests.counted() {
        for (status, count) in of.by_status {
            // Most of these never happen; what has happened once stays.
            if count > 0 {
                total.sample(&[("method", of.method), ("status", status)], count);
            }
        }
    }
    let help = "From a request's head to the last byte of its answer.";
    let mut duration = text.family("githost_http_request_duration_seconds", "summary", help);
    for of in requests.counted().filter(|of| of.ended > 0) {
        let labels = [("method", of.method)];
        duration.part("_sum", &labels, of.seconds);
        duration.part("_count", &labels, of.ended);
    }
    text.family("githost_http_requests_in_flight", "gauge", "Requests that have not ended.")
        .sample(&[], requests.in_flight());
    text.family("githost_http_connections", "gauge", "Connections by HTTP that are open.")
        .sample(&[], load(&metrics.connections.now));
    text.family("githost_http_connections_opened_total", "counter", "Connections by HTTP so far.")
        .sample(&[], load(&metrics.connections.total));
}

fn add_git(text: &mut Text, metrics: &Metrics) {
    let help = "Calls of git's services: a POST by HTTP, a command by SSH.";
    add_calls(text, metrics, ("githost_git_operations_total", "counter", help), |calls| {
        load(&calls.presence.total)
    });
    let help = "Calls of git's services that run.";
    add_calls(text, metrics, ("githost_git_operations_running", "gauge", help), |calls| {
        load(&calls.presence.now)
    });
    let help = "Bytes of git's protocol from clients, ref advertisements included.";
    add_calls(text, metrics, ("githost_git_received_bytes_total", "counter", help), |calls| {
        load(&calls.received)
    });
    let help = "Bytes of git's protocol to clients, ref advertisements included.";
    add_calls(text, metrics, ("githost_git_sent_bytes_total", "counter", help), |calls| load(&calls.sent));
    let help = "Questions for refs: answered without git (hit), or by git (miss).";
    let mut advertisements = text.family("githost_ref_advertisements_total", "counter", help);
    advertisements.sample(&[("cache", "hit")], load(&metrics.advertisements_hit));
    advertisements.sample(&[("cache", "miss")], load(&metrics.advertisements_missed));
}

fn add_calls(
    text: &mut Text,
    metrics: &Metrics,
    (name, kind, help): (&'static str, &str, &str),
    number: fn(&Calls) -> u64,
) {
    let mut family = text.family(name, kind, help);
    for service in SERVICES {
        for transport in TRANSPORTS {
            let protocol = if transport == Transport::Http { "http" } else { "ssh" };
            let service_name = service.name().trim_start_matches("git-");
            let labels = [("service", service_name), ("protocol", protocol)];
            family.sample(&labels, number(metrics.calls(service, transport)));
        }
    }
}

fn add_ssh(text: &mut Text, metrics: &Metrics) {
    text.family("githost_ssh_sessions_active", "gauge", "Connections by SSH that are open.")
        .sample(&[], load(&metrics.ssh_sessions.now));
    text.family("githost_ssh_sessions_created_total", "counter", "Connections by SSH so far.")
        .sample(&[], load(&metrics.ssh_sessions.total));
}

fn add_database(text: &mut Text, store: &Store) {
    let help = "Connections to the database, by pool and state.";
    let mut connections = text.family("githost_database_connections", "gauge", help);
    for (pool, in_use, idle) in store.connections() {
        connections.sample(&[("pool", pool), ("state", "in_use")], in_use);
        connections.sample(&[("pool", pool), ("state", "idle")], idle);
    }
}

fn add_log(text: &mut Text, host: &Host) {
    let (written, lost) = host.access.counted();
    let help = "Lines of the access log: written, or lost because the disk was too slow or refused.";
    let mut lines = text.family("githost_access_log_lines_total", "counter", help);
    lines.sample(&[("state", "written")], written);
    lines.sample(&[("state", "lost")], lost);
    let help = "The git that serves.";
    let version = host.git.version();
    text.family("githost_git_version", "gauge", help).sample(&[("version", version)], 1);
    if let Some(rates) = &host.throttle.rates {
        let help = "Requests that were refused with 429, because their user had sent too many.";
        text.family("githost_rate_limited_total", "counter", help).sample(&[], rates.refused());
    }
}
