//! File descriptors of this process.

use procfs::process::{LimitValue, Process};

/// Returns how many file descriptors are open, without the one that lists them.
pub(super) fn open() -> u64 {
    std::fs::read_dir("/proc/self/fd").map_or(0, |entries| (entries.count() as u64).saturating_sub(1))
}

/// Returns how many the process may open; 0 where that is without limit or cannot be read.
pub(super) fn limit() -> u64 {
    let limits = Process::myself().and_then(|process| process.limits());
    match limits.map(|limits| limits.max_open_files.soft_limit) {
        Ok(LimitValue::Value(most)) => most,
        Ok(LimitValue::Unlimited) | Err(_) => 0,
    }
}
