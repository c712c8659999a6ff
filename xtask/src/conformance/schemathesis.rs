//! `cargo xtask schemathesis`: githost answers as its own description says, whatever is asked.
//!
//! Starts one node with the world of the conformance rows, and lets schemathesis, a tester from PyPI that makes up
//! requests from an OpenAPI document, ask it for a bounded time. What it finds is printed by itself, with a command that
//! asks the same again; the configuration beside this file says which of its checks are off, and why.

use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;
use tokio::time::timeout;

use super::server::{self, Server};
use super::world::World;
use crate::say::say;
use crate::tools;
use crate::workspace::Workspace;

/// The packages that the chore runs with.
pub(crate) const REQUIREMENTS: &str = "xtask/src/conformance/schemathesis/requirements.txt";

/// Runs the chore; the argument is for how many seconds it asks.
///
/// # Errors
/// When the server or schemathesis cannot be started, or does not end.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    let seconds: u64 = match arguments {
        [] => SECONDS,
        [seconds] => seconds.parse().with_context(|| format!("{seconds:?} is no number of seconds"))?,
        other => bail!("takes at most the number of seconds, but got {other:?}"),
    };
    tools::ensure(workspace)?;
    let program = tools::python_program(workspace, REQUIREMENTS, "schemathesis")?;
    let e3 = server::build(workspace)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start a runtime")?.block_on(check(&e3, &program, seconds))
}

async fn check(e3: &Path, program: &Path, seconds: u64) -> Result<ExitCode> {
    let server = Server::start(e3).await?;
    let asked = ask(&server, program, seconds).await;
    let log = server.log();
    let stopped = server.stop().await;
    let asked = asked.with_context(|| format!("the checks broke off; githost's log ends:\n{log}"))?;
    stopped.map(|()| asked)
}

async fn ask(server: &Server, program: &Path, seconds: u64) -> Result<ExitCode> {
    World::make(server).await.context("cannot make what the requests are about")?;
    let file = server.folder().join("schemathesis.toml");
    std::fs::write(&file, CONFIGURATION).with_context(|| format!("cannot write {}", file.display()))?;
    let document = format!("{}/rest/openapi.json", server.base);
    say(format!("schemathesis: asks {document} for {seconds} s"));
    let mut command = Command::new(program);
    command.arg("--config-file").arg(&file).args(["run", &document]);
    command.args(["--phases", "coverage,fuzzing", "--seed", "1", "--workers", "1", "--no-shrink"]);
    command.args(["--max-time", &seconds.to_string(), "--warnings", "off"]).args(["--max-examples", "20"]);
    command.current_dir(server.folder()).env_clear();
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    // Not on the command line, where everybody on this computer could read it.
    command.env("E3_SCHEMATHESIS_PASSWORD", server.admin_password.expose());
    command.env("HOME", server.folder()).env("LC_ALL", "C.UTF-8").env("PYTHONDONTWRITEBYTECODE", "1");
    let mut child =
        command.stdin(Stdio::null()).kill_on_drop(true).spawn().context("cannot start schemathesis")?;
    let longest = Duration::from_secs(seconds.saturating_mul(2)).saturating_add(GRACE);
    let Ok(status) = timeout(longest, child.wait()).await else {
        bail!("schemathesis did not end within {longest:?}");
    };
    let status = status.context("cannot look after schemathesis")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}

const CONFIGURATION: &str = include_str!("schemathesis/schemathesis.toml");
const SECONDS: u64 = 60;
/// To read the document, and to write down what was found.
const GRACE: Duration = Duration::from_secs(60);
