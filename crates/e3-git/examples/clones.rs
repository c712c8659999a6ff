//! Clones one repository by many clients at the same time, once each, and tells what that took of this process.
//!
//! `cargo run --release -p e3-git --example clones URL CLIENTS [HOST_KEY]`: the repository is P/r.git below an `http:` or
//! `ssh:` URL; over SSH, the server has this host key and lets every key in. It prints one line: KiB resident before,
//! KiB resident at most, CPU milliseconds a clone, and bytes of packs. `cargo xtask bench memory` runs it.

#![expect(clippy::print_stdout, reason = "it prints its result")]

use std::{error::Error, fs};

use e3_git::{Remote, RepositoryPath, SshKey};
use e3_http::BaseUrl;
use e3_model::SshEndpoint;
use tokio::task::JoinSet;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, clients, host_key @ ..] = &arguments[..] else {
        return Err("URL CLIENTS [HOST_KEY] are wanted".into());
    };
    let clients: u32 = clients.parse()?;
    let key = SshKey::generate()?;
    let remote = || -> Outcome<Remote> {
        Ok(match host_key.first() {
            Some(host_key) => {
                let endpoint = SshEndpoint { url: url.clone(), host_key: host_key.clone() };
                Remote::ssh(&endpoint, key.clone())?
            }
            None => Remote::anonymous_http(BaseUrl::parse(url)?),
        })
    };
    let (resident, cpu) = (status_kib("VmRSS:")?, cpu_ms()?);
    let mut running = JoinSet::new();
    for _ in 0..clients {
        let remote = remote()?;
        running.spawn(async move { e3_git::clone(&remote, &RepositoryPath::new("P", "r")).await });
    }
    let mut bytes = 0;
    for cloned in running.join_all().await {
        bytes += cloned?.pack_bytes;
    }
    let (peak, cpu) = (status_kib("VmHWM:")?, (cpu_ms()? - cpu) / f64::from(clients));
    println!("{resident} {peak} {cpu:.2} {bytes}");
    Ok(())
}

/// Source: proc_pid_status(5).
fn status_kib(name: &str) -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Returns the CPU time of this process in milliseconds.
///
/// Source: proc_pid_stat(5), fields 14 and 15, in ticks of which Linux shows 100 a second.
fn cpu_ms() -> Outcome<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: Result<Vec<f64>, _> = after_name.split(' ').skip(11).take(2).map(str::parse).collect();
    Ok(ticks?.iter().sum::<f64>() * 10.0)
}
