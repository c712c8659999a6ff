//! Ten thousand connections that do nothing: a githost still answers, a node as well as the front of nodes, holds what it
//! may, and lets it go again.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use e3_http::{BaseUrl, HttpSession, Request};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{E3, wait_for};

const IDLE: usize = 10_000;

/// A githost in a process of its own, with descriptors of its own; ends with the value.
struct Githost {
    child: Child,
    http: SocketAddr,
    ssh: SocketAddr,
}

/// How connections do nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Idleness {
    /// HTTP, from the beginning.
    Http,
    /// HTTP, after a request that was answered.
    KeptHttp,
    /// SSH, from the beginning.
    Ssh,
    /// SSH, after the line with which a client begins.
    SshIdentified,
}

impl Githost {
    fn node(e3: &E3) -> Self {
        let (home, password) = (e3.path().join("node"), e3.write("password", b"correct horse"));
        let mut command = e3.command(&["githost", "serve", "--http", "127.0.0.1:0", "--ssh", "127.0.0.1:0"]);
        command.arg("--home").arg(home).arg("--admin-password-file").arg(password);
        Self::start(command)
    }

    fn front(e3: &E3, node: &Self) -> Self {
        let mut command =
            e3.command(&["githost", "balance", "--http", "127.0.0.1:0", "--ssh", "127.0.0.1:0"]);
        command.args(["--node", &format!("http://{}", node.http)]);
        command.args(["--ssh-node", &format!("ssh://{}", node.ssh)]);
        Self::start(command)
    }

    fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let address = |key: &str| ready[key].as_str().unwrap().split_once("://").unwrap().1.parse().unwrap();
        Self { child, http: address("http"), ssh: address("ssh") }
    }

    fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// Returns how much memory it has in use, in MiB.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }

    /// Asserts that newcomers are served by HTTP and by SSH; returns how long that took.
    async fn answers(&self) -> Duration {
        let begun = Instant::now();
        let mut session = HttpSession::new(BaseUrl::parse(&format!("http://{}", self.http)).unwrap());
        // Served by a node, through the front, too.
        let answer = tokio::time::timeout(PATIENCE, session.send(Request::get("/login"))).await;
        assert_eq!(answer.expect("HTTP answers").unwrap().status, 200);
        let keys =
            ["-T", "20", "-p", &self.ssh.port().to_string(), "-t", "ed25519", "127.0.0.1"].map(str::to_owned);
        let scan =
            tokio::task::spawn_blocking(move || Command::new("ssh-keyscan").args(keys).output().unwrap());
        let scanned = scan.await.unwrap();
        assert!(
            String::from_utf8_lossy(&scanned.stdout).contains("ssh-ed25519"),
            "SSH answers: {}",
            String::from_utf8_lossy(&scanned.stderr)
        );
        begun.elapsed()
    }

    /// Connects as often as wanted, and does with each what there is to do.
    async fn idle(&self, how: Idleness) -> Vec<TcpStream> {
        let address = match how {
            Idleness::Http | Idleness::KeptHttp => self.http,
            Idleness::Ssh | Idleness::SshIdentified => self.ssh,
        };
        let mut idle = Vec::new();
        for _ in 0..IDLE {
            let connected = tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await;
            let mut stream = connected.expect("a connection within the bound").unwrap();
            match how {
                Idleness::Http | Idleness::Ssh => {}
                Idleness::SshIdentified => stream.write_all(b"SSH-2.0-idle\r\n").await.unwrap(),
                Idleness::KeptHttp => {
                    stream.write_all(b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
                    let mut first = [0; 15];
                    let read = tokio::time::timeout(PATIENCE, stream.read_exact(&mut first)).await;
                    read.expect("an answer within the bound").unwrap();
                    assert_eq!(&first, b"HTTP/1.1 200 OK");
                }
            }
            idle.push(stream);
        }
        idle
    }
}

impl Drop for Githost {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Raises this process's own limit: it opens all those connections, too.
fn make_room() {
    let room = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let room = usize::try_from(room.maximum.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    assert!(
        room > IDLE + 1000,
        "this test opens {IDLE} connections: raise the limit with `ulimit -Hn 20000`"
    );
    let raised = rustix::process::Rlimit { current: Some(room as u64), maximum: Some(room as u64) };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).unwrap();
}

/// Lets that many connections do nothing at one githost, and looks at all that serve behind it.
fn keep_nobody_out(at: &Githost, all: &[&Githost], how: Idleness) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(at.answers());
    let before: Vec<_> = all.iter().map(|each| (each.descriptors(), each.memory())).collect();
    let (idle, waited) = runtime.block_on(async { (at.idle(how).await, at.answers().await) });
    println!("{how:?}: newcomers are served in {waited:?} beside {IDLE} connections that do nothing");
    assert!(waited < PROMPT, "{how:?}: {waited:?}");
    for (each, (descriptors, memory)) in all.iter().zip(&before) {
        let (held, grown) =
            (each.descriptors().saturating_sub(*descriptors), each.memory().saturating_sub(*memory));
        println!("{how:?}: {held} descriptors and {grown} MiB for {IDLE} idle connections");
        assert!(held <= IDLE + 100, "{how:?}: {held}");
        assert!(grown < 512, "{how:?}: {grown} MiB for {held} connections");
    }
    drop(idle);
    for (each, (descriptors, _)) in all.iter().zip(&before) {
        wait_for("the connections to be let go", Duration::from_secs(30), || {
            let now = each.descriptors();
            if now <= descriptors + 50 { Ok(()) } else { Err(format!("{how:?}: {now} descriptors")) }
        });
    }
    runtime.block_on(at.answers());
}

#[test]
fn ten_thousand_idle_connections_to_a_node_keep_nobody_out() {
    make_room();
    let e3 = E3::new();
    for how in ALL {
        let node = Githost::node(&e3);
        keep_nobody_out(&node, &[&node], how);
    }
}

#[test]
fn ten_thousand_idle_connections_to_the_front_keep_nobody_out() {
    make_room();
    let e3 = E3::new();
    let node = Githost::node(&e3);
    for how in ALL {
        let front = Githost::front(&e3, &node);
        keep_nobody_out(&front, &[&front, &node], how);
    }
}

const ALL: [Idleness; 4] = [Idleness::Http, Idleness::KeptHttp, Idleness::Ssh, Idleness::SshIdentified];
const PATIENCE: Duration = Duration::from_secs(20);
/// Two newcomers, each of which may have to wait for one that has had its moment of a second.
const PROMPT: Duration = Duration::from_secs(10);
