//! `proc`: this machine and processes of it, from `/proc`.
//!
//! About `machine`: `cpu/…` in % of all CPUs, `load/…`, `memory/…`, `swap/…`, `disk/…` summed over the physical devices,
//! `network/…` over the physical interfaces and `loopback/…` apart from them, `switches/context`, `processes/…`.
//! About each process, and about all that it has started: `cpu/used` in % of one CPU, `memory/resident`, `threads/count`,
//! `files/open`. Source: proc(5), and Linux' `Documentation/admin-guide/iostats.rst`.
//!
//! The files are read on a thread of their own kind, so that the runtime is never held up.

mod devices;
mod machine;
mod processes;
mod text;
mod tree;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::Instant;

use self::machine::Machine;
use self::processes::Processes;
use crate::{MetricSource, MetricsError, Readout, SourceKind, Targets, WatchedProcess};

/// This source.
pub(crate) const KIND: SourceKind = SourceKind { name: NAME, open };

fn open(targets: &Targets) -> Vec<Box<dyn MetricSource>> {
    vec![Box::new(Proc { watched: targets.processes.clone().into(), state: None })]
}

/// The machine and its processes.
struct Proc {
    watched: Arc<[WatchedProcess]>,
    /// None at first, and after a look that was given up.
    state: Option<State>,
}

/// What was read last.
struct State {
    machine: Machine,
    processes: Processes,
}

#[async_trait]
impl MetricSource for Proc {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn read(&mut self) -> Readout {
        let watched = Arc::clone(&self.watched);
        let begin = || State { machine: Machine::new(), processes: Processes::new(&watched) };
        let mut state = self.state.take().unwrap_or_else(begin);
        let looked = tokio::task::spawn_blocking(move || {
            let mut readout = Readout::default();
            state.machine.read(Instant::now(), &mut readout);
            state.processes.read(&mut readout);
            (state, readout)
        });
        match looked.await {
            Ok((state, readout)) => {
                self.state = Some(state);
                readout
            }
            Err(error) => Readout::failed(MetricsError::Task(error)),
        }
    }
}

const NAME: &str = "proc";
