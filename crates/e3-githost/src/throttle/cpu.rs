//! How busy the machine is. Source: Linux' `proc(5)`, `/proc/stat`.

/// What all CPUs together have done since the machine started, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CpuTimes {
    busy: u64,
    total: u64,
}

impl CpuTimes {
    /// Reads them now; none where they cannot be read.
    pub(super) fn now() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/stat").ok()?)
    }

    /// Waiting for a disk is idling; what a hypervisor took is not, because nothing else could run meanwhile.
    fn parse(text: &str) -> Option<Self> {
        let all = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let ticks: Vec<u64> = all.split_whitespace().map_while(|field| field.parse().ok()).collect();
        // The time of guests, behind these, is part of `user` and `nice`.
        let [user, nice, system, idle, waiting, interrupts, soft_interrupts, stolen] =
            *ticks.first_chunk::<8>()?;
        let busy = user + nice + system + interrupts + soft_interrupts + stolen;
        Some(Self { busy, total: busy + idle + waiting })
    }

    /// Returns the share of its time in which the machine was busy since an earlier look, 0 to 1; none if no time passed.
    pub(super) fn utilisation_since(self, before: Self) -> Option<f64> {
        let total = self.total.checked_sub(before.total).filter(|total| *total > 0)?;
        let busy = self.busy.saturating_sub(before.busy).min(total);
        #[expect(clippy::cast_precision_loss, reason = "ticks of some seconds stay far below 2^53")]
        let share = busy as f64 / total as f64;
        Some(share)
    }
}

/// Returns how many CPUs this process may use.
pub(super) fn count() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_busy_time_is_read() {
        let read = |ticks: &str| CpuTimes::parse(&format!("cpu  {ticks}\ncpu0 1 1 1 1\n")).unwrap();
        let before = read("100 0 50 800 50 0 0 0 30 0");
        let after = read("150 10 70 900 60 5 5 10 70 0");
        // 50 + 10 + 20 + 5 + 5 + 10 of 100 busy ones, and 110 that are not.
        assert_eq!(after.utilisation_since(before), Some(100.0 / 210.0));
        assert_eq!(before.utilisation_since(before), None);
        assert_eq!(before.utilisation_since(after), None, "a clock that went back says nothing");
        for text in ["", "cpu  1 2 3", "cpu0 1 2 3 4 5 6 7 8", "cpu  a b c d e f g h"] {
            assert_eq!(CpuTimes::parse(text), None, "{text}");
        }
        assert!(CpuTimes::now().is_some() && count() > 0);
    }
}
