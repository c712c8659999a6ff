//! The open model: a client waits to be called, serves one arrival, and is free again.

use std::time::Duration;

use e3_workload::{Instant, Load, Stopped};

use super::{Client, Place};
use crate::dispatcher::since_ns;
use crate::lag::LagMeter;
use crate::pool::{Call, Pool};

impl Client {
    /// Serves arrivals until the pool is closed.
    pub(super) async fn serve(&mut self, in_pool: u32, pool: &Pool, load: &Load, lag: &LagMeter) {
        let mut called = pool.called(in_pool).await;
        while let Some(Call { due, waited }) = called {
            let due_at = load.origin + Duration::from_nanos(due.at_ns);
            if !waited {
                lag.note(Instant::now().saturating_duration_since(due_at));
            }
            let job = self.draw.of_arrival(due.seed);
            self.begun += 1;
            let Some(Place { context, client, .. }) = self.place(job) else { return };
            context.begin_arrival(due.index, due.seed, due_at);
            let ended = client.iterate(context).await;
            if ended == Err(Stopped::StageOver) && !context.has_begun() {
                let end = Instant::now().min(load.end);
                pool.not_begun(context.record_unstarted(due.index, end));
                self.begun -= 1;
                return;
            }
            if let Err(stopped) = ended
                && !self.told.tell(job, stopped)
            {
                return;
            }
            tokio::task::coop::consume_budget().await;
            called = pool.next(in_pool, since_ns(load.origin, Instant::now())).await;
        }
    }
}
