//! Every system under test has a dataset that exists, or that E3 can make.

use e3_model::{Kind, ProviderName, Snapshot};

use super::Rule;
use crate::context::{Context, EXPERIMENT, Loaded};
use crate::report::{Place, Report};
use crate::words;

pub(super) const RULE: Rule = Rule { name: "snapshot", check };

fn check(context: &Context<'_>, report: &mut Report) {
    for (position, (thread, placement)) in
        context.experiment.threads.iter().zip(&context.placements).enumerate()
    {
        let is_local = placement.instance.provider == ProviderName::Local;
        let pointer = format!("/threads/{position}/instance");
        let Some(name) = &thread.instance.snapshot else {
            if is_local {
                report
                    .error(Place::missing(EXPERIMENT, pointer, &["snapshot"]), "the instance names no \"snapshot\"")
                    .hint("a snapshot says which repositories and users there are, such as \"snapshot\": \"quickstart\"");
            }
            continue;
        };
        let place = Place::value(EXPERIMENT, format!("{pointer}/snapshot"));
        let quoted = words::quoted(name);
        match context.snapshot(name) {
            Loaded::Absent => {
                let names = context.library.names(Kind::Snapshot);
                report.error(place, format!("there is no snapshot {quoted}")).hint(super::known(
                    Kind::Snapshot,
                    name,
                    &names,
                ));
            }
            Loaded::Unreadable(reason) => {
                report.error(place, format!("the snapshot {quoted} cannot be read: {reason}"));
            }
            Loaded::Ready { document, value } if is_local => check_recipe(*document, value, report),
            Loaded::Broken | Loaded::Ready { .. } => {}
        }
    }
}

fn check_recipe(document: usize, snapshot: &Snapshot, report: &mut Report) {
    let Some(generate) = &snapshot.generate else {
        report
            .error(
                Place::missing(document, "", &["generate"]),
                "e3 cannot load this dataset into a githost: it has no \"generate\"",
            )
            .hint("add the recipe by which e3 makes it, as the snapshot \"quickstart\" has it");
        return;
    };
    if generate.commits_min > generate.commits_max {
        let message = format!(
            "\"commits_min\" is {}, more than \"commits_max\", {}",
            generate.commits_min, generate.commits_max
        );
        report.error(Place::value(document, "/generate/commits_min"), message);
    }
    let commits = u64::from(generate.repositories) * u64::from(generate.commits_max);
    if commits > MANY_COMMITS {
        let message =
            format!("the recipe asks for up to {commits} commits, which takes long to make and to load");
        report.warning(Place::value(document, "/generate"), message);
    }
}

/// What takes about ten minutes to make.
const MANY_COMMITS: u64 = 10_000_000;
