//! What is cloned: a repository of some 2,000 commits and 9 MB, with a few branches and tags.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::node::Node;

/// Makes the repository with git, pushes it to the node and packs it, as it would be after a night.
///
/// # Errors
/// When git fails.
pub(in crate::bench) async fn fill(folder: &Path, node: &Node) -> Result<()> {
    let source = folder.join("source.git");
    git(folder, &["init", "--quiet", "--bare", "--initial-branch=main", "source.git"], b"", "").await?;
    git(&source, &["fast-import", "--quiet"], &history()?, "").await?;
    let (url, header) = node.push_url();
    git(&source, &["push", "--quiet", "--mirror", &url], b"", &header).await?;
    git(&node.repository()?, &["gc", "--quiet"], b"", "").await
}

/// Returns a stream for `git fast-import(1)`: the same at each run.
fn history() -> Result<Vec<u8>> {
    let mut stream = Vec::new();
    let mut noise = Noise(1);
    for n in 0..COMMITS {
        let (file, when) = (n % FILES, 1_700_000_000 + n * 600);
        let mut text = format!("file {file}, version {n}\n");
        for _ in 0..LINES {
            text.push_str(&format!("{:016x}{:016x}{:016x}\n", noise.next(), noise.next(), noise.next()));
        }
        write!(
            stream,
            "commit refs/heads/main\nmark :{}\ncommitter A Bench <bench@example.com> {when} +0000\n",
            n + 1
        )?;
        let message = format!("Change file {file}\n");
        write!(stream, "data {}\n{message}", message.len())?;
        write!(stream, "M 100644 inline dir-{}/file-{file}.txt\ndata {}\n{text}\n", file % 10, text.len())?;
        if n % 100 == 99 {
            write!(stream, "reset refs/heads/branch-{}\nfrom :{}\n\n", n / 100, n + 1)?;
            let tag = format!("v{}", n / 100);
            write!(
                stream,
                "tag {tag}\nfrom :{}\ntagger A Bench <bench@example.com> {when} +0000\ndata 4\nTag\n\n",
                n + 1
            )?;
        }
    }
    Ok(stream)
}

/// A generator of numbers that do not compress. Source: Marsaglia's xorshift64.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

async fn git(folder: &Path, arguments: &[&str], input: &[u8], header: &str) -> Result<()> {
    let mut git = Command::new("git");
    git.args(arguments).current_dir(folder).env_clear().kill_on_drop(true);
    git.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    git.envs([("LC_ALL", "C"), ("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")]);
    if !header.is_empty() {
        // Source: git-config(1), GIT_CONFIG_COUNT, since git 2.31.
        git.envs([
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "http.extraHeader"),
            ("GIT_CONFIG_VALUE_0", header),
        ]);
    }
    git.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = git.spawn().context("cannot start git")?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input).await.context("git takes no input")?;
    }
    let output = child.wait_with_output().await.context("cannot wait for git")?;
    if !output.status.success() {
        bail!("git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

const COMMITS: u64 = 2000;
const FILES: u64 = 200;
const LINES: u64 = 120;
