//! What is looked at, in the order in which it is shown.

use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use e3_model::{Honesty, quantity};
use e3_provider::Ledger;
use tokio::process::Command;

use super::{Check, machine};
use crate::app::App;
use crate::printer::several;
use crate::{registry, terminal};

/// Looks at everything.
pub(super) async fn all(app: &App) -> Vec<Check> {
    let lag = scheduling_lag().await;
    let mut checks = vec![
        git(app).await,
        ports(),
        home(app.home.root()),
        machine::open_files(),
        machine::processors(),
        machine::memory(),
        machine::processes(),
        machine::quiet(),
        clock(lag),
        leftovers(app),
    ];
    checks.push(terminal());
    checks
}

/// Asks every provider for what it needs, which is git alone for now.
async fn git(app: &App) -> Check {
    for provider in registry::providers(app.program.clone()) {
        if let Err(error) = provider.check().await {
            let hint = error.hint().unwrap_or_else(|| "see what the message says".to_owned());
            return Check::problem("git", e3_model::with_causes(&error), hint);
        }
    }
    let asked = Command::new("git").arg("version").stdin(Stdio::null()).kill_on_drop(true).output();
    match tokio::time::timeout(BOUND, asked).await {
        Ok(Ok(output)) => Check::ok("git", String::from_utf8_lossy(&output.stdout).trim()),
        _ => Check::ok("git", "new enough"),
    }
}

/// A local system with four nodes needs ten ports; every connection of a client needs one, too.
fn ports() -> Check {
    let bound: std::io::Result<Vec<_>> = (0..PORTS).map(|_| TcpListener::bind("127.0.0.1:0")).collect();
    if let Err(error) = bound {
        let hint = "look for what holds them with `ss -tlnp`, and whether loopback is up";
        return Check::problem("ports", format!("no {PORTS} free ports on 127.0.0.1: {error}"), hint);
    }
    // Source: ip-sysctl.txt: ip_local_port_range, the ports of outgoing connections.
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ends = range.split_whitespace().filter_map(|end| end.parse::<u64>().ok());
    match (ends.next(), ends.next()) {
        (Some(from), Some(to)) if to.saturating_sub(from) < FEW_CONNECTIONS => Check::warning(
            "ports",
            format!("only {} for outgoing connections", quantity::count(to.saturating_sub(from) + 1)),
            "widen them: `sysctl net.ipv4.ip_local_port_range=\"32768 60999\"`",
        ),
        (Some(from), Some(to)) => {
            let count = quantity::count(to.saturating_sub(from) + 1);
            Check::ok("ports", format!("free on 127.0.0.1, {count} for outgoing connections"))
        }
        _ => Check::ok("ports", "free on 127.0.0.1"),
    }
}

/// The home need not exist: then it is the next directory above that must be writable.
fn home(root: &Path) -> Check {
    let hint = "choose another home with --home or E3_HOME";
    let Some(existing) = root.ancestors().find(|path| path.symlink_metadata().is_ok()) else {
        return Check::problem("home", format!("no part of {} exists", root.display()), hint);
    };
    if !existing.is_dir() {
        return Check::problem("home", format!("{} is no directory", existing.display()), hint);
    }
    if let Err(error) = rustix::fs::access(existing, rustix::fs::Access::WRITE_OK) {
        return Check::problem("home", format!("{} cannot be written: {error}", existing.display()), hint);
    }
    let note = if existing == root { "" } else { ", which the first run makes" };
    let shown = root.display();
    match rustix::fs::statvfs(existing) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let detail = format!("{shown}{note}, {} free", quantity::bytes(free));
            match free {
                0..TOO_LITTLE_SPACE => Check::problem("home", detail, "make room, or choose another home"),
                TOO_LITTLE_SPACE..LITTLE_SPACE => {
                    Check::warning("home", detail, "datasets and samples of a long run may need more")
                }
                _ => Check::ok("home", detail),
            }
        }
        Err(error) => Check::warning("home", format!("{shown}{note}, free space unknown: {error}"), hint),
    }
}

/// How late a task is woken on this machine, at worst of a hundred times; a run's honesty meter has the same limit.
async fn scheduling_lag() -> Duration {
    let mut worst = Duration::ZERO;
    for _ in 0..WAKES {
        let begun = Instant::now();
        tokio::time::sleep(WAKE).await;
        worst = worst.max(begun.elapsed().saturating_sub(WAKE));
    }
    worst
}

fn clock(lag: Duration) -> Check {
    let lag_ms = lag.as_secs_f64() * 1000.0;
    let detail = format!("a task that is due is woken within {}", quantity::latency(lag_ms));
    if std::time::SystemTime::now() < std::time::UNIX_EPOCH + EARLIEST {
        return Check::warning(
            "clock",
            "it is years behind",
            "set it: runs are named by the time of their start",
        );
    }
    if lag_ms > Honesty::SCHEDULING_LAG_LIMIT_MS {
        let hint = "stages are likely to be client-bound here: stop what else runs, or take a larger machine";
        return Check::warning("clock", detail, hint);
    }
    Check::ok("clock", detail)
}

/// Looks for what the journals of earlier runs say may still stand.
fn leftovers(app: &App) -> Check {
    let mut standing = Vec::new();
    let mut under_way = 0;
    for name in app.home.runs() {
        let Ok(run) = app.home.run(&name.0) else { continue };
        if run.worked_on_by().is_some() {
            under_way += 1;
            continue;
        }
        let journal = std::fs::read(run.journal()).unwrap_or_default();
        if !Ledger::of(&journal).open_resources().is_empty() {
            standing.push(run);
        }
    }
    match standing.first() {
        None if under_way > 0 => Check::warning(
            "leftovers",
            format!("{} under way", several(under_way, "run")),
            "what runs at the same time disturbs each other's numbers",
        ),
        None => Check::ok("leftovers", "nothing of earlier runs stands"),
        Some(first) => Check::warning(
            "leftovers",
            format!("{} may still stand", several(standing.len(), "run")),
            format!("`{}` removes the first of them", app.command("deprovision", first)),
        ),
    }
}

fn terminal() -> Check {
    match terminal::size_of_stderr() {
        Some(size) if terminal::is_live() => {
            Check::ok("terminal", format!("{} columns, {} rows, live progress", size.columns, size.rows))
        }
        Some(_) => Check::ok("terminal", "one that cannot move its cursor: progress is plain lines"),
        None => Check::ok("terminal", "none: progress is plain lines"),
    }
}

const BOUND: Duration = Duration::from_secs(10);
const PORTS: usize = 10;
const FEW_CONNECTIONS: u64 = 10_000;
const TOO_LITTLE_SPACE: u64 = 500_000_000;
const LITTLE_SPACE: u64 = 5_000_000_000;
const WAKES: u32 = 100;
const WAKE: Duration = Duration::from_millis(1);
/// 2025-01-01, in seconds since the Unix epoch: before this version was written.
const EARLIEST: Duration = Duration::from_secs(1_735_689_600);
