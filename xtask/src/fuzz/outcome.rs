//! What became of a target, by what libFuzzer printed.

use std::path::{Path, PathBuf};

use super::{shown, tail};

/// What became of a target.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// How many inputs were run.
    runs: u64,
    /// How many edges of the code were seen.
    coverage: u64,
    /// Why it broke; none if it did not.
    broken: Option<Broken>,
}

#[derive(Debug, PartialEq, Eq)]
struct Broken {
    program: PathBuf,
    /// The input that broke it; none if it broke without one.
    input: Option<String>,
    log: PathBuf,
    last_words: String,
}

impl Outcome {
    /// Reads the log of a target that has ended.
    pub(super) fn read(succeeded: bool, said: &str, program: &Path, log: &Path) -> Self {
        let statistic = "stat::number_of_executed_units:";
        let runs = said.lines().find_map(|line| line.strip_prefix(statistic)?.trim().parse().ok());
        let coverage = |line: &str| line.split_once(" cov: ")?.1.split(' ').next()?.parse().ok();
        // A target that ends at once ran something, too, but the statistic alone says how much.
        let runs = runs.unwrap_or_default();
        let input =
            said.lines().rev().find_map(|line| Some(line.split_once("Test unit written to ")?.1.trim()));
        let broken = (!succeeded || runs == 0).then(|| Broken {
            program: program.to_owned(),
            input: input.map(str::to_owned),
            log: log.to_owned(),
            last_words: panicked(said).unwrap_or_else(|| tail(said, 3)),
        });
        Self { runs, coverage: said.lines().rev().find_map(coverage).unwrap_or_default(), broken }
    }

    /// Returns one line for people.
    pub(super) fn line(&self, target: &str) -> String {
        let word = if self.broken.is_some() { "broken" } else { "ok" };
        format!("{target:<16} {:>10} runs {:>6} edges covered  {word}", self.runs, self.coverage)
    }

    /// Returns what broke, and how to see it again; none if nothing did.
    pub(super) fn problem(&self, target: &str) -> Option<String> {
        let Broken { program, input, log, last_words } = self.broken.as_ref()?;
        let again = match input {
            Some(input) => format!("the input is kept; repeat it: {} {input}", shown(program)),
            None => "it left no input".to_owned(),
        };
        Some(format!("{target}: {last_words}\n  {again}\n  all that it said: {}", shown(log)))
    }
}

/// Returns what a target said when it panicked.
fn panicked(said: &str) -> Option<String> {
    let mut lines = said.lines().skip_while(|line| !line.contains("panicked at"));
    let (place, sentence) = (lines.next()?, lines.next().unwrap_or_default());
    Some(format!("{} {sentence}", place.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(succeeded: bool, said: &str) -> Outcome {
        Outcome::read(succeeded, said, Path::new("/t/pack"), Path::new("/t/log"))
    }

    #[test]
    fn a_target_that_ran_says_how_much() {
        let said = "#2\tINITED cov: 70 ft: 71\n#900\tNEW    cov: 123 ft: 200\nstat::number_of_executed_units: 4567\n";
        let outcome = read(true, said);
        assert_eq!(outcome, Outcome { runs: 4567, coverage: 123, broken: None });
        assert!(
            outcome.line("pack").ends_with("4567 runs    123 edges covered  ok"),
            "{}",
            outcome.line("pack")
        );
    }

    #[test]
    fn a_target_that_broke_says_how_to_repeat_it() {
        let said = "thread '<unnamed>' panicked at src/bin/pack.rs:3:5:\nnot the same\nTest unit written to /t/broken/crash-1\n";
        let problem = read(false, said).problem("pack").unwrap();
        assert!(problem.contains("pack.rs:3:5: not the same"), "{problem}");
        assert!(problem.contains("/t/pack /t/broken/crash-1"), "{problem}");
        // One that ran nothing proves nothing.
        assert!(read(true, "").problem("pack").is_some());
    }
}
