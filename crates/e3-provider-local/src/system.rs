//! The parts of one thread's system: which processes there are, and how each is started.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use e3_model::{InstanceTopology, NodeTopology, RunName, SshEndpoint, ThreadId};
use e3_provider::{Journal, ProviderError, ProvisionRequest, Resource, Standing};
use futures_util::future::try_join_all;

use crate::Bounds;
use crate::remove::remove_now;
use crate::start::{Child, Served};

/// One thread's system, as far as it is the same whenever its parts start.
pub(crate) struct System<'a> {
    pub(crate) program: &'a Path,
    pub(crate) bounds: Bounds,
    pub(crate) run: &'a RunName,
    pub(crate) thread: ThreadId,
    pub(crate) scratch: &'a Path,
    pub(crate) log_file: &'a (dyn Fn(&str) -> PathBuf + Send + Sync),
    pub(crate) admin_password_file: &'a Path,
}

/// Where a part listens, as `host:port`; port 0 takes a free one.
struct Listen<'a> {
    http: &'a str,
    ssh: Option<&'a str>,
}

impl<'a> System<'a> {
    pub(crate) fn requested(program: &'a Path, bounds: Bounds, request: &ProvisionRequest<'a>) -> Self {
        Self {
            program,
            bounds,
            run: request.run,
            thread: request.thread,
            scratch: request.scratch,
            log_file: request.log_file,
            admin_password_file: request.admin_password_file,
        }
    }

    pub(crate) fn standing(program: &'a Path, bounds: Bounds, system: &Standing<'a>) -> Self {
        Self {
            program,
            bounds,
            run: system.run,
            thread: system.thread,
            scratch: system.scratch,
            log_file: system.log_file,
            admin_password_file: system.admin_password_file,
        }
    }

    /// Returns a directory of this system, by an absolute path: a later e3 that removes it may run elsewhere.
    pub(crate) fn directory(&self, name: &str) -> Result<PathBuf, ProviderError> {
        let path = self.scratch.join(self.thread.to_string()).join(name);
        std::path::absolute(&path).map_err(|source| ProviderError::Create {
            resource: format!("directory {}", path.display()),
            source: source.into(),
        })
    }

    /// Returns the directory that the nodes share.
    pub(crate) fn home(&self) -> Result<PathBuf, ProviderError> {
        self.directory(HOME)
    }

    /// Writes the lines of `bitbucket.properties` where every node reads them whenever it starts.
    pub(crate) fn write_properties(&self, lines: &BTreeMap<String, String>) -> Result<(), ProviderError> {
        if lines.is_empty() {
            return Ok(());
        }
        let directory = self.home()?.join("config");
        let path = directory.join("bitbucket.properties");
        let text: String = lines.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        let written = std::fs::create_dir_all(&directory).and_then(|()| std::fs::write(&path, text));
        written.map_err(|source| ProviderError::Create {
            resource: path.display().to_string(),
            source: source.into(),
        })
    }

    /// Starts a new system on free ports: the first node, the others, the front.
    pub(crate) async fn start(
        &self,
        nodes: u32,
        node_ready: &(dyn Fn(&NodeTopology) + Send + Sync),
        journal: &Journal,
    ) -> Result<(Vec<NodeTopology>, Served), ProviderError> {
        let one = async |number| {
            let node = self.node(number, FREE, journal).await?;
            node_ready(&node);
            Ok::<_, ProviderError>(node)
        };
        // The first node creates the database and the host key that the others share.
        let mut started = vec![one(1).await?];
        started.extend(try_join_all((2..=nodes).map(one)).await?);
        let front = self.front(&started, FREE, journal).await?;
        Ok((started, front))
    }

    /// Starts a system that was stopped where it was: topology.json stays true.
    pub(crate) async fn start_again(
        &self,
        instance: &InstanceTopology,
        journal: &Journal,
    ) -> Result<(), ProviderError> {
        let one = async |(number, was): (u32, &NodeTopology)| {
            let now = self.node(number, Listen::of(&was.url, was.ssh.as_ref()), journal).await?;
            let known = |node: &NodeTopology| place(&node.url, node.ssh.as_ref());
            came_back(&was.name, known(was), known(&now))
        };
        let mut nodes = (1..).zip(&instance.nodes);
        if let Some(first) = nodes.next() {
            one(first).await?;
        }
        try_join_all(nodes.map(one)).await?;
        let listen = Listen::of(&instance.url, instance.ssh.as_ref());
        let now = self.front(&instance.nodes, listen, journal).await?;
        let ssh = now.endpoint(&instance.nodes);
        came_back(FRONT, place(&instance.url, instance.ssh.as_ref()), place(&now.http, ssh.as_ref()))
    }

    /// Stops every part that the journal says may run, the front and the nodes at once.
    pub(crate) async fn stop(
        &self,
        instance: &InstanceTopology,
        journal: &Journal,
    ) -> Result<(), ProviderError> {
        let parts = instance.nodes.iter().map(|node| node.name.as_str()).chain([FRONT]);
        let parts: Vec<String> = parts.map(|part| self.process(part)).collect();
        let mut processes = journal.open_resources();
        processes
            .retain(|resource| matches!(resource, Resource::Process { name, .. } if parts.contains(name)));
        remove_now(&processes, self.bounds.grace, journal).await
    }

    async fn node(
        &self,
        number: u32,
        listen: Listen<'_>,
        journal: &Journal,
    ) -> Result<NodeTopology, ProviderError> {
        let name = format!("githost-{number}");
        let mut args: Vec<OsString> = ["githost", "serve", "--home"].map(OsString::from).to_vec();
        args.push(self.home()?.into());
        args.extend(listen.args());
        args.push("--admin-password-file".into());
        args.push(self.admin_password_file.into());
        args.extend(["--node".into(), number.to_string().into()]);
        let served = self.child(&name, args, listen.ssh.is_some()).start(journal).await?;
        let ssh = match (served.ssh, served.host_key) {
            (Some(url), Some(host_key)) => Some(SshEndpoint { url, host_key }),
            (Some(url), None) => {
                return Err(ProviderError::Answer { node: name, found: format!("{url} without a host key") });
            }
            (None, _) => None,
        };
        let resource = Some(self.process(&name));
        let metrics_url = Some(format!("{}/metrics", served.http));
        Ok(NodeTopology { name, url: served.http, ssh, resource, metrics_url })
    }

    async fn front(
        &self,
        nodes: &[NodeTopology],
        listen: Listen<'_>,
        journal: &Journal,
    ) -> Result<Served, ProviderError> {
        let mut args: Vec<OsString> = ["githost", "balance"].map(OsString::from).to_vec();
        args.extend(listen.args());
        for node in nodes {
            args.extend(["--node".into(), OsString::from(&node.url)]);
        }
        for ssh in nodes.iter().filter_map(|node| node.ssh.as_ref()) {
            args.extend(["--ssh-node".into(), OsString::from(&ssh.url)]);
        }
        self.child(FRONT, args, listen.ssh.is_some()).start(journal).await
    }

    fn child(&self, part: &str, args: Vec<OsString>, is_over_ssh: bool) -> Child {
        let name = self.process(part);
        Child {
            log: (self.log_file)(&name),
            // The run's name alone is not enough: another home may have a run of the same name.
            mark: format!("{}/{name}/{:016x}", self.run, rand::random::<u64>()),
            name,
            program: self.program.to_owned(),
            args,
            bounds: self.bounds,
            is_over_ssh,
        }
    }

    /// Returns the name of a part's process: all threads' processes share a journal and a directory of logs.
    fn process(&self, part: &str) -> String {
        format!("{}-{part}", self.thread)
    }
}

impl<'a> Listen<'a> {
    /// Returns where a part listened whose URLs these are.
    fn of(http: &'a str, ssh: Option<&'a SshEndpoint>) -> Self {
        let authority = |url: &'a str| url.split_once("://").map_or(url, |(_, authority)| authority);
        Self { http: authority(http), ssh: ssh.map(|ssh| authority(&ssh.url)) }
    }

    fn args(&self) -> Vec<OsString> {
        let ssh = self.ssh.into_iter().flat_map(|ssh| ["--ssh", ssh]);
        ["--http", self.http].into_iter().chain(ssh).map(OsString::from).collect()
    }
}

impl Served {
    /// Returns where a front serves SSH; it passes bytes on, so that its clients see the nodes' common host key.
    pub(crate) fn endpoint(&self, nodes: &[NodeTopology]) -> Option<SshEndpoint> {
        let host_key = &nodes.first()?.ssh.as_ref()?.host_key;
        Some(SshEndpoint { url: self.ssh.clone()?, host_key: host_key.clone() })
    }
}

/// Returns all by which clients find a part, as text.
fn place(http: &str, ssh: Option<&SshEndpoint>) -> String {
    ssh.map_or_else(|| http.to_owned(), |ssh| format!("{http} and {} with {}", ssh.url, ssh.host_key))
}

fn came_back(node: &str, was: String, now: String) -> Result<(), ProviderError> {
    if was == now { Ok(()) } else { Err(ProviderError::Moved { node: node.to_owned(), was, now }) }
}

/// The part before the nodes.
pub(crate) const FRONT: &str = "balance";
/// The name of the nodes' common directory.
pub(crate) const HOME: &str = "githost";
const FREE: Listen<'static> = Listen { http: "127.0.0.1:0", ssh: Some("127.0.0.1:0") };
