//! A thread for each CPU, with a runtime of its own: a client stays on one, and no other thread is woken for it.

use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, RuntimeFlavor};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Where the clients of a share run.
///
/// Threads that share their tasks wake each other for work that one of them does in less time than the other needs to
/// wake; a load generator feels that in every request. So each has its own clients, its own timers and its own sockets.
pub(crate) struct Cores {
    handles: Vec<Handle>,
    _over: DropGuard,
}

impl Cores {
    /// Starts as many threads as the runtime has on which this is called. A runtime of a single thread, such as one in
    /// simulated time, runs all clients itself.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub(crate) fn start() -> io::Result<Self> {
        let (own, over) = (Handle::current(), CancellationToken::new());
        let threads = match own.runtime_flavor() {
            RuntimeFlavor::CurrentThread => 1,
            _ => own.metrics().num_workers(),
        };
        let handles = match threads {
            0 | 1 => vec![own],
            many => (0..many).map(|core| thread(core, over.clone())).collect::<io::Result<_>>()?,
        };
        Ok(Self { handles, _over: over.drop_guard() })
    }

    /// Returns all runtimes, never none.
    pub(crate) fn all(&self) -> &[Handle] {
        &self.handles
    }

    /// Returns the runtime of the client at a place: they take turns.
    pub(crate) fn of(&self, place: u32) -> &Handle {
        let turn = usize::try_from(place).unwrap_or(0) % self.handles.len().max(1);
        self.handles.get(turn).or(self.handles.first()).expect("there is one core at least")
    }
}

/// Starts a thread whose runtime lasts until it is over and what its clients have left, such as connections that take
/// leave, has ended.
fn thread(core: usize, over: CancellationToken) -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    std::thread::Builder::new().name(format!("e3-core-{core}")).spawn(move || {
        runtime.block_on(async {
            over.cancelled().await;
            let leaving = async {
                while Handle::current().metrics().num_alive_tasks() > 0 {
                    tokio::time::sleep(LOOK).await;
                }
            };
            // What has not ended by then is cut.
            let _ = tokio::time::timeout(LEAVING, leaving).await;
        });
        runtime.shutdown_background();
    })?;
    Ok(handle)
}

/// How often a thread that is over looks whether all has ended; nothing tells it.
const LOOK: Duration = Duration::from_millis(20);
/// How long it waits for that.
const LEAVING: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread::ThreadId;

    use super::*;

    async fn threads_of(cores: &Cores, places: u32) -> Vec<ThreadId> {
        let mut threads = Vec::new();
        for place in 0..places {
            threads.push(cores.of(place).spawn(async { std::thread::current().id() }).await.unwrap());
        }
        threads
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
    async fn clients_take_turns_and_stay_where_they_are() {
        let cores = Cores::start().unwrap();
        let threads = threads_of(&cores, 7).await;
        assert_eq!(threads.iter().collect::<HashSet<_>>().len(), 3);
        assert_eq!((threads[0], threads[1]), (threads[3], threads[4]));
        assert_eq!(threads[0], threads[6]);
        assert!(!threads.contains(&std::thread::current().id()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_runtime_of_one_thread_runs_them_itself() {
        let cores = Cores::start().unwrap();
        assert_eq!(threads_of(&cores, 2).await, [std::thread::current().id(); 2]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_takes_leave_is_let_go_in_peace() {
        let cores = Cores::start().unwrap();
        let (left, gone) = tokio::sync::oneshot::channel();
        cores.of(1).spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            left.send(()).unwrap();
        });
        drop(cores);
        tokio::time::timeout(LEAVING, gone).await.unwrap().unwrap();
    }
}
