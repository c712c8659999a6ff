//! Waiting for a condition, with a bound and the last status.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Asks the probe until it succeeds and returns what it found; the probe's error is its status.
///
/// # Panics
/// If the bound passes first; the message has what was awaited and the last status.
pub async fn wait_for<T, F, R>(what: &str, bound: Duration, mut probe: F) -> T
where
    F: FnMut() -> R,
    R: Future<Output = Result<T, String>>,
{
    let end = Instant::now() + bound;
    loop {
        match probe().await {
            Ok(found) => return found,
            Err(status) => {
                assert!(Instant::now() < end, "{what} did not come within {bound:?}; last status: {status}");
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Asks the probe until it succeeds, as [`wait_for`] does, outside of a runtime.
///
/// # Panics
/// If the bound passes first; the message has what was awaited and the last status.
pub fn wait_for_blocking<T>(what: &str, bound: Duration, mut probe: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + bound;
    loop {
        match probe() {
            Ok(found) => return found,
            Err(status) => {
                assert!(Instant::now() < end, "{what} did not come within {bound:?}; last status: {status}");
            }
        }
        thread::sleep(PAUSE);
    }
}

const PAUSE: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "the moon did not come within 20ms; last status: waning")]
    fn says_what_it_waited_for() {
        wait_for_blocking("the moon", Duration::from_millis(20), || Err::<(), _>("waning".to_owned()));
    }

    #[tokio::test]
    async fn returns_what_was_found() {
        let mut left = 3;
        let found = wait_for("zero", Duration::from_secs(5), || {
            left -= 1;
            std::future::ready(if left == 0 { Ok("found") } else { Err(left.to_string()) })
        })
        .await;
        assert_eq!(found, "found");
    }
}
