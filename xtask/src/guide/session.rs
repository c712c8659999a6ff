//! A console block as a session: commands, and what the page shows of their output.

/// A command and what is shown below it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step<'a> {
    /// The command, its continued lines joined.
    pub(super) command: String,
    /// The lines of output that the page shows.
    pub(super) shown: Vec<&'a str>,
}

/// Returns the steps of a session; lines before the first command belong to none.
pub(super) fn steps(text: &str) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => {
                goes_on = command.ends_with('\\');
                steps.push(Step { command: command.trim_end_matches('\\').to_owned(), shown: Vec::new() });
            }
            (None, Some(step)) if goes_on => {
                goes_on = line.ends_with('\\');
                step.command.push_str(line.trim_start().trim_end_matches('\\'));
            }
            (None, Some(step)) => step.shown.push(line),
            (None, None) => {}
        }
    }
    steps
}

/// Returns a command with the words `RUN` and `BASELINE` as the newest run and the one before it.
pub(super) fn with_runs(command: &str, newest_first: &[String]) -> String {
    let mut text = String::new();
    let mut rest = command;
    while let Some(start) = rest.find(|c: char| c.is_ascii_uppercase()) {
        let (before, tail) = rest.split_at(start);
        let end = tail.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(tail.len());
        let (word, after) = tail.split_at(end);
        let within = before.ends_with(|c: char| c.is_ascii_alphanumeric() || "_$".contains(c));
        let run = match word {
            "RUN" if !within => newest_first.first(),
            "BASELINE" if !within => newest_first.get(1),
            _ => None,
        };
        text.push_str(before);
        text.push_str(run.map_or(word, String::as_str));
        rest = after;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_commands_with_their_output() {
        let steps = steps("$ e3 validate \\\n    -e mine\nfine\n\n$ e3 list\n");
        assert_eq!(steps[0], Step { command: "e3 validate -e mine".to_owned(), shown: vec!["fine", ""] });
        assert_eq!(steps[1], Step { command: "e3 list".to_owned(), shown: Vec::new() });
    }

    #[test]
    fn runs_are_named_by_words() {
        let runs = ["new".to_owned(), "old".to_owned()];
        for (command, expected) in [
            ("e3 report -r RUN", "e3 report -r new"),
            ("e3 compare BASELINE RUN", "e3 compare old new"),
            ("cat e3-home/runs/RUN/report/summary.md", "cat e3-home/runs/new/report/summary.md"),
            ("echo $RUN RUNS E3_RUN xRUN", "echo $RUN RUNS E3_RUN xRUN"),
        ] {
            assert_eq!(with_runs(command, &runs), expected);
        }
        assert_eq!(with_runs("e3 status -r RUN", &[]), "e3 status -r RUN");
    }
}
