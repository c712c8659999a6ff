//! `cargo xtask bench WHAT`: how fast something is beside what people use instead, on this machine, now.

mod answers;
mod canned;
mod clients;
mod engine;
mod git;
mod githost;
mod help;
mod honesty;
mod http;
mod lateness;
mod memory;
mod quickstart;
mod search;
mod stalls;
mod steal;
mod tickets;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// Runs the chore.
///
/// # Errors
/// When an argument is unknown, or what is measured does not work.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    let options = Options::parse(arguments)?;
    if cfg!(debug_assertions) {
        // Otherwise the client would be what is measured.
        let mut command = process::cargo(&workspace.root);
        command.args(["run", "--locked", "--quiet", "--release", "--package", "xtask", "--", "bench"]);
        return process::run(command.args(arguments));
    }
    (options.what)(workspace, &options)
}

/// A measurement by its name.
type Measurement = fn(&Workspace, &Options) -> Result<ExitCode>;

/// Every measurement.
const MEASUREMENTS: [(&str, Measurement); 14] = [
    ("engine", engine::run),
    ("clients", clients::run),
    ("honesty", honesty::run),
    ("lateness", lateness::run),
    ("clone", git::clone),
    ("ls-remote", git::ls_remote),
    ("push", git::push),
    ("memory", memory::run),
    ("githost", githost::run),
    ("quickstart", quickstart::run),
    ("help", help::run),
    ("http", http::run),
    ("search", search::run),
    ("tickets", tickets::run),
];

/// What a measurement is told.
struct Options {
    /// What is measured.
    what: Measurement,
    /// The binary; none builds it.
    e3: Option<PathBuf>,
    /// How long each measurement takes.
    seconds: u64,
    /// How often each is repeated, in turns with the others.
    rounds: usize,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self> {
        let names = MEASUREMENTS.map(|(name, _)| name).join(", ");
        let Some((what, rest)) = arguments.split_first() else {
            bail!("`cargo xtask bench` measures {names}; say which");
        };
        let Some((_, what)) = MEASUREMENTS.into_iter().find(|(name, _)| name == what) else {
            bail!("`cargo xtask bench` measures {names}, not {what:?}");
        };
        let mut options = Self { what, e3: None, seconds: 4, rounds: 3 };
        let mut rest = rest.iter();
        while let Some(flag) = rest.next() {
            let value = rest.next().with_context(|| format!("{flag} needs a value"))?;
            let number =
                || value.parse().with_context(|| format!("{flag} takes a number, but got {value:?}"));
            match flag.as_str() {
                "--e3" => options.e3 = Some(std::path::absolute(value).context("cannot tell where we are")?),
                "--seconds" => options.seconds = number()?,
                "--rounds" => options.rounds = usize::try_from(number()?).unwrap_or(1),
                _ => bail!("`cargo xtask bench` knows --e3, --seconds and --rounds, but got {flag:?}"),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_unknown_ones_refused() {
        let parse = |arguments: &[&str]| {
            Options::parse(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>())
        };
        let options = parse(&["githost", "--seconds", "2", "--e3", "/x/e3"]).unwrap();
        assert_eq!((options.seconds, options.rounds, options.e3), (2, 3, Some(PathBuf::from("/x/e3"))));
        for wrong in [
            &[][..],
            &["nginx"],
            &["githost", "--rounds"],
            &["githost", "--rounds", "x"],
            &["githost", "-v", "1"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
