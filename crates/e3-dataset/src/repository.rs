//! One generated repository: a bare directory, filled by one `git fast-import`.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use e3_model::{Branch, Seed};
use tokio::sync::mpsc;

use crate::DatasetError;
use crate::draw::Draw;
use crate::git::Git;
use crate::history::{History, MAIN};
use crate::layout::Place;
use crate::stream;

/// Makes the repository of `place` in `directory`, which must not exist, and returns its branches, the main line first.
///
/// # Errors
/// When the directory cannot be written, or git fails.
pub(crate) async fn make(
    place: &Place,
    seed: Seed,
    authors: Vec<String>,
    directory: &Path,
) -> Result<Vec<Branch>, DatasetError> {
    let repository = format!("{}/{}", place.project, place.slug);
    prepare(directory)?;
    let (sender, chunks) = mpsc::channel(CHUNKS);
    let (commits, issues) = (place.commits, place.project.clone());
    let producer = tokio::task::spawn_blocking(move || {
        let history = History::plan(commits, authors.len().max(1), &issues, Draw::of(seed, 0));
        let mut out = io::BufWriter::with_capacity(CHUNK, Chunks(sender));
        // A stream that nobody reads any more is no error of its own: git says why it stopped.
        let _ = stream::write(&mut out, &history, &authors, seed).and_then(|()| out.flush());
        history.branches
    });
    let bound = BOUND + Duration::from_millis(2) * commits;
    let task = format!("import {repository}");
    let mut import = git_in(directory, &task, bound);
    for (name, value) in MEMORY {
        import = import.variable(name, value);
    }
    let printed = import.arg("fast-import").arg("--quiet").arg("--done").input(chunks).run().await?;
    let tips =
        producer.await.map_err(|source| DatasetError::Task { repository: repository.clone(), source })?;
    let ids: Vec<&str> = printed.lines().collect();
    if ids.len() != tips.len() || ids.iter().any(|id| id.len() != 40) {
        return Err(DatasetError::GitAnswer { task, printed: printed.chars().take(200).collect() });
    }
    let pack = git_in(directory, &format!("pack the refs of {repository}"), BOUND);
    pack.arg("pack-refs").arg("--all").run().await?;
    Ok(tips.iter().zip(ids).map(|(tip, id)| branch(&tip.name, id)).collect())
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
