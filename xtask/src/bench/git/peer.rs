//! The peer: clients that run the real git in a loop.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;
use tokio::task::JoinSet;

use super::cpu;

/// Runs git without anybody's configuration, in a directory.
///
/// # Errors
/// When git fails.
pub(super) async fn git(folder: &Path, arguments: &[&str], ssh: Option<&str>) -> Result<()> {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(folder).env_clear().kill_on_drop(true);
    for name in ["PATH", "TMPDIR"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command.envs(ENVIRONMENT).envs(ssh.map(|ssh| ("GIT_SSH_COMMAND", OsString::from(ssh))));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let output = command.output().await.context("cannot start git")?;
    if !output.status.success() {
        bail!("git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// What a client of the peer does: it is told which client and which op of its own it is.
pub(super) trait Act: Clone + Send + Sync + 'static {
    /// Does one op.
    fn act(&self, client: u32, number: u32) -> impl Future<Output = Result<()>> + Send;
}

/// Lets so many clients do so many ops each, and returns what an op takes, in milliseconds of git and its children.
///
/// # Errors
/// When an op fails.
pub(super) async fn each(act: &impl Act, clients: u32, operations: u32) -> Result<f64> {
    let before = cpu::of_children()?;
    let mut tasks: JoinSet<Result<()>> = JoinSet::new();
    for client in 0..clients {
        let act = act.clone();
        tasks.spawn(async move {
            for number in 0..operations {
                act.act(client, number).await?;
            }
            Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.context("a client broke")??;
    }
    Ok((cpu::of_children()? - before) / f64::from(clients.saturating_mul(operations).max(1)))
}

/// The user's files are none of a measurement's concern, and nothing goes on in the background.
const ENVIRONMENT: [(&str, &str); 14] = [
    ("LC_ALL", "C"),
    ("HOME", "/nonexistent"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_AUTHOR_NAME", "A Bench"),
    ("GIT_AUTHOR_EMAIL", "bench@example.com"),
    ("GIT_COMMITTER_NAME", "A Bench"),
    ("GIT_COMMITTER_EMAIL", "bench@example.com"),
    ("GIT_CONFIG_COUNT", "2"),
    ("GIT_CONFIG_KEY_0", "gc.auto"),
    ("GIT_CONFIG_VALUE_0", "0"),
    ("GIT_CONFIG_KEY_1", "maintenance.auto"),
    ("GIT_CONFIG_VALUE_1", "false"),
];
