//! Ten thousand connections that say nothing: a githost still answers, holds what it may, and lets it go again.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use e3_http::{BaseUrl, HttpSession, Request};
use serde_json::Value;
use tokio::net::TcpStream;

use crate::support::{E3, wait_for};

const IDLE: usize = 10_000;

/// A node in a process of its own, with descriptors of its own; ends with the value.
struct Node {
    child: Child,
    http: SocketAddr,
    ssh: SocketAddr,
}

impl Node {
    fn start(e3: &E3) -> Self {
        let (home, password) = (e3.path().join("node"), e3.write("password", b"correct horse"));
        let mut command = e3.command(&["githost", "serve", "--http", "127.0.0.1:0", "--ssh", "127.0.0.1:0"]);
        command.arg("--home").arg(home).arg("--admin-password-file").arg(password);
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

    /// Returns how much memory the node has in use, in MiB.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }

    async fn answers(&self) {
        let mut session = HttpSession::new(BaseUrl::parse(&format!("http://{}", self.http)).unwrap());
        let answer = tokio::time::timeout(PATIENCE, session.send(Request::get("/status"))).await;
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
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn ten_thousand_idle_connections_keep_nobody_out() {
    let room = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let room = usize::try_from(room.maximum.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    assert!(
        room > IDLE + 1000,
        "this test opens {IDLE} connections: raise the limit with `ulimit -Hn 20000`"
    );
    let raised = rustix::process::Rlimit { current: Some(room as u64), maximum: Some(room as u64) };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).unwrap();
    let e3 = E3::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for protocol in ["http", "ssh"] {
        let node = Node::start(&e3);
        runtime.block_on(node.answers());
        let (descriptors, memory) = (node.descriptors(), node.memory());
        let address = if protocol == "http" { node.http } else { node.ssh };
        let idle = runtime.block_on(async {
            let mut idle = Vec::new();
            for _ in 0..IDLE {
                let connected = tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await;
                idle.push(connected.expect("a connection within the bound").unwrap());
            }
            node.answers().await;
            idle
        });
        let (held, grown) = (node.descriptors() - descriptors, node.memory() - memory);
        println!("{protocol}: {held} descriptors and {grown} MiB for {IDLE} idle connections");
        assert!(held <= IDLE + 100, "{held}");
        assert!(grown < 512, "{grown} MiB for {held} connections");
        drop(idle);
        wait_for("the connections to be let go", Duration::from_secs(30), || {
            let now = node.descriptors();
            if now <= descriptors + 50 { Ok(()) } else { Err(format!("{now} descriptors")) }
        });
        runtime.block_on(node.answers());
    }
}

const PATIENCE: Duration = Duration::from_secs(20);
