//! Exit codes: their causes, and what to do.

use super::Entry;
use crate::exit::Exit;

/// Returns an entry per exit code.
pub(super) fn entries() -> Vec<Entry> {
    let entry = |(exit, sentence): (Exit, &'static str)| Entry {
        kind: "exit code",
        names: vec![(exit as u8).to_string()],
        meaning: sentence.to_owned(),
        advice: Some(advice(exit)),
    };
    Exit::ALL.into_iter().map(entry).collect()
}

fn advice(exit: Exit) -> &'static str {
    match exit {
        Exit::Success => {
            "Nothing is to be done. The report says what limits the numbers, such as co-located."
        }
        Exit::Failure => {
            "The lines that begin with `error:`, `caused by:` and `hint:` say what it was: a file that cannot be read, a run \
             that does not exist, another e3 that works on the same run. `e3 doctor` ends with it when it found a problem."
        }
        Exit::Usage => "`e3 COMMAND --help` shows what can be written, with examples.",
        Exit::Threshold => {
            "Every stage ran and can be believed, but one of the experiment's `thresholds` does not hold, or too few ops spoke \
             for it. The summary names each with its value; report/junit.xml has them for a build server. For an undecided \
             one, run longer, or ask for a lower percentile: p99 needs 500 successes."
        }
        Exit::Findings => {
            "Each finding has line, column and a hint; `e3 explain RULE` says more about the rule in its brackets. \
             `e3 validate -e NAME` checks again without setting anything up."
        }
        Exit::Provision => {
            "The message names the thread and the node; logs/ in the run's directory has what each child process said. \
             `e3 doctor` looks for the usual causes: git, ports, disk, limits. `e3 deprovision -r RUN` removes what stands; \
             `e3 orchestrate` has done so already."
        }
        Exit::Leftover => {
            "The message names what is left and why. `e3 deprovision -r RUN` tries again, as often as needed; \
             `e3 status -r RUN` shows what the journal still knows."
        }
        Exit::Run => {
            "The message names the stage and why: a node that died, a worker that fell silent, a reset that did not succeed, \
             a full disk. What was measured before is kept; `e3 gather` and `e3 analyze` work on it."
        }
        Exit::Interrupted => {
            "Somebody pressed Ctrl-C, or the machine asked e3 to end. The current stage was cut short and is stamped \
             incomplete; the stages before it are whole."
        }
        Exit::Invalid => {
            "A stage is stamped client-bound or samples-lost: it measured the load generator and not the system. The \
             report names each limit that was passed (`e3 explain client-bound` lists them). Use fewer clients, longer think \
             times, a lower rate or a larger machine, stop what else runs (`e3 doctor` looks), and run again. It \
             outranks exit code 3."
        }
        Exit::Analysis => {
            "The message names the file. A full disk or a damaged file of samples are the usual causes; `e3 gather -r RUN` and \
             `e3 analyze -r RUN` may be repeated."
        }
    }
}
