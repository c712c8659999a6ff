//! Servers that answer as Bitbucket of one version family does: its login, its cookies, its calls, and 404 for any other.
//!
//! What is answered follows recordings of real servers and Atlassian's descriptions, member by member, in words of our own:
//! the recordings are other people's. Which call belongs to which family is told in `family.rs`; where there is no public
//! evidence the family does without the call, so that a client that needs it shows. Git below `/scm` is real.
//!
//! Each serves one project `P` with one repository `r`, one open pull request, the user `ada` and the administrator `admin`,
//! both with the password `secret`, below the context path `/bitbucket`. Users named `captcha` and `second-factor` cannot
//! log in, for those reasons.

mod exchange;
mod family;
mod login;
mod pages;
mod pull_requests;
mod rest;
mod shapes;
mod world;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Method;

use self::exchange::{Exchange, error};
pub use self::family::ReplayFamily;
use self::world::World;
use crate::git_server::{GitServerOptions, respond};
use crate::{Answer, Git, Loopback, answer};

/// A server that answers as one family does; dropping it ends it.
pub struct Replay {
    family: ReplayFamily,
    server: Loopback,
    directory: tempfile::TempDir,
    calls: Arc<Mutex<Vec<ReplayCall>>>,
}

/// One call that a replay server was asked, with what it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayCall {
    /// Method, path below the context path, and query, as they came.
    pub line: String,
    /// The body, as text.
    pub body: String,
    /// The names of the cookies that came with it.
    pub cookies: Vec<String>,
    /// Whether it said `X-Atlassian-Token: no-check`.
    pub says_no_check: bool,
    /// The status of the answer.
    pub status: u16,
    /// The body of the answer, unless it is Git's.
    pub answer: String,
}

impl Replay {
    /// Starts a server of the family.
    ///
    /// # Panics
    /// If no port can be bound, or there is no git.
    pub async fn start(family: ReplayFamily) -> Self {
        let directory = tempfile::tempdir().expect("there is room for a repository");
        let root = directory.path().to_owned();
        let made = tokio::task::spawn_blocking(move || World::make(&root, family)).await;
        let world = Arc::new(Mutex::new(made.expect("the repository is made")));
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (log, root) = (Arc::clone(&calls), directory.path().to_owned());
        let server = Loopback::serve(move |request| {
            let (world, log, root) = (Arc::clone(&world), Arc::clone(&log), root.clone());
            async move {
                let Some(below) = below_context(&request) else { return answer(404, &[], "") };
                let is_git = below.uri().path().starts_with("/scm/");
                let exchange = Exchange::new(below, family);
                let (answered, body) = if is_git {
                    (git(root, &exchange).await, String::new())
                } else {
                    let mut world = world.lock().expect("no answer panics");
                    answered(&mut world, &exchange)
                };
                let call = exchange.call(answered.status().as_u16(), body);
                log.lock().expect("nobody panics while logging").push(call);
                answered
            }
        })
        .await;
        Self { family, server, directory, calls }
    }

    /// Returns the family.
    pub fn family(&self) -> ReplayFamily {
        self.family
    }

    /// Returns `http://127.0.0.1:PORT/bitbucket`.
    pub fn url(&self) -> String {
        format!("{}{CONTEXT}", self.server.url())
    }

    /// Returns the repository `r` of the project `P`.
    pub fn git(&self) -> Git {
        Git::new(self.directory.path().join(world::REPOSITORY))
    }

    /// Returns what was asked since the last call of this.
    ///
    /// # Panics
    /// If an answer panicked.
    pub fn calls(&self) -> Vec<ReplayCall> {
        std::mem::take(&mut *self.calls.lock().expect("nobody panics while logging"))
    }
}

/// Returns the request with its path below the context path; none if it lies elsewhere.
fn below_context(request: &http::Request<Bytes>) -> Option<http::Request<Bytes>> {
    let target = request.uri().path_and_query()?.as_str().strip_prefix(CONTEXT)?;
    let mut below = request.clone();
    *below.uri_mut() = target.parse().ok()?;
    Some(below)
}

/// Answers a call that is not Git's; returns the body beside the answer, for the log.
fn answered(world: &mut World, exchange: &Exchange) -> (Answer, String) {
    let replied = login::answer(world, exchange)
        .or_else(|| exchange.path().starts_with("/rest/").then(|| rest::answer(world, exchange)))
        .unwrap_or_else(|| pages::answer(world, exchange));
    let headers: Vec<_> = replied.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    (answer(replied.status, &headers, replied.body.clone()), replied.body)
}

/// Serves Git to those who say who they are, as Bitbucket does.
async fn git(root: std::path::PathBuf, exchange: &Exchange) -> Answer {
    let request = exchange.request();
    if request.method() != Method::OPTIONS && !request.headers().contains_key("authorization") {
        let realm = [("www-authenticate", "Basic realm=\"Atlassian Bitbucket\"")];
        return answer(401, &realm, error("Authentication failed.", "").to_string());
    }
    respond(root, &GitServerOptions::default(), request.clone()).await
}

/// Where the product lives, as it is often installed.
const CONTEXT: &str = "/bitbucket";
