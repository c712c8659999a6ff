//! The laws of [`Provider`], as checks that each provider's tests run against the real thing.
//!
//! Each check provisions for itself and removes all of it again; it says which law was broken, and by what.

use std::collections::BTreeMap;
use std::path::Path;

use e3_model::{Fault, InstanceTopology, Reset, Span, Stall};

use crate::{
    Entry, Event, Journal, Ledger, Provider, ProviderError, ProvisionRequest, Removal, RemovalOutcome,
    Resource, chain,
};

/// A law that a provider broke.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Violation(String);

/// Tells whether something of a resource still exists, by other means than the provider's own.
pub type Exists<'a> = &'a (dyn Fn(&Resource) -> bool + Sync);

/// Checks a whole life: provision, probe, disturb, reset, deprovision, and deprovision again.
///
/// # Errors
/// With the first law that is broken.
pub async fn life(
    provider: &dyn Provider,
    request: &ProvisionRequest<'_>,
    journal: &Path,
    exists: Exists<'_>,
) -> Result<(), Violation> {
    let journal = open(journal)?;
    let instance = provision(provider, request, &journal).await?;
    topology_matches(provider, request, &instance)?;
    every_act_was_journaled(&journal)?;
    let stands = journal.open_resources();
    check(!stands.is_empty(), || "provision journaled nothing".to_owned())?;
    for resource in &stands {
        check(exists(resource), || format!("{resource} is journaled as created but does not exist"))?;
    }
    probes(provider, &instance, true).await?;
    disturbs(provider, request, &instance).await?;
    resets(provider, request, &instance, &journal).await?;
    let before = stands;
    let stands = journal.open_resources();
    for resource in before.iter().filter(|old| !stands.iter().any(|resource| resource.is_same(old))) {
        check(!exists(resource), || format!("{resource} is journaled as removed by a reset but exists"))?;
    }
    for resource in &stands {
        check(exists(resource), || format!("{resource} should stand after the resets but does not exist"))?;
    }

    let removals = provider.deprovision(&stands, &journal).await;
    removed_all(&stands, &removals, &journal, exists)?;
    probes(provider, &instance, false).await?;
    let again = provider.deprovision(&stands, &journal).await;
    removed_all(&stands, &again, &journal, exists)?;
    for removal in again {
        check(removal.outcome == RemovalOutcome::Gone, || {
            format!("{} was gone, but its second removal says {:?}", removal.resource, removal.outcome)
        })?;
    }
    Ok(())
}

/// Checks that whatever a provision had journaled when it was killed is removed: for every prefix of the journal, all
/// that the prefix names is gone after a deprovision that knows the prefix alone.
///
/// # Errors
/// With the first prefix that leaves something, and what.
pub async fn every_prefix(
    provider: &dyn Provider,
    request: &ProvisionRequest<'_>,
    directory: &Path,
    exists: Exists<'_>,
) -> Result<(), Violation> {
    let mut lines = 1;
    let mut length = 1;
    while lines <= length {
        let whole = directory.join(format!("whole-{lines}.journal"));
        let journal = open(&whole)?;
        provision(provider, request, &journal).await?;
        let bytes =
            std::fs::read(&whole).map_err(|error| Violation(format!("cannot read the journal: {error}")))?;
        length = bytes.split_inclusive(|byte| *byte == b'\n').count();

        let prefix: Vec<u8> =
            bytes.split_inclusive(|byte| *byte == b'\n').take(lines).flatten().copied().collect();
        let path = directory.join(format!("prefix-{lines}.journal"));
        std::fs::write(&path, prefix)
            .map_err(|error| Violation(format!("cannot write a journal: {error}")))?;
        let killed = open(&path)?;
        let open_then = killed.open_resources();
        let removals = provider.deprovision(&open_then, &killed).await;
        let verdict = removed_all(&open_then, &removals, &killed, exists);

        // What came after the prefix would not exist after a kill; here it does, and goes now.
        let stands = journal.open_resources();
        let removals = provider.deprovision(&stands, &journal).await;
        removed_all(&stands, &removals, &journal, exists)?;
        verdict
            .map_err(|Violation(text)| Violation(format!("killed after line {lines} of {length}: {text}")))?;
        lines += 1;
    }
    Ok(())
}

/// Checks that a provision that must fail, as this request makes it, leaves nothing behind that a deprovision does not
/// remove; returns its error.
///
/// # Errors
/// When it does not fail, or something is left.
pub async fn failure(
    provider: &dyn Provider,
    request: &ProvisionRequest<'_>,
    journal: &Path,
    exists: Exists<'_>,
) -> Result<ProviderError, Violation> {
    let journal = open(journal)?;
    let outcome = provider.provision(request, &journal).await;
    let stands = journal.open_resources();
    let removals = provider.deprovision(&stands, &journal).await;
    removed_all(&stands, &removals, &journal, exists)?;
    match outcome {
        Ok(instance) => Err(Violation(format!("provision should have failed but set up {}", instance.url))),
        Err(error) => Ok(error),
    }
}

/// Checks that a life that ends before any line of its journal, while systems are set up, kept or reset, leaves nothing
/// that a deprovision does not remove.
///
/// The journal refuses that line, as a full disk would, and a provider that keeps the laws does nothing after it.
///
/// # Errors
/// With the first line at which something is left, and what.
pub async fn every_interruption(
    provider: &dyn Provider,
    request: &ProvisionRequest<'_>,
    directory: &Path,
    exists: Exists<'_>,
) -> Result<(), Violation> {
    let mut lines = 0;
    let mut is_whole = false;
    while !is_whole {
        let path = directory.join(format!("interrupted-{lines}.journal"));
        let journal = open(&path)?;
        journal.refuse_after(lines);
        let lived = set_up_and_reset(provider, request, &journal).await;
        is_whole = lived.is_ok();
        let killed = open(&path)?;
        let written = killed.ledger().next_seq().saturating_sub(1);
        let stands = killed.open_resources();
        let removals = provider.deprovision(&stands, &killed).await;
        removed_all(&stands, &removals, &killed, exists)
            .map_err(|Violation(text)| Violation(format!("killed after line {lines}: {text}")))?;
        if let Err(error) = lived {
            check(written == lines, || {
                format!("it failed by itself after line {written}: {}", chain(&error))
            })?;
        }
        lines += 1;
    }
    check(lines > 1, || "nothing was journaled".to_owned())
}

async fn set_up_and_reset(
    provider: &dyn Provider,
    request: &ProvisionRequest<'_>,
    journal: &Journal,
) -> Result<(), ProviderError> {
    let instance = provider.provision(request, journal).await?;
    let system = request.standing(&instance);
    provider.keep(&system, journal).await?;
    provider.reset(&system, Reset::Restart, journal).await?;
    provider.reset(&system, Reset::Restore, journal).await
}

async fn provision(
    provider: &dyn Provider,
    request: &ProvisionRequest<'_>,
    journal: &Journal,
) -> Result<InstanceTopology, Violation> {
    let error = match provider.provision(request, journal).await {
        Ok(instance) => return Ok(instance),
        Err(error) => chain(&error),
    };
    let stands = journal.open_resources();
    provider.deprovision(&stands, journal).await;
    Err(Violation(format!("provision failed: {error}")))
}

fn topology_matches(
    provider: &dyn Provider,
    request: &ProvisionRequest<'_>,
    instance: &InstanceTopology,
) -> Result<(), Violation> {
    check(instance.provider == provider.name(), || format!("the topology names {}", instance.provider))?;
    check(instance.admin == request.admin, || format!("the topology's administrator is {}", instance.admin))?;
    check(instance.snapshot == request.snapshot, || {
        format!("the topology's snapshot is {}", instance.snapshot)
    })?;
    let nodes = u32::try_from(instance.nodes.len()).unwrap_or(u32::MAX);
    check(nodes == request.instance.nodes, || {
        format!("{nodes} nodes stand, not {}", request.instance.nodes)
    })?;
    let urls = instance.nodes.iter().map(|node| &node.url).chain([&instance.url]);
    for url in urls {
        check(url.starts_with("http") && !url.ends_with('/'), || format!("{url:?} is no base URL"))?;
    }
    Ok(())
}

/// Every resource that stands has its intent before its `created`.
fn every_act_was_journaled(journal: &Journal) -> Result<(), Violation> {
    let bytes = std::fs::read(journal.path()).map_err(|error| Violation(format!("no journal: {error}")))?;
    let mut events: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let entry: Entry = serde_json::from_slice(line)
            .map_err(|error| Violation(format!("a line of the journal is none: {error}")))?;
        let key = match &entry.resource {
            Resource::Process { mark, .. } => mark.clone(),
            Resource::Directory { path } => path.display().to_string(),
        };
        events.entry(key).or_default().push(entry.event);
    }
    for (resource, events) in events {
        check(events == [Event::Intent, Event::Created], || {
            format!("{resource} was journaled as {events:?}")
        })?;
    }
    Ok(())
}

async fn probes(provider: &dyn Provider, instance: &InstanceTopology, up: bool) -> Result<(), Violation> {
    let probe = provider
        .probe(instance)
        .await
        .map_err(|error| Violation(format!("probe failed: {}", chain(&error))))?;
    check(probe.nodes.len() >= instance.nodes.len(), || format!("probe left out a node: {probe:?}"))?;
    let as_expected =
        if up { probe.is_running() } else { probe.nodes.iter().all(|node| node.state.is_err()) };
    check(as_expected, || format!("the system should be {}, but: {probe:?}", if up { "up" } else { "down" }))
}

/// A provider disturbs a system, or says that it cannot; either way the system stands, and may be left alone.
async fn disturbs(
    provider: &dyn Provider,
    request: &ProvisionRequest<'_>,
    instance: &InstanceTopology,
) -> Result<(), Violation> {
    let system = request.standing(instance);
    // A stall that held up the nodes' word on themselves would show in the probe.
    let stall = Stall { after: Span::ZERO, length: Span::from_secs(600), every: None };
    let faults = [Fault { stall: Some(stall), error_rate: Some(1.0), ..Fault::default() }];
    match provider.disturb(&system, &faults).await {
        Ok(()) | Err(ProviderError::Unsupported { .. }) => probes(provider, instance, true).await?,
        Err(error) => return Err(Violation(format!("disturb failed: {}", chain(&error)))),
    }
    for _ in 0..2 {
        let alone = provider.disturb(&system, &[]).await;
        alone.map_err(|error| Violation(format!("disturb with no faults failed: {}", chain(&error))))?;
    }
    probes(provider, instance, true).await
}

async fn resets(
    provider: &dyn Provider,
    request: &ProvisionRequest<'_>,
    instance: &InstanceTopology,
    journal: &Journal,
) -> Result<(), Violation> {
    let system = request.standing(instance);
    let kept = match provider.keep(&system, journal).await {
        Ok(()) => true,
        Err(ProviderError::Unsupported { .. }) => false,
        Err(error) => return Err(Violation(format!("keep failed: {}", chain(&error)))),
    };
    probes(provider, instance, true).await?;
    // Twice, since the first restore must leave what the second one needs.
    for reset in [Reset::None, Reset::Restart, Reset::Restore, Reset::Restore] {
        match provider.reset(&system, reset, journal).await {
            Ok(()) => probes(provider, instance, true).await?,
            Err(ProviderError::Unsupported { .. }) if reset == Reset::Restart => {}
            Err(ProviderError::Unsupported { .. }) if reset == Reset::Restore && !kept => {}
            Err(error) => return Err(Violation(format!("reset {reset:?} failed: {}", chain(&error)))),
        }
    }
    Ok(())
}

fn removed_all(
    resources: &[Resource],
    removals: &[Removal],
    journal: &Journal,
    exists: Exists<'_>,
) -> Result<(), Violation> {
    let named: Vec<&Resource> = removals.iter().map(|removal| &removal.resource).collect();
    check(named.len() == resources.len() && named.iter().zip(resources).all(|(a, b)| a.is_same(b)), || {
        format!("deprovision was asked for {resources:?} and answers for {named:?}")
    })?;
    for removal in removals {
        if let RemovalOutcome::Left { reason } = &removal.outcome {
            return Err(Violation(format!("{} is left: {reason}", removal.resource)));
        }
    }
    for resource in resources {
        check(!exists(resource), || format!("{resource} still exists after its removal"))?;
    }
    let bytes = std::fs::read(journal.path()).map_err(|error| Violation(format!("no journal: {error}")))?;
    let on_disk = Ledger::of(&bytes);
    let open: Vec<String> = on_disk
        .open_resources()
        .iter()
        .filter(|open| resources.iter().any(|resource| resource.is_same(open)))
        .map(ToString::to_string)
        .collect();
    check(open.is_empty(), || format!("removed but still open in the journal: {}", open.join(", ")))
}

fn open(path: &Path) -> Result<Journal, Violation> {
    Journal::open(path).map_err(|error| Violation(chain(&error)))
}

fn check(holds: bool, broken: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation(broken())) }
}
