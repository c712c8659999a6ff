//! The numbers that a Bitbucket has, too, by the names under which it tells them.
//!
//! Source: Bitbucket's MBeans "for performance monitoring", as `jmx_exporter` names them: the domain, the bean and the
//! attribute, with `_` between them; the tickets of 8.0 and later as those of a Mesh node.

use super::http::Requests;
use super::text::Text;
use super::{Hosted, Metrics, Moved, SERVICES, Transport, load};
use crate::state::Host;
use crate::throttle::Tickets;

/// Adds all of them.
pub(super) fn add(text: &mut Text, host: &Host) {
    add_tickets(text, host);
    let metrics = &host.metrics;
    let moved = |of: fn(&Hosted) -> &Moved| -> u64 {
        metrics.hosted.iter().map(|hosted| load(&of(hosted).count)).sum()
    };
    let pulls = moved(|hosted| &hosted.clones) + moved(|hosted| &hosted.fetches);
    text.family(
        "com_atlassian_bitbucket_ScmStatistics_Pulls",
        "counter",
        "Clones and fetches that have ended.",
    )
    .sample(&[], pulls);
    text.family("com_atlassian_bitbucket_ScmStatistics_Pushes", "counter", "Pushes that have ended.")
        .sample(&[], moved(|hosted| &hosted.pushes));
    add_hosting(text, metrics, Transport::Http, HTTP);
    add_hosting(text, metrics, Transport::Ssh, SSH);
    add_ssh(text, metrics);
    add_requests(text, &metrics.requests);
    add_pool(text, host);
}

fn add_tickets(text: &mut Text, host: &Host) {
    let throttle = &host.throttle;
    for (tickets, [available, queued, total, used]) in
        [(&throttle.hosting, HOSTING_TICKETS), (&throttle.command, COMMAND_TICKETS)]
    {
        let counted = tickets.counted();
        text.family(available, "gauge", "Tickets that are free.").sample(&[], counted.available());
        text.family(queued, "gauge", "Operations that wait for a ticket.").sample(&[], counted.queued);
        text.family(total, "gauge", "Tickets that there are.").sample(&[], counted.total);
        text.family(used, "gauge", "Tickets that are held.").sample(&[], counted.used);
    }
    let help = "Tickets of each kind that are free and that are held.";
    let mut values = text.family("metrics_throttling_Value", "gauge", help);
    for tickets in throttle.kinds() {
        let counted = tickets.counted();
        for (name, value) in [("available", counted.available()), ("used", counted.used)] {
            let labels = [("section", "tickets"), ("throttledResource", tickets.what()), ("name", name)];
            values.sample(&labels, value);
        }
    }
    add_waits(text, throttle.kinds());
}

/// What has no name in Bitbucket: how long operations waited, and how long they held their tickets.
fn add_waits<'a>(text: &mut Text, kinds: impl Iterator<Item = &'a Tickets>) {
    let kinds: Vec<_> = kinds.map(|tickets| (tickets.what(), tickets.counted().totals)).collect();
    let help = "How long operations waited for their ticket, those that were refused or left included.";
    let mut waits = text.family("githost_ticket_wait_seconds", "summary", help);
    for (what, totals) in &kinds {
        waits.part("_sum", &[("resource", what)], totals.waited.as_secs_f64());
        waits.part("_count", &[("resource", what)], totals.granted + totals.refused + totals.left);
    }
    let help = "How long operations held their ticket.";
    let mut holds = text.family("githost_ticket_hold_seconds", "summary", help);
    for (what, totals) in &kinds {
        holds.part("_sum", &[("resource", what)], totals.held.as_secs_f64());
        holds.part("_count", &[("resource", what)], totals.granted);
    }
    let help = "Operations that got no ticket: refused, or their client left before.";
    let mut without = text.family("githost_tickets_missed_total", "counter", help);
    for (what, totals) in &kinds {
        without.sample(&[("resource", what), ("why", "refused")], totals.refused);
        without.sample(&[("resource", what), ("why", "left")], totals.left);
    }
}

fn add_hosting(text: &mut Text, metrics: &Metrics, transport: Transport, names: [&'static str; 12]) {
    let hosted = metrics.hosted_over(transport);
    let calls = SERVICES.map(|service| metrics.calls(service, transport));
    let all = |of: fn(&super::Calls) -> u64| -> u64 { calls.iter().map(|calls| of(calls)).sum() };
    let values = [
        all(|calls| load(&calls.presence.total)),
        all(|calls| load(&calls.received)),
        all(|calls| load(&calls.sent)),
        load(&hosted.clones.count),
        load(&hosted.clones.read),
        load(&hosted.clones.written),
        load(&hosted.cache_hits),
        load(&hosted.cache_misses),
        load(&hosted.cache_bypasses),
        load(&hosted.fetches.count),
        load(&hosted.fetches.read),
        load(&hosted.fetches.written),
    ];
    for ((name, help), value) in names.into_iter().zip(HOSTING_HELP).zip(values) {
        text.family(name, "counter", help).sample(&[], value);
    }
}

fn add_ssh(text: &mut Text, metrics: &Metrics) {
    let sessions = &metrics.ssh_sessions;
    let (created, active) = (load(&sessions.total), load(&sessions.now));
    let mut one = |name, kind, help, value: u64| text.family(name, kind, help).sample(&[], value);
    one("com_atlassian_bitbucket_SshSessions_ActiveSessionCount", "gauge", "Sessions that are open.", active);
    let most = load(&metrics.ssh_most);
    one(
        "com_atlassian_bitbucket_SshSessions_MaxActiveSessionCount",
        "gauge",
        "The most at a time so far.",
        most,
    );
    one("com_atlassian_bitbucket_SshSessions_SessionCreatedCount", "counter", "Sessions so far.", created);
    let closed = created.saturating_sub(active);
    one(
        "com_atlassian_bitbucket_SshSessions_SessionClosedCount",
        "counter",
        "Sessions that have ended.",
        closed,
    );
    let broken = load(&metrics.ssh_broken);
    one(
        "com_atlassian_bitbucket_SshSessions_SessionExceptionCount",
        "counter",
        "Those with an error.",
        broken,
    );
}

fn add_requests(text: &mut Text, requests: &Requests) {
    let labels = |area| [("category00", "http"), ("category01", area), ("name", "request")];
    let help = "Requests that have ended.";
    let mut count = text.family("com_atlassian_bitbucket_metrics_Count", "counter", help);
    for (area, ended, _) in requests.by_area() {
        count.sample(&labels(area), ended);
    }
    let help = "The mean time of all requests since this node started, in milliseconds.";
    let mut mean = text.family("com_atlassian_bitbucket_metrics_Mean", "gauge", help);
    for (area, ended, seconds) in requests.by_area().filter(|(_, ended, _)| *ended > 0) {
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 requests")]
        let milliseconds = seconds * 1e3 / ended as f64;
        mean.sample(&labels(area), milliseconds);
    }
}

fn add_pool(text: &mut Text, host: &Host) {
    let pools = host.store.connections();
    let in_use: usize = pools.iter().map(|(_, in_use, _)| in_use).sum();
    let idle: usize = pools.iter().map(|(.., idle)| idle).sum();
    let mut one = |name, help, value: usize| text.family(name, "gauge", help).sample(&[], value);
    one("com_zaxxer_hikari_Pool_bitbucket_ActiveConnections", "Connections to the database in use.", in_use);
    one("com_zaxxer_hikari_Pool_bitbucket_IdleConnections", "Connections to the database that idle.", idle);
    one("com_zaxxer_hikari_Pool_bitbucket_TotalConnections", "Connections to the database.", in_use + idle);
}

const HOSTING_TICKETS: [&str; 4] = [
    "com_atlassian_bitbucket_HostingTickets_Available",
    "com_atlassian_bitbucket_HostingTickets_QueuedRequests",
    "com_atlassian_bitbucket_HostingTickets_Total",
    "com_atlassian_bitbucket_HostingTickets_Used",
];
const COMMAND_TICKETS: [&str; 4] = [
    "com_atlassian_bitbucket_CommandTickets_Available",
    "com_atlassian_bitbucket_CommandTickets_QueuedRequests",
    "com_atlassian_bitbucket_CommandTickets_Total",
    "com_atlassian_bitbucket_CommandTickets_Used",
];

/// In the order of the values, and of [`HOSTING_HELP`].
const HTTP: [&str; 12] = [
    "com_atlassian_bitbucket_HttpHostingStatistics_RequestCount",
    "com_atlassian_bitbucket_HttpHostingStatistics_TotalBytesRead",
    "com_atlassian_bitbucket_HttpHostingStatistics_TotalBytesWritten",
    "com_atlassian_bitbucket_HttpHostingStatistics_CloneRequestCount",
    "com_atlassian_bitbucket_HttpHostingStatistics_CloneBytesRead",
    "com_atlassian_bitbucket_HttpHostingStatistics_CloneBytesWritten",
    "com_atlassian_bitbucket_HttpHostingStatistics_CloneCacheHit",
    "com_atlassian_bitbucket_HttpHostingStatistics_CloneCacheMiss",
    "com_atlassian_bitbucket_HttpHostingStatistics_CloneCacheBypass",
    "com_atlassian_bitbucket_HttpHostingStatistics_FetchRequestCount",
    "com_atlassian_bitbucket_HttpHostingStatistics_FetchBytesRead",
    "com_atlassian_bitbucket_HttpHostingStatistics_FetchBytesWritten",
];
const SSH: [&str; 12] = [
    "com_atlassian_bitbucket_SshHostingStatistics_RequestCount",
    "com_atlassian_bitbucket_SshHostingStatistics_TotalBytesRead",
    "com_atlassian_bitbucket_SshHostingStatistics_TotalBytesWritten",
    "com_atlassian_bitbucket_SshHostingStatistics_CloneRequestCount",
    "com_atlassian_bitbucket_SshHostingStatistics_CloneBytesRead",
    "com_atlassian_bitbucket_SshHostingStatistics_CloneBytesWritten",
    "com_atlassian_bitbucket_SshHostingStatistics_CloneCacheHit",
    "com_atlassian_bitbucket_SshHostingStatistics_CloneCacheMiss",
    "com_atlassian_bitbucket_SshHostingStatistics_CloneCacheBypass",
    "com_atlassian_bitbucket_SshHostingStatistics_FetchRequestCount",
    "com_atlassian_bitbucket_SshHostingStatistics_FetchBytesRead",
    "com_atlassian_bitbucket_SshHostingStatistics_FetchBytesWritten",
];
const HOSTING_HELP: [&str; 12] = [
    "Calls of git's services so far: a POST by HTTP, a command by SSH.",
    "Bytes of git's protocol from clients, ref advertisements included.",
    "Bytes of git's protocol to clients, ref advertisements included.",
    "Clones that have ended.",
    "Bytes from clients that cloned.",
    "Bytes to clients that cloned.",
    "Clones and fetches that were answered from the cache.",
    "Clones and fetches that were not, and are kept for others.",
    "Clones and fetches that the cache could not serve, or that came while it was off.",
    "Fetches that have ended.",
    "Bytes from clients that fetched.",
    "Bytes to clients that fetched.",
];
