//! What the format has, but this version cannot execute yet, is said plainly instead of being left out.

use e3_model::{ExperimentThread, HttpVersion, ProviderName};

use super::Rule;
use crate::context::{Context, EXPERIMENT, Stage};
use crate::placement::{Chosen, Placement};
use crate::report::{Found, Place, Report};
use crate::{pointer, words};

pub(super) const RULE: Rule = Rule { name: "not-in-this-version", check };

/// Scripts of the first E3 that this version does not have yet, where the library does not list them.
pub(super) const SCRIPTS: &[&str] = &[
    "scm.GitCloneOverSsh",
    "scm.GitCloneOverHttp",
    "scm.GitCloneOverHttpDirect",
    "scm.GitLsRemoteSsh",
    "scm.GitLsRemoteHttp",
    "scm.GitLsRemoteHttpDirect",
    "scm.PushChangesSsh",
    "scm.PushChangesHttp",
    "scm.PushChangesHttpDirect",
    "web.Dashboard",
    "web.BrowseProjectsAndRepositories",
    "web.ListPullRequests",
    "web.ViewPullRequest",
    "web.PullRequestWorkflow",
    "web.ListUsers",
    "web.Audit",
    "web.Status",
    "persona.SshBuildAgent",
    "persona.HttpBuildAgent",
    "persona.DeveloperUsingPullRequests",
];

fn check(context: &Context<'_>, report: &mut Report) {
    for (position, (thread, placement)) in
        context.experiment.threads.iter().zip(&context.placements).enumerate()
    {
        check_thread(&format!("/threads/{position}"), thread, placement, report);
    }
    for stage in &context.stages {
        check_stage(context, stage, report);
    }
    for (document, workload) in context.ready_workloads() {
        for (position, job) in workload.0.iter().enumerate() {
            if context.script(job).is_none() && SCRIPTS.contains(&job.script_name()) {
                let place = Place::value(document, format!("/{position}/script"));
                refuse(report, place, &format!("run the script {}", words::quoted(&job.script)));
            }
        }
    }
}

fn check_thread(pointer: &str, thread: &ExperimentThread, placement: &Placement, report: &mut Report) {
    let (instance, worker) = (&thread.instance, &thread.worker);
    check_provider(pointer, "instance", &placement.instance, report);
    check_provider(pointer, "worker", &placement.worker, report);
    let is_many = placement.worker.provider == ProviderName::Local && placement.workers > 1;
    let settings = [
        (
            instance.mirrors.is_some_and(|mirrors| mirrors > 0),
            "instance/mirrors",
            "set up mirrors (\"mirrors\")",
        ),
        (
            instance.database.as_deref() == Some("postgresql"),
            "instance/database",
            "use PostgreSQL for a githost (\"database\")",
        ),
        (instance.lease.is_some(), "instance/lease", "keep a lease on machines (\"lease\")"),
        (instance.budget.is_some(), "instance/budget", "keep to a budget (\"budget\")"),
        (worker.lease.is_some(), "worker/lease", "keep a lease on machines (\"lease\")"),
        (worker.budget.is_some(), "worker/budget", "keep to a budget (\"budget\")"),
        (is_many, "worker/nodes", "run more than one worker (\"nodes\")"),
    ];
    for (_, key, what) in settings.iter().filter(|(is_set, ..)| *is_set) {
        refuse(report, Place::key(EXPERIMENT, format!("{pointer}/{key}")), what);
    }
}

fn check_provider(pointer: &str, part: &str, chosen: &Chosen, report: &mut Report) {
    let what = match chosen.provider {
        ProviderName::Local | ProviderName::Existing => return,
        ProviderName::Ssh => "use machines over SSH",
        ProviderName::Aws => "use machines on AWS",
    };
    let key = chosen.key.unwrap_or("provider");
    let place = Place::key(EXPERIMENT, format!("{pointer}/{part}/{key}"));
    refuse(report, place, &format!("{what} (the {part}'s {key:?})"));
}

fn check_stage(context: &Context<'_>, stage: &Stage<'_>, report: &mut Report) {
    if stage.spec.search.is_some() {
        let place = Place::key(EXPERIMENT, pointer::join(&stage.pointer, "search"));
        refuse(report, place, "search for the highest load (\"search\")");
    }
    let is_githost = context.placements.get(stage.thread).map(|placement| placement.instance.provider)
        == Some(ProviderName::Local);
    if let Some(http) = stage.http().filter(|http| is_githost && http.value == HttpVersion::Http2) {
        refuse(report, http.place, "speak HTTP/2 with a githost (\"http\")")
            .hint("take it out; `e3 load --http 2` speaks it with a system that is there already");
    }
}

fn refuse<'r>(report: &'r mut Report, place: Place, what: &str) -> &'r mut Found {
    report.error(place, format!("this version of e3 cannot {what} yet"))
}
