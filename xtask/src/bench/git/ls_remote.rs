//! ls-remotes of 1,000 refs: over HTTP from memory, over SSH from OpenSSH's sshd.

use std::path::PathBuf;

use anyhow::Result;

use super::e3::Load;
use super::peer::{self, Act};
use super::sshd::Sshd;
use super::{Bench, Least, PROJECT, judge, repository::LISTED};
use crate::bench::canned::Canned;
use crate::say::say;

/// `git ls-remote`.
#[derive(Clone)]
struct LsRemote {
    url: String,
    folder: PathBuf,
    ssh: Option<String>,
}

impl Act for LsRemote {
    async fn act(&self, _: u32, _: u32) -> Result<()> {
        peer::git(&self.folder, &["ls-remote", &self.url], self.ssh.as_deref()).await
    }
}

pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<String>> {
    let canned = Canned::start(&bench.repositories).await?;
    let sshd = Sshd::start(&bench.folder.join("sshd-refs"), &bench.repositories).await?;
    let over_http = Load::new("scm.GitLsRemoteHttp", LISTED, &canned.url());
    let over_ssh = Load::new("scm.GitLsRemoteSsh", LISTED, "http://127.0.0.1:9").over_ssh(&sshd);
    let folder = || bench.folder.to_owned();
    let http =
        LsRemote { url: format!("{}/scm/{PROJECT}/{LISTED}.git", canned.url()), folder: folder(), ssh: None };
    let ssh = Some(sshd.ssh_command());
    let ssh = LsRemote { url: format!("{}/{PROJECT}/{LISTED}.git", sshd.url()), folder: folder(), ssh };
    over_http.each(bench, 1, 1).await?;
    http.act(0, 0).await?;
    let (mut native, mut git) = ([Least::NONE; CLIENTS.len()], [Least::NONE; CLIENTS.len()]);
    let (mut native_ssh, mut git_ssh) = (Least::NONE, Least::NONE);
    let seconds = u32::try_from(bench.seconds).unwrap_or(1);
    for round in 0..bench.rounds {
        say(format!("ls-remote: round {} of {}", round + 1, bench.rounds));
        for ((native, git), clients) in native.iter_mut().zip(&mut git).zip(CLIENTS) {
            native.take(over_http.each(bench, clients, seconds.saturating_mul(2_500)).await?);
            git.take(peer::each(&http, clients, seconds.saturating_mul(40).div_ceil(clients)).await?);
        }
        native_ssh.take(over_ssh.each(bench, SSH_CLIENTS, seconds.saturating_mul(80)).await?);
        git_ssh.take(peer::each(&ssh, SSH_CLIENTS, seconds.div_ceil(2)).await?);
    }
    sshd.stop().await?;
    let mut problems = Vec::new();
    for ((native, git), clients) in native.into_iter().zip(git).zip(CLIENTS) {
        let what = format!("ls-remote over HTTP, {clients} clients");
        // One client sleeps twice an op, and two thirds of its cost are the kernel's: it is shown, and load is judged.
        let problem = judge(&what, native, git, if clients == 1 { 0.0 } else { 90.0 });
        problems.extend(problem);
    }
    problems.extend(judge(&format!("ls-remote over SSH, {SSH_CLIENTS} clients"), native_ssh, git_ssh, 55.0));
    Ok(problems)
}

const CLIENTS: [u32; 2] = [1, 32];
const SSH_CLIENTS: u32 = 8;
