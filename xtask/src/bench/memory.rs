//! How much memory a clone takes of the client while it runs beside many others, over HTTP and over SSH.
//!
//! A server in this process answers from memory and lets no pack begin before all clients wait for one, so that all of
//! them are under way at once; it sends faster than they read, so that their buffers are as full as they get. The
//! client is a process of its own, as large as [`status`](https://man7.org/linux/man-pages/man5/proc_pid_status.5.html)
//! says it ever was.

mod answers;
mod http;
mod ssh;

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use tokio::sync::Barrier;

use self::answers::Answers;
use super::Options;
use super::steal::Stolen;
use crate::say::{say, verdict};
use crate::workspace::Workspace;
use crate::{binary, process};

/// Measures, prints and judges.
///
/// # Errors
/// When the client cannot be built or a clone fails.
pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let client = client(workspace)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("cannot start a runtime")?;
    let problems = runtime.block_on(measure(&client, options))?;
    Ok(verdict("bench memory", &problems, "as small as it should be"))
}

/// What a clone is carried by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Http,
    Ssh,
}

/// What a client process took.
struct Taken {
    /// What each client added to what was resident before, in KiB.
    each_kib: f64,
    cpu_ms: f64,
}

async fn measure(client: &Path, options: &Options) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let before = Stolen::now();
    say("protocol   pack MiB   clients   KiB/clone   CPU ms/clone   (the smallest of all rounds)");
    for protocol in [Protocol::Http, Protocol::Ssh] {
        for mebibytes in PACKS {
            let answers = Arc::new(Answers::new(mebibytes << 20));
            for clients in CLIENTS {
                let mut best = Taken { each_kib: f64::INFINITY, cpu_ms: f64::INFINITY };
                for _ in 0..options.rounds.max(1) {
                    let taken = once(client, protocol, &answers, clients).await?;
                    best.each_kib = best.each_kib.min(taken.each_kib);
                    best.cpu_ms = best.cpu_ms.min(taken.cpu_ms);
                }
                let name = protocol.name();
                say(format!(
                    "{name:<8}   {mebibytes:>8}   {clients:>7}   {:>9.0}   {:>12.2}",
                    best.each_kib, best.cpu_ms
                ));
                // One alone shows what its process takes when it does something for the first time.
                if clients > 1 && best.each_kib > protocol.most_kib() {
                    problems.push(format!(
                        "{clients} clones of {mebibytes} MiB over {name} took {:.0} KiB each; at most {:.0} KiB are wanted",
                        best.each_kib,
                        protocol.most_kib()
                    ));
                }
            }
        }
    }
    say(before.since());
    Ok(problems)
}

/// Lets a client process clone by so many clients at once, and takes its measure.
async fn once(client: &Path, protocol: Protocol, answers: &Arc<Answers>, clients: usize) -> Result<Taken> {
    let all_wait = Arc::new(Barrier::new(clients));
    let mut command = tokio::process::Command::new(client);
    let _server = match protocol {
        Protocol::Http => {
            let server = http::Server::start(Arc::clone(answers), all_wait).await?;
            command.arg(server.url()).arg(clients.to_string());
            Server::Http(server)
        }
        Protocol::Ssh => {
            let server = ssh::Server::start(Arc::clone(answers), all_wait).await?;
            command.arg(server.url()).arg(clients.to_string()).arg(server.host_key());
            Server::Ssh(server)
        }
    };
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = output.context("cannot start the client")?;
    if !output.status.success() {
        bail!("the client ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    taken(&String::from_utf8_lossy(&output.stdout), clients, answers.pack_bytes())
}

/// Keeps a server up.
#[expect(dead_code, reason = "they are held, not read")]
enum Server {
    Http(http::Server),
    Ssh(ssh::Server),
}

/// Reads what the client printed.
fn taken(line: &str, clients: usize, pack_bytes: usize) -> Result<Taken> {
    let numbers: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse).collect();
    let Ok(&[before, peak, cpu_ms, bytes]) = numbers.as_deref() else {
        bail!("the client printed {line:?}");
    };
    let clients = f64::from(u32::try_from(clients).context("too many clients")?);
    let expected = clients * f64::from(u32::try_from(pack_bytes).context("too large a pack")?);
    if (bytes - expected).abs() >= 1.0 {
        bail!("the client drained {bytes} bytes of packs instead of {expected}");
    }
    Ok(Taken { each_kib: (peak - before) / clients, cpu_ms })
}

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Ssh => "SSH",
        }
    }

    /// The most that a clone may take, in KiB.
    fn most_kib(self) -> f64 {
        match self {
            Self::Http => 128.0,
            Self::Ssh => 384.0,
        }
    }
}

/// Builds the client with optimisation, and returns where it lies.
fn client(workspace: &Workspace) -> Result<PathBuf> {
    say("build: the client, an example of e3-git");
    let mut command = process::cargo(&workspace.root);
    command.args(["build", "--locked", "--release", "--package", "e3-git", "--example", CLIENT]);
    command.args(["--message-format", "json-render-diagnostics"]);
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.context("cannot start cargo build")?;
    if !output.status.success() {
        bail!("the client could not be built");
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    binary::executable_named(CLIENT, &messages).context("cargo build did not say where the client lies")
}

const CLIENT: &str = "clones";
const CLIENTS: [usize; 3] = [1, 64, 256];
/// The sizes of packs, in MiB: what a clone takes does not depend on it.
const PACKS: [usize; 2] = [1, 24];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_prints_is_read_and_a_pack_that_is_not_whole_noticed() {
        let taken_of = |line: &str| taken(line, 10, 1000);
        let read = taken_of("5000 6000 1.25 10000\n").unwrap();
        assert!((read.each_kib - 100.0).abs() < 1e-9 && (read.cpu_ms - 1.25).abs() < 1e-9);
        for wrong in ["5000 6000 1.25 9999", "5000 6000 1.25 10001", "5000 6000 1.25", "", "a b c d"] {
            assert!(taken_of(wrong).is_err(), "{wrong}");
        }
    }
}
