//! File descriptors of this process.

use procfs::process::{LimitValue, Process};

/// Returns how many file descriptors are open; 0 where that cannot be read.
///
/// Source: since Linux 6.2 the size of the directory is their number; before, it is 0 and they have to be listed, which
/// takes one itself.
pub(super) fn open() -> u64 {
    match std::fs::metadata("/proc/self/fd").map(|directory| directory.len()) {
        Ok(0) => {
            std::fs::read_dir("/proc/self/fd").map_or(0, |entries| (entries.count() as u64).saturating_sub(1))
        }
        Ok(open) => open,
        Err(_) => 0,
    }
}

/// Returns how many the process may open; 0 where that is without limit or cannot be read.
pub(super) fn limit() -> u64 {
    let limits = Process::myself().and_then(|process| process.limits());
    match limits.map(|limits| limits.max_open_files.soft_limit) {
        Ok(LimitValue::Value(most)) => most,
        Ok(LimitValue::Unlimited) | Err(_) => 0,
    }
}
