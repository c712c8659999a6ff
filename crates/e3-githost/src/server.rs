//! One node, from opening its home to closing its database.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use hyper_util::service::TowerToHyperService;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access_log::AccessLog;
use crate::credentials::Credentials;
use crate::git::{FetchCache, Git};
use crate::home::Home;
use crate::limits::Limits;
use crate::metrics::{Counting, Metrics};
use crate::names::UserName;
use crate::repositories::Repositories;
use crate::ssh::{self, HostKeys};
use crate::state::{App, Host};
use crate::store::{NewUser, Store};
use crate::throttle::Throttle;
use crate::web::Pages;
use crate::{GithostError, Ready, ServeOptions, app, descriptors, listen, password, properties};

/// Serves one node until the shutdown future ends.
///
/// `on_ready` is called once, when requests are accepted. After the shutdown, `/status` says so, open requests may end
/// within the limit, and git children are ended; nothing runs on when this returns.
///
/// # Errors
/// Whatever keeps the node from starting; once it serves, it returns `Ok`.
///
/// # Cancellation
/// Dropping the future cuts every request off and ends its children.
pub async fn serve(
    options: ServeOptions,
    on_ready: impl FnOnce(&Ready),
    shutdown: impl Future<Output = ()>,
) -> Result<(), GithostError> {
    check(&options)?;
    let home = Home::open(&options.home)?;
    let mut limits = Limits::read(&home.limits())?;
    let room = descriptors::room_for_connections(1);
    limits.ssh_connections = options.ssh.map_or(0, |_| limits.ssh_connections.min(room / 4));
    limits.connections = limits.connections.min(room.saturating_sub(limits.ssh_connections));
    let tasks = TaskTracker::new();
    let properties = properties::read(&home.properties(), &options.properties)?;
    let throttle = Throttle::new(&properties, &limits)?;
    let commands = Arc::clone(&throttle.command);
    let git = Git::find(properties.git.as_deref(), &limits, commands, tasks.clone()).await?;
    let (listener, address) = listen::bind(options.http).await?;
    let ssh = match options.ssh {
        Some(address) => Some(listen::bind(address).await?),
        None => None,
    };
    let ssh_address = ssh.as_ref().map(|(_, address)| *address);
    let opened = open(&options, &home, &tasks).await?;
    let (access, logging) = AccessLog::open(&home.log());
    let host: App = Arc::new(Host {
        node: options.node.clone(),
        address: address.to_string(),
        ssh_port: ssh_address.map(|address| address.port()),
        limits: limits.clone(),
        store: opened.store,
        credentials: opened.credentials,
        git,
        throttle,
        fetches: FetchCache::new(if properties.fetch_cache { limits.fetch_cache_bytes } else { 0 }),
        refs_uncached: properties.refs_uncached,
        repositories: opened.repositories,
        pages: Pages::new(),
        compared: crate::compare::Cache::default(),
        merging: crate::pull_requests::Merging::default(),
        traffic: crate::state::Traffic::default(),
        metrics: Arc::new(Metrics::new()),
        access: Arc::new(access),
        visits: crate::state::Visits::default(),
        faults: crate::faults::Faults::none(&options.node),
    });
    let routes: Router = app::routes(Arc::clone(&host));
    let host_key = opened.host_keys.as_ref().map(HostKeys::public).transpose()?;
    tracing::info!(%address, ssh = ?ssh_address, node = options.node, git = host.git.version(), home = %options.home.display(), "serving");
    let following = host.throttle.follow_load();
    let purge = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(purge(host.store.clone())));
    on_ready(&Ready::new(address, &options.node).with_ssh(ssh_address, host_key));
    let stop = CancellationToken::new();
    let shutdown = async {
        shutdown.await;
        host.traffic.stopping.store(true, Ordering::Relaxed);
        host.faults.stop();
        tracing::info!("stopping");
        stop.cancel();
    };
    let service =
        |peer: SocketAddr| Counting::new(TowerToHyperService::new(routes.clone()), peer.ip(), &host.metrics);
    let http = listen::accept(listener, &limits, service, shutdown);
    let ssh = async {
        if let Some(((listener, _), keys)) = ssh.zip(opened.host_keys) {
            ssh::accept(listener, Arc::clone(&host), keys, stop.cancelled()).await;
        }
    };
    tokio::join!(http, ssh);
    drop((purge, following));
    tasks.close();
    let last = async {
        tasks.wait().await;
        host.store.close().await;
        host.access.close().await;
        // It has nothing to return, and whatever happened to it has been said.
        let _ = logging.await;
    };
    if tokio::time::timeout(LAST_WAIT, last).await.is_err() {
        tracing::warn!(tasks = tasks.len(), "work went on for too long after the last request");
    }
    Ok(())
}

struct Opened {
    store: Store,
    credentials: Credentials,
    repositories: Repositories,
    host_keys: Option<HostKeys>,
}

fn check(options: &ServeOptions) -> Result<(), GithostError> {
    let name = &options.node;
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if name.is_empty() || name.len() > 32 || !plain {
        return Err(GithostError::NodeName { name: name.clone() });
    }
    if !password::is_acceptable(options.admin_password.expose()) {
        return Err(GithostError::AdminPassword);
    }
    Ok(())
}

/// Opens what nodes share, one node after the other.
async fn open(options: &ServeOptions, home: &Home, tasks: &TaskTracker) -> Result<Opened, GithostError> {
    let path = match &options.database {
        None => home.database(),
        Some(url) => match url.strip_prefix("sqlite:") {
            Some(path) => path.strip_prefix("//").unwrap_or(path).into(),
            None => {
                let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme).to_owned();
                return Err(GithostError::Database { scheme });
            }
        },
    };
    let failed = |doing| {
        let path = path.clone();
        move |source| GithostError::Store { doing, path, source }
    };
    let _lock = home.lock().await?;
    let store = Store::open(&path).await.map_err(failed("open or update the tables"))?;
    ensure_admin(&store, options.admin_password.expose()).await.map_err(failed("write the administrator"))?;
    let directory = home.repositories();
    let repositories = Repositories::new(directory.clone(), tasks.clone());
    let tidied = repositories.tidy().await;
    tidied.map_err(|source| GithostError::Home { doing: "tidy", path: directory, source })?;
    let credentials = Credentials::new().map_err(|error| failed("hash a password for")(hash_error(error)))?;
    let host_keys = match options.ssh {
        Some(_) => Some(HostKeys::open(&home.config())?),
        None => None,
    };
    Ok(Opened { store, credentials, repositories, host_keys })
}

/// Makes the administrator, or gives it this password if it has another.
async fn ensure_admin(store: &Store, password: &str) -> Result<(), sqlx::Error> {
    let Some(name) = UserName::parse("admin") else { return Ok(()) };
    let known = store.user(&name).await?;
    let memory = &mut password::Memory::default();
    if known.as_ref().is_some_and(|user| password::matches(password, &user.password_hash, memory)) {
        return Ok(());
    }
    let password_hash = password::hash(password, memory).map_err(hash_error)?;
    if known.is_some() {
        return store.set_password(&name, &password_hash).await;
    }
    let new = NewUser {
        display_name: "Administrator",
        email: "admin@localhost",
        password_hash: &password_hash,
        admin: true,
    };
    store.create_user(&name, new).await.map(drop)
}

fn hash_error(error: argon2::password_hash::Error) -> sqlx::Error {
    sqlx::Error::Configuration(error.to_string().into())
}

/// Removes idle sessions now and then, for as long as the node serves.
async fn purge(store: Store) {
    let mut ticks = tokio::time::interval(PURGE_EVERY);
    loop {
        ticks.tick().await;
        match store.purge_sessions().await {
            Ok(purged) => tracing::debug!(purged, "removed idle sessions"),
            Err(error) => tracing::warn!(%error, "cannot remove idle sessions"),
        }
    }
}

const PURGE_EVERY: Duration = Duration::from_secs(300);
/// Longer than an ending git child is given; with the limit for requests, a node is gone within ten seconds.
const LAST_WAIT: Duration = Duration::from_millis(4500);
