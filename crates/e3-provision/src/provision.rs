//! Setting up every thread of a plan: datasets, secrets, systems, data; then the topology.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use e3_dataset::{Dataset, Target, generate, load};
use e3_home::{Home, RunDir, RunSecrets, ThreadSecrets};
use e3_model::{
    Generate, Header, InstanceTopology, Plan, ProviderName, Reset, ThreadId, ThreadPlan, ThreadTopology,
    Topology, WorkerTopology, to_json,
};
use e3_provider::{Journal, Provider, ProvisionRequest, Resource};
use futures_util::future::try_join_all;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::secrets::public_keys;
use crate::stages::Place;
use crate::{ProvisionError, ProvisionEvent, generate_secrets};

/// What a run needs to be set up.
#[derive(Clone, Copy)]
pub struct ProvisionInput<'a> {
    /// The home: for the run's secrets and scratch directory.
    pub home: &'a Home,
    /// The run, which holds the plan's document and is locked by the caller.
    pub run: &'a RunDir,
    /// The plan.
    pub plan: &'a Plan,
    /// Where generated datasets are kept for the next run: [`e3_home::cache_directory`].
    pub cache: &'a Path,
    /// Who can set systems up.
    pub providers: &'a [Arc<dyn Provider>],
}

/// Who is told what happens.
pub(crate) type Events<'a> = &'a (dyn Fn(ProvisionEvent) + Send + Sync);

/// Looks whether everything is there that a plan's providers need, such as programs; creates nothing.
///
/// # Errors
/// When somebody is missing who could create a system, or misses something himself.
pub async fn check(plan: &Plan, providers: &[Arc<dyn Provider>]) -> Result<(), ProvisionError> {
    let mut checked = Vec::new();
    for (thread, thread_plan) in threads(plan) {
        let name = thread_plan.instance.provider;
        if !checked.contains(&name) {
            let check = find_provider(providers, thread, name)?.check().await;
            check.map_err(|source| ProvisionError::Provider { thread, act: "set up", source })?;
            checked.push(name);
        }
    }
    Ok(())
}

/// Sets up every thread's system at the same time, loads its data, and writes the topology once all of it stands.
///
/// Secrets are made and stored before any process starts.
///
/// # Errors
/// With the first thing that fails, and its thread; what was set up by then stands, and [`crate::deprovision`] removes it.
///
/// # Cancellation
/// May be dropped at any await; the journal then tells what stands.
pub async fn provision(input: &ProvisionInput<'_>, events: Events<'_>) -> Result<Topology, ProvisionError> {
    let providers = providers_of_threads(input)?;
    let datasets = datasets_of_threads(input, events).await?;
    let secrets = generate_secrets(datasets.iter().map(Arc::as_ref))?;
    let journal = Journal::open(&input.run.journal())?;
    refuse_occupied(&journal)?;
    write_secrets(input, &journal, &secrets)?;
    create_scratch(input, &journal)?;

    let parts = threads(input.plan).zip(providers).zip(&datasets).zip(&secrets.threads);
    let topologies = parts.map(|((((thread, plan), provider), dataset), secrets)| {
        let part = Part { input, journal: &journal, events, thread, plan, provider, dataset, secrets };
        Box::pin(part.set_up())
    });
    let topology = Topology {
        header: Header::of::<Topology>(Some(input.run.parent_of::<Plan>()?)),
        threads: try_join_all(topologies).await?,
        provisioned_at: now(),
    };
    input.run.write(&topology)?;
    Ok(topology)
}

/// Returns this moment as RFC 3339 in UTC.
pub(crate) fn now() -> String {
    OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default()
}

/// Returns the provider of that name.
pub(crate) fn find_provider(
    providers: &[Arc<dyn Provider>],
    thread: ThreadId,
    name: ProviderName,
) -> Result<&dyn Provider, ProvisionError> {
    let found = providers.iter().find(|provider| provider.name() == name);
    found.map(Arc::as_ref).ok_or(ProvisionError::NoProvider { thread, provider: name })
}

/// One thread, with all that setting it up takes.
struct Part<'a> {
    input: &'a ProvisionInput<'a>,
    journal: &'a Journal,
    events: Events<'a>,
    thread: ThreadId,
    plan: &'a ThreadPlan,
    provider: &'a dyn Provider,
    dataset: &'a Dataset,
    secrets: &'a ThreadSecrets,
}

impl Part<'_> {
    async fn set_up(self) -> Result<ThreadTopology, ProvisionError> {
        let instance = self.system().await?;
        self.load(&instance).await?;
        self.keep(&instance).await?;
        let workers = self.plan.workers.iter().map(|worker| WorkerTopology {
            worker: worker.worker,
            // A worker of the local provider runs where the coordinator runs; there is no other yet.
            address: "in-process".to_owned(),
        });
        Ok(ThreadTopology { thread: self.thread, instance, workers: workers.collect() })
    }

    async fn system(&self) -> Result<InstanceTopology, ProvisionError> {
        let Self { thread, input: ProvisionInput { home, run, .. }, .. } = *self;
        let password = home.admin_password_file(run.name(), thread, &self.secrets.admin_password)?;
        let request = ProvisionRequest {
            run: run.name(),
            thread,
            instance: &self.plan.instance,
            scratch: &home.scratch(run.name()),
            log_file: &|name| run.log_file(name),
            admin: ADMIN,
            admin_password_file: &password,
            snapshot: &snapshot_path(run, thread),
            node_ready: &|node| {
                let (node, url) = (node.name.clone(), node.url.clone());
                (self.events)(ProvisionEvent::NodeReady { thread, node, url });
            },
        };
        let instance = self.provider.provision(&request, self.journal).await;
        instance.map_err(|source| ProvisionError::Provider { thread, act: "set up", source })
    }

    /// Loads the dataset, and describes it in the run: what a run needs to know of its data goes with it.
    async fn load(&self, instance: &InstanceTopology) -> Result<(), ProvisionError> {
        let (thread, repositories) = (self.thread, self.dataset.repositories.len());
        (self.events)(ProvisionEvent::Loading { thread, repositories });
        let begun = Instant::now();
        let target = Target {
            url: instance.url.clone(),
            admin: instance.admin.clone(),
            admin_password: self.secrets.admin_password.clone(),
            users: self.secrets.users.clone(),
            public_keys: public_keys(thread, self.secrets)?,
        };
        let loaded =
            load(self.dataset, &target).await.map_err(|source| ProvisionError::Load { thread, source })?;
        let snapshot =
            to_json(&loaded.snapshot).map_err(|source| ProvisionError::Snapshot { thread, source })?;
        self.input.run.write_file(&instance.snapshot, &snapshot)?;
        let seconds = begun.elapsed().as_secs_f64();
        tracing::info!(%thread, repositories, seconds, "dataset loaded");
        (self.events)(ProvisionEvent::Loaded { thread, repositories, seconds });
        Ok(())
    }
}

impl Part<'_> {
    /// Keeps the loaded state, if the plan goes back to it between stages.
    async fn keep(&self, instance: &InstanceTopology) -> Result<(), ProvisionError> {
        let Self { thread, input: ProvisionInput { home, run, plan, .. }, .. } = *self;
        if plan.reset != Reset::Restore {
            return Ok(());
        }
        let begun = Instant::now();
        let place = Place::of(home, run, thread, &self.secrets.admin_password)?;
        let log_file = |name: &str| run.log_file(name);
        let system = place.standing(instance, &log_file);
        let kept = self.provider.keep(&system, self.journal).await;
        kept.map_err(|source| ProvisionError::Provider { thread, act: "keep the loaded state of", source })?;
        (self.events)(ProvisionEvent::Kept { thread, seconds: begun.elapsed().as_secs_f64() });
        Ok(())
    }
}

/// Fails before anything is created when somebody is missing who could create it.
fn providers_of_threads<'a>(input: &ProvisionInput<'a>) -> Result<Vec<&'a dyn Provider>, ProvisionError> {
    let providers = threads(input.plan).map(|(thread, plan)| {
        if let Some(worker) = plan.workers.iter().find(|worker| worker.provider != ProviderName::Local) {
            return Err(ProvisionError::NoProvider { thread, provider: worker.provider });
        }
        find_provider(input.providers, thread, plan.instance.provider)
    });
    providers.collect()
}

/// Returns each thread's dataset; threads with the same recipe share one.
async fn datasets_of_threads(
    input: &ProvisionInput<'_>,
    events: Events<'_>,
) -> Result<Vec<Arc<Dataset>>, ProvisionError> {
    let mut recipes: Vec<(&str, &Generate)> = Vec::new();
    let mut positions = Vec::new();
    for (thread, thread_plan) in threads(input.plan) {
        let planned = &thread_plan.instance.dataset;
        let no_recipe = || ProvisionError::NoRecipe { thread, snapshot: planned.snapshot.clone() };
        let recipe = (planned.snapshot.as_str(), planned.generate.as_ref().ok_or_else(no_recipe)?);
        let position = recipes.iter().position(|known| *known == recipe).unwrap_or_else(|| {
            recipes.push(recipe);
            recipes.len() - 1
        });
        positions.push(position);
    }
    let datasets = recipes.into_iter().map(|(name, recipe)| dataset(name, recipe, input.cache, events));
    let datasets = try_join_all(datasets).await?;
    Ok(positions.into_iter().filter_map(|position| datasets.get(position).cloned()).collect())
}

async fn dataset(
    name: &str,
    recipe: &Generate,
    cache: &Path,
    events: Events<'_>,
) -> Result<Arc<Dataset>, ProvisionError> {
    let snapshot = name.to_owned();
    events(ProvisionEvent::DatasetStarted { snapshot, repositories: recipe.repositories });
    let begun = Instant::now();
    let dataset = generate(name, recipe, cache)
        .await
        .map_err(|source| ProvisionError::Dataset { snapshot: name.to_owned(), source })?;
    let (repositories, seconds) = (dataset.repositories.len(), begun.elapsed().as_secs_f64());
    events(ProvisionEvent::DatasetReady { snapshot: name.to_owned(), repositories, seconds });
    Ok(Arc::new(dataset))
}

/// A second system beside a first one of the same run would be nobody's.
fn refuse_occupied(journal: &Journal) -> Result<(), ProvisionError> {
    let open = journal.open_resources();
    match open.first() {
        Some(first) => Err(ProvisionError::Occupied { count: open.len(), first: first.to_string() }),
        None => Ok(()),
    }
}

/// Journals the secrets' directory before it exists, so that a run that was moved away from its home still finds it.
fn write_secrets(
    input: &ProvisionInput<'_>,
    journal: &Journal,
    secrets: &RunSecrets,
) -> Result<(), ProvisionError> {
    let path = input.home.secrets_directory(input.run.name())?;
    let failed = |source| ProvisionError::Scratch { path: path.clone(), source };
    let resource = Resource::Directory { path: std::path::absolute(&path).map_err(failed)? };
    journal.intent(&resource)?;
    input.home.write_secrets(input.run.name(), secrets)?;
    Ok(journal.created(&resource)?)
}

fn create_scratch(input: &ProvisionInput<'_>, journal: &Journal) -> Result<(), ProvisionError> {
    let path = input.home.scratch(input.run.name());
    let failed = |source| ProvisionError::Scratch { path: path.clone(), source };
    let resource = Resource::Directory { path: std::path::absolute(&path).map_err(failed)? };
    journal.intent(&resource)?;
    std::fs::create_dir_all(&path).map_err(failed)?;
    journal.created(&resource)?;
    Ok(())
}

fn threads(plan: &Plan) -> impl Iterator<Item = (ThreadId, &ThreadPlan)> {
    (0..).map(ThreadId).zip(&plan.threads)
}

fn snapshot_path(run: &RunDir, thread: ThreadId) -> String {
    let path = run.snapshot_file(thread);
    path.strip_prefix(run.path()).unwrap_or(&path).display().to_string()
}

const ADMIN: &str = "admin";
