//! The native client: a process of `e3 load`.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::process::Command;

use super::{Bench, PROJECT, cpu};

/// A load that is run again and again.
pub(super) struct Load {
    script: &'static str,
    repository: &'static str,
    url: String,
    flags: Vec<String>,
}

impl Load {
    /// Returns a load of a script on one repository.
    pub(super) fn new(script: &'static str, repository: &'static str, url: &str) -> Self {
        Self { script, repository, url: url.to_owned(), flags: Vec::new() }
    }

    pub(super) fn flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(|flag| (*flag).to_owned()));
        self
    }

    /// Adds where SSH is served and how one logs in there.
    pub(super) fn over_ssh(self, sshd: &super::sshd::Sshd) -> Self {
        let (url, key, host_key) = (sshd.url(), sshd.user_key(), sshd.host_key_file());
        let (key, host_key) = (key.display().to_string(), host_key.display().to_string());
        self.flags(&["--ssh-url", &url, "--ssh-key", &key, "--ssh-host-key", &host_key])
    }

    /// Returns what an op takes, in milliseconds: the difference of a long and a short run over that of their ops.
    ///
    /// # Errors
    /// When an op fails.
    pub(super) async fn each(&self, bench: &Bench<'_>, clients: u32, operations: u32) -> Result<f64> {
        let few = clients.saturating_mul(2);
        let short = self.once(bench, clients, few).await?;
        let long = self.once(bench, clients, few.saturating_add(operations)).await?;
        Ok((long - short) / f64::from(operations))
    }

    /// Runs the load and returns the processor time of the whole process, in milliseconds.
    async fn once(&self, bench: &Bench<'_>, clients: u32, operations: u32) -> Result<f64> {
        let home = tempfile::tempdir_in(bench.folder).context("cannot make a home")?;
        let before = cpu::of_children()?;
        let mut command = Command::new(&bench.e3);
        command.arg("load").arg("--home").arg(home.path()).args(["--json", "--script", self.script]);
        command.args(["--url", &self.url, "--repo", &format!("{PROJECT}/{}", self.repository)]);
        command.args(["--clients", &clients.to_string(), "--operations", &operations.to_string()]);
        command.args(["--username", "bench"]).args(&self.flags).env_clear();
        for name in ["PATH", "TMPDIR"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.env("HOME", home.path()).env("E3_PASSWORD", "bench");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let output = command.output().await.context("cannot start e3")?;
        let took = cpu::of_children()? - before;
        let said = String::from_utf8_lossy(&output.stderr);
        let answer: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("e3 load ended with {}: {}", output.status, tail(&said)))?;
        let number = |pointer: &str| answer.pointer(pointer).and_then(Value::as_u64);
        let (count, ok) = (number("/total/count"), number("/total/ok"));
        if ok != Some(u64::from(operations)) || count != ok {
            bail!("{} of {operations} ops of {} were well: {}", ok.unwrap_or(0), self.script, tail(&said));
        }
        Ok(took)
    }
}

/// Returns whether this e3 knows a flag of `e3 load`.
///
/// # Errors
/// When e3 cannot be started.
pub(super) async fn knows(e3: &Path, flag: &str) -> Result<bool> {
    let output = Command::new(e3).args(["load", "--help"]).stdin(Stdio::null()).output().await;
    let output = output.context("cannot start e3")?;
    Ok(String::from_utf8_lossy(&output.stdout).split_whitespace().any(|word| word == flag))
}

fn tail(text: &str) -> &str {
    let from = text.len().saturating_sub(2000);
    text.get(from..).unwrap_or(text).trim()
}
