//! Ten thousand clients at once: how much memory `e3 load` takes for them.
//!
//! Each has a connection of its own and thinks for a second between two requests, so that all of them are there all the
//! time. A server in this process answers. Everything that e3 does is counted, its analysis and report too.

use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::Value;

use super::Options;
use super::answers::Answers;
use super::steal::Stolen;
use crate::binary;
use crate::say::{say, verdict};
use crate::workspace::Workspace;

/// Measures, prints and judges.
///
/// # Errors
/// When the binary cannot be built, or a request fails.
pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    make_room()?;
    let e3 = match &options.e3 {
        Some(path) => path.clone(),
        None => binary::release(workspace)?,
    };
    let server = Answers::start()?;
    let folder = tempfile::tempdir().context("cannot make a temporary directory")?;
    let before = Stolen::now();
    let once = once(&e3, &format!("http://{}/", server.address()), folder.path())?;
    say(before.since());
    say(format!(
        "{CLIENTS} clients with 1 s think time, {SECONDS} s: {:.0} MiB at most, {:.0} requests per second, p99 {:.1} ms",
        once.most_mib, once.rate_per_s, once.p99_ms
    ));
    let mut problems = Vec::new();
    if once.most_mib > MOST_MIB {
        problems.push(format!("{:.0} MiB are resident, at most {MOST_MIB} are wanted", once.most_mib));
    }
    if once.failed > 0 {
        problems.push(format!("{} requests failed", once.failed));
    }
    // A client asks once in a second and the time of its request; all of them are there when the warm-up is over.
    let least = f64::from(CLIENTS) * LEAST_SHARE;
    if once.rate_per_s < least {
        problems.push(format!("{:.0} requests per second, at least {least:.0} are wanted", once.rate_per_s));
    }
    Ok(verdict("bench clients", &problems, "as small as it should be"))
}

/// What one load was like.
struct Once {
    /// The most that was resident.
    most_mib: f64,
    rate_per_s: f64,
    p99_ms: f64,
    failed: u64,
}

fn once(e3: &Path, url: &str, home: &Path) -> Result<Once> {
    let mut child = Command::new(e3)
        .args(["load", "--script", "http.Request", "--url", url, "--clients", &CLIENTS.to_string()])
        .args(["--duration", &format!("{SECONDS}s"), "--think-time", "1s", "--json"])
        // Nobody opens ten thousand connections in the same millisecond, and no server accepts them.
        .args(["--ramp-up", "5s", "--warm-up", "5s", "--home"])
        .arg(home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .context("cannot start e3")?;
    let most_mib = watch(&mut child)?;
    let output = child.wait_with_output().context("cannot read what e3 says")?;
    let said: Value = serde_json::from_slice(&output.stdout).context("e3 did not say what it measured")?;
    let number = |pointer: &str| {
        let value = said.pointer(pointer).and_then(Value::as_f64);
        value.with_context(|| format!("e3 did not say {pointer}"))
    };
    let said_of_itself = said.pointer("/stamps").zip(said.pointer("/honesty"));
    let (stamps, honesty) = said_of_itself.context("e3 says nothing of itself")?;
    say(format!("e3's word on the load: stamps {stamps}, honesty {honesty}"));
    let count = |pointer: &str| said.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    Ok(Once {
        most_mib,
        rate_per_s: number("/total/rate_per_s")?,
        p99_ms: number("/total/latency/p99_ms")?,
        failed: count("/total/count").saturating_sub(count("/total/ok")),
    })
}

/// Watches a process until it ends; returns the most that was resident of it, in MiB.
///
/// Source: `proc_pid_status(5)`, `VmHWM`; it only ever grows, so that only its last tenth of a second can be missed.
fn watch(child: &mut Child) -> Result<f64> {
    let status = format!("/proc/{}/status", child.id());
    let mut most_kib: f64 = 0.0;
    while child.try_wait().context("cannot wait for e3")?.is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        most_kib = kib.unwrap_or(most_kib).max(most_kib);
        std::thread::sleep(Duration::from_millis(50));
    }
    if most_kib == 0.0 {
        bail!("e3 ended before anything could be measured");
    }
    Ok(most_kib / 1024.0)
}

/// Raises this process's limit of open files, which the server needs; e3 inherits it.
fn make_room() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    if most < u64::from(CLIENTS) + 500 {
        bail!("this needs {CLIENTS} open connections: raise the limit with `ulimit -Hn 20000`");
    }
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).context("cannot raise the limit")
}

const CLIENTS: u32 = 10_000;
const SECONDS: u64 = 20;
const MOST_MIB: f64 = 512.0;
/// How much of one request a second each client must get at least.
const LEAST_SHARE: f64 = 0.8;
