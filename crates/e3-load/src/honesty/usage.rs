//! CPU time of this process and its machine.

use procfs::CurrentSI as _;

/// CPU time since boot, or between two readings; in seconds. The process's own includes that of its children which have
/// ended, such as each `git` of the real client.
///
/// Source: proc(5), `/proc/self/stat` and `/proc/stat`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    pub(super) process_s: f64,
    pub(super) busy_s: f64,
    pub(super) steal_s: f64,
    pub(super) total_s: f64,
}

impl Usage {
    /// Reads all of it; none where it cannot be read.
    pub(super) fn now() -> Option<Self> {
        #[expect(clippy::cast_precision_loss, reason = "clock ticks stay far below 2^53")]
        let seconds = |ticks: u64| ticks as f64 / procfs::ticks_per_second() as f64;
        let process = procfs::process::Process::myself().ok()?.stat().ok()?;
        let children = u64::try_from(process.cutime + process.cstime).unwrap_or(0);
        let cpu = procfs::KernelStats::current().ok()?.total;
        let steal = cpu.steal.unwrap_or(0);
        let idle = cpu.idle + cpu.iowait.unwrap_or(0);
        let busy = cpu.user + cpu.nice + cpu.system + cpu.irq.unwrap_or(0) + cpu.softirq.unwrap_or(0);
        Some(Self {
            process_s: seconds(process.utime + process.stime + children),
            busy_s: seconds(busy),
            steal_s: seconds(steal),
            total_s: seconds(busy + idle + steal),
        })
    }

    /// Returns what was used since an earlier reading.
    pub(super) fn since(&self, before: &Self) -> Self {
        Self {
            process_s: self.process_s - before.process_s,
            busy_s: self.busy_s - before.busy_s,
            steal_s: self.steal_s - before.steal_s,
            total_s: self.total_s - before.total_s,
        }
    }
}

/// Returns a share between 0 and 1; none of nothing.
pub(super) fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| (part / whole).clamp(0.0, 1.0))
}
