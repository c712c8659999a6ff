//! TCP segments of this machine.

use procfs::Current as _;
use procfs::net::Snmp;

/// TCP segments since boot, or between two readings: of the whole machine, or of this process' network namespace.
///
/// Requests for a connection that are sent again are left out: they tell of a server whose queue of connections is full,
/// which is the system's own limit, and not of a network that loses what the worker sends.
///
/// Source: RFC 4022, tcpOutSegs and tcpRetransSegs, in `/proc/net/snmp`; TCPSynRetrans in `/proc/net/netstat`, which
/// Linux has since 3.15.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segments {
    /// Sent for the first time.
    pub(super) sent: u64,
    /// Sent again.
    pub(super) retransmitted: u64,
}

impl Segments {
    /// Reads the counters; none where they cannot be read.
    pub(super) fn now() -> Option<Self> {
        let counters = Snmp::current().ok()?;
        let netstat = std::fs::read_to_string("/proc/net/netstat").unwrap_or_default();
        let requests = counter(&netstat, "TcpExt:", "TCPSynRetrans").unwrap_or(0);
        Some(Self {
            sent: counters.tcp_out_segs,
            retransmitted: counters.tcp_retrans_segs.checked_sub(requests)?,
        })
    }

    /// Returns what was sent since an earlier reading; none when a counter went backwards, as at its overflow.
    pub(super) fn since(&self, before: &Self) -> Option<Self> {
        Some(Self {
            sent: self.sent.checked_sub(before.sent)?,
            retransmitted: self.retransmitted.checked_sub(before.retransmitted)?,
        })
    }
}

/// Returns a counter of a group: one line has the names, the next one the values.
fn counter(text: &str, group: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter(|line| line.starts_with(group));
    let position = lines.next()?.split_whitespace().position(|found| found == name)?;
    lines.next()?.split_whitespace().nth(position)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_taken_and_an_overflow_says_nothing() {
        let of = |sent, retransmitted| Segments { sent, retransmitted };
        assert_eq!(of(50, 7).since(&of(20, 7)), Some(of(30, 0)));
        assert_eq!(of(5, 7).since(&of(20, 7)), None);
        assert_eq!(of(50, 1).since(&of(20, 7)), None);
    }

    #[test]
    fn a_counter_is_found_by_its_group_and_name() {
        let text = "TcpExt: SyncookiesSent TCPSynRetrans\nTcpExt: 4 72\nIpExt: InNoRoutes TCPSynRetrans\nIpExt: 1 9\n";
        assert_eq!(counter(text, "TcpExt:", "TCPSynRetrans"), Some(72));
        assert_eq!(counter(text, "IpExt:", "TCPSynRetrans"), Some(9));
        assert_eq!(counter(text, "TcpExt:", "TCPTimeouts"), None);
        assert_eq!(counter("", "TcpExt:", "TCPSynRetrans"), None);
    }
}
