//! `cargo xtask soak`: many clients of all scripts, for a while, and nothing may fail, grow or be left behind.
//!
//! Runs an experiment on one node of githost, through the binary as users do, in a home of its own: a stage under load,
//! then a short one with one client. The load is all scripts alike often, or with `--workload NAME` one of the library's
//! workloads as the first E3 ran it: clients keep their jobs and never think. Meanwhile the memory of its processes is read every second, which must not grow over
//! the second half of the load, when caches are full, and what the worker holds: connections, files, children. Afterwards,
//! with the node still up: no failed op, no lost sample, samples of every op, no open connection, child process, temporary
//! file, lock, branch, pull request, comment or approval that was not there before.

mod experiment;
mod growth;
mod home;
mod proc;
mod shared_tmp;
mod state;
mod uses;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use self::experiment::{Load, NAME};
use self::growth::Memory;
use self::home::SoakHome;
use self::shared_tmp::SharedTmp;
use self::uses::Uses;
use crate::say::{say, verdict};
use crate::workspace::Workspace;
use crate::{binary, tools};

/// Runs the chore.
///
/// # Errors
/// When an argument is unknown, the binary cannot be built, or a phase of the experiment fails.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    let options = Options::parse(arguments)?;
    tools::ensure(workspace)?;
    let e3 = match options.e3 {
        Some(path) => path,
        None => binary::release(workspace)?,
    };
    let home = SoakHome::new(e3, workspace)?;
    let soaked = soak(&home, &options.load);
    // Whatever happened, the node must not outlive the chore.
    let removed = home.deprovision();
    let mut problems = soaked?;
    problems.extend(removed?);
    let Load { clients, seconds, workload } = options.load;
    let of = workload.map_or_else(|| "all scripts".to_owned(), |name| format!("the workload {name}"));
    Ok(verdict(
        "soak",
        &problems,
        &format!("{clients} clients of {of} for {seconds} s, nothing failed, grew or was left"),
    ))
}

struct Options {
    e3: Option<PathBuf>,
    load: Load,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self { e3: None, load: Load { clients: 40, seconds: 120, workload: None } };
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            let value = rest.next().with_context(|| format!("{flag} needs a value"))?;
            match flag.as_str() {
                "--e3" => options.e3 = Some(std::path::absolute(value).context("cannot tell where we are")?),
                "--clients" => options.load.clients = number(flag, value)?,
                "--seconds" => options.load.seconds = number(flag, value)?,
                "--workload" => options.load.workload = Some(value.clone()),
                _ => bail!(
                    "`cargo xtask soak` knows --e3, --clients, --seconds and --workload, but got {flag:?}"
                ),
            }
        }
        Ok(options)
    }
}

fn number<N: std::str::FromStr>(flag: &str, value: &str) -> Result<N> {
    value.parse().ok().with_context(|| format!("{flag} takes a number, but got {value:?}"))
}

/// Runs the experiment and says what is wrong with it, all of it.
fn soak(home: &SoakHome, load: &Load) -> Result<Vec<String>> {
    let scripts = home.scripts()?;
    let scripts = match &load.workload {
        Some(name) => experiment::of_workload(home.home(), name, &scripts)?,
        None => scripts,
    };
    experiment::write(home.path(), &scripts, load)?;
    let run = home.e3(&["provision", "-e", NAME])?;
    home.set_run(run.trim());
    let system = proc::of_githost(&home.run());
    if system.is_empty() {
        bail!("no githost runs after `e3 provision`");
    }
    let (before, tmp) = (state::read(home)?, SharedTmp::look());
    let (mut problems, memory) = load_and_watch(home, load, &system)?;
    problems.extend(left_in_processes(&system, load.clients));
    problems.extend(state::read(home)?.left_since(&before));
    problems.extend(home.temporary_files());
    problems.extend(tmp.left(CLOSING));
    home.e3(&["gather", "-r", &home.run()])?;
    home.e3(&["analyze", "-r", &home.run()])?;
    problems.extend(experiment::problems(&home.analysis()?, &scripts));
    for memory in &memory {
        say(memory.to_string());
        problems.extend(memory.problem());
    }
    Ok(problems)
}

/// Runs the stages and looks at all processes each second.
fn load_and_watch(
    home: &SoakHome,
    load: &Load,
    system: &[proc::Process],
) -> Result<(Vec<String>, Vec<Memory>)> {
    let mut worker = home.start(&["run", "-r", &home.run()])?;
    let started = Instant::now();
    let (half, end) =
        (Duration::from_secs(load.seconds / 2), Duration::from_secs(load.seconds.saturating_sub(1)));
    let mut watched: Vec<(proc::Process, Memory)> =
        system.iter().map(|process| (process.clone(), Memory::of(process.role()))).collect();
    let (own, mut uses) = (proc::Process::of(worker.id()), Uses::default());
    watched.push((own.clone(), Memory::of("the worker")));
    let bound = Duration::from_secs(load.seconds) + AFTER;
    let status = loop {
        if let Some(status) = worker.try_wait().context("cannot look after `e3 run`")? {
            break status;
        }
        if started.elapsed() > bound {
            worker.kill().context("cannot end `e3 run`")?;
            bail!("`e3 run` did not end within {} s", bound.as_secs());
        }
        let at = started.elapsed();
        for (process, memory) in &mut watched {
            if let Some(bytes) = process.resident().filter(|_| (half..end).contains(&at)) {
                memory.note(at, bytes);
            }
        }
        uses.note(at, &own);
        // A clock: one reading a second.
        thread::sleep(SECOND.saturating_sub(started.elapsed().saturating_sub(at)));
    };
    let said = home.said()?;
    say(uses.to_string());
    let mut problems = uses.problems(Duration::from_secs(load.seconds));
    if !status.success() {
        problems.push(format!("`e3 run` ended with {status}; it said:\n{said}"));
    }
    problems.extend(
        said.lines()
            .filter(|line| line.contains(" failed ") || line.contains("left behind"))
            .map(str::to_owned),
    );
    Ok((problems, watched.into_iter().map(|(_, memory)| memory).collect()))
}

/// Says which connections and child processes the system still has, after time to close them.
///
/// Of the connections among its own processes the front may keep some for its next requests.
fn left_in_processes(system: &[proc::Process], clients: u32) -> Vec<String> {
    let until = Instant::now() + CLOSING;
    loop {
        let open: Vec<_> = system.iter().map(|process| (process, process.connections())).collect();
        let own: BTreeSet<_> = open.iter().flat_map(|(_, ends)| ends).map(|end| end.own.clone()).collect();
        let mut left = Vec::new();
        for (process, ends) in &open {
            let (kept, outside) = ends.iter().partition::<Vec<_>, _>(|end| own.contains(&end.other));
            if !outside.is_empty() {
                left.push(format!("{} connections of {} are still open", outside.len(), process.shown()));
            }
            if kept.len() > usize::try_from(clients).unwrap_or(usize::MAX) {
                let count = kept.len();
                left.push(format!(
                    "{} keeps {count} connections within, more than it had clients",
                    process.shown()
                ));
            }
            let children = process.children().into_iter();
            left.extend(children.map(|child| format!("{} still has the child {child}", process.shown())));
        }
        if left.is_empty() || Instant::now() > until {
            return left;
        }
        thread::sleep(SECOND / 10);
    }
}

const SECOND: Duration = Duration::from_secs(1);
/// How long a run may take beyond its stage.
const AFTER: Duration = Duration::from_secs(120);
/// How long a server may take to close what its clients have left.
const CLOSING: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_unknown_ones_refused() {
        let parse = |arguments: &[&str]| {
            Options::parse(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>())
        };
        let options = parse(&["--clients", "8", "--e3", "/x/e3"]).unwrap();
        assert_eq!((options.load.clients, options.load.seconds), (8, 120));
        assert_eq!(options.load.workload, None);
        assert_eq!(parse(&["--workload", "mixed"]).unwrap().load.workload.as_deref(), Some("mixed"));
        assert_eq!(options.e3, Some(PathBuf::from("/x/e3")));
        for wrong in [&["--clients"][..], &["--clients", "many"], &["--nodes", "2"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
