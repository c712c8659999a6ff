//! A githost on SQLite has as many nodes as one database file bears.

use e3_model::ProviderName;

use super::Rule;
use crate::context::{Context, EXPERIMENT};
use crate::report::{Place, Report};

pub(super) const RULE: Rule = Rule { name: "nodes", check };

fn check(context: &Context<'_>, report: &mut Report) {
    for (position, (thread, placement)) in
        context.experiment.threads.iter().zip(&context.placements).enumerate()
    {
        let is_sqlite = thread.instance.database.as_deref().is_none_or(|database| database == "sqlite");
        if placement.instance.provider == ProviderName::Local && is_sqlite && placement.nodes > MOST {
            let message = format!(
                "a githost that keeps its metadata in SQLite has at most {MOST} nodes, not {}",
                placement.nodes
            );
            report.error(Place::value(EXPERIMENT, format!("/threads/{position}/instance/nodes")), message);
        }
    }
}

/// Every node opens the same database file; with more of them they wait for each other.
const MOST: u32 = 4;
