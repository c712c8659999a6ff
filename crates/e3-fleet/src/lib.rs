//! Coordinator, bus and workers.
//!
//! The coordinator takes a plan and conducts it round by round; everything it learns of a stage reaches it as a
//! [`ToCoordinator`] message over a bus, also when the only worker lives in the same process. It writes samples and
//! run.json as they come, so that a kill costs no more than the last second. While a stage runs, its [`Watch`] tells what
//! metrics are read about. A stage with a search is conducted as its probes, which the [`Judge`] judges one by one.

mod bus;
mod collecting;
mod conduct;
mod error;
mod event;
mod in_process;
mod message;
mod recent;
mod record;
mod round;
mod search;
mod worker;

pub use bus::{CoordinatorPort, WorkerAddress, WorkerPort};
pub use collecting::Watch;
pub use conduct::{BetweenStages, Conduct, conduct};
pub use error::{BusError, FleetError};
pub use event::{FleetEvent, Probing, Recent};
pub use in_process::{InProcessCoordinator, InProcessWorker, in_process_bus};
pub use message::{Assignment, ToCoordinator, ToWorker};
pub use search::{Judge, is_whole, search_state};
pub use worker::serve;
