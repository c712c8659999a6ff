//! The rules of findings, as they stand in the brackets of `error[RULE]` and `warning[RULE]`.

use super::Entry;

/// Returns an entry per rule.
pub(super) fn entries() -> Vec<Entry> {
    let entry = |(rule, meaning): &(&str, &str)| Entry {
        kind: "finding",
        names: vec![(*rule).to_owned()],
        meaning: (*meaning).to_owned(),
        advice: None,
    };
    RULES.iter().map(entry).collect()
}

const RULES: &[(&str, &str)] = &[
    // The form of a file.
    (
        "syntax",
        "The file is not JSON. Comments and trailing commas are not allowed; the place is the first that cannot be read.",
    ),
    (
        "duplicate-key",
        "An object has the same key twice, so that one value would silently win. Leave one of them out.",
    ),
    (
        "unknown-key",
        "The key means nothing here. It is mistyped, stands one level too high or too low, or belongs to another document.",
    ),
    ("missing-key", "A key is needed here that is not there; `e3 schema experiment` lists the keys."),
    ("wrong-type", "The value is of another type than it must be, such as a text where a number belongs."),
    ("out-of-range", "The value is of the right type but too small, too large, too long or empty."),
    ("not-allowed", "The value is none of the choices that there are."),
    ("too-few", "A list holds fewer entries than it needs."),
    ("too-many", "A list holds more entries than anybody can have meant."),
    ("too-large", "The file is larger than any document of its kind."),
    ("more", "There are more findings than are worth reading at once: mend the first, and check again."),
    ("no-plan", "No plan could be made, though no other finding says why. Please report it, with the file."),
    // What an experiment means.
    ("no-threads", "An experiment needs at least one thread: a system under test with its load."),
    (
        "thread-name",
        "Threads are told apart by their names, in every chart and table: each needs one of its own.",
    ),
    ("no-stages", "A thread needs stages: the loads that its system gets, one after another."),
    (
        "load-model",
        "A stage has either `clients`, the closed model, or a `rate`, the open one; not both and not neither.",
    ),
    (
        "open-load",
        "`maxClients` and `arrival` belong to a stage with a `rate`, the open model, which starts what is due whatever the \
         answers do. Think time and `\"mix\": \"clients\"` do not: nobody waits between two starts, and whichever client is free \
         does what is due. The rate must make something start.",
    ),
    (
        "transport",
        "How clients talk must be possible and have an effect: a time-out of 0 would end every op at once, and the real git \
         verifies every pack, whatever `verify` says.",
    ),
    ("duration", "A stage needs a duration, of its own or from the top of the file, such as \"60s\"."),
    (
        "warm-up",
        "The warm-up must leave something to measure, and all clients should have started, or the rate be reached, when \
         measuring begins. A ramp between two rates may be measured from its first second.",
    ),
    (
        "operations",
        "A stage that ends by a count needs enough ops for its clients, and some that are measured after the warm-up.",
    ),
    ("workload", "A stage needs a workload, of its own or from the top, that exists: `e3 list workloads`."),
    ("script", "A job names a script that does not exist: `e3 list scripts`."),
    ("argument", "A job gives its script an argument that it does not take, or not in that form."),
    ("weights", "The weights of a workload are shares: they add up to 1."),
    (
        "weight-without-client",
        "With `\"mix\": \"clients\"` a weight is a share of the clients, and this one rounds to none: its job would never \
         run. Use more clients, a larger weight, or `\"mix\": \"ops\"`, where every client draws its next job by weight.",
    ),
    (
        "snapshot",
        "A system under test needs a dataset that exists, or that E3 can make: `e3 list snapshots`.",
    ),
    (
        "script-needs",
        "A script cannot work with this snapshot: it needs a user, a key, a repository of some weight or a known default \
         branch. What E3 makes by a recipe has all of these; passwords and keys that are kept elsewhere are a warning.",
    ),
    (
        "existing",
        "A system that is there already cannot be named in a file yet, only on the command line of `e3 load`.",
    ),
    ("instance-file", "A `stack` names an instance file that exists: `e3 list instances`."),
    (
        "no-effect",
        "A setting has no effect with this provider; leaving it in would let a reader believe that it has.",
    ),
    (
        "property",
        "A line of `properties` is NAME=VALUE, once for each name; on a githost it must be one that the githost knows, of the \
         right form, and change something beside the others: whoever compares two configurations must not compare one with \
         itself. `e3 explain` lists the properties, and explains each by its name.",
    ),
    ("nodes", "A githost on SQLite has as many nodes as one database file bears."),
    (
        "order",
        "Threads that share a machine must not run at the same time, since each would disturb the other's numbers: \
         `\"order\": \"interleaved\"` lets them take turns.",
    ),
    ("compare", "`compare` names the baseline, which must be one of the threads."),
    (
        "threshold",
        "A threshold is a statistic, an op and a limit, such as \"p99(scm.GitCloneOverHttp) < 2s\", on an op that is part of the load.",
    ),
    (
        "search",
        "A stage's `search` finds the highest load that meets the conditions of its `slo`, up to the stage's own. The conditions \
         judge what the stage's workload runs and are broken by a large load, not by a small one; the search begins below the \
         stage's load; and every probe holds one load for one time, without a ramp, a count or a repeat.",
    ),
    ("collect", "`collect` names sources of metrics that exist, and how often they are read."),
    (
        "faults",
        "A stage's `faults` disturb a githost that E3 sets up itself, by routes that exist and in ways that can be; they \
         rehearse an experiment before it costs money, and what they should show must not end in time-outs.",
    ),
    ("size", "The whole experiment is larger or longer than anybody can have meant."),
    (
        "not-in-this-version",
        "The format has this, but this version of E3 cannot do it yet, and says so instead of leaving it out.",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_rule_of_the_planner_is_explained() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../e3-plan/src/check");
        let mut rules = BTreeSet::new();
        for file in std::fs::read_dir(folder).unwrap().flatten() {
            let text = std::fs::read_to_string(file.path()).unwrap();
            let name = text.split("Rule { name: \"").nth(1).and_then(|rest| rest.split('"').next());
            rules.extend(name.map(str::to_owned));
        }
        assert!(rules.len() >= 18, "{rules:?}");
        let explained: BTreeSet<_> = RULES.iter().map(|(rule, _)| (*rule).to_owned()).collect();
        let missing: Vec<_> = rules.difference(&explained).collect();
        assert!(missing.is_empty(), "{missing:?} have no explanation here");
        assert_eq!(explained.len(), RULES.len(), "each once");
    }
}
