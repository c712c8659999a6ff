//! The rules about what an experiment means: one file each, all of the same shape, registered by one line here.

use e3_model::Kind;

use crate::context::Context;
use crate::report::Report;
use crate::words;

mod arguments;
mod collect;
mod compare;
mod existing;
mod faults;
mod instance_file;
mod load_model;
mod nodes;
mod not_in_this_version;
mod open_load;
mod operations;
mod order;
pub(crate) mod properties;
mod provider;
mod script;
mod script_needs;
mod search;
mod size;
mod snapshot;
mod stage_duration;
mod stage_list;
mod thread_list;
mod thread_name;
mod thresholds;
mod transport;
mod warm_up;
mod weight_without_client;
mod weights;
mod workload;

/// A rule: its name, as findings carry it, and what it does.
pub(crate) struct Rule {
    /// The name, stable, for machines.
    pub(crate) name: &'static str,
    /// Looks at everything, and reports what breaks the rule.
    pub(crate) check: fn(&Context<'_>, &mut Report),
}

/// Checks every rule.
pub(crate) fn all(context: &Context<'_>, report: &mut Report) {
    some(RULES.iter(), context, report);
}

/// Checks the rules for what was asked for on the command line instead of in a file: what the system has is not known before
/// it is asked, and what flags lack is said in the words of flags.
pub(crate) fn of_flags(context: &Context<'_>, report: &mut Report) {
    let of_files = [existing::RULE.name, script_needs::RULE.name];
    some(RULES.iter().filter(|rule| !of_files.contains(&rule.name)), context, report);
}

fn some<'r>(rules: impl Iterator<Item = &'r Rule>, context: &Context<'_>, report: &mut Report) {
    for rule in rules {
        report.begin(rule.name);
        (rule.check)(context, report);
    }
}

/// Returns the hint about a name that does not exist: the one that was meant, or all that exist.
fn known(kind: Kind, name: &str, names: &[String]) -> String {
    match words::meant(name, names.iter().map(String::as_str)) {
        Some(meant) => words::did_you_mean(meant),
        None if names.is_empty() => format!("put a file of that name into {}/ of the home", kind.folder()),
        None => format!("there are {}; new ones go into {}/ of the home", names.join(", "), kind.folder()),
    }
}

const RULES: &[Rule] = &[
    thread_list::RULE,
    thread_name::RULE,
    stage_list::RULE,
    load_model::RULE,
    open_load::RULE,
    stage_duration::RULE,
    operations::RULE,
    warm_up::RULE,
    transport::RULE,
    workload::RULE,
    script::RULE,
    arguments::RULE,
    weights::RULE,
    weight_without_client::RULE,
    snapshot::RULE,
    script_needs::RULE,
    instance_file::RULE,
    provider::RULE,
    properties::RULE,
    nodes::RULE,
    order::RULE,
    compare::RULE,
    thresholds::RULE,
    search::RULE,
    collect::RULE,
    existing::RULE,
    faults::RULE,
    size::RULE,
    not_in_this_version::RULE,
];

#[cfg(test)]
mod tests {
    use super::RULES;

    #[test]
    fn every_rule_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), RULES.len());
        for name in names {
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{name}");
        }
    }
}
