//! Disturbing a thread's system under test, for a rehearsal.

use e3_model::{Fault, ThreadId};

use super::Systems;

/// Disturbs the thread's system by these faults and no others.
///
/// # Errors
/// A sentence that says why it could not.
pub(super) async fn disturb(systems: &Systems<'_>, thread: ThreadId, faults: &[Fault]) -> Result<(), String> {
    let topology = systems.of(thread)?;
    let done = e3_provision::disturb(systems.home, systems.run, topology, faults, systems.providers).await;
    done.map_err(|error| e3_model::with_causes(&error))
}
