//! Every snapshot has what the scripts of its stages need.

use std::collections::BTreeSet;

use e3_model::{Need, ProviderName, Snapshot};

use super::Rule;
use crate::context::Context;
use crate::report::{Place, Report};
use crate::{pointer, words};

pub(super) const RULE: Rule = Rule { name: "script-needs", check };

/// A dataset that E3 makes has all that any script needs: users with passwords and keys, and repositories of some weight
/// with a default branch. One that was written, or described from a live server, is looked through.
fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen = BTreeSet::new();
    for stage in &context.stages {
        let Some(thread) = context.experiment.threads.get(stage.thread) else { continue };
        let placement = context.placements.get(stage.thread);
        let is_local = placement.is_some_and(|it| it.instance.provider == ProviderName::Local);
        let (Some(name), Some(workload)) = (&thread.instance.snapshot, stage.workload()) else { continue };
        let Some((_, snapshot)) = context.snapshot(name).ready() else { continue };
        // What cannot be loaded into a githost at all is a finding of another rule.
        let is_made = is_local || snapshot.generate.is_some();
        if is_made || !seen.insert((name, workload.value.clone())) {
            continue;
        }
        check_pair(context, (name, snapshot), &workload.value, report);
    }
}

fn check_pair(
    context: &Context<'_>,
    (name, snapshot): (&str, &Snapshot),
    workload: &str,
    report: &mut Report,
) {
    let Some((document, workload)) = context.workload(workload).ready() else { return };
    for (position, job) in workload.0.iter().enumerate().filter(|(_, job)| job.weight > 0.0) {
        let Some(script) = context.script(job) else { continue };
        let place = || Place::value(document, pointer::join(&format!("/{position}"), "script"));
        for lack in script.needs.iter().filter_map(|need| lack(*need, snapshot)) {
            let message = format!(
                "{} {}, and the snapshot {} {}",
                script.name,
                lack.needed,
                words::quoted(name),
                lack.found
            );
            if lack.is_final {
                report.error(place(), message).hint(lack.hint);
            } else {
                report.warning(place(), message).hint(lack.hint);
            }
        }
    }
}

/// What a snapshot lacks, in words.
struct Lack {
    /// What the script does, or needs.
    needed: &'static str,
    found: String,
    hint: &'static str,
    /// Whether nothing that becomes known later can help: secrets are kept out of documents.
    is_final: bool,
}

fn lack(need: Need, snapshot: &Snapshot) -> Option<Lack> {
    match need {
        Need::HttpUser => user(snapshot, "logs in as a user", "password", |snapshot| {
            snapshot.users.iter().any(|user| user.password.is_some())
        }),
        Need::SshKey => user(snapshot, "needs a user's private SSH key", "private key", |snapshot| {
            snapshot.users.iter().any(|user| user.private_key.is_some())
        }),
        // Whose password it is, no snapshot says.
        Need::Admin => None,
        Need::Repository => repository(snapshot, "draws a repository by weight"),
        Need::WritableRepository => {
            let needed = "pushes on top of a repository's default branch";
            repository(snapshot, needed).or_else(|| default_branch(snapshot, needed))
        }
    }
}

fn user(
    snapshot: &Snapshot,
    needed: &'static str,
    secret: &str,
    is_there: impl Fn(&Snapshot) -> bool,
) -> Option<Lack> {
    if snapshot.users.is_empty() {
        let hint = "list the dataset's users in its \"users\"";
        return Some(Lack { needed, found: "names no user".to_owned(), hint, is_final: true });
    }
    let found = format!("has no user's {secret}");
    let hint =
        "e3 keeps secrets out of documents, so this may be right: they must be known when the run begins";
    (!is_there(snapshot)).then_some(Lack { needed, found, hint, is_final: false })
}

fn repository(snapshot: &Snapshot, needed: &'static str) -> Option<Lack> {
    if snapshot.repositories().any(|(_, repository)| repository.weight > 0.0) {
        return None;
    }
    let (found, hint) = if snapshot.repositories().next().is_none() {
        ("names no repository", "list the dataset's repositories in its \"projects\"")
    } else {
        ("gives no repository a weight above 0", "the weights of all repositories add up to 1")
    };
    Some(Lack { needed, found: found.to_owned(), hint, is_final: true })
}

/// Returns that no default branch is known, or of how many repositories it is not: these are left out.
fn default_branch(snapshot: &Snapshot, needed: &'static str) -> Option<Lack> {
    let drawn = || snapshot.repositories().filter(|(_, repository)| repository.weight > 0.0);
    let unknown = drawn().filter(|(_, it)| !it.branches.iter().any(|branch| branch.is_default)).count();
    let all = drawn().count();
    let hint = "one of a repository's \"branches\" has \"isDefault\": true";
    let found = match unknown {
        0 => return None,
        unknown if unknown == all => "names no repository's default branch".to_owned(),
        unknown => {
            format!("does not name that of {unknown} of {all} repositories, to which nothing will be pushed")
        }
    };
    Some(Lack { needed, found, hint, is_final: unknown == all })
}
