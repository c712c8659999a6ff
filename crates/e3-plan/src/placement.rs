//! Who sets up what, how much of it, and on which machines.

use std::collections::{BTreeMap, BTreeSet};

use e3_model::{Experiment, ExperimentThread, Order, ProviderName, Stack};
use serde_json::Value;

/// Where a thread's system under test and its workers run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placement {
    /// Who sets up the system under test.
    pub(crate) instance: Chosen,
    /// How many nodes it has.
    pub(crate) nodes: u32,
    /// Who sets up the workers.
    pub(crate) worker: Chosen,
    /// How many workers there are.
    pub(crate) workers: u32,
}

/// A provider, and the key from which it follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// The provider.
    pub(crate) provider: ProviderName,
    /// `provider`, `stack` or `template`; none when nothing is said.
    pub(crate) key: Option<&'static str>,
    /// The machines, as far as a document can tell them apart.
    machine: Option<String>,
}

impl Placement {
    /// Returns the placement of a thread.
    pub(crate) fn of(thread: &ExperimentThread) -> Self {
        let (instance, worker) = (&thread.instance, &thread.worker);
        Self {
            instance: Chosen::from(instance.provider, instance.stack.as_ref(), instance.template.as_ref()),
            nodes: instance.nodes.or_else(|| number(&instance.parameters, "ClusterNodeMin")).unwrap_or(1),
            worker: Chosen::from(worker.provider, worker.stack.as_ref(), worker.template.as_ref()),
            workers: worker.nodes.or_else(|| number(&worker.parameters, "ClusterSize")).unwrap_or(1),
        }
    }

    /// Returns whether a worker shares its machine with the system under test.
    pub(crate) fn is_co_located(&self) -> bool {
        self.instance.machine.is_some() && self.instance.machine == self.worker.machine
    }

    fn machines(&self) -> BTreeSet<&str> {
        [&self.instance, &self.worker].into_iter().filter_map(|chosen| chosen.machine.as_deref()).collect()
    }
}

impl Chosen {
    fn from(explicit: Option<ProviderName>, stack: Option<&Stack>, template: Option<&String>) -> Self {
        let (provider, key) = match (explicit, stack, template) {
            (Some(provider), _, _) => (provider, Some("provider")),
            (None, Some(_), _) => (ProviderName::Ssh, Some("stack")),
            (None, None, Some(_)) => (ProviderName::Aws, Some("template")),
            (None, None, None) => (ProviderName::Local, None),
        };
        let machine = match provider {
            ProviderName::Local => Some("local".to_owned()),
            ProviderName::Ssh => stack.and_then(|stack| Some(format!("stack {}", stack.name.as_ref()?))),
            ProviderName::Aws | ProviderName::Existing => None,
        };
        Self { provider, key, machine }
    }
}

/// Returns who sets up the systems under test and the workers of an experiment, each once.
pub fn providers(experiment: &Experiment) -> BTreeSet<ProviderName> {
    let placements = experiment.threads.iter().map(Placement::of);
    placements.flat_map(|placement| [placement.instance.provider, placement.worker.provider]).collect()
}

/// Returns two threads that use the same machine, by their positions.
pub(crate) fn sharing(placements: &[Placement]) -> Option<(usize, usize)> {
    let mut first_user: BTreeMap<&str, usize> = BTreeMap::new();
    placements.iter().enumerate().find_map(|(thread, placement)| {
        placement.machines().into_iter().find_map(|machine| {
            let first = *first_user.entry(machine).or_insert(thread);
            (first != thread).then_some((first, thread))
        })
    })
}

/// Returns the order of an experiment that does not name one.
pub(crate) fn default_order(placements: &[Placement]) -> Order {
    if sharing(placements).is_some() { Order::Interleaved } else { Order::Parallel }
}

/// Returns a CloudFormation parameter that is a number, or text that is one, as in the first E3.
fn number(parameters: &BTreeMap<String, Value>, key: &str) -> Option<u32> {
    match parameters.get(key)? {
        Value::Number(number) => u32::try_from(number.as_u64()?).ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
    .filter(|number| (1..=1000).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placement(json: &str) -> Placement {
        Placement::of(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn the_provider_follows_from_what_is_given() {
        for (json, provider, key) in [
            ("{}", ProviderName::Local, None),
            (r#"{"instance": {"stack": {"Name": "a"}}}"#, ProviderName::Ssh, Some("stack")),
            (r#"{"instance": {"template": "BitbucketServer"}}"#, ProviderName::Aws, Some("template")),
            // The first E3's run files have both: the machines are there already.
            (r#"{"instance": {"template": "T", "stack": {"Name": "a"}}}"#, ProviderName::Ssh, Some("stack")),
            (
                r#"{"instance": {"template": "T", "provider": "local"}}"#,
                ProviderName::Local,
                Some("provider"),
            ),
        ] {
            let chosen = placement(json).instance;
            assert_eq!((chosen.provider, chosen.key), (provider, key), "{json}");
        }
    }

    #[test]
    fn an_experiment_has_every_provider_of_its_threads() {
        let experiment = |json: &str| serde_json::from_str::<Experiment>(json).unwrap();
        let of = |json: &str| providers(&experiment(json)).into_iter().collect::<Vec<_>>();
        assert_eq!(of(r#"{"threads": [{}, {}]}"#), [ProviderName::Local]);
        assert_eq!(
            of(r#"{"threads": [{}, {"instance": {"template": "T"}, "worker": {"stack": {"Name": "w"}}}]}"#),
            [ProviderName::Local, ProviderName::Ssh, ProviderName::Aws]
        );
        assert_eq!(of("{}"), []);
    }

    #[test]
    fn sizes_of_the_first_e3_are_understood() {
        let placement = placement(
            r#"{"instance": {"parameters": {"ClusterNodeMin": "3"}}, "worker": {"parameters": {"ClusterSize": 2}}}"#,
        );
        assert_eq!((placement.nodes, placement.workers), (3, 2));
    }

    #[test]
    fn threads_on_one_machine_are_interleaved() {
        let local = placement("{}");
        let stack = |name: &str| {
            placement(&format!(
                r#"{{"instance": {{"stack": {{"Name": "{name}"}}}}, "worker": {{"template": "W"}}}}"#
            ))
        };
        assert_eq!(sharing(&[local.clone(), local.clone()]), Some((0, 1)));
        assert_eq!(sharing(std::slice::from_ref(&local)), None);
        assert_eq!(sharing(&[stack("a"), stack("b"), stack("a")]), Some((0, 2)));
        assert_eq!(default_order(&[stack("a"), stack("b")]), Order::Parallel);
        assert_eq!(default_order(&[local.clone(), local.clone()]), Order::Interleaved);
        assert!(local.is_co_located() && !stack("a").is_co_located());
    }
}
