//! Processes and what they have started.

use std::sync::Arc;

use tokio::time::Instant;

use super::tree::{Row, Tree, ticks_of_children};
use crate::counter::{Counter, Sum, to_f64};
use crate::{MetricsError, Readout, WatchedProcess};

/// The processes that are watched.
pub(super) struct Processes {
    each: Vec<Watched>,
}

struct Watched {
    target: WatchedProcess,
    subject: Arc<str>,
    ticks: Counter,
    children: Option<Children>,
}

struct Children {
    subject: Arc<str>,
    ticks: Sum,
}

impl Processes {
    pub(super) fn new(targets: &[WatchedProcess]) -> Self {
        let each = targets.iter().map(|target| Watched {
            target: target.clone(),
            subject: target.subject.as_str().into(),
            ticks: Counter::default(),
            children: target
                .children
                .as_deref()
                .map(|subject| Children { subject: subject.into(), ticks: Sum::default() }),
        });
        Self { each: each.collect() }
    }

    /// Reads them all; the list of processes is read once for all of them, and not at all where nobody's children count.
    pub(super) fn read(&mut self, readout: &mut Readout) {
        if self.each.is_empty() {
            return;
        }
        let at = Instant::now();
        let has_children = self.each.iter().any(|watched| watched.children.is_some());
        let pids = self.each.iter().map(|watched| watched.target.process.pid);
        let tree = match if has_children { Tree::read() } else { Ok(Tree::read_only(pids)) } {
            Ok(tree) => tree,
            Err(source) => {
                return readout.problems.push(MetricsError::Proc { file: "the list of processes", source });
            }
        };
        for watched in &mut self.each {
            watched.read(at, &tree, readout);
        }
    }
}

impl Watched {
    fn read(&mut self, at: Instant, tree: &Tree, readout: &mut Readout) {
        let process = &self.target.process;
        let Some(row) = tree.find(process.pid, process.started).filter(|row| !row.ended) else {
            let subject = self.target.subject.clone();
            return readout.problems.push(MetricsError::Ended { subject });
        };
        let place = (at, &self.subject);
        readout.add(place, "cpu/used", "%", percent(self.ticks.rate(at, to_f64(row.ticks))));
        add_state(readout, place, &[row]);
        if let Some(children) = &mut self.children {
            let descendants = tree.descendants(row);
            let ticks = to_f64(ticks_of_children(row, &descendants));
            let place = (at, &children.subject);
            readout.add(place, "cpu/used", "%", percent(children.ticks.rate(at, ticks)));
            let living: Vec<&Row> = descendants.into_iter().filter(|row| !row.ended).collect();
            add_state(readout, place, &living);
            readout.add(place, "processes/count", "", Some(to_f64(count(living.len()))));
        }
    }
}

/// Adds what processes hold at this moment, summed; memory that they share counts for each of them.
fn add_state(readout: &mut Readout, place: (Instant, &Arc<str>), rows: &[&Row]) {
    let pages: u64 = rows.iter().map(|row| row.pages).sum();
    readout.add(place, "memory/resident", "bytes", Some(to_f64(pages.saturating_mul(procfs::page_size()))));
    let threads: u64 = rows.iter().map(|row| row.threads).sum();
    readout.add(place, "threads/count", "", Some(to_f64(threads)));
    // One that has ended meanwhile holds none any more; of one that may not be looked into there is no number.
    let open: Option<u64> = match rows {
        [row] => open_files(row.pid),
        rows => Some(rows.iter().filter_map(|row| open_files(row.pid)).sum()),
    };
    readout.add(place, "files/open", "", open.map(to_f64));
}

/// Returns how many file descriptors a process has open.
///
/// Source: since Linux 6.2 the size of the directory is their number; before, it is 0 and they have to be listed.
fn open_files(pid: i32) -> Option<u64> {
    let directory = format!("/proc/{pid}/fd");
    let size = std::fs::metadata(&directory).ok()?.len();
    if size > 0 {
        return Some(size);
    }
    let listed = count(std::fs::read_dir(&directory).ok()?.count());
    // Listing them takes one itself.
    let own = i32::try_from(std::process::id()) == Ok(pid);
    Some(listed.saturating_sub(u64::from(own)))
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Returns ticks per second as a share of one CPU's time.
fn percent(ticks_per_second: Option<f64>) -> Option<f64> {
    ticks_per_second.map(|rate| 100.0 * rate / to_f64(procfs::ticks_per_second()))
}
