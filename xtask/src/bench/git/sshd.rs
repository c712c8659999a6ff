//! OpenSSH's server over all repositories below a directory, on a free port of loopback, gone afterwards.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::process;

/// The server, as long as this lives.
pub(super) struct Sshd {
    folder: PathBuf,
    port: u16,
    user: String,
    child: Child,
    group: Option<Pid>,
}

impl Sshd {
    /// Starts it; `ssh://…/P/r.git` is `scm/P/r.git` below the root.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub(super) async fn start(folder: &Path, root: &Path) -> Result<Self> {
        fs::create_dir_all(folder).context("cannot make a directory")?;
        for name in ["host_key", "user_key"] {
            let path = folder.join(name).display().to_string();
            let made =
                process::output("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", &path]);
            made.context("ssh-keygen does not work; install openssh-client")?;
        }
        let port = {
            let listener = TcpListener::bind("127.0.0.1:0").context("there is no free port")?;
            listener.local_addr().context("there is no free port")?.port()
        };
        configure(folder, root, port).context("cannot write the server's files")?;
        let user = process::output("id", &["-un"]).context("id does not work")?.trim().to_owned();
        let mut command = Command::new(program()?);
        command.arg("-D").arg("-f").arg(folder.join("config")).arg("-E").arg(folder.join("log"));
        command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.kill_on_drop(true).process_group(0);
        let child = command.spawn().context("cannot start sshd")?;
        let group = child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        let sshd = Self { folder: folder.to_owned(), port, user, child, group };
        let until = Instant::now() + START;
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            if Instant::now() > until {
                bail!("sshd did not begin to listen within {START:?}: {}", sshd.log());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(sshd)
    }

    /// Returns `ssh://USER@127.0.0.1:PORT`: whoever measures, since sshd lets in nobody else.
    pub(super) fn url(&self) -> String {
        format!("ssh://{}@127.0.0.1:{}", self.user, self.port)
    }

    pub(super) fn user_key(&self) -> PathBuf {
        self.folder.join("user_key")
    }

    pub(super) fn host_key_file(&self) -> PathBuf {
        self.folder.join("host_key.pub")
    }

    /// Returns the `GIT_SSH_COMMAND` with which real git logs in, as a user's would who has no configuration.
    pub(super) fn ssh_command(&self) -> String {
        let folder = self.folder.display();
        format!(
            "ssh -F none -i {folder}/user_key -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes \
             -o UserKnownHostsFile={folder}/known_hosts -o BatchMode=yes"
        )
    }

    /// Returns the cipher of the last connection.
    ///
    /// # Errors
    /// When there was none.
    pub(super) fn cipher(&self) -> Result<String> {
        let log = self.log();
        let mut lines = log.lines().rev().filter_map(|line| line.split_once("kex: server->client cipher: "));
        let (_, rest) = lines.next().context("sshd logs no cipher")?;
        Ok(rest.split(' ').next().unwrap_or_default().to_owned())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub(super) async fn stop(mut self) -> Result<()> {
        self.kill();
        self.child.wait().await.context("cannot wait for sshd")?;
        self.group = None;
        Ok(())
    }

    fn kill(&self) {
        if let Some(group) = self.group {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Source: sshd_config(5). The log tells each connection's cipher.
fn configure(folder: &Path, root: &Path, port: u16) -> std::io::Result<()> {
    let public = |name: &str| fs::read_to_string(folder.join(name));
    fs::write(folder.join("authorized_keys"), public("user_key.pub")?)?;
    fs::write(folder.join("known_hosts"), format!("[127.0.0.1]:{port} {}", public("host_key.pub")?))?;
    let base = folder.display();
    fs::write(
        folder.join("config"),
        format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {base}/host_key\nAuthorizedKeysFile {base}/authorized_keys\n\
             ForceCommand {base}/command\nPidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nPrintLastLog no\nLogLevel DEBUG1\n\
             MaxStartups 1000\nMaxSessions 1000\nAcceptEnv GIT_PROTOCOL\nSetEnv HOME={base} SHLVL=9\n"
        ),
    )?;
    let scm = root.join("scm");
    fs::write(
        folder.join("command"),
        format!(
            "#!/bin/sh\nexport GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null LC_ALL=C\ncd '{}' || exit 1\n\
             eval \"set -- $SSH_ORIGINAL_COMMAND\"\n\
             case $1 in git-upload-pack|git-receive-pack) exec git \"${{1#git-}}\" \"./$2\";; esac\n\
             echo \"$1 is no Git command\" >&2; exit 128\n",
            scm.display()
        ),
    )?;
    fs::set_permissions(folder.join("command"), fs::Permissions::from_mode(0o755))
}

/// Finds sshd, which wants to be called by its whole path, and makes the directory without which root cannot run it.
fn program() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    let found = folders.map(|folder| folder.join("sshd")).find(|program| program.is_file());
    // Started by an init system, it is made by that; who is not root can neither make nor needs it.
    let _ = fs::create_dir("/run/sshd");
    found.context("sshd is not installed; run `cargo xtask tools`, or install openssh-server")
}

const START: Duration = Duration::from_secs(20);
