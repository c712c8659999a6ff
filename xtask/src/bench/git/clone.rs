//! Clones: over HTTP from memory with 1, 32 and 256 clients, and over SSH from OpenSSH's sshd.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::e3::{Load, knows};
use super::peer::{self, Act};
use super::sshd::Sshd;
use super::{Bench, Least, PROJECT, floor, judge, repository::CLONED};
use crate::bench::canned::{Canned, Exchange};
use crate::say::say;

/// `git clone --bare -q`, and the removal of the clone.
#[derive(Clone)]
struct Clone {
    url: String,
    folder: PathBuf,
    ssh: Option<String>,
}

impl Act for Clone {
    async fn act(&self, client: u32, number: u32) -> Result<()> {
        let target = format!("clone-{client}-{number}");
        peer::git(&self.folder, &["clone", "--bare", "-q", &self.url, &target], self.ssh.as_deref()).await?;
        let target = self.folder.join(target);
        tokio::task::spawn_blocking(move || std::fs::remove_dir_all(target))
            .await
            .context("the removal broke")?
            .context("cannot remove a clone")
    }
}

pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<String>> {
    let mut problems = over_http(bench).await?;
    problems.extend(over_ssh(bench).await?);
    Ok(problems)
}

async fn over_http(bench: &Bench<'_>) -> Result<Vec<String>> {
    let server = Canned::start(&bench.repositories).await?;
    let load = Load::new("scm.GitCloneOverHttp", CLONED, &server.url());
    let sampled = Load::new("scm.GitCloneOverHttp", CLONED, &server.url()).flags(&["--verify", "sampled"]);
    let has_sampled = knows(&bench.e3, "--verify").await?;
    let forked = Clone {
        url: format!("{}/scm/{PROJECT}/{CLONED}.git", server.url()),
        folder: bench.folder.to_owned(),
        ssh: None,
    };
    // Whatever is asked for the first time is answered by the backend; nothing of that is measured.
    forked.act(0, 0).await?;
    load.each(bench, 1, 1).await?;
    let exchanges = server.last_clone();
    say(described(&exchanges)?);
    let mut least_floor = [Least::NONE; 2];
    let (mut native, mut fast) = ([Least::NONE; CLIENTS.len()], Least::NONE);
    let mut git = [Least::NONE; FORKED.len()];
    let operations = |clients: u32| repeated(bench.seconds, 60).max(clients);
    for round in 0..bench.rounds {
        say(format!("clone over HTTP: round {} of {}", round + 1, bench.rounds));
        for (least, is_verified) in least_floor.iter_mut().zip([true, false]) {
            let (port, exchanges, clones) = (server.port(), exchanges.clone(), operations(1));
            let floor =
                tokio::task::spawn_blocking(move || floor::each(port, &exchanges, clones, is_verified));
            least.take(floor.await.context("the bare loop broke")??);
        }
        for (least, clients) in native.iter_mut().zip(CLIENTS) {
            least.take(load.each(bench, clients, operations(clients)).await?);
        }
        if has_sampled {
            fast.take(sampled.each(bench, 32, operations(32).saturating_mul(3)).await?);
        }
        for (least, clients) in git.iter_mut().zip(FORKED) {
            let each = repeated(bench.seconds, 2).div_ceil(clients).max(1);
            least.take(peer::each(&forked, clients, each).await?);
        }
    }
    let [floor, bare] = least_floor;
    let [alone, many] = git;
    say(format!("floor of a clone over HTTP: {:.2} ms, without the checksum {:.2} ms", floor.0, bare.0));
    let mut problems = Vec::new();
    // For 256 clients stands what git takes with 32.
    for ((native, git), clients) in native.into_iter().zip([alone, many, many]).zip(CLIENTS) {
        problems.extend(judge(&format!("clone over HTTP, {clients} clients"), native, git, 55.0));
        let times = floor.times(native);
        say(format!("{:<36} {times:>6.2} times the floor (at most {ABOVE_FLOOR})", ""));
        if times > ABOVE_FLOOR || times.is_nan() {
            problems.push(format!("clone over HTTP, {clients} clients: {times:.2} times the floor, at most {ABOVE_FLOOR} is wanted"));
        }
    }
    if has_sampled {
        problems.extend(judge("clone over HTTP, verify: sampled, 32", fast, many, 150.0));
    } else {
        say("clone over HTTP, verify: sampled: this e3 load has no --verify, so it is not measured");
    }
    Ok(problems)
}

async fn over_ssh(bench: &Bench<'_>) -> Result<Vec<String>> {
    let sshd = Sshd::start(&bench.folder.join("sshd-clone"), &bench.repositories).await?;
    let load = Load::new("scm.GitCloneOverSsh", CLONED, "http://127.0.0.1:9").over_ssh(&sshd);
    let forked = Clone {
        url: format!("{}/{PROJECT}/{CLONED}.git", sshd.url()),
        folder: bench.folder.to_owned(),
        ssh: Some(sshd.ssh_command()),
    };
    forked.act(0, 0).await?;
    let gits = sshd.cipher()?;
    load.each(bench, 1, 1).await?;
    let own = sshd.cipher()?;
    let (mut native, mut git) = (Least::NONE, Least::NONE);
    for round in 0..bench.rounds {
        say(format!("clone over SSH: round {} of {}", round + 1, bench.rounds));
        native.take(load.each(bench, SSH_CLIENTS, repeated(bench.seconds, 12)).await?);
        git.take(peer::each(&forked, SSH_CLIENTS, 1).await?);
    }
    sshd.stop().await?;
    let what = format!("clone over SSH, {SSH_CLIENTS} clients");
    let problem = judge(&what, native, git, 45.0);
    say(format!("{:<36} native by {own}, git by {gits}", ""));
    Ok(problem.into_iter().collect())
}

/// Returns what a clone moves, for people; it is made of three exchanges, of which the last has the pack.
fn described(exchanges: &[Exchange]) -> Result<String> {
    let [_, _, pack] = exchanges else { bail!("a clone made {} requests instead of 3", exchanges.len()) };
    #[expect(clippy::cast_precision_loss, reason = "it is shown with one digit")]
    let megabytes = pack.answer_bytes as f64 / 1e6;
    Ok(format!("a clone is three exchanges; the answer with the pack has {megabytes:.1} MB"))
}

/// Returns so many ops as take the wanted time, where so many take about a second.
fn repeated(seconds: u64, a_second: u32) -> u32 {
    u32::try_from(seconds).unwrap_or(1).saturating_mul(a_second)
}

const CLIENTS: [u32; 3] = [1, 32, 256];
/// 256 clients would take git minutes and gigabytes, and nothing off an op.
const FORKED: [u32; 2] = [1, 32];
/// The server, which packs anew for every clone, is what both wait for.
const SSH_CLIENTS: u32 = 8;
const ABOVE_FLOOR: f64 = 1.15;
