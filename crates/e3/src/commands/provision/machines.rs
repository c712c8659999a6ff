//! Refuses an experiment whose machines nobody here can set up, before anything is created.

use std::sync::Arc;

use e3_home::Origin;
use e3_model::{Kind, Plan, ProviderName, ThreadPlan};
use e3_provider::Provider;

use crate::app::App;
use crate::exit::Exit;
use crate::failure::Failure;

/// Looks whether there is a provider for every system and every worker.
///
/// # Errors
/// When there is none, with the threads that need it.
pub(super) fn check(app: &App, plan: &Plan, providers: &[Arc<dyn Provider>]) -> Result<(), Failure> {
    let is_here = |name: ProviderName| providers.iter().any(|provider| provider.name() == name);
    let needed = |thread: &ThreadPlan| {
        let workers = thread.workers.iter().map(|worker| worker.provider);
        std::iter::once(thread.instance.provider).chain(workers).find(|name| !is_here(*name))
    };
    let Some(missing) = plan.threads.iter().find_map(needed) else { return Ok(()) };
    let threads = plan.threads.iter().filter(|thread| needed(thread) == Some(missing));
    let names: Vec<String> = threads.map(|thread| format!("{:?}", thread.name)).collect();
    let machines = match missing {
        ProviderName::Aws => "set up machines on AWS",
        ProviderName::Ssh => "use machines over SSH",
        ProviderName::Local | ProviderName::Existing => "set up this experiment's machines",
    };
    let refused = anyhow::anyhow!(
        "this version of e3 cannot {machines} yet, which {} needs for {}",
        plan.experiment,
        listed(&names)
    );
    Err(Failure::new(Exit::Provision, refused).hint(hint(app, plan)))
}

/// Names the experiment of the library that asks the same here, where there is one.
fn hint(app: &App, plan: &Plan) -> String {
    let own = LOCAL.iter().find(|(name, _)| *name == plan.experiment).map(|(_, local)| *local);
    let known = app.home.list(Kind::Experiment);
    let known = |name: &str| known.iter().any(|own| own.name == name && own.origin == Origin::Library);
    let instead = match own.filter(|name| known(name)) {
        Some(local) => {
            format!("`{}` asks the like on this machine", app.at_home(&format!("e3 orchestrate -e {local}")))
        }
        None => "\"provider\": \"local\" sets up a githost on this machine".to_owned(),
    };
    format!("nothing was created; {instead}")
}

/// Returns names as a sentence has them, the first few of many.
fn listed(names: &[String]) -> String {
    match names {
        [one] => format!("its thread {one}"),
        [first, second] => format!("its threads {first} and {second}"),
        [first, .., last] => format!("its {} threads, {first} to {last}", names.len()),
        [] => "its threads".to_owned(),
    }
}

/// Which experiment asks on this machine what one of the first E3 asks on AWS.
const LOCAL: [(&str, &str); 5] = [
    ("adaptive-scaling", "local-adaptive-scaling"),
    ("cluster-scaling-ssh", "local-cluster-scaling"),
    ("horizontal-scaling", "local-cluster-scaling"),
    ("mixed-test", "local-cluster-scaling"),
    ("pull-request", "local-pull-request"),
];
