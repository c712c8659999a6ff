//! A system that is there already: what a run needs to know of it.

use std::path::Path;

use anyhow::Context as _;
use e3_home::{RunDir, RunSecrets, ThreadSecrets};
use e3_model::{
    Branch, GitClient, Header, InstanceTopology, NodeTopology, Plan, Project, Protocol, ProviderName,
    Repository, ScriptDescriptor, Secret, Snapshot, SshEndpoint, ThreadId, ThreadTopology, Topology,
    Transport, User, WorkerId, WorkerTopology,
};
use e3_provider::{Journal, Resource};
use e3_workload::{Ciphers, RepositoryDraw, Setting};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::account::Account;
use super::arguments::LoadArguments;
use super::place::Place;
use super::probe;
use super::trusted::Trusted;
use crate::app::App;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::registry;

/// A system that is there already, as far as the flags tell.
#[derive(Debug, Clone)]
pub(super) struct System {
    /// Where it is.
    pub(super) place: Place,
    /// Where it serves Git over SSH, and by which key it is known; none where no script asks.
    pub(super) ssh: Option<SshEndpoint>,
    /// Whom clients log in as.
    pub(super) account: Account,
    /// The repositories that clients work on.
    pub(super) repositories: Vec<Named>,
    /// The certificates that its own must lead to; none for those that this machine trusts.
    pub(super) trusted: Trusted,
    /// Which Git client the scm scripts use.
    pub(super) git_client: GitClient,
    /// How clients talk to it.
    pub(super) transport: Transport,
}

/// A repository by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// Its project's key.
    pub(super) project: String,
    /// Its slug.
    pub(super) slug: String,
    /// The short name of its default branch, once that is known.
    pub(super) default_branch: Option<String>,
}

impl System {
    /// Returns the system that the flags name.
    ///
    /// # Errors
    /// When a repository's name is none, the SSH server's key is not known, or there are no certificates in the file.
    pub(super) fn of(
        arguments: &LoadArguments,
        (place, plan): (&Place, &Plan),
        account: Account,
        script: Option<&ScriptDescriptor>,
    ) -> Result<Self, Failure> {
        let repositories =
            arguments.repositories.iter().map(|name| Named::parse(name)).collect::<Result<_, _>>()?;
        let over_ssh = script.is_some_and(|script| script.protocol == Protocol::GitSsh);
        let ssh = arguments.ssh_url.as_deref().filter(|_| over_ssh);
        let ssh = ssh.map(|url| probe::endpoint(url, arguments.ssh_host_key.as_deref())).transpose()?;
        let trusted = Trusted::of(arguments.ways.ca.as_deref(), place)?;
        let stage = plan.threads.iter().flat_map(|thread| &thread.stages).next();
        Ok(Self {
            place: place.clone(),
            ssh,
            account,
            repositories,
            trusted,
            git_client: plan.git_client,
            transport: stage.map(|stage| stage.transport.clone()).unwrap_or_default(),
        })
    }

    /// Returns the dataset as far as it is known: the repositories that were named, and the user.
    pub(super) fn snapshot(&self) -> Snapshot {
        #[expect(clippy::cast_precision_loss, reason = "some dozens of repositories")]
        let weight = 1.0 / self.repositories.len().max(1) as f64;
        let project = |named: &Named| Project {
            name: named.project.clone(),
            repos: vec![Repository {
                name: named.slug.clone(),
                weight,
                branches: named.default_branch.iter().map(|name| default_branch(name)).collect(),
                ..Repository::default()
            }],
        };
        let user = |name: &String| User { username: name.clone(), ..User::default() };
        Snapshot {
            name: SNAPSHOT.to_owned(),
            projects: self.repositories.iter().map(project).collect(),
            users: self.account.name.iter().map(user).collect(),
            ..Snapshot::default()
        }
    }

    /// Returns what clients will know of the system.
    pub(super) fn setting(&self) -> Setting {
        let account = |name: &str| e3_workload::Account {
            name: name.to_owned(),
            password: self.password(),
            private_key: self.account.private_key.clone(),
        };
        let name = self.account.name.as_deref();
        Setting {
            url: self.place.base.to_string(),
            nodes: vec![self.place.base.to_string()],
            ssh: self.ssh.clone(),
            admin: account(name.unwrap_or_default()),
            users: name.map(account).into_iter().collect(),
            repositories: RepositoryDraw::of(&self.snapshot()),
            ca: self.trusted.pem.clone(),
            git_client: self.git_client,
            transport: self.transport.clone(),
            product: None,
            ciphers: Ciphers::default(),
        }
    }

    /// Writes what the phases after provisioning read; the journal first, for the secrets are to be gone in any case.
    ///
    /// # Errors
    /// When something cannot be written.
    pub(super) fn set_up(&self, app: &App, run: &RunDir) -> Result<(), Failure> {
        self.write(app, run)
            .with_context(|| format!("{} could not be prepared", run.name()))
            .map_err(|error| Failure::new(Exit::Provision, error))
    }

    fn write(&self, app: &App, run: &RunDir) -> anyhow::Result<()> {
        let journal = Journal::open(&run.journal())?;
        let directory =
            Resource::Directory { path: std::path::absolute(app.home.secrets_directory(run.name())?)? };
        journal.intent(&directory)?;
        app.home.write_secrets(run.name(), &self.secrets())?;
        journal.created(&directory)?;
        let thread = ThreadId(0);
        let path = run.snapshot_file(thread);
        let snapshot = path.strip_prefix(run.path()).unwrap_or(&path).display().to_string();
        run.write_file(&snapshot, &e3_model::to_json(&self.snapshot())?)?;
        run.write(&self.topology(run.parent_of::<Plan>()?, snapshot))?;
        Ok(())
    }

    /// Removes the secrets, as the journal has them, and writes that nothing is left.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub(super) async fn forget(&self, app: &App, run: &RunDir) -> Result<(), Failure> {
        let providers = registry::providers(app.program.clone());
        let teardown = e3_provision::deprovision(&app.home, run, &providers, &|_| {}).await;
        let teardown = teardown
            .with_context(|| format!("the secrets of {} could not be removed", run.name()))
            .map_err(|error| Failure::new(Exit::Leftover, error))?;
        if teardown.left.is_empty() {
            Ok(())
        } else {
            Err(super::super::deprovision::left(app, run, &teardown))
        }
    }

    fn secrets(&self) -> RunSecrets {
        let name = || self.account.name.clone();
        let key = self.account.private_key.clone();
        let thread = ThreadSecrets {
            admin_password: self.password(),
            users: name().map(|name| (name, self.password())).into_iter().collect(),
            private_keys: name().zip(key).into_iter().collect(),
        };
        RunSecrets { threads: vec![thread] }
    }

    fn password(&self) -> Secret {
        self.account.password.clone().unwrap_or_else(|| Secret::new(""))
    }

    fn topology(&self, parent: e3_model::Parent, snapshot: String) -> Topology {
        let url = self.place.base.to_string();
        let node = NodeTopology {
            name: "system".to_owned(),
            url: url.clone(),
            ssh: self.ssh.clone(),
            resource: None,
            metrics_url: None,
        };
        let instance = InstanceTopology {
            ca: self.trusted.pem.clone(),
            provider: ProviderName::Existing,
            url,
            ssh: self.ssh.clone(),
            admin: self.account.name.clone().unwrap_or_default(),
            nodes: vec![node],
            snapshot,
        };
        let worker = WorkerTopology { worker: WorkerId(0), address: "in-process".to_owned() };
        Topology {
            header: Header::of::<Topology>(Some(parent)),
            provisioned_at: OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
            threads: vec![ThreadTopology { thread: ThreadId(0), instance, workers: vec![worker] }],
        }
    }
}

impl Named {
    fn parse(name: &str) -> Result<Self, Failure> {
        match name.split_once('/') {
            Some((project, slug)) if !project.is_empty() && !slug.is_empty() && !slug.contains('/') => {
                let slug = Path::new(slug).file_name().map_or(slug.into(), std::ffi::OsStr::to_string_lossy);
                let slug = slug.strip_suffix(".git").unwrap_or(&slug).to_owned();
                Ok(Self { project: project.to_owned(), slug, default_branch: None })
            }
            _ => {
                let wrong = anyhow::anyhow!("--repo {name:?} is not PROJECT/SLUG");
                Err(Failure::new(Exit::Usage, wrong)
                    .hint("such as --repo PROJ/widgets, or --repo ~ada/tools for a person's own"))
            }
        }
    }
}

fn default_branch(name: &str) -> Branch {
    Branch {
        id: format!("refs/heads/{name}"),
        display_id: name.to_owned(),
        is_default: true,
        ..Branch::default()
    }
}

/// The name of the dataset.
const SNAPSHOT: &str = "as-found";
