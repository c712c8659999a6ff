//! The server under test: the e3 binary of this tree, one githost node on a free port, gone afterwards.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use e3_http::BaseUrl;
use e3_model::Secret;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::process;
use crate::say::say;
use crate::workspace::Workspace;

/// A githost node that runs until [`Server::stop`], or until this value is dropped.
pub(super) struct Server {
    pub(super) base: BaseUrl,
    pub(super) admin_password: Secret,
    /// Holds the node's home and its log.
    folder: TempDir,
    child: Child,
    /// Kept open, so that the node never writes to a closed pipe.
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    /// Starts a node and waits until it listens.
    ///
    /// # Errors
    /// When it cannot be started or does not listen in time; the error holds the end of its log.
    pub(super) async fn start(e3: &Path) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary directory")?;
        let admin_password = new_password();
        let password_file = folder.path().join("admin-password");
        write_private(&password_file, admin_password.expose())?;
        let log = std::fs::File::create(folder.path().join(LOG)).context("cannot make the node's log")?;
        let mut child = Command::new(e3)
            .args(["githost", "serve", "--http", "127.0.0.1:0", "--home"])
            .arg(folder.path().join("home"))
            .arg("--admin-password-file")
            .arg(&password_file)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", folder.path())
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", e3.display()))?;
        let mut stdout = BufReader::new(child.stdout.take().context("the node has no stdout")?);
        let mut line = String::new();
        let read = timeout(START, stdout.read_line(&mut line)).await;
        let ready: Option<Value> = serde_json::from_str(&line).ok();
        let address = ready.as_ref().and_then(|ready| ready.get("http")?.as_str());
        let (Ok(Ok(_)), Some(address)) = (read, address) else {
            bail!(
                "githost did not say within {START:?} where it listens; its log ends:\n{}",
                tail(folder.path())
            );
        };
        let base = BaseUrl::parse(address)?;
        Ok(Self { base, admin_password, folder, child, _stdout: stdout })
    }

    /// Returns a folder for whatever the checks need beside the server; it goes with the server.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the end of the node's log.
    pub(super) fn log(&self) -> String {
        tail(self.folder.path())
    }

    /// Asks the node to end, and kills it when it does not.
    ///
    /// # Errors
    /// When it had ended before, or did not end as asked.
    pub(super) async fn stop(mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait().context("cannot look after githost")? {
            bail!("githost ended by itself with {status}; its log ends:\n{}", self.log());
        }
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        kill_process(pid.context("githost has no process")?, Signal::TERM)
            .context("cannot signal githost")?;
        match timeout(STOP, self.child.wait()).await {
            Ok(status) if status.as_ref().is_ok_and(std::process::ExitStatus::success) => Ok(()),
            Ok(status) => bail!("githost ended with {status:?} when asked to; its log ends:\n{}", self.log()),
            Err(_) => {
                self.child.kill().await.context("cannot kill githost")?;
                bail!("githost did not end within {STOP:?} of being asked to, and was killed")
            }
        }
    }
}

/// Builds the e3 binary as the tests do, and returns where it lies.
///
/// # Errors
/// When the build fails.
pub(super) fn build(workspace: &Workspace) -> Result<PathBuf> {
    say("build: the e3 binary of this tree");
    let mut command = process::cargo(&workspace.root);
    command.args(["build", "--locked", "--workspace", "--bin", "e3"]);
    command
        .args(["--message-format", "json-render-diagnostics"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let output = command.output().context("cannot start cargo build")?;
    if !output.status.success() {
        bail!("the e3 binary could not be built");
    }
    let text = String::from_utf8_lossy(&output.stdout);
    executable(&text).context("cargo build did not say where the e3 binary lies")
}

/// Returns the binary that cargo's messages name, one message a line.
fn executable(messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let path = |message: Value| {
        let is_e3 = message.pointer("/target/name")? == "e3";
        message.get("executable")?.as_str().filter(|_| is_e3).map(PathBuf::from)
    };
    messages.filter_map(path).next_back()
}

/// Returns a password that nobody guesses while the server runs.
pub(super) fn new_password() -> Secret {
    Secret::new(format!("{:032x}", rand::random::<u128>()))
}

fn write_private(file: &Path, text: &str) -> Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(file);
    opened
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", file.display()))
}

fn tail(folder: &Path) -> String {
    let log = std::fs::read_to_string(folder.join(LOG)).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
}

const LOG: &str = "githost.log";
const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_is_where_cargo_says() {
        let messages = "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"e3_git\"},\"executable\":null}\n\
                        not json\n\
                        {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"e3\"},\"executable\":\"/t/debug/e3\"}\n\
                        {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(executable(messages), Some(PathBuf::from("/t/debug/e3")));
        assert_eq!(executable("{\"reason\":\"build-finished\"}"), None);
    }

    #[test]
    fn passwords_differ_and_their_file_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        assert_ne!(new_password().expose(), new_password().expose());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("p");
        write_private(&file, "p").unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(write_private(&file, "p").is_err(), "it must be new");
    }
}
