//! `cargo xtask fuzz`: every target of fuzz/ for some seconds, guided by coverage.
//!
//! libFuzzer drives the targets, built as `cargo fuzz -s none` builds them, which the stable compiler can: LLVM's coverage
//! pass is a matter of code generation, only sanitizers need a nightly one. What is built and the inputs that were found
//! stay in a directory of their own below the target directory. An input that breaks a target is kept there, too.

mod outcome;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::{env, fs};

use anyhow::{Context as _, Result, bail};

use self::outcome::Outcome;
use crate::process;
use crate::say::{say, verdict};
use crate::tools;
use crate::workspace::Workspace;

/// Runs the chore.
///
/// # Errors
/// When there is no such target, an argument is unknown, or the targets cannot be built.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    let options = Options::parse(arguments, &targets(workspace)?)?;
    tools::ensure_cpp_compiler()?;
    let place = Place::new(workspace)?;
    place.build(workspace)?;
    let mut problems = Vec::new();
    for target in &options.targets {
        let outcome = place.run(workspace, target, options.seconds)?;
        say(outcome.line(target));
        problems.extend(outcome.problem(target));
    }
    let fine = format!("{} targets for {} s each, nothing broke", options.targets.len(), options.seconds);
    Ok(verdict("fuzz", &problems, &fine))
}

#[derive(Debug, PartialEq, Eq)]
struct Options {
    targets: Vec<String>,
    seconds: u32,
}

impl Options {
    fn parse(arguments: &[String], known: &[String]) -> Result<Self> {
        let mut options = Self { targets: Vec::new(), seconds: SECONDS };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            if argument == "--seconds" {
                let value = rest.next().context("--seconds needs a value")?;
                let seconds = value.parse().ok().filter(|seconds| *seconds > 0);
                options.seconds = seconds.with_context(|| format!("--seconds {value}: a number from 1"))?;
            } else if known.contains(argument) {
                options.targets.push(argument.clone());
            } else {
                bail!("there is no target {argument:?}, but {}", known.join(", "));
            }
        }
        if options.targets.is_empty() {
            options.targets = known.to_vec();
        }
        Ok(options)
    }
}

/// Returns the names of all targets, sorted.
fn targets(workspace: &Workspace) -> Result<Vec<String>> {
    let directory = workspace.root.join("fuzz/src/bin");
    let unreadable = || format!("cannot read {}", directory.display());
    let mut targets = Vec::new();
    for entry in fs::read_dir(&directory).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            targets.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    targets.sort();
    Ok(targets)
}

/// Where targets are built, and where their inputs are kept.
struct Place {
    directory: PathBuf,
    host: String,
}

impl Place {
    fn new(workspace: &Workspace) -> Result<Self> {
        let shared = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| OsString::from("target"));
        let directory = workspace.root.join(shared).join("fuzz");
        let version =
            process::output("rustc", &["-vV"]).context("cannot ask rustc for this platform's name")?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        Ok(Self { directory, host: host.context("rustc -vV names no host")?.to_owned() })
    }

    /// Builds all targets; naming the platform keeps build scripts free of what only targets are built with.
    fn build(&self, workspace: &Workspace) -> Result<()> {
        let mut command = process::cargo(&workspace.root);
        command
            .args([
                "build",
                "--quiet",
                "--locked",
                "--release",
                "--manifest-path",
                "fuzz/Cargo.toml",
                "--target",
            ])
            .arg(&self.host)
            .arg("--target-dir")
            .arg(&self.directory)
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env("RUSTFLAGS", FLAGS.join(" "));
        if process::run(&mut command)? != ExitCode::SUCCESS {
            bail!("the fuzz targets could not be built");
        }
        Ok(())
    }

    /// Runs one target; what it prints is kept in a file beside its inputs.
    fn run(&self, workspace: &Workspace, target: &str, seconds: u32) -> Result<Outcome> {
        let (found, broken) =
            (self.directory.join("found").join(target), self.directory.join("broken").join(target));
        for directory in [&found, &broken] {
            fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
        }
        let log = broken.join("log");
        let written = fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let program = self.directory.join(&self.host).join("release").join(target);
        let mut command = std::process::Command::new(&program);
        command
            .arg(&found)
            .arg(workspace.root.join("fuzz/seeds").join(target))
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-artifact_prefix={}/", broken.display()))
            .args(LIMITS)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(written);
        let status = command.status().with_context(|| format!("cannot start {}", program.display()))?;
        let said = fs::read(&log).with_context(|| format!("cannot read {}", log.display()))?;
        Ok(Outcome::read(status.success(), &String::from_utf8_lossy(&said), &program, &log))
    }
}

/// Returns the last lines of a log that say something.
fn tail(said: &str, lines: usize) -> String {
    let lines_said: Vec<_> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let from = lines_said.len().saturating_sub(lines);
    lines_said.get(from..).unwrap_or_default().join("\n")
}

/// Returns a path as one would type it.
fn shown(path: &Path) -> String {
    path.display().to_string()
}

const SECONDS: u32 = 5;

/// What the coverage of targets and of all that they use is told with.
///
/// Source: cargo-fuzz, `src/project.rs`, for `--sanitizer none`.
const FLAGS: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "-Ccodegen-units=1",
    "--cfg=fuzzing",
];

/// An input that takes ten seconds or half a gigabyte breaks a target, too.
const LIMITS: &[&str] = &["-timeout=10", "-rss_limit_mb=512", "-max_len=4096", "-print_final_stats=1"];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options> {
        let words: Vec<_> = words.iter().map(|&word| word.to_owned()).collect();
        Options::parse(&words, &["pack".to_owned(), "pkt_line".to_owned()])
    }

    #[test]
    fn runs_all_targets_or_those_that_are_named() {
        let all = parse(&[]).unwrap();
        assert_eq!((all.targets.len(), all.seconds), (2, SECONDS));
        let some = parse(&["--seconds", "60", "pack"]).unwrap();
        assert_eq!(some, Options { targets: vec!["pack".to_owned()], seconds: 60 });
        for wrong in [&["no-such"][..], &["--seconds"], &["--seconds", "0"], &["--seconds", "x"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn every_target_has_seeds() {
        let workspace = Workspace::locate().unwrap();
        let targets = targets(&workspace).unwrap();
        assert!(targets.len() >= 8, "{targets:?}");
        for target in targets {
            let seeds = fs::read_dir(workspace.root.join("fuzz/seeds").join(&target));
            assert!(seeds.is_ok_and(|mut seeds| seeds.next().is_some()), "{target}");
        }
    }
}
