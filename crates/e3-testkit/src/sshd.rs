//! Git over SSH by OpenSSH's own server.

use std::{
    fs,
    io::ErrorKind,
    net::SocketAddr,
    os::{fd::OwnedFd, unix::fs::PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    process::Child,
    task::{JoinHandle, JoinSet},
};

use crate::Git;

/// How an [`Sshd`] differs from one that serves Git; the default does not.
#[derive(Debug, Clone)]
pub struct SshdOptions {
    /// Whether `GIT_PROTOCOL` is refused, as by a server that was never told to accept it.
    pub ignore_protocol: bool,
    /// The kind of the host key, as `ssh-keygen -t` has it.
    pub host_key: &'static str,
    /// Lines of sh in place of running the Git command that was asked for, which is then in `"$@"`.
    pub run: Option<String>,
}

impl Default for SshdOptions {
    fn default() -> Self {
        Self { ignore_protocol: false, host_key: "ed25519", run: None }
    }
}

/// A real OpenSSH server on a free port of loopback, over all repositories below a directory.
///
/// It runs as the current user with a configuration, host key and authorized keys of its own; one `sshd -i` serves
/// each connection, and dropping this ends them all.
#[derive(Debug)]
pub struct Sshd {
    directory: TempDir,
    address: SocketAddr,
    user: String,
    accepted: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Sshd {
    /// Starts a server; `ssh://…/P/r.git` is the repository `P/r.git` below the root.
    ///
    /// # Panics
    /// If sshd or ssh-keygen is not installed, or no port can be bound.
    pub async fn start(root: impl Into<PathBuf>, options: SshdOptions) -> Self {
        let directory = tempfile::tempdir().expect("temporary directories can be made");
        let program = find_sshd();
        prepare(directory.path(), &root.into(), &options);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (accepted, open) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let serving = serve(listener, program, directory.path().to_owned(), accepted.clone(), open.clone());
        let user = run("id", &["-un"]);
        Self { directory, address, user, accepted, open, accepting: tokio::spawn(serving) }
    }

    /// Returns `ssh://USER@127.0.0.1:PORT`: whoever runs the tests, since sshd lets in nobody else.
    pub fn url(&self) -> String {
        format!("ssh://{}@{}", self.user, self.address)
    }

    /// Returns where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the public host key: `ssh-ed25519 AAAA…`.
    ///
    /// # Panics
    /// If the key's file is gone.
    pub fn host_key(&self) -> String {
        read(&self.directory.path().join("host_key.pub"))
    }

    /// Returns the private key, in a file, of a user who may log in.
    pub fn user_key(&self) -> PathBuf {
        self.directory.path().join("user_key")
    }

    /// Lets another key in.
    ///
    /// # Panics
    /// If the keys' file cannot be written.
    pub fn authorize(&self, public_key: &str) {
        let path = self.directory.path().join("authorized_keys");
        fs::write(&path, format!("{}\n{public_key}\n", read(&path)))
            .expect("the test's directory is writable");
    }

    /// Returns the `core.sshCommand` with which real git logs in, knowing the host key and nothing of its user's.
    pub fn ssh_command(&self) -> String {
        format!(
            "ssh -F none -i {} -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile={}",
            self.user_key().display(),
            self.directory.path().join("known_hosts").display(),
        )
    }

    /// Writes the host key to where [`Sshd::ssh_command`] looks for it, under the name by which git calls the server.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn make_known(&self) {
        let line = format!("[127.0.0.1]:{} {}\n", self.address.port(), self.host_key());
        fs::write(self.directory.path().join("known_hosts"), line).expect("the test's directory is writable");
    }

    /// Returns how many connections were accepted.
    pub fn connections(&self) -> usize {
        self.accepted.load(Ordering::Acquire)
    }

    /// Returns how many connections are still served.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// Returns what the server logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(
    listener: TcpListener,
    program: PathBuf,
    directory: PathBuf,
    accepted: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
) {
    let mut serving = JoinSet::new();
    loop {
        tokio::select! {
            connection = listener.accept() => {
                let Ok((stream, _)) = connection else { return };
                accepted.fetch_add(1, Ordering::AcqRel);
                open.fetch_add(1, Ordering::AcqRel);
                let (mut child, open) = (spawn(&program, &directory, stream), open.clone());
                serving.spawn(async move {
                    let _ = child.wait().await;
                    open.fetch_sub(1, Ordering::AcqRel);
                });
            }
            Some(_) = serving.join_next() => {}
        }
    }
}

/// Lets one sshd serve one connection, as inetd does.
fn spawn(program: &Path, directory: &Path, stream: TcpStream) -> Child {
    let stream = stream.into_std().expect("a new connection is idle");
    stream.set_nonblocking(false).expect("an open socket can be told to block");
    let output = OwnedFd::from(stream.try_clone().expect("file descriptors are left"));
    // Without the limit, sshd's closing of all descriptors that it may have takes longer than all the rest.
    let mut command = tokio::process::Command::new("sh");
    command.args(["-c", "ulimit -n 256; exec \"$@\"", "sh"]).arg(program);
    command.args(["-i", "-f"]).arg(directory.join("config")).arg("-E").arg(directory.join("log"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::from(OwnedFd::from(stream)))
        .stdout(Stdio::from(output))
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("sh can be started")
}

/// Writes the configuration, the keys and the command that every session runs.
fn prepare(directory: &Path, root: &Path, options: &SshdOptions) {
    for (name, kind) in [("host_key", options.host_key), ("user_key", "ed25519")] {
        let path = directory.join(name).display().to_string();
        run("ssh-keygen", &["-q", "-t", kind, "-N", "", "-C", "", "-f", &path]);
    }
    let write = |name: &str, text: &str| {
        fs::write(directory.join(name), text).expect("the test's directory is writable");
    };
    write("authorized_keys", &read(&directory.join("user_key.pub")));
    let base = directory.display();
    // The user's shell runs the command, and bash reads the user's .bashrc for sshd, at its first level.
    let accept = if options.ignore_protocol { "" } else { "AcceptEnv GIT_PROTOCOL\n" };
    write(
        "config",
        &format!(
            "HostKey {base}/host_key\nAuthorizedKeysFile {base}/authorized_keys\nForceCommand {base}/command\n\
             PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin prohibit-password\nPrintLastLog no\nLogLevel VERBOSE\nSetEnv HOME={base} SHLVL=9\n{accept}"
        ),
    );
    let mut script = "#!/bin/sh\n".to_owned();
    for (name, value) in Git::new(root).environment() {
        script += &format!("export {}='{}'\n", name.display(), value.display());
    }
    script += &format!("cd '{}' || exit 1\neval \"set -- $SSH_ORIGINAL_COMMAND\"\n", root.display());
    // The path that a client names starts at the server's root.
    script += "case $1 in git-upload-pack|git-receive-pack) service=$1 path=./$2;;\n\
               *) echo \"$1 is no Git command\" >&2; exit 128;; esac\nset -- git \"${service#git-}\" \"$path\"\n";
    script += options.run.as_deref().unwrap_or("exec \"$@\"");
    write("command", &script);
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(directory.join("command"), executable).expect("the test's own file can be changed");
}

/// Finds sshd, which wants to be called by its whole path, and makes the directory without which root cannot run it.
fn find_sshd() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    let found = directories.map(|directory| directory.join("sshd")).find(|program| program.is_file());
    let program = found.unwrap_or_else(|| {
        panic!("this test needs sshd: install it with `apt-get install openssh-server`, or run `cargo xtask tools`")
    });
    // Started by an init system, it is made by that; who is not root can neither make nor needs it.
    match fs::create_dir("/run/sshd") {
        Err(error) if error.kind() != ErrorKind::AlreadyExists && run("id", &["-u"]) == "0" => {
            panic!("sshd needs the directory /run/sshd, which cannot be made: {error}")
        }
        _ => program,
    }
}

fn read(path: &Path) -> String {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()));
    text.trim_end().to_owned()
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| {
        panic!("this test needs {program} ({error}): install it with `apt-get install openssh-client`")
    });
    assert!(
        output.status.success(),
        "{program} {arguments:?} ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}
