//! How much processor time something took.

use anyhow::{Context as _, Result};

/// Returns the processor time, user and system, of all processes that this one has started and seen end, theirs
/// included, in milliseconds.
///
/// Source: proc_pid_stat(5), fields 16 and 17, in ticks of which Linux shows 100 a second.
pub(super) fn of_children() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("cannot read /proc/self/stat")?;
    // The name, in parentheses, may hold anything.
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: Result<Vec<f64>, _> = after_name.split(' ').skip(13).take(2).map(str::parse).collect();
    Ok(ticks.context("/proc/self/stat has no times")?.iter().sum::<f64>() * 10.0)
}

/// Returns the processor time of this thread, in milliseconds.
///
/// Source: Documentation/scheduler/sched-stats.rst: nanoseconds on a processor come first.
pub(super) fn of_this_thread() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").context("cannot read schedstat")?;
    let nanoseconds: f64 =
        text.split(' ').next().unwrap_or_default().parse().context("schedstat has no time")?;
    Ok(nanoseconds / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes() {
        let (thread, children) = (of_this_thread().unwrap(), of_children().unwrap());
        let script = "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done";
        std::process::Command::new("sh").args(["-c", script]).status().unwrap();
        let mut sum = 0_u64;
        while of_this_thread().unwrap() <= thread {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(of_children().unwrap() > children);
    }
}
