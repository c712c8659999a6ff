//! githost on loopback, as a [`Provider`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use e3_model::{InstanceTopology, NodeTopology, ProviderName, Reset};
use e3_node::base_environment;
use e3_provider::{Journal, NodeProbe, Probe, Provider, ProviderError, ProvisionRequest, Removal, Resource};
use futures_util::future::{join_all, try_join_all};

use crate::git::look_for_git;
use crate::remove::remove_all;
use crate::start::Child;
use crate::status::state_of;

/// Sets up githost nodes as child processes, always with a front before them, so that one node and several compare.
#[derive(Debug, Clone)]
pub struct LocalProvider {
    program: PathBuf,
    bounds: Bounds,
}

/// How long a process may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// From its start to its ready line.
    pub ready: Duration,
    /// From its ready line to `RUNNING`.
    pub running: Duration,
    /// From SIGTERM to SIGKILL.
    pub grace: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            ready: Duration::from_secs(60),
            running: Duration::from_secs(60),
            grace: Duration::from_secs(10),
        }
    }
}

impl LocalProvider {
    /// Returns a provider that runs this program as `PROGRAM githost serve ...`: e3 itself.
    pub fn new(program: PathBuf) -> Self {
        Self { program, bounds: Bounds::default() }
    }

    /// Returns the same provider with other bounds.
    #[must_use]
    pub fn with_bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    async fn node(
        &self,
        request: &ProvisionRequest<'_>,
        journal: &Journal,
        home: &Path,
        number: u32,
    ) -> Result<NodeTopology, ProviderError> {
        let name = format!("githost-{number}");
        let mut args: Vec<OsString> = ["githost", "serve", "--home"].map(OsString::from).to_vec();
        args.push(home.into());
        args.extend(["--http", LOOPBACK, "--admin-password-file"].map(OsString::from));
        args.push(request.admin_password_file.into());
        args.extend(["--node".into(), number.to_string().into()]);
        let url = self.child(request, &name, args).start(journal).await?;
        let node = NodeTopology { name, url, ssh: None };
        (request.node_ready)(&node);
        Ok(node)
    }

    async fn front(
        &self,
        request: &ProvisionRequest<'_>,
        journal: &Journal,
        nodes: &[NodeTopology],
    ) -> Result<String, ProviderError> {
        let mut args: Vec<OsString> = ["githost", "balance", "--http", LOOPBACK].map(OsString::from).to_vec();
        for node in nodes {
            args.extend(["--node".into(), OsString::from(&node.url)]);
        }
        self.child(request, FRONT, args).start(journal).await
    }

    fn child(&self, request: &ProvisionRequest<'_>, name: &str, args: Vec<OsString>) -> Child {
        let name = format!("{}-{name}", request.thread);
        Child {
            log: (request.log_file)(&name),
            // The run's name alone is not enough: another home may have a run of the same name.
            mark: format!("{}/{name}/{:016x}", request.run, rand::random::<u64>()),
            name,
            program: self.program.clone(),
            args,
            bounds: self.bounds,
        }
    }
}

#[async_trait]
impl Provider for LocalProvider {
    fn name(&self) -> ProviderName {
        ProviderName::Local
    }

    async fn check(&self) -> Result<(), ProviderError> {
        look_for_git(base_environment()).await
    }

    async fn provision(
        &self,
        request: &ProvisionRequest<'_>,
        journal: &Journal,
    ) -> Result<InstanceTopology, ProviderError> {
        let home = create_home(request, journal)?;
        // The first node creates the database that the others share.
        let mut nodes = vec![self.node(request, journal, &home, 1).await?];
        let others = (2..=request.instance.nodes).map(|number| self.node(request, journal, &home, number));
        nodes.extend(try_join_all(others).await?);
        let url = self.front(request, journal, &nodes).await?;
        Ok(InstanceTopology {
            provider: ProviderName::Local,
            url,
            ssh: None,
            admin: request.admin.to_owned(),
            nodes,
            snapshot: request.snapshot.to_owned(),
        })
    }

    async fn reset(
        &self,
        _instance: &InstanceTopology,
        reset: Reset,
        _journal: &Journal,
    ) -> Result<(), ProviderError> {
        let act = match reset {
            Reset::None => return Ok(()),
            Reset::Restart => "restart the system between stages",
            Reset::Restore => "restore the dataset between stages",
        };
        Err(ProviderError::Unsupported { provider: ProviderName::Local, act: act.to_owned() })
    }

    async fn probe(&self, instance: &InstanceTopology) -> Result<Probe, ProviderError> {
        let parts = instance.nodes.iter().map(|node| (node.name.as_str(), node.url.as_str()));
        let probes = parts.chain([(FRONT, instance.url.as_str())]).map(|(name, url)| async move {
            NodeProbe { name: name.to_owned(), state: state_of(url).await }
        });
        Ok(Probe { nodes: join_all(probes).await })
    }

    async fn deprovision(&self, resources: &[Resource], journal: &Journal) -> Vec<Removal> {
        remove_all(resources, self.bounds.grace, journal).await
    }
}

/// Creates the directory that the thread's nodes share.
fn create_home(request: &ProvisionRequest<'_>, journal: &Journal) -> Result<PathBuf, ProviderError> {
    let home = request.scratch.join(request.thread.to_string()).join("githost");
    let failed = |source: std::io::Error| ProviderError::Create {
        resource: format!("directory {}", home.display()),
        source: source.into(),
    };
    // A later e3 that removes it may run elsewhere.
    let home = std::path::absolute(&home).map_err(failed)?;
    let resource = Resource::Directory { path: home.clone() };
    journal.intent(&resource)?;
    std::fs::create_dir_all(&home).map_err(failed)?;
    journal.created(&resource)?;
    Ok(home)
}

const LOOPBACK: &str = "127.0.0.1:0";
const FRONT: &str = "balance";
