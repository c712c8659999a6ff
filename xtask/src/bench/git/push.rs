//! Pushes of a commit of five files to new branches: over HTTP to nginx with git's http-backend, over SSH to sshd.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::e3::Load;
use super::peer::{self, Act};
use super::sshd::Sshd;
use super::{Bench, Least, PROJECT, judge, repository::CLONED};
use crate::bench::githost::nginx::Nginx;
use crate::say::say;

/// Five changed files, `git add`, `git commit`, `git push`, in a working copy of each client's own.
#[derive(Clone)]
struct Push {
    url: String,
    folder: PathBuf,
    /// Sets the branches of one measurement apart from those of another.
    name: String,
    ssh: Option<String>,
}

impl Act for Push {
    async fn act(&self, client: u32, number: u32) -> Result<()> {
        let copy = self.folder.join(format!("copy-{client}"));
        let changes = copy.join("changes");
        std::fs::create_dir_all(&changes).context("cannot make a directory")?;
        for file in 0..FILES {
            let text = format!("client {client}, op {number}, file {file}, {}\n", self.name).repeat(20);
            std::fs::write(changes.join(format!("part-{file}.txt")), text).context("cannot write a file")?;
        }
        peer::git(&copy, &["add", "-A"], None).await?;
        peer::git(&copy, &["commit", "-q", "-m", "Change five files"], None).await?;
        let branch = format!("HEAD:refs/heads/peer/{}-{client}-{number}", self.name);
        peer::git(&copy, &["push", "-q", &self.url, &branch], self.ssh.as_deref()).await
    }
}

pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<String>> {
    let root = bench.folder.join("pushed");
    let repository = root.join(format!("scm/{PROJECT}/{CLONED}.git"));
    std::fs::create_dir_all(root.join("scm").join(PROJECT)).context("cannot make a directory")?;
    let source = bench.repositories.join(format!("scm/{PROJECT}/{CLONED}.git")).display().to_string();
    peer::git(bench.folder, &["clone", "-q", "--mirror", &source, &repository.display().to_string()], None)
        .await?;
    peer::git(&repository, &["config", "http.receivepack", "true"], None).await?;
    let copies = bench.folder.join("copies");
    std::fs::create_dir_all(&copies).context("cannot make a directory")?;
    for client in 0..CLIENTS {
        peer::git(&copies, &["clone", "-q", "--shared", &source, &format!("copy-{client}")], None).await?;
    }
    let nginx = Nginx::start(bench.folder, &repository).await?;
    let sshd = Sshd::start(&bench.folder.join("sshd-push"), &root).await?;
    let files = format!("files={FILES}");
    let loads = [
        Load::new("scm.PushChangesHttp", CLONED, &nginx.url()).flags(&["--arg", &files]),
        Load::new("scm.PushChangesSsh", CLONED, "http://127.0.0.1:9")
            .flags(&["--arg", &files])
            .over_ssh(&sshd),
    ];
    let urls = [
        (format!("{}/scm/{PROJECT}/{CLONED}.git", nginx.url()), None),
        (format!("{}/{PROJECT}/{CLONED}.git", sshd.url()), Some(sshd.ssh_command())),
    ];
    let (mut native, mut git) = ([Least::NONE; 2], [Least::NONE; 2]);
    let seconds = u32::try_from(bench.seconds).unwrap_or(1);
    for round in 0..bench.rounds {
        say(format!("push: round {} of {}", round + 1, bench.rounds));
        for (way, (least, load)) in native.iter_mut().zip(&loads).enumerate() {
            let a_second = if way == 0 { 150 } else { 40 };
            least.take(load.each(bench, CLIENTS, seconds.saturating_mul(a_second)).await?);
            forget(&repository).await?;
        }
        for (way, (least, (url, ssh))) in git.iter_mut().zip(&urls).enumerate() {
            let name = format!("{round}-{way}");
            let push = Push { url: url.clone(), folder: copies.clone(), name, ssh: ssh.clone() };
            least.take(peer::each(&push, CLIENTS, seconds.div_ceil(2)).await?);
            forget(&repository).await?;
        }
    }
    nginx.stop().await?;
    sshd.stop().await?;
    let rows = native.into_iter().zip(git).zip([("HTTP", 50.0), ("SSH", 20.0)]);
    let judged = rows.map(|((native, git), (protocol, at_least))| {
        judge(&format!("push over {protocol}, {CLIENTS} clients"), native, git, at_least)
    });
    Ok(judged.flatten().collect())
}

/// Removes the branches that were pushed, so that all push to a repository of the same refs.
async fn forget(repository: &Path) -> Result<()> {
    let pushed = ["refs/heads/peer", "refs/heads/bugfix"];
    for folder in pushed {
        let path = repository.join(folder);
        if path.exists() {
            std::fs::remove_dir_all(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

const FILES: u32 = 5;
const CLIENTS: u32 = 8;
