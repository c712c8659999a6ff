//! One request on its way through its faults.

use std::sync::Arc;

use http::StatusCode;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::armed::{Armed, Asked, Drawn, Set};
use super::counts::Kind;

/// What will happen to a request, before it has.
pub(super) struct Disturbance {
    hits: Vec<(Arc<Armed>, Drawn)>,
    held: Held,
}

/// A request that is being worked on, and holds its slots until this is dropped.
pub(crate) struct Held {
    met: Vec<Arc<Armed>>,
    slots: Vec<OwnedSemaphorePermit>,
    /// Cancelled when the faults are no more.
    gone: CancellationToken,
    /// Cancelled when the node stops.
    stopping: CancellationToken,
}

/// How a request ends before it is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Injected {
    /// It fails with this status.
    #[error("this request was made to fail: the server is being disturbed on purpose")]
    Failure(StatusCode),
    /// Its connection is cut.
    #[error("the connection is cut on purpose")]
    Cut,
}

impl Disturbance {
    /// Draws what will happen to a request; none when no fault of the set concerns it.
    pub(super) fn of(set: &Arc<Set>, asked: &Asked<'_>, stopping: &CancellationToken) -> Option<Self> {
        let hits: Vec<_> = set
            .matching(asked)
            .into_iter()
            .map(|armed| {
                let drawn = armed.draw();
                (armed, drawn)
            })
            .collect();
        let held =
            Held { met: Vec::new(), slots: Vec::new(), gone: set.gone.clone(), stopping: stopping.clone() };
        (!hits.is_empty()).then_some(Self { hits, held })
    }

    /// Lets happen what does before the request is worked on, fault by fault: a stall, the wait for a slot, the latency,
    /// the end.
    ///
    /// # Errors
    /// When the request ends here.
    ///
    /// # Cancellation
    /// May be dropped at any await, and then holds no slot any more.
    pub(super) async fn begin(self) -> Result<Held, Injected> {
        let Self { hits, mut held } = self;
        for (armed, drawn) in hits {
            held.met.push(Arc::clone(&armed));
            held.outlast_stalls().await;
            held.take_slot(&armed).await;
            if !drawn.latency.is_zero() {
                armed.count(Kind::Latency);
                held.unless_stopping(sleep(drawn.latency)).await;
            }
            if drawn.is_cut {
                armed.count(Kind::Cut);
                return Err(Injected::Cut);
            }
            if drawn.fails {
                armed.count(Kind::Error);
                held.outlast_stalls().await;
                let status = StatusCode::from_u16(armed.fault.failing_status());
                return Err(Injected::Failure(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)));
            }
        }
        let slow = held.met.iter().filter(|armed| armed.fault.bytes_per_second.is_some());
        slow.for_each(|armed| armed.count(Kind::Slow));
        Ok(held)
    }
}

impl Held {
    /// Waits until none of its faults stalls: before work begins, and before the first byte of the answer.
    pub(super) async fn outlast_stalls(&self) {
        let mut is_counted = false;
        while let Some((armed, until)) = self.stall() {
            if !std::mem::replace(&mut is_counted, true) {
                armed.count(Kind::Stall);
            }
            tokio::select! {
                () = sleep_until(until) => {}
                () = self.gone.cancelled() => return,
                () = self.stopping.cancelled() => return,
            }
        }
    }

    /// Returns how many bytes of the answer leave per second at most; none when nothing slows it down.
    pub(super) fn bytes_per_second(&self) -> Option<u64> {
        self.met.iter().filter_map(|armed| armed.fault.bytes_per_second).min()
    }

    /// Gives the slots back, for a while in which nothing is worked on.
    pub(super) fn give_back(&mut self) {
        self.slots.clear();
    }

    /// Takes the slots again that were given back.
    pub(super) async fn take_back(&mut self) {
        if self.slots.is_empty() {
            for armed in self.met.clone() {
                self.take_slot(&armed).await;
            }
        }
    }

    fn stall(&self) -> Option<(&Arc<Armed>, Instant)> {
        self.met
            .iter()
            .filter_map(|armed| Some((armed, armed.stalls_until()?)))
            .max_by_key(|(_, until)| *until)
    }

    async fn take_slot(&mut self, armed: &Arc<Armed>) {
        let Some(slots) = &armed.slots else { return };
        if let Ok(slot) = Arc::clone(slots).try_acquire_owned() {
            return self.slots.push(slot);
        }
        armed.count(Kind::Wait);
        let mut taken = None;
        self.unless_stopping(async { taken = Arc::clone(slots).acquire_owned().await.ok() }).await;
        self.slots.extend(taken);
    }

    async fn unless_stopping(&self, wait: impl Future<Output = ()>) {
        tokio::select! {
            () = wait => {}
            () = self.stopping.cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use e3_model::Fault;

    use super::super::Faults;
    use super::super::armed::Part;
    use super::*;

    const PAGE: Asked<'static> = Asked::Http(Part::Web, "/dashboard");

    fn faults(json: &str) -> Faults {
        let faults = Faults::none("1");
        faults.switch(serde_json::from_str::<Vec<Fault>>(json).unwrap()).unwrap();
        faults
    }

    async fn begin(faults: &Faults) -> Result<Held, Injected> {
        faults.of(&PAGE).expect("a fault concerns it").begin().await
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_takes_as_much_longer_as_its_faults_say_together() {
        let faults =
            faults(r#"[{"latency": 200}, {"route": "web", "latency": 50}, {"route": "git", "latency": 7}]"#);
        let begun = Instant::now();
        begin(&faults).await.unwrap();
        assert_eq!(begun.elapsed(), Duration::from_millis(250));
        assert_eq!(faults.injected(), [("latency", "every".to_owned(), 1), ("latency", "web".to_owned(), 1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_holds_up_whoever_arrives_and_whoever_would_be_answered() {
        let faults = faults(r#"[{"stall": {"after": 100, "for": 50, "every": 1000}}]"#);
        let on = Instant::now();
        let early = begin(&faults).await.unwrap();
        assert_eq!(on.elapsed(), Duration::ZERO);
        sleep(Duration::from_millis(120)).await;
        early.outlast_stalls().await;
        assert_eq!(on.elapsed(), Duration::from_millis(150), "it was under way, and is answered at the end");
        sleep(Duration::from_millis(970)).await;
        begin(&faults).await.unwrap();
        assert_eq!(on.elapsed(), Duration::from_millis(1_150), "it arrived in the second one");
        assert_eq!(faults.injected(), [("stall", "every".to_owned(), 2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_switched_off_holds_up_nobody_any_more() {
        let faults = faults(r#"[{"stall": {"for": "1h"}}]"#);
        let begun = Instant::now();
        let waiting = begin(&faults);
        let off = async {
            sleep(Duration::from_millis(10)).await;
            faults.switch(Vec::new()).unwrap();
        };
        let (held, ()) = tokio::join!(waiting, off);
        held.unwrap();
        assert_eq!(begun.elapsed(), Duration::from_millis(10));
        assert!(faults.of(&PAGE).is_none() && faults.list().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn slots_are_taken_in_order_with_latency_and_free_with_whoever_leaves() {
        let faults = Arc::new(faults(r#"[{"slots": 1, "latency": 100}]"#));
        let begun = Instant::now();
        let one = |number: u32| {
            let faults = Arc::clone(&faults);
            async move {
                let held = begin(&faults).await.unwrap();
                drop(held);
                (number, begun.elapsed())
            }
        };
        let (first, second, third, fourth) = {
            let mut leaves = Box::pin(one(2));
            tokio::join!(
                one(1),
                async {
                    // In the queue behind the first, and gone before its turn.
                    let _ = tokio::time::timeout(Duration::from_millis(20), &mut leaves).await;
                    drop(leaves);
                },
                one(3),
                one(4)
            )
        };
        let () = second;
        let after = Duration::from_millis;
        assert_eq!([first, third, fourth], [(1, after(100)), (3, after(200)), (4, after(300))]);
        // Cancelled in the middle of its latency, it gives its slot back at once.
        let _ = tokio::time::timeout(after(50), begin(&faults)).await;
        let again = Instant::now();
        begin(&faults).await.unwrap();
        assert_eq!(again.elapsed(), after(100));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slot_is_held_until_the_answer_is_over() {
        let faults = faults(r#"[{"slots": 2}]"#);
        let (one, two) = (begin(&faults).await.unwrap(), begin(&faults).await.unwrap());
        let mut third = Box::pin(begin(&faults));
        assert!(futures_util::poll!(&mut third).is_pending());
        drop(one);
        third.await.unwrap();
        drop(two);
        assert_eq!(faults.injected(), [("wait", "every".to_owned(), 1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slot_that_is_given_back_serves_others_and_is_taken_again_in_turn() {
        let faults = faults(r#"[{"slots": 1, "latency": 100}]"#);
        let mut one = begin(&faults).await.unwrap();
        one.give_back();
        let two = begin(&faults).await.unwrap();
        let begun = Instant::now();
        let mut again = Box::pin(one.take_back());
        assert!(futures_util::poll!(&mut again).is_pending());
        drop(two);
        again.await;
        assert_eq!(begun.elapsed(), Duration::ZERO, "its latency is behind it");
        assert_eq!(one.slots.len(), 1);
        one.take_back().await;
        assert_eq!(one.slots.len(), 1, "what it has it does not take again");
    }

    #[tokio::test(start_paused = true)]
    async fn shares_fail_and_are_cut_and_the_same_ones_again() {
        let ends = async || {
            let faults = faults(r#"[{"errorRate": 0.2, "status": 503}, {"dropRate": 0.1}]"#);
            let mut ends = Vec::new();
            for _ in 0..5_000 {
                ends.push(begin(&faults).await.err());
            }
            ends
        };
        let ends = (ends().await, ends().await);
        assert_eq!(ends.0, ends.1);
        let count = |end: Option<Injected>| ends.0.iter().filter(|found| **found == end).count();
        let failed = count(Some(Injected::Failure(StatusCode::SERVICE_UNAVAILABLE)));
        let cut = count(Some(Injected::Cut));
        // Five standard deviations of binomials of 5,000: 0.2 is 28.3 each, 0.8 x 0.1 is 19.2 each.
        assert!(failed.abs_diff(1_000) < 142 && cut.abs_diff(400) < 96, "{failed} {cut}");
        assert_eq!(failed + cut + count(None), 5_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_stops_waits_for_nothing() {
        for json in
            [r#"[{"stall": {"for": "1h"}}]"#, r#"[{"latency": "1h"}]"#, r#"[{"slots": 1, "latency": 5}]"#]
        {
            let faults = faults(json);
            let holder = faults.of(&PAGE).unwrap();
            let begun = Instant::now();
            let stop = async {
                sleep(Duration::from_millis(20)).await;
                faults.stop();
            };
            let (held, other, ()) = tokio::join!(holder.begin(), begin(&faults), stop);
            assert!(held.is_ok() && other.is_ok());
            assert_eq!(begun.elapsed(), Duration::from_millis(20), "{json}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_and_changes_nothing() {
        let faults = faults(r#"[{"slots": 1}]"#);
        let (position, problem) =
            faults.switch(vec![Fault { slots: Some(2), ..Fault::default() }, Fault::default()]).unwrap_err();
        assert_eq!((position, problem.key), (1, ""));
        assert_eq!(faults.list(), [Fault { slots: Some(1), ..Fault::default() }]);
    }
}
