//! A githost node that serves HTTP and SSH, on free ports, gone afterwards.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use e3_bitbucket::Bitbucket;
use e3_git::{Remote, SshKey};
use e3_http::BaseUrl;
use e3_model::{Secret, SshEndpoint};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// The node, as long as this lives.
pub(in crate::bench) struct Node {
    base: BaseUrl,
    password: Secret,
    endpoint: SshEndpoint,
    key: SshKey,
    home: PathBuf,
    child: Child,
    /// Kept open, so that the node never writes to a closed pipe.
    _stdout: BufReader<ChildStdout>,
}

impl Node {
    /// Starts the node with an empty repository and a key for the administrator.
    ///
    /// # Errors
    /// When it does not start, or refuses something.
    pub(super) async fn start(e3: &Path, folder: &Path) -> Result<Self> {
        Self::start_with(e3, folder, &[]).await
    }

    /// Starts it with these lines of `bitbucket.properties`.
    ///
    /// # Errors
    /// When it does not start, or refuses something.
    pub(in crate::bench) async fn start_with(e3: &Path, folder: &Path, properties: &[&str]) -> Result<Self> {
        let (home, file) = (folder.join("home"), folder.join("admin-password"));
        let password = Secret::new(format!("{:032x}", rand::random::<u128>()));
        std::fs::write(&file, password.expose()).context("cannot write the password")?;
        let mut child = Command::new(e3)
            .args(["githost", "serve", "--http", "127.0.0.1:0", "--ssh", "127.0.0.1:0", "--home"])
            .arg(&home)
            .arg("--admin-password-file")
            .arg(&file)
            .args(properties.iter().flat_map(|line| ["--property", line]))
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", e3.display()))?;
        let mut stdout = BufReader::new(child.stdout.take().context("the node has no stdout")?);
        let mut line = String::new();
        timeout(START, stdout.read_line(&mut line)).await.context("githost was not ready in time")??;
        let ready: Value = serde_json::from_str(&line).context("githost did not say that it is ready")?;
        let text = |name: &str| {
            ready
                .get(name)
                .and_then(Value::as_str)
                .map(str::to_owned)
                .context("the ready line lacks something")
        };
        let base = BaseUrl::parse(&text("http")?)?;
        let endpoint = SshEndpoint { url: text("ssh")?, host_key: text("hostKey")? };
        let key = SshKey::generate()?;
        let mut bitbucket = Bitbucket::new(base.clone(), ADMIN, &password);
        bitbucket.create_project(PROJECT, "Bench", "").await?;
        bitbucket.create_repository(PROJECT, REPOSITORY).await?;
        bitbucket.add_ssh_key(ADMIN, &key.public()).await?;
        Ok(Self { base, password, endpoint, key, home, child, _stdout: stdout })
    }

    /// Returns the URL to push to, with the password in the header to send.
    pub(super) fn push_url(&self) -> (String, String) {
        use base64::Engine as _;
        let credentials = format!("{ADMIN}:{}", self.password.expose());
        let encoded = base64::engine::general_purpose::STANDARD.encode(credentials);
        (format!("{}/scm/{PROJECT}/{REPOSITORY}.git", self.base), format!("Authorization: Basic {encoded}"))
    }

    /// Returns where the repository lies: the only one.
    ///
    /// # Errors
    /// When it is not there.
    pub(super) fn repository(&self) -> Result<PathBuf> {
        let folder = self.home.join("repositories");
        let mut entries = std::fs::read_dir(&folder).context("githost has no repositories")?.flatten();
        let found = entries.find(|entry| entry.file_name().to_string_lossy().ends_with(".git"));
        found.map(|entry| entry.path()).context("githost has no repository")
    }

    pub(in crate::bench) fn base(&self) -> &BaseUrl {
        &self.base
    }

    pub(in crate::bench) fn remote(&self) -> Remote {
        Remote::http(self.base.clone(), ADMIN, &self.password)
    }

    /// Returns the way over SSH.
    ///
    /// # Errors
    /// When the node's ready line was not right.
    pub(super) fn ssh(&self) -> Result<Remote> {
        Ok(Remote::ssh(&self.endpoint, self.key.clone())?)
    }

    /// Ends the node.
    ///
    /// # Errors
    /// When it had ended before.
    pub(in crate::bench) async fn stop(mut self) -> Result<()> {
        terminate(&mut self.child).await
    }
}

/// Asks a process to end, and waits for it.
///
/// # Errors
/// When it had ended before, or does not end in time.
pub(super) async fn terminate(child: &mut Child) -> Result<()> {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    kill_process(pid.context("a server had ended by itself")?, Signal::TERM)
        .context("cannot signal a server")?;
    if timeout(STOP, child.wait()).await.is_err() {
        bail!("a server did not end within {STOP:?} of being asked to");
    }
    Ok(())
}

pub(in crate::bench) const PROJECT: &str = "BENCH";
pub(in crate::bench) const REPOSITORY: &str = "repository";
const ADMIN: &str = "admin";
const START: Duration = Duration::from_secs(20);
const STOP: Duration = Duration::from_secs(15);
