//! What happens to systems once their data is loaded, and between stages.

use std::path::PathBuf;
use std::sync::Arc;

use e3_home::{Home, HomeError, RunDir};
use e3_model::{Fault, InstanceTopology, ProviderName, Reset, Secret, ThreadId, ThreadTopology};
use e3_provider::{Journal, Probe, Provider, Standing};

use crate::ProvisionError;
use crate::provision::find_provider;

/// Does to a thread's system what the plan wants done between two stages, and returns when it serves again.
///
/// # Errors
/// When the run's secrets are gone, its provider cannot do that, or the system does not serve in time afterwards.
///
/// # Cancellation
/// May be dropped at any await; the system may be down then, and the journal tells what stands.
pub async fn reset(
    home: &Home,
    run: &RunDir,
    thread: &ThreadTopology,
    reset: Reset,
    providers: &[Arc<dyn Provider>],
) -> Result<(), ProvisionError> {
    if reset == Reset::None {
        return Ok(());
    }
    let ThreadTopology { thread, instance, .. } = thread;
    let provider = find_provider(providers, *thread, instance.provider)?;
    let place = place(home, run, *thread)?;
    let journal = Journal::open(&run.journal())?;
    let done = provider.reset(&place.standing(instance, &|name| run.log_file(name)), reset, &journal).await;
    done.map_err(|source| ProvisionError::Provider { thread: *thread, act: "reset", source })
}

/// Disturbs every node of a thread's system by these faults and no others, and returns when they hold.
///
/// # Errors
/// When the run's secrets are gone, its provider cannot do that, or a node refuses.
pub async fn disturb(
    home: &Home,
    run: &RunDir,
    thread: &ThreadTopology,
    faults: &[Fault],
    providers: &[Arc<dyn Provider>],
) -> Result<(), ProvisionError> {
    let ThreadTopology { thread, instance, .. } = thread;
    // Nobody has disturbed what was there before, and its password is not E3's to write down.
    if faults.is_empty() && instance.provider == ProviderName::Existing {
        return Ok(());
    }
    let provider = find_provider(providers, *thread, instance.provider)?;
    let place = place(home, run, *thread)?;
    let done = provider.disturb(&place.standing(instance, &|name| run.log_file(name)), faults).await;
    done.map_err(|source| ProvisionError::Provider { thread: *thread, act: "disturb", source })
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

/// Returns what a system has of its run, whose secrets are there until it is removed.
fn place<'a>(home: &Home, run: &'a RunDir, thread: ThreadId) -> Result<Place<'a>, ProvisionError> {
    let secrets = home.read_secrets(run.name())?;
    let secrets = secrets.threads.get(thread.index());
    let password = &secrets.ok_or(ProvisionError::NoSecrets { thread })?.admin_password;
    Ok(Place::of(home, run, thread, password)?)
}

/// What a thread's system has of its run, whatever is done with it.
pub(crate) struct Place<'a> {
    run: &'a RunDir,
    thread: ThreadId,
    scratch: PathBuf,
    admin_password_file: PathBuf,
}

impl<'a> Place<'a> {
    /// Writes the password where the system's nodes read it when they start.
    pub(crate) fn of(
        home: &Home,
        run: &'a RunDir,
        thread: ThreadId,
        password: &Secret,
    ) -> Result<Self, HomeError> {
        let admin_password_file = home.admin_password_file(run.name(), thread, password)?;
        Ok(Self { run, thread, scratch: home.scratch(run.name()), admin_password_file })
    }

    pub(crate) fn standing<'b>(
        &'b self,
        instance: &'b InstanceTopology,
        log_file: &'b (dyn Fn(&str) -> PathBuf + Send + Sync),
    ) -> Standing<'b> {
        Standing {
            run: self.run.name(),
            thread: self.thread,
            instance,
            scratch: &self.scratch,
            log_file,
            admin_password_file: &self.admin_password_file,
        }
    }
}
