//! The bus of a fleet that lives in one process: bounded channels.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::{BusError, CoordinatorPort, ToCoordinator, ToWorker, WorkerAddress, WorkerPort};

/// The coordinator's end of an in-process bus.
pub struct InProcessCoordinator {
    workers: BTreeMap<WorkerAddress, mpsc::Sender<ToWorker>>,
    inbox: mpsc::Receiver<(WorkerAddress, ToCoordinator)>,
}

/// A worker's end of an in-process bus.
pub struct InProcessWorker {
    address: WorkerAddress,
    coordinator: mpsc::Sender<(WorkerAddress, ToCoordinator)>,
    inbox: mpsc::Receiver<ToWorker>,
}

/// Returns a bus for these workers: the coordinator's end, and one end per worker, in order.
pub fn in_process_bus(addresses: &[WorkerAddress]) -> (InProcessCoordinator, Vec<InProcessWorker>) {
    let (coordinator, inbox) = mpsc::channel(CAPACITY);
    let mut workers = BTreeMap::new();
    let mut ends = Vec::with_capacity(addresses.len());
    for address in addresses {
        let (sender, worker_inbox) = mpsc::channel(CAPACITY);
        workers.insert(*address, sender);
        ends.push(InProcessWorker {
            address: *address,
            coordinator: coordinator.clone(),
            inbox: worker_inbox,
        });
    }
    (InProcessCoordinator { workers, inbox }, ends)
}

#[async_trait]
impl CoordinatorPort for InProcessCoordinator {
    async fn send(&self, to: WorkerAddress, message: ToWorker) -> Result<(), BusError> {
        let worker = self.workers.get(&to).ok_or(BusError::Unknown { worker: to })?;
        worker.send(message).await.map_err(|_| BusError::Gone { peer: to.to_string() })
    }

    async fn receive(&mut self) -> Option<(WorkerAddress, ToCoordinator)> {
        self.inbox.recv().await
    }
}

#[async_trait]
impl WorkerPort for InProcessWorker {
    async fn send(&self, message: ToCoordinator) -> Result<(), BusError> {
        self.coordinator
            .send((self.address, message))
            .await
            .map_err(|_| BusError::Gone { peer: "the coordinator".to_owned() })
    }

    async fn receive(&mut self) -> Option<ToWorker> {
        self.inbox.recv().await
    }
}

/// How many messages may wait at each end.
const CAPACITY: usize = 64;
