//! The HTTP client beside the fast ones: requests per second of its own processor time, for the same small file of nginx.
//!
//! Wall time would say how fast nginx is, and how many cores the machine has. All clients keep 64 connections busy, each
//! program in turns; the best of all rounds counts, because everything else on a machine only makes it slower.
//!
//! Of e3 counts what it spends while the load is on, every sample recorded and written, as its run tells; what the whole
//! command takes, with sealing, analysis and report, which its peers do not do, is shown beside it.

mod peer;
mod server;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use self::peer::Peer;
use self::server::Server;
use super::Options;
use super::steal::Stolen;
use crate::say::{say, verdict};
use crate::workspace::Workspace;
use crate::{binary, tools};

/// Measures, prints and judges.
///
/// # Errors
/// When nginx cannot be started, or a client fails or reports failed requests.
pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    tools::ensure_web_server()?;
    let e3 = match &options.e3 {
        Some(path) => path.clone(),
        None => binary::release(workspace)?,
    };
    let folder = tempfile::tempdir().context("cannot make a temporary directory")?;
    let (there, mut problems) = present();
    let server = Server::start(folder.path())?;
    let before = Stolen::now();
    let mut best = vec![Measured::default(); there.len()];
    for round in 1..=options.rounds.max(1) {
        say(format!("round {round} of {}", options.rounds.max(1)));
        for (peer, best) in there.iter().zip(&mut best) {
            let home = folder.path().join(format!("{}-{round}", peer.name()));
            let measured = measure(*peer, &e3, &server.url(), &home, options.seconds)
                .with_context(|| format!("{} failed", peer.name()))?;
            if measured.per_cpu_second() > best.per_cpu_second() {
                *best = measured;
            }
        }
    }
    say(before.since());
    drop(server);
    problems.extend(report(&there, &best));
    Ok(verdict("bench http", &problems, "as cheap as it should be"))
}

/// Returns the programs that are there, and what must be done about those that are not.
fn present() -> (Vec<Peer>, Vec<String>) {
    let (mut there, mut problems) = (Vec::new(), Vec::new());
    for peer in Peer::ALL {
        match peer.missing() {
            None => there.push(peer),
            Some(how) if peer.is_optional() => say(format!("{} is not installed: {how}", peer.name())),
            Some(how) => problems.push(format!("{} is not installed: {how}", peer.name())),
        }
    }
    (there, problems)
}

/// What one program did in one round.
#[derive(Debug, Clone, Copy, Default)]
struct Measured {
    requests: f64,
    /// Processor time of the program and its children.
    user_s: f64,
    system_s: f64,
    /// What of it was spent while the load was on; all of it for a program that does nothing else.
    load_s: f64,
}

impl Measured {
    fn per_cpu_second(self) -> f64 {
        self.requests / at_least_a_tick(self.load_s)
    }

    fn per_cpu_second_of_all(self) -> f64 {
        self.requests / at_least_a_tick(self.user_s + self.system_s)
    }

    fn micros(self, seconds: f64) -> f64 {
        1e6 * seconds / self.requests.max(1.0)
    }
}

/// So that nothing is ever divided by 0.
fn at_least_a_tick(seconds: f64) -> f64 {
    seconds.max(1.0 / TICKS_PER_SECOND)
}

fn measure(peer: Peer, e3: &Path, url: &str, home: &Path, seconds: u64) -> Result<Measured> {
    let (user, system) = spent_by_children();
    let did = peer.run(e3, url, home, seconds)?;
    let (user_after, system_after) = spent_by_children();
    let (user_s, system_s) = (user_after - user, system_after - system);
    let load_s = did.load_s.unwrap_or(user_s + system_s);
    // Another program's time, or none at all, would make any ratio.
    if load_s <= 0.0 || load_s > user_s + system_s + 0.1 {
        bail!("{load_s:.2} s of processor time under load, of {:.2} s in all", user_s + system_s);
    }
    Ok(Measured { requests: did.requests, user_s, system_s, load_s })
}

/// Returns the processor time, in seconds, of all programs that this one has started and that have ended: in user code, and
/// in the kernel. Theirs includes their own children's.
///
/// Source: `proc_pid_stat(5)`, fields 16 and 17, in clock ticks.
fn spent_by_children() -> (f64, f64) {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The program's name, in parentheses, may have blanks.
    let behind = text.rsplit(')').next().unwrap_or_default();
    let mut fields = behind.split_whitespace().skip(13);
    let mut next =
        || fields.next().and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or_default() / TICKS_PER_SECOND;
    (next(), next())
}

fn report(there: &[Peer], best: &[Measured]) -> Vec<String> {
    let own = there.iter().zip(best).find(|(peer, _)| **peer == Peer::E3).map(|(_, measured)| *measured);
    let own = own.unwrap_or_default();
    let mut problems = Vec::new();
    say(format!("{CONNECTIONS} connections; processor time a request, and requests per CPU second:"));
    say("client      requests   user us   system us   under load   all of it   e3 beside it, under load");
    for (peer, measured) in there.iter().zip(best) {
        let ratio = own.per_cpu_second() / measured.per_cpu_second().max(f64::MIN_POSITIVE);
        say(format!(
            "{:<8}  {:>10.0}  {:>8.2}  {:>10.2}  {:>11.0}  {:>10.0}   {ratio:.2}",
            peer.name(),
            measured.requests,
            measured.micros(measured.user_s),
            measured.micros(measured.system_s),
            measured.per_cpu_second(),
            measured.per_cpu_second_of_all(),
        ));
        if let Some(least) = peer.least()
            && ratio < least
        {
            problems.push(format!(
                "{ratio:.2} times the requests per CPU second of {}, at least {least} is wanted",
                peer.name()
            ));
        }
    }
    problems
}

/// How many connections each client keeps busy.
const CONNECTIONS: usize = 64;

/// Source: `time(7)`: what `/proc` counts processor time in is the same on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_time_of_programs_that_ended_is_counted() {
        let (user, system) = spent_by_children();
        let busy = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
        assert!(Command::new("sh").args(["-c", busy]).status().unwrap().success());
        let (user_after, system_after) = spent_by_children();
        assert!(user_after > user && system_after >= system, "{user} {user_after}");
    }

    #[test]
    fn a_client_that_costs_too_much_is_a_problem() {
        let measured = |requests| Measured { requests, user_s: 0.5, system_s: 0.6, load_s: 1.0 };
        let there = [Peer::E3, Peer::Wrk, Peer::Oha];
        assert_eq!(report(&there, &[measured(95.0), measured(100.0), measured(80.0)]), [""; 0]);
        let problems = report(&there, &[measured(85.0), measured(100.0), measured(80.0)]);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with("0.85 times the requests per CPU second of wrk"), "{problems:?}");
    }
}
