//! `e3 run`: conducts the stages of a provisioned run with a fleet of one.

mod disturb;
mod judge;
mod product;
mod watched;

use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use e3_fleet::{
    BetweenStages, Conduct, FleetEvent, Watch, WorkerAddress, WorkerPort, conduct, in_process_bus, is_whole,
    serve,
};
use e3_home::{Home, RunDir, RunSecrets};
use e3_metrics::Targets;
use e3_model::{
    Document as _, Fault, Plan, ProductVersion, Reset, Run, Snapshot, StageOutcome, Teardown, ThreadId,
    ThreadTopology, Topology, Transport,
};
use e3_provider::{NodeProbe, Provider};
use e3_workload::{Account, Ciphers, RepositoryDraw, Setting};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::provision::removal_hint;
use crate::app::App;
use crate::display::Display;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::data_json;
use crate::{interrupt, registry};

pub(crate) async fn perform(app: &App, run: &str) -> Result<Exit, Failure> {
    let (run, _lock) = app.open(run)?;
    let stop = interrupt::watch(removal_hint(app, &run))?;
    let record =
        conduct_run(app, &run, stop).await.map_err(|failure| failure.or_hint(|| removal_hint(app, &run)))?;
    if app.json {
        data_json(&record)?;
    }
    app.printer.progress("done", &format!("next: {}", app.command("gather", &run)));
    exit_of(&record, &run.read()?)
}

/// Runs all stages of a provisioned run.
///
/// # Errors
/// When a document is missing, a worker fails, or samples cannot be stored.
pub(crate) async fn conduct_run(app: &App, run: &RunDir, stop: CancellationToken) -> Result<Run, Failure> {
    if run.path().join(Teardown::FILE).exists() {
        let gone = anyhow::anyhow!("{} was deprovisioned, so there is nothing to run against", run.name());
        return Err(Failure::new(Exit::Run, gone).hint("`e3 provision` begins a new run"));
    }
    if run.path().join(Run::FILE).exists() {
        let again =
            anyhow::anyhow!("{} has run already, and a run's samples are never overwritten", run.name());
        let gather = app.command("gather", run);
        let hint = format!("`{gather}` goes on with it; `e3 provision` begins a new run");
        return Err(Failure::new(Exit::Run, again).hint(hint));
    }
    let plan: Plan = run.read()?;
    let topology: Topology = run.read()?;
    let secrets = app.home.of(run).read_secrets(run.name())?;
    let settings = topology
        .threads
        .iter()
        .map(|thread| setting(run, (&plan, thread), &secrets).map(Arc::new))
        .collect::<Result<Vec<_>, Failure>>()?;
    let providers = registry::providers(app.program.clone());
    let home = app.home.of(run);
    let between_stages = Systems { topology: &topology, providers: &providers, home: &home, run };
    let judge = judge::Numbers { run };
    let display = Display::begin(&app.printer, &plan);
    let events = |event: FleetEvent| display.hear(&event);
    let input = Conduct {
        plan: &plan,
        run,
        settings,
        between_stages: &between_stages,
        judge: &judge,
        metric_sources: registry::metric_sources(),
        watch: &between_stages,
        stop,
        events: &events,
    };

    let addresses: Vec<_> = topology.threads.iter().flat_map(addresses).collect();
    let (mut coordinator, ends) = in_process_bus(&addresses);
    let mut workers = JoinSet::new();
    for end in ends {
        let port: Box<dyn WorkerPort> = Box::new(end);
        workers.spawn(serve(port, registry::catalogue()));
    }
    let record = conduct(&input, &mut coordinator)
        .await
        .with_context(|| format!("the stages of {} could not be run to their end", run.name()))
        .map_err(|error| Failure::new(Exit::Run, error))?;
    drop(coordinator);
    while let Some(ended) = workers.join_next().await {
        ended.context("a worker ended abnormally")?.context("a worker lost the bus")?;
    }
    Ok(record)
}

/// Returns the exit code that a run's record stands for.
///
/// # Errors
/// With the stage that failed, which ended the run.
pub(crate) fn exit_of(record: &Run, plan: &Plan) -> Result<Exit, Failure> {
    for stage in &record.stages {
        match &stage.outcome {
            StageOutcome::Completed => {}
            StageOutcome::Interrupted => return Ok(Exit::Interrupted),
            StageOutcome::Failed { reason } => {
                let failed = anyhow::anyhow!("{} failed: {reason}", stage.stage);
                let hint = "what was measured until then is kept, and no later stage was begun";
                return Err(Failure::new(Exit::Run, failed).hint(hint));
            }
        }
    }
    // An interrupt between two stages leaves no mark on either.
    Ok(if is_whole(plan, record) { Exit::Success } else { Exit::Interrupted })
}

/// Returns what the clients of a thread know of their system under test.
fn setting(
    run: &RunDir,
    (plan, thread): (&Plan, &ThreadTopology),
    secrets: &RunSecrets,
) -> Result<Setting, Failure> {
    let path = run.path().join(&thread.instance.snapshot);
    let shown = path.display().to_string();
    let bytes = std::fs::read(&path).with_context(|| format!("the snapshot {shown} cannot be read"))?;
    let snapshot: Snapshot =
        serde_json::from_slice(&bytes).with_context(|| format!("{shown} is not a snapshot"))?;
    let known = secrets
        .threads
        .get(thread.thread.index())
        .with_context(|| format!("the secrets of {} are gone", thread.thread))?;
    let users = snapshot
        .users
        .iter()
        .filter_map(|user| {
            let password = known.users.get(&user.username).cloned().or_else(|| user.password.clone())?;
            let private_key = known.private_keys.get(&user.username).cloned();
            let private_key = private_key.or_else(|| user.private_key.clone());
            Some(Account { name: user.username.clone(), password, private_key })
        })
        .collect();
    Ok(Setting {
        url: thread.instance.url.clone(),
        nodes: thread.instance.nodes.iter().map(|node| node.url.clone()).collect(),
        ssh: thread.instance.ssh.clone(),
        admin: Account {
            name: thread.instance.admin.clone(),
            password: known.admin_password.clone(),
            private_key: None,
        },
        users,
        repositories: RepositoryDraw::of(&snapshot),
        ca: thread.instance.ca.clone(),
        git_client: plan.git_client,
        transport: Transport::default(),
        product: None,
        ciphers: Ciphers::default(),
    })
}

fn addresses(thread: &ThreadTopology) -> Vec<WorkerAddress> {
    thread
        .workers
        .iter()
        .map(|worker| WorkerAddress { thread: thread.thread, worker: worker.worker })
        .collect()
}

/// Asks and resets systems under test through their providers.
struct Systems<'a> {
    topology: &'a Topology,
    providers: &'a [Arc<dyn Provider>],
    home: &'a Home,
    run: &'a RunDir,
}

impl Systems<'_> {
    fn of(&self, thread: ThreadId) -> Result<&ThreadTopology, String> {
        let found = self.topology.threads.get(thread.index());
        found.ok_or_else(|| format!("{thread} is not in the topology"))
    }
}

#[async_trait]
impl BetweenStages for Systems<'_> {
    async fn reset(&self, thread: ThreadId, reset: Reset) -> Result<(), String> {
        let done = e3_provision::reset(self.home, self.run, self.of(thread)?, reset, self.providers).await;
        done.map_err(|error| e3_model::with_causes(&error))
    }

    async fn prepare(&self, thread: ThreadId, faults: &[Fault]) -> Result<Option<ProductVersion>, String> {
        // Asked while nothing disturbs it: what it says shall not depend on that.
        disturb::disturb(self, thread, &[]).await?;
        let product = product::version(self.run, self.of(thread)?).await;
        if !faults.is_empty() {
            disturb::disturb(self, thread, faults).await?;
        }
        Ok(product)
    }

    async fn verify(&self, thread: ThreadId) -> Result<(), String> {
        let topology = self.of(thread)?;
        let mut answers = Vec::new();
        // One lost answer after a heavy stage is no dead node.
        for _ in 0..PROBES {
            let probe = e3_provision::probe(topology, self.providers).await;
            answers = probe.map_err(|error| e3_model::with_causes(&error))?.nodes;
            if answers.iter().all(NodeProbe::is_running) {
                return Ok(());
            }
        }
        let lost = answers.iter().filter(|node| !node.is_running()).map(|node| {
            let state = node.state.as_ref().unwrap_or_else(|why| why);
            let log = self.run.log_file(&format!("{thread}-{}", node.name));
            format!(
                "{} of {thread} does not serve any more: {state}; its log is {}",
                node.name,
                log.display()
            )
        });
        Err(lost.collect::<Vec<_>>().join("; "))
    }
}

#[async_trait]
impl Watch for Systems<'_> {
    async fn targets(&self, thread: ThreadId) -> Result<Targets, String> {
        let found = watched::targets(self.run, self.of(thread)?);
        found.map_err(|error| format!("the journal cannot be read: {error}"))
    }
}

/// How often a system is asked before it counts as lost.
const PROBES: usize = 2;
