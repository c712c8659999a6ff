//! The plan as a person reads it.

use std::collections::BTreeSet;

use e3_model::{
    ClientPlan, CollectPlan, Distribution, GitClient, Mix, Order, Plan, PlannedDataset, ProviderName, Reset,
    Round, Span, StagePlan, StageRef, ThreadPlan, quantity,
};

use crate::table;
use crate::words::{counted, decimal};

/// Returns the plan in words and tables: who runs what, where, when, and how many clients each job gets.
pub fn explain(plan: &Plan) -> String {
    let mut text = format!("Experiment {}\n", plan.experiment);
    if let Some(description) = &plan.description {
        text.push_str(&format!("{description}\n"));
    }
    text.push_str("\nThreads\n");
    plan.threads.iter().enumerate().for_each(|(position, thread)| {
        let is_baseline = plan.threads.len() > 1 && plan.baseline.index() == position;
        text.push_str(&thread_lines(thread, is_baseline));
    });
    text.push_str(&format!("\nStages, {}\n", order_in_words(plan)));
    text.push_str(&stage_table(plan));
    for (index, stage) in distinct_workloads(plan).into_iter().enumerate() {
        text.push_str(if index == 0 { "\nJobs" } else { "Jobs" });
        text.push_str(&job_lines(plan, stage));
    }
    if !plan.thresholds.is_empty() {
        text.push_str("\nThresholds, at every stage that has these ops\n");
        plan.thresholds.iter().for_each(|threshold| text.push_str(&format!("  {}\n", threshold.text)));
    }
    text.push_str("\nIn all\n");
    text.push_str(&totals(plan));
    text
}

fn thread_lines(thread: &ThreadPlan, is_baseline: bool) -> String {
    let nodes = counted(thread.instance.nodes, "node");
    let (system, place) = match thread.instance.provider {
        ProviderName::Local => ("githost", "on this machine"),
        ProviderName::Ssh => ("system", "on machines reached over SSH"),
        ProviderName::Aws => ("system", "on AWS"),
        ProviderName::Existing => ("system", "that is there already"),
    };
    let workers = counted(u64::try_from(thread.workers.len()).unwrap_or(u64::MAX), "worker");
    let worker_place = if thread.co_located {
        "on the same machine: its numbers may be compared between threads, but are no capacity"
    } else {
        match thread.workers.first().map(|worker| worker.provider) {
            Some(ProviderName::Ssh) => "on machines reached over SSH",
            Some(ProviderName::Aws) => "on AWS",
            Some(ProviderName::Local | ProviderName::Existing) | None => "on this machine",
        }
    };
    format!(
        "  {}{}\n    system   {system} of {nodes} {place}\n    dataset  {}\n    load     {workers} {worker_place}\n",
        thread.name,
        if is_baseline { ", the baseline of all comparisons" } else { "" },
        dataset_in_words(&thread.instance.dataset)
    )
}

fn dataset_in_words(dataset: &PlannedDataset) -> String {
    let Some(generate) = &dataset.generate else {
        return format!("{}, which is there already", dataset.snapshot);
    };
    let commits = if generate.commits_min == generate.commits_max {
        generate.commits_min.to_string()
    } else {
        format!("{} to {}", generate.commits_min, generate.commits_max)
    };
    let requests = match generate.pull_requests {
        0 => String::new(),
        count => format!(", {}", counted(count, "pull request")),
    };
    let assets = match generate.assets_mb {
        0 => String::new(),
        megabytes => format!(", {megabytes} MB of binary files"),
    };
    format!(
        "{}: {}, {} of {commits} commits{requests}{assets}, {}; made by e3 from seed {}",
        dataset.snapshot,
        counted(generate.projects, "project"),
        counted(generate.repositories, "repository"),
        counted(generate.users, "user"),
        generate.seed.0
    )
}

fn order_in_words(plan: &Plan) -> &'static str {
    match plan.order {
        _ if plan.threads.len() < 2 => "one after another",
        Order::Parallel => "the same stage of all threads at once",
        Order::Interleaved => "the threads in turn, every other time backward; the idle systems get no load",
    }
}

fn stage_table(plan: &Plan) -> String {
    let header = [
        "starts at",
        "thread",
        "stage",
        "clients",
        "duration",
        "warm-up",
        "clients start",
        "think time",
        "workload",
    ];
    let mut rows = Vec::new();
    let mut start = 0;
    for round in &plan.rounds {
        rows.extend(round.stages.iter().filter_map(|stage| stage_row(plan, *stage, start)));
        start += length_ms(plan, round);
    }
    table::lines(&header.map(str::to_owned), &rows)
}

fn stage_row(plan: &Plan, at: StageRef, start_ms: u64) -> Option<Vec<String>> {
    let (thread, stage) = plan.stage(at)?;
    Some(vec![
        format!("+{}", clock(start_ms)),
        thread.name.clone(),
        at.stage.0.to_string(),
        clients_in_words(thread, stage),
        length_in_words(stage),
        if stage.warm_up == Span::ZERO { "none".to_owned() } else { stage.warm_up.to_string() },
        starts_in_words(&stage.clients),
        if stage.think_time == Distribution::NONE { "none".to_owned() } else { stage.think_time.to_string() },
        stage.workload.clone(),
    ])
}

fn length_in_words(stage: &StagePlan) -> String {
    match stage.operations {
        Some(operations) => format!("{} ops, at most {}", quantity::count(operations), stage.duration),
        None => stage.duration.to_string(),
    }
}

/// Returns the number of clients, and how they are spread where there is more than one worker.
fn clients_in_words(thread: &ThreadPlan, stage: &StagePlan) -> String {
    let all = stage.clients.len();
    if thread.workers.len() < 2 {
        return all.to_string();
    }
    let of_worker =
        |worker| stage.clients.iter().filter(|client| client.worker == worker).count().to_string();
    let spread: Vec<String> = thread.workers.iter().map(|worker| of_worker(worker.worker)).collect();
    format!("{all} = {}", spread.join(" + "))
}

fn starts_in_words(clients: &[ClientPlan]) -> String {
    match clients.iter().map(|client| client.start_offset).max() {
        Some(last) if last > Span::ZERO => format!("within {last}"),
        _ => "at once".to_owned(),
    }
}

/// Returns one stage for each workload and mix, in the order of the plan.
fn distinct_workloads(plan: &Plan) -> Vec<&StagePlan> {
    let mut seen = BTreeSet::new();
    let stages = plan.threads.iter().flat_map(|thread| &thread.stages);
    stages.filter(|stage| seen.insert((&stage.workload, stage.mix == Mix::Ops))).collect()
}

fn job_lines(plan: &Plan, like: &StagePlan) -> String {
    let mut header = vec!["job".to_owned(), "share".to_owned()];
    let intro = match like.mix {
        Mix::Ops => "every client draws its next job by its share",
        Mix::Clients => "every client keeps its job for the stage",
    };
    let sizes = client_counts(plan, like);
    let mut rows: Vec<Vec<String>> = like
        .jobs
        .iter()
        .map(|job| vec![job.script.clone(), format!("{} %", decimal(job.weight * 100.0))])
        .collect();
    if like.mix == Mix::Clients {
        for (clients, stage) in sizes {
            header.push(format!("of {clients}"));
            for (row, job) in rows.iter_mut().zip(&stage.jobs) {
                row.push(job.clients.to_string());
            }
        }
    }
    format!(" of the workload {}: {intro}\n{}", like.workload, table::lines(&header, &rows))
}

/// Returns one stage for each number of clients that get this workload and mix, in the order of the plan.
fn client_counts<'a>(plan: &'a Plan, like: &StagePlan) -> Vec<(usize, &'a StagePlan)> {
    let mut seen = BTreeSet::new();
    let stages = plan.threads.iter().flat_map(|thread| &thread.stages);
    stages
        .filter(|stage| stage.workload == like.workload && stage.mix == like.mix)
        .map(|stage| (stage.clients.len(), stage))
        .filter(|(clients, _)| seen.insert(*clients))
        .collect()
}

fn totals(plan: &Plan) -> String {
    let load_ms: u64 = plan.rounds.iter().map(|round| length_ms(plan, round)).sum();
    let stages: usize = plan.rounds.iter().map(|round| round.stages.len()).sum();
    let at_once =
        |round: &Round| round.stages.iter().filter_map(|it| Some(plan.stage(*it)?.1.clients.len())).sum();
    let most: usize = plan.rounds.iter().map(at_once).max().unwrap_or(0);
    let number = |it: usize| u64::try_from(it).unwrap_or(u64::MAX);
    let git = match plan.git_client {
        GitClient::Native => "e3's own",
        GitClient::Git => "the real git",
    };
    let reset = match plan.reset {
        Reset::None => "nothing",
        Reset::Restart => "a restart",
        Reset::Restore => "a restore of the dataset",
    };
    format!(
        "  {}, {}, {} of load, at most {} at once\n  {} for operations under way at a stage's end; between stages: {reset}\n  seed {}; Git client: {git}; {}\n",
        counted(number(plan.threads.len()), "thread"),
        counted(number(stages), "stage"),
        clock(load_ms),
        counted(number(most), "client"),
        grace_in_words(plan),
        plan.seed.0,
        metrics_in_words(&plan.collect),
    )
}

fn metrics_in_words(collect: &CollectPlan) -> String {
    if collect.sources.is_empty() {
        return "no metrics".to_owned();
    }
    format!("metrics every {}: {}", collect.interval, collect.sources.join(", "))
}

fn grace_in_words(plan: &Plan) -> String {
    let stages = plan.threads.iter().flat_map(|thread| &thread.stages);
    let longest = stages.map(|stage| stage.grace).max().unwrap_or(Span::ZERO);
    format!("up to {longest} more")
}

/// Returns how long a round holds its load: as long as its longest stage.
fn length_ms(plan: &Plan, round: &Round) -> u64 {
    let durations = round.stages.iter().filter_map(|stage| Some(plan.stage(*stage)?.1.duration.as_millis()));
    durations.max().unwrap_or(0)
}

/// Returns a time in the units in which people speak of it.
fn clock(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60, milliseconds % 1000) {
        (0, 0, seconds, 0) => format!("{seconds} s"),
        (0, 0, seconds, rest) => format!("{seconds}.{:01} s", rest / 100),
        (0, minutes, seconds, _) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _, _) => format!("{hours} h {minutes:02} min"),
    }
}
