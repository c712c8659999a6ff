//! githost on loopback, as a [`Provider`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use e3_model::{Fault, InstanceTopology, ProviderName, Reset, Secret};
use e3_node::base_environment;
use e3_provider::{
    Journal, NodeProbe, Probe, Provider, ProviderError, ProvisionRequest, Removal, Resource, Standing,
};
use futures_util::future::join_all;

use crate::copy::make_equal;
use crate::disturb::FaultSwitch;
use crate::git::look_for_git;
use crate::remove::remove_all;
use crate::status::state_of;
use crate::system::{FRONT, System};

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

    /// Stops the system, lets its data be worked on while nothing uses it, and starts it again where it was.
    async fn pause(
        &self,
        system: &Standing<'_>,
        journal: &Journal,
        work: impl Future<Output = Result<(), ProviderError>> + Send,
    ) -> Result<(), ProviderError> {
        let parts = System::standing(&self.program, self.bounds, system);
        parts.stop(system.instance, journal).await?;
        work.await?;
        parts.start_again(system.instance, journal).await
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
        let system = System::requested(&self.program, self.bounds, request);
        create_directory(&system.home()?, journal)?;
        system.write_properties(&request.instance.properties)?;
        let (nodes, front) = system.start(request.instance.nodes, request.node_ready, journal).await?;
        Ok(InstanceTopology {
            ca: None,
            provider: ProviderName::Local,
            ssh: front.endpoint(&nodes),
            url: front.http,
            admin: request.admin.to_owned(),
            nodes,
            snapshot: request.snapshot.to_owned(),
        })
    }

    async fn keep(&self, system: &Standing<'_>, journal: &Journal) -> Result<(), ProviderError> {
        let parts = System::standing(&self.program, self.bounds, system);
        let (home, kept) = (parts.home()?, parts.directory(KEPT)?);
        let work = async {
            create_directory(&kept, journal)?;
            copy(&home, &kept).await
        };
        self.pause(system, journal, work).await
    }

    async fn reset(
        &self,
        system: &Standing<'_>,
        reset: Reset,
        journal: &Journal,
    ) -> Result<(), ProviderError> {
        match reset {
            Reset::None => Ok(()),
            Reset::Restart => self.pause(system, journal, async { Ok(()) }).await,
            Reset::Restore => {
                let parts = System::standing(&self.program, self.bounds, system);
                let (home, kept) = (parts.home()?, parts.directory(KEPT)?);
                if !kept.is_dir() {
                    let act = "restore a dataset whose loaded state was not kept".to_owned();
                    return Err(ProviderError::Unsupported { provider: ProviderName::Local, act });
                }
                // The directory itself stays, and with it what the journal says of it.
                self.pause(system, journal, copy(&kept, &home)).await
            }
        }
    }

    async fn disturb(&self, system: &Standing<'_>, faults: &[Fault]) -> Result<(), ProviderError> {
        let file = system.admin_password_file;
        let password = tokio::fs::read_to_string(file).await.map_err(|error| ProviderError::Disturb {
            node: system.thread.to_string(),
            reason: format!("the administrator's password cannot be read from {}: {error}", file.display()),
        })?;
        let (admin, password) = (&system.instance.admin, Secret::new(password));
        // Not through the front, which would pass it on to one of them.
        let switches = system.instance.nodes.iter();
        let switches = switches.map(|node| FaultSwitch::of(&node.name, &node.url, admin, &password));
        FaultSwitch::set_all(&mut switches.collect::<Result<Vec<_>, _>>()?, faults).await
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

/// Creates a directory by the journal's rules.
fn create_directory(path: &Path, journal: &Journal) -> Result<(), ProviderError> {
    let resource = Resource::Directory { path: path.to_owned() };
    journal.intent(&resource)?;
    std::fs::create_dir_all(path)
        .map_err(|source| ProviderError::Create { resource: resource.to_string(), source: source.into() })?;
    journal.created(&resource)?;
    Ok(())
}

async fn copy(from: &Path, to: &Path) -> Result<(), ProviderError> {
    let failed = |source| ProviderError::Copy { from: from.to_owned(), to: to.to_owned(), source };
    make_equal(from.to_owned(), to.to_owned()).await.map_err(failed)
}

/// The name of the directory that holds the loaded state.
const KEPT: &str = "githost-as-loaded";
