//! Starting one child process by the journal's rules, and waiting until it serves.

use std::ffi::OsString;
use std::path::PathBuf;

use e3_node::{LogTail, NodeError, ProcessIdentity, Spawn, base_environment, is_alive, launch};
use e3_provider::{Journal, ProviderError, Resource};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use crate::Bounds;
use crate::status::state_of;

/// A child process to be started.
pub(crate) struct Child {
    pub(crate) name: String,
    pub(crate) mark: String,
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) log: PathBuf,
    pub(crate) bounds: Bounds,
    /// Whether it was told to serve SSH, too.
    pub(crate) is_over_ssh: bool,
}

/// Where a process serves.
pub(crate) struct Served {
    /// The base URL of HTTP, without a final slash.
    pub(crate) http: String,
    /// The base URL of SSH, likewise; there if it was asked for.
    pub(crate) ssh: Option<String>,
    /// The host key, of a process that has one.
    pub(crate) host_key: Option<String>,
}

/// What a ready line must hold; it may hold more.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ready {
    event: String,
    http: String,
    ssh: Option<String>,
    host_key: Option<String>,
}

impl Child {
    /// Starts the process and returns where it serves once it does.
    pub(crate) async fn start(self, journal: &Journal) -> Result<Served, ProviderError> {
        let resource = Resource::Process {
            name: self.name.clone(),
            mark: self.mark.clone(),
            program: self.program.clone(),
            identity: None,
        };
        journal.intent(&resource)?;
        let launched = match launch(self.spawn()) {
            Ok(launched) => launched,
            Err(error) => {
                // Any other error may leave a process behind, which its mark then finds.
                if matches!(error, NodeError::Spawn { .. } | NodeError::Log { .. }) {
                    journal.abandoned(&resource)?;
                }
                return Err(self.failed(error));
            }
        };
        journal.created(&resource.identified(launched.process()))?;
        let started = launched.ready().await.map_err(|error| self.failed(error))?;
        let served = self.served(&started.stdout_line)?;
        self.wait_until_running(&served.http, &started.process).await?;
        Ok(served)
    }

    fn spawn(&self) -> Spawn {
        Spawn {
            program: self.program.clone(),
            args: self.args.clone(),
            environment: base_environment(),
            log: self.log.clone(),
            mark: self.mark.clone(),
            ready_within: self.bounds.ready,
        }
    }

    fn served(&self, line: &str) -> Result<Served, ProviderError> {
        match serde_json::from_str::<Ready>(line) {
            Ok(Ready { event, http, ssh, host_key })
                if event == "ready" && (ssh.is_some() || !self.is_over_ssh) =>
            {
                let bare = |url: String| url.trim_end_matches('/').to_owned();
                Ok(Served { http: bare(http), ssh: ssh.map(bare), host_key })
            }
            _ => Err(ProviderError::Answer {
                node: self.name.clone(),
                found: line.chars().take(LONGEST_QUOTE).collect(),
            }),
        }
    }

    async fn wait_until_running(&self, url: &str, process: &ProcessIdentity) -> Result<(), ProviderError> {
        let deadline = Instant::now() + self.bounds.running;
        loop {
            let last = match state_of(url).await {
                Ok(state) if state == "RUNNING" => return Ok(()),
                Ok(state) | Err(state) => state,
            };
            if !is_alive(process).map_err(|error| self.failed(error))? {
                let tail = LogTail::of(&self.log).to_string();
                return Err(ProviderError::Ended { node: self.name.clone(), tail });
            }
            if Instant::now() >= deadline {
                return Err(ProviderError::NotRunning {
                    node: self.name.clone(),
                    waited: self.bounds.running,
                    last,
                });
            }
            // A server's state can only be asked for.
            sleep(BETWEEN_QUESTIONS).await;
        }
    }

    fn failed(&self, error: NodeError) -> ProviderError {
        ProviderError::Create { resource: self.name.clone(), source: error.into() }
    }
}

const BETWEEN_QUESTIONS: std::time::Duration = std::time::Duration::from_millis(50);
const LONGEST_QUOTE: usize = 200;
