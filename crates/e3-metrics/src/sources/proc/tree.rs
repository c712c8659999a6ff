//! Which process started which.

use std::collections::BTreeMap;

use procfs::ProcError;
use procfs::process::{Process, Stat, all_processes};

/// All processes of this machine at nearly one moment, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    rows: BTreeMap<i32, Row>,
}

/// What is told of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    /// When it started, in ticks since the boot.
    pub(crate) started: u64,
    /// Its own CPU time, in ticks.
    pub(crate) ticks: u64,
    /// The CPU time of the children that have ended and that it has waited for, with theirs; in ticks.
    pub(crate) reaped_ticks: u64,
    pub(crate) threads: u64,
    /// Resident pages.
    pub(crate) pages: u64,
    /// It has ended, and its parent has not waited for it yet.
    pub(crate) ended: bool,
}

impl Tree {
    /// Reads all processes; one that ends meanwhile is left out.
    pub(crate) fn read() -> Result<Self, ProcError> {
        let stats = all_processes()?.filter_map(|process| process.ok()?.stat().ok());
        Ok(Self::of(stats.map(|stat| Row::of(&stat))))
    }

    /// Reads these processes alone; one that is gone is left out.
    pub(crate) fn read_only(pids: impl Iterator<Item = u32>) -> Self {
        let stat = |pid| Process::new(i32::try_from(pid).ok()?).ok()?.stat().ok();
        Self::of(pids.filter_map(stat).map(|stat| Row::of(&stat)))
    }

    fn of(rows: impl Iterator<Item = Row>) -> Self {
        Self { rows: rows.map(|row| (row.pid, row)).collect() }
    }

    /// Returns the process of this number that started then.
    pub(crate) fn find(&self, pid: u32, started: u64) -> Option<&Row> {
        self.rows.get(&i32::try_from(pid).ok()?).filter(|row| row.started == started)
    }

    /// Returns all that the process has started, and what these have started, as far as their parents still run.
    pub(crate) fn descendants(&self, root: &Row) -> Vec<&Row> {
        let mut children: BTreeMap<i32, Vec<&Row>> = BTreeMap::new();
        for row in self.rows.values() {
            children.entry(row.parent).or_default().push(row);
        }
        let mut found = Vec::new();
        let mut next = vec![root.pid];
        while let Some(pid) = next.pop() {
            // Removed, so that even a circle, which a number that was given again could make, is walked only once.
            for child in children.remove(&pid).unwrap_or_default() {
                found.push(child);
                next.push(child.pid);
            }
        }
        found
    }
}

impl Row {
    fn of(stat: &Stat) -> Self {
        let reaped = stat.cutime.saturating_add(stat.cstime);
        Self {
            pid: stat.pid,
            parent: stat.ppid,
            started: stat.starttime,
            ticks: stat.utime + stat.stime,
            reaped_ticks: u64::try_from(reaped).unwrap_or(0),
            threads: u64::try_from(stat.num_threads).unwrap_or(0),
            pages: stat.rss,
            ended: matches!(stat.state, 'Z' | 'X' | 'x'),
        }
    }
}

/// Returns the CPU time that everything a process has started has used so far, in ticks.
///
/// That is what the process has reaped, and of everything that still lives its own time and what it has reaped. When a
/// child ends and is waited for, its time moves from the second part to the first, so nothing is counted twice and
/// nothing of a child that lived between two looks is lost. What is lost is the time of a child whose parent ends first.
pub(crate) fn ticks_of_children(root: &Row, descendants: &[&Row]) -> u64 {
    let living = descendants.iter().map(|row| row.ticks + row.reaped_ticks);
    root.reaped_ticks + living.sum::<u64>()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn row(pid: i32, parent: i32, ticks: u64, reaped_ticks: u64) -> Row {
        Row { pid, parent, started: 7, ticks, reaped_ticks, threads: 1, pages: 10, ended: false }
    }

    fn tree(rows: &[Row]) -> Tree {
        Tree::of(rows.iter().copied())
    }

    #[test]
    fn some_processes_are_read_as_among_all() {
        let (own, gone) = (std::process::id(), u32::MAX);
        let read = Tree::read_only([own, gone].into_iter());
        assert_eq!(read.rows.len(), 1);
        let row = read.rows.values().next().unwrap();
        let among_all = Tree::read().unwrap();
        let same = among_all.find(own, row.started).unwrap();
        assert_eq!((row.pid, row.parent, row.started), (same.pid, same.parent, same.started));
    }

    #[test]
    fn a_child_counts_once_alive_ended_and_reaped() {
        let root = |reaped| row(10, 1, 1_000, reaped);
        let before = 50;
        for (rows, ticks, why) in [
            (vec![root(before)], 50, "what was reaped before"),
            (vec![root(before), row(11, 10, 30, 0)], 80, "a child that runs"),
            (vec![root(before), row(11, 10, 30, 0), row(12, 11, 5, 0)], 85, "and a child of it"),
            (vec![root(before), row(11, 10, 30, 5)], 85, "which it has reaped"),
            (vec![root(before + 35)], 85, "and it was reaped itself"),
            (vec![root(before), row(12, 1, 5, 0)], 50, "what outlives its parent is nobody's"),
        ] {
            let tree = tree(&rows);
            let root = tree.find(10, 7).unwrap();
            assert_eq!(ticks_of_children(root, &tree.descendants(root)), ticks, "{why}");
        }
    }

    #[test]
    fn a_number_that_was_given_again_is_another_process() {
        let tree = tree(&[row(10, 1, 0, 0)]);
        assert!(tree.find(10, 7).is_some());
        assert!(tree.find(10, 8).is_none());
        assert!(tree.find(11, 7).is_none());
    }

    #[test]
    fn a_circle_ends() {
        let tree = tree(&[row(10, 11, 0, 0), row(11, 10, 0, 0), row(12, 12, 0, 0)]);
        assert_eq!(tree.descendants(tree.find(10, 7).unwrap()).len(), 2);
    }
}
