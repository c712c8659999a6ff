//! What the native client saves: `git ls-remote` and `git clone` over SSH by the native client and by forked git.
//!
//! `cargo run --release -p e3-git --example native_or_forked [SECONDS] [CLIENTS]` starts an OpenSSH server over one
//! repository, runs each way for that long with so many clients at a time, and prints ops/s, the clients' CPU per
//! op without the server's, and their ratio. Server and clients share the machine, so ops/s are the server's as well.

#![expect(clippy::print_stdout, reason = "it prints its result")]

use std::{
    error::Error,
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use e3_git::{Remote, RepositoryPath, SshKey};
use e3_model::{Secret, SshEndpoint};
use e3_testkit::{Git, Shape, Sshd, SshdOptions, create_repository};
use tokio::task::JoinSet;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, root] = &arguments[..]
        && flag == "--serve"
    {
        return serve(root).await;
    }
    let number = |place: usize, default: u64| arguments.get(place).map_or(Ok(default), |text| text.parse());
    let bench = Arc::new(Bench::new(Duration::from_secs(number(0, 10)?), number(1, 8)?)?);
    println!(
        "a pack of {:.1} MB, {} clients at a time, {} s each",
        bench.pack_megabytes().await?,
        bench.clients,
        bench.duration.as_secs()
    );
    println!("{:<10} {:<7} {:>8} {:>14} {:>10}", "op", "client", "ops/s", "CPU ms/op", "mean ms");
    for op in [Op::LsRemote, Op::Clone] {
        let native = bench.measure(op, Client::Native).await?;
        let forked = bench.measure(op, Client::Forked).await?;
        println!(
            "{:<10} {:.0} times less CPU, {:.1} times the ops/s",
            "",
            forked.cpu_ms / native.cpu_ms,
            native.rate / forked.rate
        );
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    LsRemote,
    Clone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Client {
    Native,
    Forked,
}

struct Measured {
    rate: f64,
    cpu_ms: f64,
}

struct Bench {
    directory: tempfile::TempDir,
    server: Server,
    remote: Remote,
    repository: RepositoryPath,
    duration: Duration,
    clients: u64,
    clones: AtomicU64,
}

impl Bench {
    fn new(duration: Duration, clients: u64) -> Outcome<Self> {
        let directory = tempfile::tempdir()?;
        let shape = Shape {
            commits: 2_000,
            branches: 20,
            light_tags: 10,
            annotated_tags: 10,
            hidden_refs: 0,
            merge_every: 7,
            binary_bytes: 2_200_000,
            detached_head: false,
            repacked: true,
        };
        create_repository(&directory.path().join("P/r.git"), 1, &shape);
        let server = Server::start(directory.path())?;
        let key = SshKey::parse(&Secret::new(fs::read_to_string(&server.key)?))?;
        let endpoint = SshEndpoint { url: server.url.clone(), host_key: server.host_key.clone() };
        let remote = Remote::ssh(&endpoint, key)?;
        let repository = RepositoryPath::new("P", "r");
        Ok(Self { directory, server, remote, repository, duration, clients, clones: AtomicU64::new(0) })
    }

    async fn pack_megabytes(&self) -> Outcome<f64> {
        #[expect(clippy::cast_precision_loss, reason = "it is shown with one digit")]
        Ok(e3_git::clone(&self.remote, &self.repository).await?.pack_bytes as f64 / 1e6)
    }

    async fn measure(self: &Arc<Self>, op: Op, client: Client) -> Outcome<Measured> {
        self.once(op, client).await?;
        let (before, started) = (cpu_ms(client)?, Instant::now());
        let mut workers = JoinSet::new();
        for _ in 0..self.clients {
            let bench = Arc::clone(self);
            workers.spawn(async move {
                let mut done = 0_u32;
                while started.elapsed() < bench.duration {
                    bench.once(op, client).await?;
                    done += 1;
                }
                Ok::<_, Box<dyn Error + Send + Sync>>(done)
            });
        }
        let mut done = 0;
        for worker in workers.join_all().await {
            done += worker?;
        }
        let (elapsed, done) = (started.elapsed().as_secs_f64(), f64::from(done));
        let measured = Measured { rate: done / elapsed, cpu_ms: (cpu_ms(client)? - before) / done };
        #[expect(clippy::cast_precision_loss, reason = "it is shown without digits")]
        let mean = elapsed * 1e3 * self.clients as f64 / done;
        let (op, client) = (format!("{op:?}"), format!("{client:?}"));
        println!("{op:<10} {client:<7} {:>8.2} {:>14.2} {mean:>10.0}", measured.rate, measured.cpu_ms);
        Ok(measured)
    }

    async fn once(&self, op: Op, client: Client) -> Outcome<()> {
        match (client, op) {
            (Client::Native, Op::LsRemote) => {
                e3_git::ls_remote(&self.remote, &self.repository).await?;
            }
            (Client::Native, Op::Clone) => {
                e3_git::clone(&self.remote, &self.repository).await?;
            }
            (Client::Forked, Op::LsRemote) => self.git(&["ls-remote", &self.url()]).await?,
            (Client::Forked, Op::Clone) => {
                let number = self.clones.fetch_add(1, Ordering::Relaxed);
                let target = self.directory.path().join(format!("clone-{number}"));
                self.git(&["clone", "-q", "--bare", &self.url(), &target.display().to_string()]).await?;
                fs::remove_dir_all(target)?;
            }
        }
        Ok(())
    }

    async fn git(&self, arguments: &[&str]) -> Outcome<()> {
        let mut command = tokio::process::Command::from(Git::new(self.directory.path()).command());
        command.arg("-c").arg(format!("core.sshCommand={}", self.server.ssh_command)).args(arguments);
        let output = command.stdin(Stdio::null()).output().await?;
        if output.status.success() {
            Ok(())
        } else {
            Err(format!("git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
        }
    }

    fn url(&self) -> String {
        format!("{}/P/r.git", self.server.url)
    }
}

/// Returns the CPU time of this process, or of those that it has started and seen end, in milliseconds.
///
/// Source: proc_pid_stat(5), fields 14 to 17, in ticks of which Linux shows 100 a second.
fn cpu_ms(client: Client) -> Outcome<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let skipped = match client {
        Client::Native => 11,
        Client::Forked => 13,
    };
    let ticks: Result<Vec<f64>, _> = after_name.split(' ').skip(skipped).take(2).map(str::parse).collect();
    Ok(ticks?.iter().sum::<f64>() * 10.0)
}

/// The server in a process of its own, so that its CPU is not the clients'.
struct Server {
    child: Child,
    url: String,
    host_key: String,
    key: String,
    ssh_command: String,
}

impl Server {
    fn start(root: &Path) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--serve").arg(root).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("stdout is piped")?).lines();
        let mut line = || lines.next().unwrap_or_else(|| Err(std::io::ErrorKind::UnexpectedEof.into()));
        Ok(Self { url: line()?, host_key: line()?, key: line()?, ssh_command: line()?, child })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input is the end of the server.
        self.child.stdin = None;
        let _ = self.child.wait();
    }
}

async fn serve(root: &str) -> Outcome<()> {
    let sshd = Sshd::start(root, SshdOptions::default()).await;
    sshd.make_known();
    println!("{}\n{}\n{}\n{}", sshd.url(), sshd.host_key(), sshd.user_key().display(), sshd.ssh_command());
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}
