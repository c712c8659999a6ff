//! What happens to systems between stages.

use std::sync::Arc;

use e3_home::RunDir;
use e3_model::{Reset, ThreadTopology};
use e3_provider::{Journal, Probe, Provider};

use crate::ProvisionError;
use crate::provision::find_provider;

/// Does to a thread's system what the plan wants done between two stages, and returns when it serves again.
///
/// # Errors
/// When its provider cannot do that, or the system does not serve in time afterwards.
pub async fn reset(
    run: &RunDir,
    thread: &ThreadTopology,
    reset: Reset,
    providers: &[Arc<dyn Provider>],
) -> Result<(), ProvisionError> {
    if reset == Reset::None {
        return Ok(());
    }
    let provider = find_provider(providers, thread.thread, thread.instance.provider)?;
    let journal = Journal::open(&run.journal())?;
    let done = provider.reset(&thread.instance, reset, &journal).await;
    done.map_err(|source| ProvisionError::Provider { thread: thread.thread, act: "reset", source })
}

/// Asks every node of a thread's system once how it is.
///
/// # Errors
/// When this e3 does not have its provider, or the provider does not understand the topology.
pub async fn probe(
    thread: &ThreadTopology,
    providers: &[Arc<dyn Provider>],
) -> Result<Probe, ProvisionError> {
    let provider = find_provider(providers, thread.thread, thread.instance.provider)?;
    let probe = provider.probe(&thread.instance).await;
    probe.map_err(|source| ProvisionError::Provider { thread: thread.thread, act: "probe", source })
}
