//! Little's law on a real githost: 16 hosting tickets, 64 clients that clone without a pause.
//!
//! In a line that neither grows nor shrinks, as many wait as come each second times how long each waits. That must hold
//! between three ways of looking at it, each of its own: how long the line is, as `/metrics` shows it again and again; how
//! many were served and how long they waited, as the node has counted; and how many clones the clients did and how long
//! those took, by the native client's own clock.
//!
//! Source: J. D. C. Little, "A Proof for the Queuing Formula: L = λW", 1961.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use e3_git::{Remote, RepositoryPath};
use e3_http::{BaseUrl, HttpSession, Request};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Options;
use super::githost::{node, repository};
use crate::binary;
use crate::say::{say, verdict};
use crate::workspace::Workspace;

/// Measures, prints and judges.
///
/// # Errors
/// When the node cannot be started or a clone fails.
pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let e3 = match &options.e3 {
        Some(path) => path.clone(),
        None => binary::release(workspace)?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("cannot start a runtime")?;
    let problems = runtime.block_on(measure(&e3, options))?;
    Ok(verdict("bench tickets", &problems, "as Little's law says"))
}

/// What was seen in one window.
struct Seen {
    seconds: f64,
    /// The mean length of the line, and the mean number of held tickets, over all looks.
    queued: f64,
    used: f64,
    looks: u32,
    /// What the node counted: how many got a ticket, and how long all waited and held it, in seconds.
    granted: f64,
    waited: f64,
    held: f64,
    /// What the clients did, and how long all of it took, in seconds.
    clones: f64,
    latency: f64,
}

async fn measure(e3: &Path, options: &Options) -> Result<Vec<String>> {
    let folder = tempfile::tempdir().context("cannot make a temporary directory")?;
    let node = node::Node::start_with(e3, folder.path(), &PROPERTIES).await?;
    repository::fill(folder.path(), &node).await?;
    let mut problems = Vec::new();
    for round in 0..options.rounds {
        let length = Duration::from_secs(options.seconds.max(LEAST_SECONDS));
        let seen = look(&node, length).await?;
        say(format!("round {} of {}: {}", round + 1, options.rounds, seen.summary()));
        problems.extend(seen.problems().into_iter().map(|problem| format!("round {}: {problem}", round + 1)));
    }
    node.stop().await?;
    Ok(problems)
}

/// Lets the clients clone, and looks at the node meanwhile, once the line is as long as it gets.
async fn look(node: &node::Node, length: Duration) -> Result<Seen> {
    let (stop, stopped) = watch::channel(false);
    let mut clients = JoinSet::new();
    let begun = Instant::now();
    for _ in 0..CLIENTS {
        clients.spawn(client(node.remote(), stopped.clone()));
    }
    let mut page = Page::open(node.base().clone());
    tokio::time::sleep(WARM_UP).await;
    let (from, before) = (Instant::now(), page.read().await?);
    let (mut queued, mut used, mut looks) = (0.0, 0.0, 0_u32);
    while from.elapsed() < length {
        tokio::time::sleep(BETWEEN_LOOKS).await;
        let now = page.read().await?;
        queued += of(&now, QUEUED)?;
        used += of(&now, USED)?;
        looks += 1;
    }
    let (to, after) = (Instant::now(), page.read().await?);
    stop.send_replace(true);
    let window = (from - begun, to - begun);
    let (mut clones, mut latency) = (0.0, 0.0);
    while let Some(done) = clients.join_next().await {
        for (started, ended) in done.context("a client broke")?? {
            let (started, ended) = (started - begun, ended - begun);
            // Counted by its end, and by as much of its time as lies in the window.
            clones += f64::from(u8::from(ended >= window.0 && ended < window.1));
            latency += ended.min(window.1).saturating_sub(started.max(window.0)).as_secs_f64();
        }
    }
    let grown = |name: &str| Ok::<_, anyhow::Error>(of(&after, name)? - of(&before, name)?);
    Ok(Seen {
        seconds: (to - from).as_secs_f64(),
        queued: queued / f64::from(looks),
        used: used / f64::from(looks),
        looks,
        granted: grown(GRANTED)?,
        waited: grown(WAITED)?,
        held: grown(HELD)?,
        clones,
        latency,
    })
}

/// Clones until it is told to stop; returns when each clone began and ended.
async fn client(remote: Remote, stopped: watch::Receiver<bool>) -> Result<Vec<(Instant, Instant)>> {
    let path = RepositoryPath::new(node::PROJECT, node::REPOSITORY);
    let mut clones = Vec::new();
    while !*stopped.borrow() {
        let started = Instant::now();
        e3_git::clone(&remote, &path).await?;
        clones.push((started, Instant::now()));
    }
    Ok(clones)
}

impl Seen {
    fn summary(&self) -> String {
        format!(
            "{:.1} wait and {:.1} are served in {} looks over {:.1} s; {:.1} clones/s, {:.0} ms each, of which {:.0} ms in line",
            self.queued,
            self.used,
            self.looks,
            self.seconds,
            self.clones / self.seconds,
            1e3 * self.latency / self.clones.max(1.0),
            1e3 * self.waited / self.granted.max(1.0),
        )
    }

    /// Returns where two ways of looking differ by more than a tenth.
    fn problems(&self) -> Vec<String> {
        let arrivals = self.clones / self.seconds;
        let wait = self.waited / self.granted.max(1.0);
        let hold = self.held / self.granted.max(1.0);
        let latency = self.latency / self.clones.max(1.0);
        let pairs = [
            ("tickets granted and clones done", self.granted, self.clones),
            ("the line, and the clients' clones/s x the wait", self.queued, arrivals * wait),
            ("tickets in use, and the clients' clones/s x how long one is held", self.used, arrivals * hold),
            ("all clients, and their clones/s x their latency", f64::from(CLIENTS), arrivals * latency),
            ("tickets in use, and those there are", self.used, f64::from(TICKETS)),
        ];
        let mut problems = Vec::new();
        for (what, one, other) in pairs {
            let off = (one / other.max(f64::MIN_POSITIVE) - 1.0).abs();
            say(format!("  {what}: {one:.2} and {other:.2}, {:.1} % apart", 100.0 * off));
            // A number that is none is off, too.
            if off.is_nan() || off > MOST_OFF {
                problems.push(format!("{what} are {one:.2} and {other:.2}"));
            }
        }
        // What is neither in line nor served is on its way; without a line nothing would be shown.
        if self.queued < f64::from(CLIENTS) / 4.0 {
            problems.push(format!("only {:.1} of {CLIENTS} clients wait", self.queued));
        }
        problems
    }
}

/// The node's `/metrics`, read again and again.
struct Page(HttpSession);

impl Page {
    fn open(base: BaseUrl) -> Self {
        Self(HttpSession::new(base))
    }

    async fn read(&mut self) -> Result<BTreeMap<String, f64>> {
        let response = self.0.send(Request::get("/metrics")).await?;
        if response.status != 200 {
            bail!("/metrics answered with {}", response.status);
        }
        let text = response.text()?;
        let samples =
            text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
        Ok(samples.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect())
    }
}

fn of(samples: &BTreeMap<String, f64>, name: &str) -> Result<f64> {
    samples.get(name).copied().with_context(|| format!("/metrics has no {name}"))
}

const CLIENTS: u32 = 64;
const TICKETS: u32 = 16;
const PROPERTIES: [&str; 2] =
    ["throttle.resource.scm-hosting.strategy=fixed", "throttle.resource.scm-hosting.fixed.limit=16"];
/// As far as two ways of looking may differ.
const MOST_OFF: f64 = 0.1;
const WARM_UP: Duration = Duration::from_secs(3);
/// A clone of those that wait takes about a second, of which the window should hold many.
const LEAST_SECONDS: u64 = 15;
/// Not a divisor of anything that recurs.
const BETWEEN_LOOKS: Duration = Duration::from_millis(37);
const QUEUED: &str = "com_atlassian_bitbucket_HostingTickets_QueuedRequests";
const USED: &str = "com_atlassian_bitbucket_HostingTickets_Used";
const GRANTED: &str = "githost_ticket_hold_seconds_count{resource=\"scm-hosting\"}";
const WAITED: &str = "githost_ticket_wait_seconds_sum{resource=\"scm-hosting\"}";
const HELD: &str = "githost_ticket_hold_seconds_sum{resource=\"scm-hosting\"}";
