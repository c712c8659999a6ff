//! Makes the plan of an experiment that no rule objects to.

use e3_model::{
    Collect, CollectPlan, Experiment, GitClient, Header, InstancePlan, Job, JobPlan, Mix, Plan,
    PlannedDataset, Reset, Seed, Span, StagePlan, ThreadPlan, Threshold, WorkerId, WorkerPlan, Workload,
};

use crate::assign::{self, Assignment};
use crate::check::properties;
use crate::context::{Context, Stage};
use crate::rounds::rounds;
use crate::{search, threshold};

/// Returns the plan; none when something is missing that the rules ask for.
pub(crate) fn plan(name: &str, context: &Context<'_>) -> Option<Plan> {
    let experiment = context.experiment;
    let seed = experiment.seed.unwrap_or(Seed(1));
    let threads = (0..experiment.threads.len()).map(|position| thread(context, position, seed));
    let threads: Vec<ThreadPlan> = threads.collect::<Option<_>>()?;
    let stages: Vec<u32> =
        threads.iter().map(|it| u32::try_from(it.stages.len()).ok()).collect::<Option<_>>()?;
    let order = context.order();
    Some(Plan {
        header: Header::of::<Plan>(None),
        experiment: name.to_owned(),
        description: experiment.description.clone(),
        seed,
        order,
        git_client: experiment.git_client.unwrap_or(GitClient::Native),
        reset: experiment.reset.unwrap_or(Reset::None),
        baseline: context.baseline(),
        thresholds: thresholds(context)?,
        collect: collect(experiment),
        threads,
        rounds: rounds(order, &stages),
    })
}

fn thresholds(context: &Context<'_>) -> Option<Vec<Threshold>> {
    let texts = context.experiment.thresholds.iter();
    texts.map(|text| Some(threshold::read(context, text).ok()?.threshold)).collect()
}

/// Returns what is gathered: all there is, where nothing is said.
fn collect(experiment: &Experiment) -> CollectPlan {
    let Collect { interval, sources } = experiment.collect.clone().unwrap_or_default();
    let all = CollectPlan::default();
    let chosen = |source: &String| sources.as_ref().is_none_or(|sources| sources.contains(source));
    CollectPlan {
        interval: interval.unwrap_or(all.interval),
        sources: all.sources.into_iter().filter(chosen).collect(),
    }
}

fn thread(context: &Context<'_>, position: usize, seed: Seed) -> Option<ThreadPlan> {
    let placement = context.placements.get(position)?;
    let snapshot = context.experiment.threads.get(position)?.instance.snapshot.clone()?;
    let generate = context.snapshot(&snapshot).ready().and_then(|(_, snapshot)| snapshot.generate.clone());
    let mut stages = Vec::new();
    for written in context.stages.iter().filter(|stage| stage.thread == position) {
        for _ in 0..written.repeat() {
            // The same for every thread, so that all are put through the same draws and differ by less chance.
            let seed = seed.fork(u64::try_from(stages.len()).ok()?);
            stages.push(stage(context, written, placement.workers, seed)?);
        }
    }
    let workers = (0..placement.workers)
        .map(|worker| WorkerPlan { worker: WorkerId(worker), provider: placement.worker.provider })
        .collect();
    Some(ThreadPlan {
        name: context.thread_name(position),
        instance: InstancePlan {
            provider: placement.instance.provider,
            nodes: placement.nodes,
            dataset: PlannedDataset { snapshot, generate },
            properties: properties::of(&context.experiment.threads.get(position)?.instance),
        },
        workers,
        co_located: placement.is_co_located(),
        stages,
    })
}

fn stage(context: &Context<'_>, stage: &Stage<'_>, workers: u32, seed: Seed) -> Option<StagePlan> {
    let name = stage.workload()?.value;
    let (document, workload) = context.workload(&name).ready()?;
    let clients = stage.clients()?;
    let mix = stage.effective_mix();
    let jobs = jobs(context, (document, workload), clients, mix)?;
    let shares: Vec<u32> = jobs.iter().map(|job| job.clients).collect();
    // In the open model the rate climbs instead, and every client is there from the start.
    let ramp_up = stage.ramp_up().filter(|_| !stage.is_open()).map_or(Span::ZERO, |ramp_up| ramp_up.value);
    let assignment = Assignment { clients, workers, mix, shares: &shares, ramp_up, seed };
    Some(StagePlan {
        duration: stage.duration()?.value,
        operations: stage.spec.operations,
        warm_up: stage.warm_up().map_or(Span::ZERO, |warm_up| warm_up.value),
        grace: GRACE,
        think_time: stage.effective_think_time(),
        mix,
        workload: name,
        jobs,
        arrivals: stage.arrivals(seed),
        transport: stage.transport(),
        clients: assign::clients(&assignment),
        faults: stage.spec.faults.clone(),
        search: search::plan(context, stage),
    })
}

fn jobs(
    context: &Context<'_>,
    (document, workload): (usize, &Workload),
    clients: u32,
    mix: Mix,
) -> Option<Vec<JobPlan>> {
    let weighted: Vec<_> = workload.0.iter().enumerate().filter(|(_, job)| job.weight > 0.0).collect();
    let weights: Vec<f64> = weighted.iter().map(|(_, job)| job.weight).collect();
    let shares = match mix {
        Mix::Clients => assign::shares(&weights, clients),
        Mix::Ops => vec![0; weights.len()],
    };
    let plan = |((position, job), clients): (&(usize, &Job), u32)| {
        let prepared = context.job(document, *position)?;
        Some(JobPlan {
            script: context.script(job)?.name.clone(),
            ops: prepared.ops.clone(),
            weight: job.weight,
            scale: job.scale.unwrap_or(1.0),
            clients,
            arguments: prepared.arguments.clone(),
        })
    };
    weighted.iter().zip(shares).map(plan).collect()
}

/// How long operations that are under way at a stage's end may take to finish.
const GRACE: Span = Span::from_secs(5);
