//! What is cloned, listed and pushed to: generated once from a seed, and kept in cargo's target directory.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::{PROJECT, peer};

/// Some 2,000 commits, 17,800 objects and 8.9 MB of pack, with 20 branches and 20 annotated tags.
pub(super) const CLONED: &str = "cloned";
/// 1,000 refs.
pub(super) const LISTED: &str = "listed";

/// Returns the directory below which both are `scm/BENCH/NAME.git`; makes them if they are not there.
///
/// # Errors
/// When git fails.
pub(super) async fn prepare(target: &Path) -> Result<PathBuf> {
    let kept = target.join(format!("bench-git-{VERSION}"));
    if kept.exists() {
        return Ok(kept);
    }
    let made = tempfile::tempdir_in(target).context("cannot make a directory beside the program")?;
    let project = made.path().join("scm").join(PROJECT);
    std::fs::create_dir_all(&project).context("cannot make a directory")?;
    for (name, stream) in [(CLONED, history()?), (LISTED, refs()?)] {
        let repository = project.join(format!("{name}.git"));
        let path = repository.display().to_string();
        peer::git(&project, &["init", "-q", "--bare", "--initial-branch=main", &path], None).await?;
        import(&repository, &stream).await?;
        peer::git(&repository, &["-c", "pack.threads=1", "repack", "-adfq"], None).await?;
        peer::git(&repository, &["pack-refs", "--all"], None).await?;
        // So that the answer does not depend on the number of processors.
        peer::git(&repository, &["config", "pack.threads", "1"], None).await?;
    }
    std::fs::rename(made.path(), &kept).context("cannot keep what was made")?;
    Ok(kept)
}

/// Returns the stream of the repository that is cloned: each commit changes up to 16 lines in each of two or three text
/// files of 10 kB, as sources have, and one small binary file as a whole.
fn history() -> Result<Vec<u8>> {
    let mut stream = Vec::new();
    let mut noise = Noise(1);
    let mut files: Vec<Vec<String>> =
        (0..FILES).map(|_| (0..LINES).map(|_| noise.line()).collect()).collect();
    for n in 0..COMMITS {
        commit(&mut stream, "refs/heads/main", n, &format!("Change {n}\n"))?;
        for _ in 0..2 + n % 2 {
            let place = usize::try_from(noise.next() % FILES).context("a small number")?;
            let Some(lines) = files.get_mut(place) else { continue };
            for _ in 0..CHANGED {
                let place = usize::try_from(noise.next() % LINES).context("a small number")?;
                if let Some(line) = lines.get_mut(place) {
                    *line = noise.line();
                }
            }
            let text = lines.concat();
            inline(&mut stream, &format!("dir-{}/file-{place}.txt", place % 20), text.as_bytes())?;
        }
        let binary: Vec<u8> = (0..BINARY / 8).flat_map(|_| noise.next().to_le_bytes()).collect();
        inline(&mut stream, &format!("binary/{}.bin", n % 40), &binary)?;
        if n % 100 == 99 {
            let (number, from) = (n / 100, n + 1);
            write!(stream, "reset refs/heads/branch-{number}\nfrom :{from}\n\n")?;
            write!(
                stream,
                "tag v{number}\nfrom :{from}\ntagger {AUTHOR} {} +0000\ndata 4\nTag\n\n",
                when(n)
            )?;
        }
    }
    Ok(stream)
}

/// Returns the stream of the repository that is listed: some commits, and refs that lead to them.
fn refs() -> Result<Vec<u8>> {
    let mut stream = Vec::new();
    for n in 0..REFS {
        commit(&mut stream, "refs/heads/main", n, "A commit\n")?;
        inline(&mut stream, "file.txt", format!("version {n}\n").as_bytes())?;
    }
    // Main is one of them.
    for n in 1..REFS {
        let name = if n % 4 == 0 { format!("tags/v1.{n}") } else { format!("heads/feature/some-change-{n}") };
        write!(stream, "reset refs/{name}\nfrom :{n}\n\n")?;
    }
    Ok(stream)
}

fn commit(stream: &mut Vec<u8>, name: &str, n: u64, message: &str) -> Result<()> {
    write!(stream, "commit {name}\nmark :{}\ncommitter {AUTHOR} {} +0000\n", n + 1, when(n))?;
    Ok(write!(stream, "data {}\n{message}", message.len())?)
}

fn inline(stream: &mut Vec<u8>, path: &str, content: &[u8]) -> Result<()> {
    write!(stream, "M 100644 inline {path}\ndata {}\n", content.len())?;
    stream.extend_from_slice(content);
    stream.push(b'\n');
    Ok(())
}

fn when(n: u64) -> u64 {
    1_700_000_000 + n * 600
}

async fn import(repository: &Path, stream: &[u8]) -> Result<()> {
    let mut git = Command::new("git");
    git.args(["fast-import", "--quiet"]).current_dir(repository).env_clear().kill_on_drop(true);
    git.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    git.envs([("LC_ALL", "C"), ("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")]);
    git.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = git.spawn().context("cannot start git")?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(stream).await.context("git takes no input")?;
    }
    let output = child.wait_with_output().await.context("cannot wait for git")?;
    if !output.status.success() {
        bail!("git fast-import: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
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

    fn line(&mut self) -> String {
        format!("{:016x}{:016x}{:016x}\n", self.next(), self.next(), self.next())
    }
}

/// Another one makes the repositories anew.
const VERSION: u32 = 2;
const COMMITS: u64 = 2000;
const FILES: u64 = 200;
/// Lines of a text file, of 49 bytes each.
const LINES: u64 = 200;
/// How many of them a commit replaces at most.
const CHANGED: u64 = 16;
/// Bytes of a binary file.
const BINARY: u64 = 2000;
const REFS: u64 = 1000;
const AUTHOR: &str = "A Bench <bench@example.com>";
