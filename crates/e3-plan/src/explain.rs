//! The plan as a person reads it.

mod jobs;
mod stages;

use e3_model::{
    CollectPlan, GitClient, Order, Plan, PlannedDataset, ProviderName, Reset, Round, Span, StagePlan,
    ThreadPlan,
};

use crate::words::counted;

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
    text.push_str(&stages::table(plan));
    text.push_str(&stages::searches(plan));
    text.push('\n');
    text.push_str(&jobs::tables(plan));
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

fn totals(plan: &Plan) -> String {
    let load_ms: u64 = plan.rounds.iter().map(|round| length_ms(plan, round)).sum();
    let stages: usize = plan.rounds.iter().map(|round| round.stages.len()).sum();
    let at_once =
        |round: &Round| round.stages.iter().filter_map(|it| Some(plan.stage(*it)?.1.clients.len())).sum();
    let most: usize = plan.rounds.iter().map(at_once).max().unwrap_or(0);
    let has_search =
        plan.threads.iter().flat_map(|thread| &thread.stages).any(|stage| stage.search.is_some());
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
        "  {}, {}, {}{} of load, at most {} at once\n  {} for operations under way at a stage's end; between stages: {reset}\n  seed {}; Git client: {git}; {}\n",
        counted(number(plan.threads.len()), "thread"),
        counted(number(stages), "stage"),
        if has_search { "at most " } else { "" },
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

/// Returns how long a round holds its load: as long as its longest stage, a search as long as all the probes that it may
/// have.
fn length_ms(plan: &Plan, round: &Round) -> u64 {
    let stages = round.stages.iter().filter_map(|stage| Some(plan.stage(*stage)?.1));
    let length = |stage: &StagePlan| {
        let probes = stage.search.as_ref().map_or(1, |search| u64::from(search.probes));
        stage.duration.as_millis().saturating_mul(probes)
    };
    stages.map(length).max().unwrap_or(0)
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
