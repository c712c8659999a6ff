//! Starting a process that outlives this one, and waiting until it says that it is ready.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use e3_model::ProcessIdentity;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::identity::{boot_id, read_stat};
use crate::{LogTail, MARK, NodeError, kill_group, stop};

/// What to start.
#[derive(Debug, Clone)]
pub struct Spawn {
    /// The program: a path, or a name that is looked up in `PATH`.
    pub program: PathBuf,
    /// Its arguments, without the program's own name; visible to every user of the machine.
    pub args: Vec<OsString>,
    /// Its whole environment but for the mark; see [`base_environment`].
    pub environment: Vec<(OsString, OsString)>,
    /// The file that its standard error is appended to; made with its directory if it is not there.
    pub log: PathBuf,
    /// What it is found by, also after a crash; see [`crate::find_marked`].
    pub mark: String,
    /// How long it may take to print its ready line.
    pub ready_within: Duration,
}

/// A process that was started and has not said yet that it is ready; dropping it kills it with its group.
#[derive(Debug)]
pub struct Launched {
    process: ProcessIdentity,
    child: Option<Child>,
    stdout: BufReader<ChildStdout>,
    program: String,
    log: PathBuf,
    ready_within: Duration,
}

/// A process that is ready and lives on by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The process.
    pub process: ProcessIdentity,
    /// The first line that it printed, without the line's end.
    pub stdout_line: String,
}

/// Starts a process and waits for its ready line: [`launch`], then [`Launched::ready`].
///
/// # Errors
/// As these two.
pub async fn spawn(spawn: Spawn) -> Result<Started, NodeError> {
    launch(spawn)?.ready().await
}

/// Starts a process in a process group of its own, with an empty standard input.
///
/// Returns when the program has taken over: from then on the process is found by its mark.
///
/// # Errors
/// When the log cannot be opened or the program does not start; nothing is left running then.
pub fn launch(spawn: Spawn) -> Result<Launched, NodeError> {
    let log = open_log(&spawn.log).map_err(|source| NodeError::Log { path: spawn.log.clone(), source })?;
    let program = spawn.program.display().to_string();
    let failed = |source| NodeError::Spawn { program: program.clone(), source };
    let mut child = Command::new(&spawn.program)
        .args(&spawn.args)
        .env_clear()
        .envs(spawn.environment)
        .env(MARK, &spawn.mark)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .map_err(failed)?;
    let (Some(pid), Some(stdout)) = (child.id(), child.stdout.take()) else {
        return Err(failed(io::Error::other("it has neither a number nor an output")));
    };
    // Nobody has waited for the child yet, so the number is its own even if it has ended meanwhile.
    match read_identity(pid) {
        Ok(process) => Ok(Launched {
            process,
            child: Some(child),
            stdout: BufReader::new(stdout),
            program,
            log: spawn.log,
            ready_within: spawn.ready_within,
        }),
        Err(error) => {
            kill_unreaped(&child);
            Err(error)
        }
    }
}

/// Returns the environment that a child needs at least: `PATH` and `HOME` as here, and `LC_ALL=C`.
pub fn base_environment() -> Vec<(OsString, OsString)> {
    let inherited =
        ["PATH", "HOME"].into_iter().filter_map(|name| Some((name.into(), std::env::var_os(name)?)));
    inherited.chain([("LC_ALL".into(), "C".into())]).collect()
}

impl Launched {
    /// Returns the process, to be written down before it is waited for.
    pub fn process(&self) -> &ProcessIdentity {
        &self.process
    }

    /// Waits for the process's first line, then closes its output and lets it live on.
    ///
    /// # Errors
    /// When it ends, closes its output, or prints no line in time; it is stopped then, and the error ends with its log.
    ///
    /// # Cancellation
    /// The process is killed with its group.
    pub async fn ready(mut self) -> Result<Started, NodeError> {
        let waited = match self.child.as_mut() {
            Some(child) => timeout(self.ready_within, first_line(&mut self.stdout, child)).await,
            None => Ok(Ok(First::Nothing("is gone"))),
        };
        let found = match waited {
            Ok(Ok(First::Line(stdout_line))) => return Ok(self.release(stdout_line)),
            Ok(Ok(First::End(status))) => {
                kill_group(&self.process).await?;
                return Err(NodeError::Ended {
                    program: self.program.clone(),
                    status,
                    tail: LogTail::of(&self.log),
                });
            }
            Ok(Ok(First::Nothing(found))) => found,
            Ok(Err(source)) => {
                self.stop().await?;
                return Err(NodeError::Output { program: self.program.clone(), source });
            }
            Err(_) => "printed nothing",
        };
        self.stop().await?;
        Err(NodeError::NotReady {
            program: self.program.clone(),
            found,
            within: self.ready_within,
            tail: LogTail::of(&self.log),
        })
    }

    fn release(&mut self, stdout_line: String) -> Started {
        if let Some(mut child) = self.child.take() {
            // Waiting is all this task does: without it, the process would stay a zombie after its end while e3 lives.
            tokio::spawn(async move { child.wait().await });
        }
        Started { process: self.process.clone(), stdout_line }
    }

    async fn stop(&mut self) -> Result<(), NodeError> {
        stop(&self.process, STOP_GRACE).await?;
        if let Some(child) = self.child.as_mut() {
            // It has ended, so this only reaps it.
            let _ = child.wait().await;
        }
        Ok(())
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        if let Some(child) = &self.child {
            kill_unreaped(child);
        }
    }
}

enum First {
    Line(String),
    End(ExitStatus),
    Nothing(&'static str),
}

async fn first_line(stdout: &mut BufReader<ChildStdout>, child: &mut Child) -> io::Result<First> {
    let mut line = Vec::new();
    let mut limited = stdout.take(LONGEST_LINE);
    // The child's end is awaited, too: a grandchild may hold the output open beyond it.
    tokio::select! {
        biased;
        read = limited.read_until(b'\n', &mut line) => { read?; }
        status = child.wait() => return Ok(First::End(status?)),
    }
    if line.pop() == Some(b'\n') {
        return Ok(First::Line(String::from_utf8_lossy(&line).trim_end().to_owned()));
    }
    if limited.limit() == 0 {
        return Ok(First::Nothing("printed an endless line"));
    }
    // The output was closed; mostly because the child ended, which it is given a moment to do.
    match timeout(END_AFTER_CLOSE, child.wait()).await {
        Ok(status) => Ok(First::End(status?)),
        Err(_) => Ok(First::Nothing("closed its output")),
    }
}

fn read_identity(pid: u32) -> Result<ProcessIdentity, NodeError> {
    let stat = read_stat(pid)?.ok_or_else(|| NodeError::Inspect {
        process: format!("process {pid}"),
        source: io::ErrorKind::NotFound.into(),
    })?;
    Ok(ProcessIdentity { pid, started: stat.starttime, boot_id: boot_id()? })
}

/// Kills a child and its group; its number is its own as long as nobody has waited for it.
fn kill_unreaped(child: &Child) {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

fn open_log(path: &Path) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

/// How long a process that did not get ready may take to end by itself.
const STOP_GRACE: Duration = Duration::from_secs(2);
/// How long a process may take to end after it has closed its output.
const END_AFTER_CLOSE: Duration = Duration::from_secs(1);
const LONGEST_LINE: u64 = 64 * 1024;
