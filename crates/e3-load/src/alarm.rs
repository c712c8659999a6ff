//! Waiting for a point in time to well below a millisecond.

use std::os::fd::OwnedFd;
use std::time::Duration;

use e3_workload::Instant;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Wakes one task when it asked to be woken.
///
/// The runtime's own timer counts whole milliseconds and rounds up, so that it alone makes every second arrival half a
/// millisecond late. The kernel's timer, timerfd_create(2), wakes the same event loop within some ten microseconds,
/// costs one system call to set, and no time while it runs. The runtime's timer runs beside it: where the kernel's
/// cannot be had it suffices, and in simulated time it is the only one that keeps that time.
pub(crate) struct Alarm {
    kernel: Option<AsyncFd<OwnedFd>>,
}

impl Alarm {
    /// Returns an alarm of the runtime that this is called in.
    pub(crate) fn new() -> Self {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let kernel = timerfd_create(TimerfdClockId::Monotonic, flags).ok();
        #[expect(
            deprecated,
            reason = "its successor is unsafe; it asks for what an owned descriptor guarantees"
        )]
        let watched = kernel.and_then(|fd| AsyncFd::with_interest(fd, Interest::READABLE).ok());
        Self { kernel: watched }
    }

    /// Waits until then, and never less.
    ///
    /// # Cancellation
    /// When the future is dropped, the next wait is not cut short.
    pub(crate) async fn wait_until(&self, due: Instant) {
        let runtime = tokio::time::sleep_until(due);
        tokio::pin!(runtime);
        for _ in 0..RINGS {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let kernel = self.kernel.as_ref().filter(|fd| set(fd, left));
            tokio::select! {
                biased;
                () = &mut runtime => return,
                () = rings(kernel) => {}
            }
        }
        if due > Instant::now() {
            runtime.await;
        }
    }
}

fn set(fd: &AsyncFd<OwnedFd>, left: Duration) -> bool {
    let Ok(tv_sec) = left.as_secs().try_into() else { return false };
    let tv_nsec = left.subsec_nanos().into();
    let never = Timespec { tv_sec: 0, tv_nsec: 0 };
    let once = Itimerspec { it_interval: never, it_value: Timespec { tv_sec, tv_nsec } };
    timerfd_settime(fd, TimerfdTimerFlags::empty(), &once).is_ok()
}

/// Waits for the next ring; setting the timer anew takes the place of reading it.
async fn rings(kernel: Option<&AsyncFd<OwnedFd>>) {
    let Some(kernel) = kernel else { return std::future::pending().await };
    match kernel.readable().await {
        Ok(mut guard) => guard.clear_ready(),
        Err(_) => std::future::pending().await,
    }
}

/// How often it is set for one wait: again after a ring that was left over from a wait that was given up. One that still
/// comes too early is simulated time's, which would never go on if it were set again and again.
const RINGS: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn simulated_time_is_kept() {
        let alarm = Alarm::new();
        let start = Instant::now();
        for milliseconds in [3, 7, 9, 5_000, 86_400_000] {
            alarm.wait_until(start + Duration::from_millis(milliseconds)).await;
            assert_eq!(start.elapsed(), Duration::from_millis(milliseconds));
            // So short that the kernel's timer has rung before the simulated clock can go on.
            alarm.wait_until(start + Duration::from_millis(milliseconds) + Duration::from_nanos(1)).await;
            assert_eq!(start.elapsed(), Duration::from_millis(milliseconds + 1));
        }
    }

    #[tokio::test]
    async fn a_wait_is_never_cut_short_and_can_be_given_up() {
        let alarm = Alarm::new();
        for microseconds in [1, 90, 400, 1_300, 2_700] {
            let due = Instant::now() + Duration::from_micros(microseconds);
            let given_up = tokio::time::timeout(Duration::ZERO, alarm.wait_until(due)).await;
            assert!(given_up.is_err() || Instant::now() >= due);
            alarm.wait_until(due).await;
            assert!(Instant::now() >= due);
        }
    }

    #[tokio::test]
    async fn the_kernels_timer_is_there_and_rings() {
        let alarm = Alarm::new();
        let kernel = alarm.kernel.as_ref();
        for _ in 0..3 {
            assert!(kernel.is_some_and(|fd| set(fd, Duration::from_micros(200))));
            tokio::time::timeout(Duration::from_secs(10), rings(kernel)).await.unwrap();
        }
    }
}
