//! Exit codes: each has one meaning, one sentence, and is never used for another.
//!
//! Where several apply, the one that says most about the numbers wins: a run that failed or was interrupted (30, 31)
//! before a load that cannot be believed (32) before a threshold (3), and all of them before something that is left (21).

use std::process::ExitCode;

use crate::text;

/// Why e3 ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Everything was done, and every number is what it says it is.
    Success = 0,
    /// Something failed that no other code names.
    Failure = 1,
    /// The command line was not understood.
    Usage = 2,
    /// Everything was done, but a threshold is broken or could not be judged, or a search found no load that it can
    /// answer for.
    Threshold = 3,
    /// The experiment has findings that are errors; nothing was set up.
    Findings = 10,
    /// The systems under test could not be set up or loaded.
    Provision = 20,
    /// Something that was set up could not be removed; `e3 deprovision` names it.
    Leftover = 21,
    /// A stage failed, or could not be conducted.
    Run = 30,
    /// The run was interrupted; what was measured until then is kept and analysed.
    Interrupted = 31,
    /// The run went through, but a stage's load cannot be believed: a worker was the bottleneck or samples were lost.
    Invalid = 32,
    /// Samples could not be gathered, analysed or reported.
    Analysis = 40,
}

impl Exit {
    /// Every code with its sentence, in ascending order.
    pub(crate) const ALL: [(Self, &'static str); 11] = [
        (Self::Success, "Everything was done, and every number is what it says it is."),
        (Self::Failure, "Something failed that no other code names."),
        (Self::Usage, "The command line was not understood."),
        (Self::Threshold, "A threshold is broken or could not be judged, or a search has no answer."),
        (Self::Findings, "The experiment has findings that are errors; nothing was set up."),
        (Self::Provision, "The systems under test could not be set up or loaded."),
        (Self::Leftover, "Something that was set up could not be removed; `e3 deprovision` names it."),
        (Self::Run, "A stage failed, or could not be conducted."),
        (Self::Interrupted, "The run was interrupted; what was measured until then is kept and analysed."),
        (
            Self::Invalid,
            "A stage's load cannot be believed: a worker was the bottleneck, or samples were lost.",
        ),
        (Self::Analysis, "Samples could not be gathered, analysed or reported."),
    ];

    /// Returns the list as the end of `e3 --help` shows it, in so many columns.
    pub(crate) fn help(columns: usize) -> String {
        let lines = Self::ALL.iter().map(|(exit, sentence)| {
            let sentence = text::wrap(sentence, columns.saturating_sub(INDENT), INDENT);
            format!("  {:>3}  {sentence}", *exit as u8)
        });
        format!("Exit codes:\n{}", lines.collect::<Vec<_>>().join("\n"))
    }
}

/// Where sentences begin.
const INDENT: usize = 7;

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once_in_order() {
        let codes: Vec<_> = Exit::ALL.iter().map(|(exit, _)| *exit as u8).collect();
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "{codes:?}");
        assert_eq!(codes.len(), 11);
    }

    #[test]
    fn the_readme_has_the_same_table() {
        let readme = include_str!("../../../README.md");
        let (_, table) = readme.split_once("| exit code | meaning |\n|---|---|\n").unwrap();
        let rows: Vec<_> = table.lines().take_while(|line| line.starts_with('|')).collect();
        let expected: Vec<_> =
            Exit::ALL.iter().map(|(exit, sentence)| format!("| {} | {sentence} |", *exit as u8)).collect();
        assert_eq!(rows, expected);
    }
}
