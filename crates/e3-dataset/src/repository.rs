//! One generated repository: a bare directory, filled by one `git fast-import`.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use e3_model::{Branch, PullRequest, Seed};
use tokio::sync::mpsc;

use crate::draw::Draw;
use crate::git::Git;
use crate::history::{History, MAIN, Wish};
use crate::layout::{Place, address, spoken};
use crate::spread::{log_normal, rounded};
use crate::{DatasetError, pull_requests, stream};

/// What a repository has, as the snapshot tells it.
#[derive(Debug, Default)]
pub(crate) struct Made {
    /// Its branches, the main line first.
    pub(crate) branches: Vec<Branch>,
    /// The pull requests that it is to get, in the order in which they are opened.
    pub(crate) pull_requests: Vec<PullRequest>,
}

/// Makes the repository of `place` in `directory`, which must not exist, by the members of the team: their login names.
///
/// # Errors
/// When the directory cannot be written, or git fails.
pub(crate) async fn make(
    place: &Place,
    seed: Seed,
    team: &Arc<[String]>,
    directory: &Path,
) -> Result<Made, DatasetError> {
    let repository = format!("{}/{}", place.project, place.slug);
    prepare(directory)?;
    let (sender, chunks) = mpsc::channel(CHUNKS);
    let (plan, names) = (place.clone(), team.clone());
    let producer = tokio::task::spawn_blocking(move || {
        let assets = asset_sizes(plan.asset_bytes, &mut Draw::of(seed, ASSET_LANE));
        let wish = Wish {
            commits: plan.commits,
            authors: names.len(),
            issues: &plan.project,
            pull_requests: plan.pull_requests,
            assets: &assets,
        };
        let history = History::plan(wish, Draw::of(seed, 0));
        let authors: Vec<String> =
            names.iter().map(|name| format!("{} <{}>", spoken(name), address(name))).collect();
        let mut out = io::BufWriter::with_capacity(CHUNK, Chunks(sender));
        // A stream that nobody reads any more is no error of its own: git says why it stopped.
        let _ = stream::write(&mut out, &history, &authors, seed).and_then(|()| out.flush());
        let pull_requests = pull_requests::plan(&history, &names, Draw::of(seed, REQUEST_LANE));
        (history.branches, pull_requests)
    });
    let bound = BOUND + Duration::from_millis(2) * place.commits;
    let task = format!("import {repository}");
    let mut import = git_in(directory, &task, bound);
    for (name, value) in MEMORY {
        import = import.variable(name, value);
    }
    let printed = import.arg("fast-import").arg("--quiet").arg("--done").input(chunks).run().await?;
    let (tips, pull_requests) =
        producer.await.map_err(|source| DatasetError::Task { repository: repository.clone(), source })?;
    let ids: Vec<&str> = printed.lines().collect();
    if ids.len() != tips.len() || ids.iter().any(|id| id.len() != 40) {
        return Err(DatasetError::GitAnswer { task, printed: printed.chars().take(200).collect() });
    }
    let pack = git_in(directory, &format!("pack the refs of {repository}"), BOUND);
    pack.arg("pack-refs").arg("--all").run().await?;
    let branches = tips.iter().zip(ids).map(|(tip, id)| branch(&tip.name, id)).collect();
    Ok(Made { branches, pull_requests })
}

/// Returns sizes that add up to `bytes`: log-normal, as those of files in real repositories are.
fn asset_sizes(bytes: u64, draw: &mut Draw) -> Vec<u32> {
    let mut sizes = Vec::new();
    let mut left = u32::try_from(bytes).unwrap_or(u32::MAX);
    while left > 0 {
        let chance = (draw.below(1 << 20) as f64 + 0.5) / f64::from(1 << 20);
        let size =
            rounded(log_normal(TYPICAL_ASSET, ASSET_SPREAD, chance)).clamp(SMALLEST_ASSET, LARGEST_ASSET);
        // What would be left is not worth a file of its own.
        let size = if left < size.saturating_add(SMALLEST_ASSET) { left } else { size };
        sizes.push(size);
        left -= size;
    }
    sizes
}

/// Writes what `git init --bare` would, without a process and whatever templates the machine has.
fn prepare(directory: &Path) -> Result<(), DatasetError> {
    for folder in ["objects/info", "objects/pack", "refs/heads", "refs/tags"] {
        let path = directory.join(folder);
        fs::create_dir_all(&path).map_err(DatasetError::at("create", path))?;
    }
    let head = format!("ref: refs/heads/{MAIN}\n");
    for (file, text) in [("HEAD", head.as_str()), ("config", CONFIG)] {
        let path = directory.join(file);
        fs::write(&path, text).map_err(DatasetError::at("write", path))?;
    }
    Ok(())
}

fn git_in(directory: &Path, task: &str, bound: Duration) -> Git {
    let mut place = std::ffi::OsString::from("--git-dir=");
    place.push(directory);
    let mut git = Git::to(task, bound).arg(place);
    for setting in SETTINGS {
        git = git.arg("-c").arg(setting);
    }
    git
}

fn branch(name: &str, id: &str) -> Branch {
    Branch {
        id: format!("refs/heads/{name}"),
        display_id: name.to_owned(),
        latest_commit: id.to_owned(),
        latest_changeset: Some(id.to_owned()),
        is_default: name == MAIN,
        kind: Some("BRANCH".to_owned()),
    }
}

/// Hands a stream over in chunks.
struct Chunks(mpsc::Sender<Vec<u8>>);

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.blocking_send(bytes.to_vec()).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Half of the binary files are smaller, in bytes.
const TYPICAL_ASSET: f64 = 24_000.0;
/// The standard deviation of the sizes' natural logarithm: the mean is twice the median.
const ASSET_SPREAD: f64 = 1.2;
const SMALLEST_ASSET: u32 = 1_000;
const LARGEST_ASSET: u32 = 2_000_000;
/// Lanes of draws beside that of the history, 0, and those of files, which follow it.
const ASSET_LANE: u64 = u64::MAX;
const REQUEST_LANE: u64 = u64::MAX - 1;

const CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n";

/// One pack, however few objects. No compression: it is a third of git's work here, and as most objects are stored as
/// small differences, it would make packs only a fifth smaller.
const SETTINGS: [&str; 2] = ["core.compression=0", "fastimport.unpackLimit=0"];

/// Keeps freed memory in the process: fast-import makes and frees a compressor for every object, which otherwise costs
/// the kernel more time than all of git's work.
///
/// Source: mallopt(3), environment variables; other C libraries ignore them.
const MEMORY: [(&str, &str); 2] = [("MALLOC_TRIM_THRESHOLD_", "67108864"), ("MALLOC_TOP_PAD_", "4194304")];

const CHUNK: usize = 256 << 10;
/// How many chunks may wait for git.
const CHUNKS: usize = 4;
/// How long git may take for a repository, beside what each commit takes.
const BOUND: Duration = Duration::from_secs(120);
