//! What metrics are read about while a thread's stages run: its nodes, what stands before them, and this worker.

use std::io::{self, ErrorKind};

use e3_home::RunDir;
use e3_metrics::{Endpoint, Targets, WatchedProcess};
use e3_model::{ProcessIdentity, ThreadTopology};
use e3_provider::{Ledger, Resource};

/// Returns what there is to watch now, by the run's journal: a reset gives every part another process.
///
/// A part whose process is not known is left out; metrics are gaps then.
///
/// # Errors
/// When the journal cannot be read.
pub(super) fn targets(run: &RunDir, thread: &ThreadTopology) -> io::Result<Targets> {
    let ledger = match std::fs::read(run.journal()) {
        Ok(lines) => Ledger::of(&lines),
        // What stands already was not set up by this run.
        Err(error) if error.kind() == ErrorKind::NotFound => Ledger::default(),
        Err(error) => return Err(error),
    };
    let mut processes: Vec<WatchedProcess> =
        ledger.open_resources().iter().filter_map(|resource| watched(resource, thread)).collect();
    if let Some(process) = own() {
        processes.push(WatchedProcess { subject: "worker".to_owned(), process, children: None });
    }
    let endpoints = thread
        .instance
        .nodes
        .iter()
        .filter_map(|node| Some(Endpoint { subject: node.name.clone(), url: node.metrics_url.clone()? }));
    Ok(Targets { processes, endpoints: endpoints.collect() })
}

/// Returns a process of the thread's system: a node, with what it starts, or another part such as the front.
fn watched(resource: &Resource, thread: &ThreadTopology) -> Option<WatchedProcess> {
    let Resource::Process { name, mark, identity, .. } = resource else { return None };
    let part = name.strip_prefix(&format!("{}-", thread.thread))?;
    let process = identity.clone().or_else(|| marked(mark))?;
    let node = thread.instance.nodes.iter().find(|node| node.resource.as_ref() == Some(name));
    Some(WatchedProcess {
        subject: node.map_or_else(|| part.to_owned(), |node| node.name.clone()),
        process,
        children: node.map(|node| format!("{} git", node.name)),
    })
}

/// Returns the process that was started with this mark: the oldest of those that carry it, since its children do, too.
fn marked(mark: &str) -> Option<ProcessIdentity> {
    e3_node::find_marked(mark).ok()?.into_iter().min_by_key(|process| (process.started, process.pid))
}

fn own() -> Option<ProcessIdentity> {
    e3_node::identify(std::process::id()).ok()?
}

#[cfg(test)]
mod tests {
    use e3_home::Home;
    use e3_model::{InstanceTopology, NodeTopology, ProviderName, RunName, ThreadId};
    use e3_provider::Journal;

    use super::*;

    fn thread(resource: Option<&str>) -> ThreadTopology {
        let node = NodeTopology {
            name: "githost-1".to_owned(),
            url: "http://127.0.0.1:1".to_owned(),
            ssh: None,
            resource: resource.map(str::to_owned),
            metrics_url: Some("http://127.0.0.1:1/metrics".to_owned()),
        };
        let instance = InstanceTopology {
            ca: None,
            provider: ProviderName::Local,
            url: "http://127.0.0.1:2".to_owned(),
            ssh: None,
            admin: "admin".to_owned(),
            nodes: vec![node],
            snapshot: "thread-001/snapshot.json".to_owned(),
        };
        ThreadTopology { thread: ThreadId(0), instance, workers: Vec::new() }
    }

    fn process(name: &str, pid: u32) -> Resource {
        let identity = ProcessIdentity { pid, started: 5, boot_id: "b".to_owned() };
        let mark = format!("{name}/{pid}");
        Resource::Process { name: name.to_owned(), mark, program: "e3".into(), identity: Some(identity) }
    }

    #[test]
    fn what_stood_already_is_watched_by_what_it_serves() {
        let home = tempfile::tempdir().unwrap();
        let run = Home::at(home.path()).create_run(&RunName("watch-2".to_owned())).unwrap();
        let found = targets(&run, &thread(None)).unwrap();
        assert_eq!(found.processes.len(), 1, "this worker: {found:?}");
        assert_eq!(found.endpoints.len(), 1);
    }

    #[test]
    fn a_restart_is_followed_and_other_threads_are_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let run = Home::at(home.path()).create_run(&RunName("watch-1".to_owned())).unwrap();
        let journal = Journal::open(&run.journal()).unwrap();
        for (name, pid) in
            [("thread-001-githost-1", 10), ("thread-001-balance", 11), ("thread-002-githost-1", 12)]
        {
            journal.intent(&process(name, pid)).unwrap();
            journal.created(&process(name, pid)).unwrap();
        }
        let thread = thread(Some("thread-001-githost-1"));
        let shown = |targets: &Targets| -> Vec<_> {
            let each = targets.processes.iter();
            each.map(|one| (one.subject.clone(), one.process.pid, one.children.clone())).collect()
        };
        let found = targets(&run, &thread).unwrap();
        let own = ("worker".to_owned(), std::process::id(), None);
        let front = ("balance".to_owned(), 11, None);
        let git = Some("githost-1 git".to_owned());
        assert_eq!(shown(&found), [("githost-1".to_owned(), 10, git.clone()), front.clone(), own.clone()]);
        assert_eq!(found.endpoints.len(), 1);
        assert_eq!(found.endpoints[0].url, "http://127.0.0.1:1/metrics");

        journal.removed(&process("thread-001-githost-1", 10)).unwrap();
        journal.intent(&process("thread-001-githost-1", 20)).unwrap();
        journal.created(&process("thread-001-githost-1", 20)).unwrap();
        let found = targets(&run, &thread).unwrap();
        assert_eq!(shown(&found), [front, ("githost-1".to_owned(), 20, git), own]);
    }
}
