//! What the worker holds while its stage runs, and what is left of that once the stage is over.

use std::fmt;
use std::time::Duration;

use super::proc::Process;

/// What one process held, as it was read.
#[derive(Debug, Clone, Default)]
pub(super) struct Uses {
    readings: Vec<Reading>,
}

#[derive(Debug, Clone)]
struct Reading {
    at: Duration,
    connections: usize,
    /// Open files besides the connections.
    files: usize,
    children: Vec<String>,
}

impl Uses {
    /// Reads what the process holds now; nothing when it is gone.
    pub(super) fn note(&mut self, at: Duration, process: &Process) {
        let Some(descriptors) = process.descriptors() else { return };
        let connections = process.connections().len();
        let files = descriptors.saturating_sub(connections);
        self.readings.push(Reading { at, connections, files, children: process.children() });
    }

    /// Says what is wrong: children, files that become more, connections that outlast their stage, or too few readings.
    ///
    /// The stage under load lasts until `stage`; the readings of the last [`QUIET`] are those of one client.
    pub(super) fn problems(&self, stage: Duration) -> Vec<String> {
        let mut problems: Vec<String> =
            self.children().into_iter().map(|child| format!("the worker started {child}")).collect();
        let (loaded, quiet) = (self.loaded(stage), self.quiet(stage));
        if loaded.len() < FEWEST || quiet.len() < FEWEST {
            let (loaded, quiet) = (loaded.len(), quiet.len());
            problems.push(format!(
                "the worker was looked at {loaded} times under load and {quiet} times after it"
            ));
            return problems;
        }
        let (early, late) = loaded.split_at(loaded.len() / 2);
        let most =
            |readings: &[&Reading]| readings.iter().map(|reading| reading.files).max().unwrap_or_default();
        let (early, late) = (most(early), most(late));
        if late > early + SOME_FILES {
            problems.push(format!("the worker's open files grow under load: from {early} to {late}"));
        }
        let least = quiet.iter().map(|reading| reading.files).min().unwrap_or_default();
        if least > early + SOME_FILES {
            problems.push(format!("the worker has {least} open files after the load, of {early} before"));
        }
        let kept = quiet.iter().map(|reading| reading.connections).min().unwrap_or_default();
        if kept > OF_ONE_CLIENT {
            problems.push(format!("the worker still has {kept} connections after the load"));
        }
        problems
    }

    /// Returns every child that was seen, once.
    fn children(&self) -> Vec<String> {
        let mut seen: Vec<String> = Vec::new();
        for child in self.readings.iter().flat_map(|reading| &reading.children) {
            if !seen.contains(child) {
                seen.push(child.clone());
            }
        }
        seen
    }

    fn loaded(&self, stage: Duration) -> Vec<&Reading> {
        self.readings.iter().filter(|reading| (stage / 4..stage).contains(&reading.at)).collect()
    }

    fn quiet(&self, stage: Duration) -> Vec<&Reading> {
        let end = self.readings.last().map_or(Duration::ZERO, |last| last.at);
        let from = end.saturating_sub(QUIET).max(stage);
        self.readings.iter().filter(|reading| reading.at >= from).collect()
    }
}

impl fmt::Display for Uses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = |held: fn(&Reading) -> usize| self.readings.iter().map(held).max().unwrap_or_default();
        let last = self.readings.last();
        let last = |held: fn(&Reading) -> usize| last.map(held).unwrap_or_default();
        write!(
            f,
            "the worker: at most {} connections and {} other descriptors, at last {} and {}",
            most(|reading| reading.connections),
            most(|reading| reading.files),
            last(|reading| reading.connections),
            last(|reading| reading.files)
        )
    }
}

/// How long before its end the worker has but one client for certain: less than the second stage lasts.
const QUIET: Duration = Duration::from_secs(4);
/// Logs and segments of samples, which come and go.
const SOME_FILES: usize = 8;
/// A client keeps a connection for each script that browses; there are some ten of these, and Git's own.
const OF_ONE_CLIENT: usize = 20;
/// Fewer readings say nothing.
const FEWEST: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    const STAGE: Duration = Duration::from_secs(20);

    /// Returns the readings of a worker with so many connections and files under load and after it.
    fn uses(load: (usize, usize), after: (usize, usize)) -> Uses {
        let reading = |at: u64| {
            let (connections, files) = if at < 20 { load } else { after };
            Reading { at: Duration::from_secs(at), connections, files, children: Vec::new() }
        };
        Uses { readings: (0..28).map(reading).collect() }
    }

    #[test]
    fn what_outlasts_the_load_is_told() {
        assert_eq!(uses((40, 20), (2, 20)).problems(STAGE), Vec::<String>::new());
        let kept = uses((40, 20), (40, 20)).problems(STAGE);
        assert_eq!(kept, ["the worker still has 40 connections after the load"]);
        let open = uses((40, 20), (2, 60)).problems(STAGE);
        assert_eq!(open, ["the worker has 60 open files after the load, of 20 before"]);
    }

    #[test]
    fn files_that_become_more_and_children_are_told() {
        let mut growing = uses((40, 20), (2, 20));
        for (n, reading) in growing.readings.iter_mut().enumerate().take(20) {
            reading.files += 2 * n;
        }
        assert_eq!(growing.problems(STAGE), ["the worker's open files grow under load: from 42 to 58"]);
        let mut forking = uses((40, 20), (2, 20));
        for reading in &mut forking.readings[3..5] {
            reading.children.push("process 7 (git)".to_owned());
        }
        assert_eq!(forking.problems(STAGE), ["the worker started process 7 (git)"]);
    }

    #[test]
    fn too_few_readings_say_nothing() {
        let told = Uses::default().problems(STAGE);
        assert_eq!(told, ["the worker was looked at 0 times under load and 0 times after it"]);
    }

    #[test]
    fn a_process_is_read() {
        let own = Process::of(std::process::id());
        let mut uses = Uses::default();
        uses.note(Duration::ZERO, &own);
        uses.note(Duration::ZERO, &Process::of(u32::MAX));
        assert_eq!(uses.readings.len(), 1, "one that is gone is no reading");
        assert!(uses.readings[0].files > 2, "{uses}");
    }
}
