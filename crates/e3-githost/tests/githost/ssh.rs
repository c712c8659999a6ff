//! Git over SSH by real ssh and git: keys, clones, pushes, refusals, several nodes, and what ends when.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Place, Server, options, processes_in, wait_for};

/// A private key in the place, and how ssh is to use it.
pub(crate) struct Key {
    pub(crate) public: String,
    command: String,
}

impl Key {
    /// Makes a key that trusts only the given servers' host key.
    pub(crate) async fn new(place: &Place, name: &str, servers: &[&Server]) -> Self {
        let (path, known) = (place.path(name), place.path(&format!("{name}.known_hosts")));
        let mut command = tokio::process::Command::new("ssh-keygen");
        command.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(&path);
        assert!(command.status().await.unwrap().success());
        let host_key = servers.iter().find_map(|server| server.ready.host_key.as_deref()).unwrap();
        let line = |server: &&Server| format!("[127.0.0.1]:{} {host_key}\n", server.ssh_port());
        std::fs::write(&known, servers.iter().map(line).collect::<String>()).unwrap();
        let public = std::fs::read_to_string(path.with_extension("pub")).unwrap().trim().to_owned();
        let command = format!(
            "ssh -F /dev/null -i {} -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes \
             -o UserKnownHostsFile={} -o ConnectTimeout=20",
            path.display(),
            known.display()
        );
        Self { public, command }
    }

    /// Registers it for the administrator.
    pub(crate) async fn registered(self, server: &Server) -> Self {
        let answer = server.post_json("/rest/ssh/1.0/keys", &json!({"text": self.public})).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        self
    }

    /// Runs git with it; returns whether it succeeded, its stdout and its stderr.
    pub(crate) async fn git(&self, place: &Place, arguments: &[&str]) -> (bool, String, String) {
        place.try_git(arguments, &[("GIT_SSH_COMMAND", &self.command)]).await
    }

    /// Runs git with it; it must succeed.
    async fn must(&self, place: &Place, arguments: &[&str]) -> String {
        let (success, stdout, stderr) = self.git(place, arguments).await;
        assert!(success, "git {arguments:?}: {stderr}");
        stdout.trim().to_owned()
    }

    /// Starts ssh with a command; its stdin and stdout are pipes.
    pub(crate) async fn begin(&self, server: &Server, line: &str) -> tokio::process::Child {
        self.begin_with(server, &[], line)
    }

    /// Signs in and asks for nothing, until it is killed or cut off; touches the file once it has signed in.
    pub(crate) fn rest(&self, server: &Server, signed_in: &std::path::Path) -> tokio::process::Child {
        let touch = format!("LocalCommand=touch {}", signed_in.display());
        let mut all = self.command.split_whitespace();
        let mut command = tokio::process::Command::new(all.next().unwrap());
        command.args(all).args(["-N", "-o", "PermitLocalCommand=yes", "-o", &touch]);
        command.args(["-p", server.ssh_port(), "git@127.0.0.1"]);
        command.stdin(std::process::Stdio::null()).stderr(std::process::Stdio::null()).kill_on_drop(true);
        command.spawn().unwrap()
    }

    fn begin_with(&self, server: &Server, options: &[&str], line: &str) -> tokio::process::Child {
        self.command(server, options, line).spawn().unwrap()
    }

    fn command(&self, server: &Server, options: &[&str], line: &str) -> tokio::process::Command {
        let mut all = self.command.split_whitespace();
        let mut command = tokio::process::Command::new(all.next().unwrap());
        command.args(all).args(options).args(["-p", server.ssh_port(), "git@127.0.0.1", line]);
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Runs a command with this input and returns what it says.
    pub(crate) async fn exec(
        &self,
        server: &Server,
        protocol: &str,
        line: &str,
        input: &[u8],
    ) -> bytes::Bytes {
        let variable = format!("SetEnv=GIT_PROTOCOL={protocol}");
        let mut child = self.begin_with(server, &["-o", &variable], line);
        child.stdin.take().unwrap().write_all(input).await.unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(60), child.wait_with_output());
        ended.await.expect("ssh ends within a minute").unwrap().stdout.into()
    }

    /// Runs a command with this input; returns its exit code and its stderr.
    pub(crate) async fn talk(
        &self,
        server: &Server,
        protocol: &str,
        line: &str,
        input: &[u8],
    ) -> (Option<i32>, String) {
        let variable = format!("SetEnv=GIT_PROTOCOL={protocol}");
        let mut command = self.command(server, &["-o", &variable], line);
        let mut child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
        // A server that has heard enough closes its end.
        let _ = child.stdin.take().unwrap().write_all(input).await;
        let ended = tokio::time::timeout(Duration::from_secs(60), child.wait_with_output());
        let output = ended.await.expect("ssh ends within a minute").unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Runs ssh itself; returns its exit code, its stdout and its stderr.
    async fn ssh(&self, server: &Server, user: &str, words: &[&str]) -> (Option<i32>, String, String) {
        let mut all = self.command.split_whitespace();
        let mut command = tokio::process::Command::new(all.next().unwrap());
        command.args(all).args(["-p", server.ssh_port(), "-l", user, "127.0.0.1"]).args(words);
        command.stdin(std::process::Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(Duration::from_secs(60), command.output());
        let output = output.await.expect("ssh ends within a minute").unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }
}

async fn server_with(place: &Place, repository: &str) -> Server {
    let server = Server::start_with_ssh(&place.home(), "1").await;
    server.create_project("PROJ").await;
    server.create_repository("PROJ", repository).await;
    server
}

async fn wait_until_nothing_runs(place: &Place) {
    let repositories = place.home().canonicalize().unwrap().join("repositories");
    wait_for("every git to be gone", || match processes_in(&repositories) {
        found if found.is_empty() => Ok(()),
        found => Err(format!("{found:?}")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_git_clones_and_pushes() {
    let place = Place::new();
    let server = server_with(&place, "repo").await;
    let key = Key::new(&place, "key", &[&server]).await.registered(&server).await;
    let url = server.ssh_url("proj", "repo");
    let repository = server.get("/rest/api/1.0/projects/PROJ/repos/repo").await.json();
    let links = &repository["links"]["clone"];
    assert_eq!((&links[0]["name"], &links[0]["href"]), (&json!("ssh"), &json!(url)));
    assert_eq!(links[1]["name"], "http");
    let (success, _, stderr) = key.git(&place, &["clone", &url, "empty"]).await;
    assert!(success && stderr.contains("cloned an empty repository"), "{stderr}");

    place.history("work", 5).await;
    std::fs::write(place.path("work/file-0.txt"), "another content").unwrap();
    place.git(&["-C", "work", "commit", "--quiet", "--all", "-m", "change"]).await;
    place.git(&["-C", "work", "tag", "-a", "-m", "first", "v1", "HEAD~3"]).await;
    key.must(&place, &["-C", "work", "push", "--quiet", "--follow-tags", &url, "main"]).await;
    let branch = server.get("/rest/api/latest/projects/PROJ/repos/repo/default-branch").await;
    assert_eq!(branch.json()["id"], "refs/heads/main", "the first push decides");

    let head = place.git(&["-C", "work", "rev-parse", "HEAD"]).await;
    for (options, directory, commits) in [
        (&["-c", "protocol.version=2"][..], "v2", "6"),
        (&["-c", "protocol.version=1"], "v1", "6"),
        (&["-c", "protocol.version=0"], "v0", "6"),
    ] {
        let listed = [options, &["ls-remote", &url, "HEAD", "v1*"]].concat();
        let listed = key.must(&place, &listed).await;
        assert!(
            listed.starts_with(&format!("{head}\tHEAD")) && listed.contains("refs/tags/v1^{}"),
            "{listed}"
        );
        key.must(&place, &[options, &["clone", "--quiet", &url, directory]].concat()).await;
        assert_eq!(place.git(&["-C", directory, "rev-list", "--count", "HEAD"]).await, commits);
        place.git(&["-C", directory, "fsck", "--strict"]).await;
        let shallow = format!("{directory}-shallow");
        key.must(&place, &[options, &["clone", "--quiet", "--depth=2", &url, &shallow]].concat()).await;
        assert_eq!(place.git(&["-C", &shallow, "rev-list", "--count", "HEAD"]).await, "2");
        key.must(&place, &[options, &["-C", &shallow, "fetch", "--quiet", "--unshallow"]].concat()).await;
        assert_eq!(place.git(&["-C", &shallow, "rev-list", "--count", "HEAD"]).await, commits);
    }
    key.must(&place, &["clone", "--quiet", "--filter=blob:none", &url, "partial"]).await;
    let missing = place.git(&["-C", "partial", "rev-list", "--objects", "--missing=print", "HEAD~1"]).await;
    assert!(missing.contains('?'), "only what is checked out was fetched: {missing}");
    key.must(&place, &["-C", "partial", "checkout", "--quiet", "HEAD~1"]).await;

    // Onwards from an old clone, with branches made and deleted, by both spellings of the path.
    std::fs::write(place.path("work/more"), "more").unwrap();
    place.git(&["-C", "work", "add", "."]).await;
    place.git(&["-C", "work", "commit", "--quiet", "-m", "more"]).await;
    let other = format!("ssh://git@127.0.0.1:{}/PROJ/repo", server.ssh_port());
    key.must(&place, &["-C", "work", "push", "--quiet", &other, "main", "main:feature/x"]).await;
    key.must(&place, &["-C", "work", "push", "--quiet", &other, ":feature/x"]).await;
    let pulled = key.must(&place, &["-C", "v2", "pull", "--quiet", "--ff-only"]).await;
    assert_eq!(pulled, "");
    assert_eq!(place.git(&["-C", "v2", "rev-list", "--count", "HEAD"]).await, "7");
    // A push that is not a fast-forward is told about by git itself.
    place.git(&["-C", "v0", "commit", "--quiet", "--allow-empty", "-m", "other"]).await;
    let (success, _, stderr) = key.git(&place, &["-C", "v0", "push", &url, "main"]).await;
    assert!(!success && stderr.contains("rejected"), "{stderr}");
    wait_until_nothing_runs(&place).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn much_data_flows_both_ways() {
    let place = Place::new();
    let server = server_with(&place, "repo").await;
    let key = Key::new(&place, "key", &[&server]).await.registered(&server).await;
    let url = server.ssh_url("PROJ", "repo");
    place.git(&["init", "--quiet", "--initial-branch=main", "work"]).await;
    let mut noise = vec![0_u8; 40 << 20];
    rand::Rng::fill_bytes(&mut rand::rng(), &mut noise);
    std::fs::write(place.path("work/noise"), &noise).unwrap();
    place.git(&["-C", "work", "add", "."]).await;
    place.git(&["-C", "work", "commit", "--quiet", "-m", "noise"]).await;
    key.must(&place, &["-C", "work", "push", "--quiet", &url, "main"]).await;
    key.must(&place, &["clone", "--quiet", &url, "clone"]).await;
    assert!(std::fs::read(place.path("clone/noise")).unwrap() == noise);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_is_told_why() {
    let place = Place::new();
    let server = server_with(&place, "repo").await;
    let key = Key::new(&place, "key", &[&server]).await;
    let url = server.ssh_url("PROJ", "repo");
    let (success, _, stderr) = key.git(&place, &["ls-remote", &url]).await;
    assert!(!success && stderr.contains("Permission denied (publickey)"), "{stderr}");
    let key = key.registered(&server).await;
    key.must(&place, &["ls-remote", &url]).await;
    let (code, _, stderr) = key.ssh(&server, "admin", &["git-upload-pack 'PROJ/repo'"]).await;
    assert_eq!(code, Some(255), "the user is always git: {stderr}");

    for path in ["PROJ/none", "NONE/repo", "PROJ", "PROJ/repo/x", "../../etc", "~admin/repo", "proj/repo;ls"]
    {
        let url = format!("ssh://git@127.0.0.1:{}/{path}", server.ssh_port());
        let (success, _, stderr) = key.git(&place, &["ls-remote", &url]).await;
        assert!(!success, "{path}");
        let text = "Repository not found\nThe requested repository does not exist, or you do not have permission to \
                    access it.\n";
        assert!(stderr.starts_with(text), "{path}: {stderr}");
    }
    for command in ["ls", "git-upload-archive 'PROJ/repo'", "sh -c 'echo x'", "git-upload-pack"] {
        let (code, stdout, stderr) = key.ssh(&server, "git", &[command]).await;
        assert_eq!((code, stdout.as_str()), (Some(128), ""), "{command}: {stderr}");
        assert!(stderr.contains("Only git-upload-pack and git-receive-pack are served."), "{stderr}");
    }
    let (code, stdout, stderr) = key.ssh(&server, "git", &[]).await;
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    assert!(stderr.contains("You are signed in as admin."), "{stderr}");
    let (code, _, stderr) = key.ssh(&server, "git", &["-s", "sftp"]).await;
    assert_eq!(code, Some(255), "{stderr}");

    // A key that was taken away does not sign in any more.
    assert_eq!(server.delete("/rest/ssh/1.0/keys").await.status, 204);
    let (success, _, stderr) = key.git(&place, &["ls-remote", &url]).await;
    assert!(!success && stderr.contains("Permission denied"), "{stderr}");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_keys_stay_and_old_clients_get_theirs() {
    let place = Place::new();
    let config = place.home().join("config");
    std::fs::create_dir_all(&config).unwrap();
    // Making one takes its time in a debug build; that is tested where it is made.
    let mut make = tokio::process::Command::new("ssh-keygen");
    make.args(["-q", "-t", "rsa", "-b", "3072", "-N", "", "-f"]).arg(config.join("ssh_host_rsa_key"));
    assert!(make.status().await.unwrap().success());
    let rsa = std::fs::read_to_string(config.join("ssh_host_rsa_key.pub")).unwrap();
    let one = Server::start_with_ssh(&place.home(), "1").await;
    let two = Server::start_with_ssh(&place.home(), "2").await;
    assert_eq!(one.ready.host_key, two.ready.host_key);
    for (kind, expected) in [("rsa", rsa.as_str()), ("ed25519", one.ready.host_key.as_deref().unwrap())] {
        let mut scan = tokio::process::Command::new("ssh-keyscan");
        let output =
            scan.args(["-T", "20", "-t", kind, "-p", one.ssh_port(), "127.0.0.1"]).output().await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&text).get(1..), words(expected).get(..2), "{kind}: {text}");
    }
    let host_key = one.ready.host_key.clone();
    one.stop().await.unwrap();
    two.stop().await.unwrap();
    let again = Server::start_with_ssh(&place.home(), "1").await;
    assert_eq!(again.ready.host_key, host_key);
    again.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_front_passes_ssh_on_and_survives_a_node() {
    let place = Place::new();
    let one = server_with(&place, "repo").await;
    let two = Server::start_with_ssh(&place.home(), "2").await;
    let front = Server::balance_with_ssh(&[&one, &two]).await;
    let key = Key::new(&place, "key", &[&front, &one, &two]).await.registered(&front).await;
    let repository = front.get("/rest/api/1.0/projects/PROJ/repos/repo").await.json();
    let url = repository["links"]["clone"][0]["href"].as_str().unwrap();
    assert_eq!(url, front.ssh_url("proj", "repo"), "links lead to the front");
    place.history("work", 3).await;
    for n in 0..4 {
        key.must(&place, &["-C", "work", "push", "--quiet", url, &format!("main:b{n}")]).await;
        let listed = key.must(&place, &["ls-remote", "--heads", url]).await;
        assert_eq!(listed.lines().count(), n + 1, "whichever node is asked: {listed}");
    }
    one.crash().await;
    for n in 0..4 {
        key.must(&place, &["clone", "--quiet", "--branch=b0", url, &format!("clone-{n}")]).await;
    }
    two.stop().await.unwrap();
    let (success, _, stderr) = key.git(&place, &["ls-remote", url]).await;
    assert!(!success, "{stderr}");
    front.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn git_ends_when_its_client_goes_away() {
    let place = Place::new();
    let server = server_with(&place, "repo").await;
    let key = Key::new(&place, "key", &[&server]).await.registered(&server).await;
    let repositories = place.home().canonicalize().unwrap().join("repositories");
    for service in ["git-upload-pack", "git-receive-pack"] {
        let mut child = key.begin(&server, &format!("{service} 'PROJ/repo'")).await;
        // The beginning of a request, after which git waits for the rest.
        child.stdin.as_mut().unwrap().write_all(b"00a0").await.unwrap();
        wait_for("git to run", || match processes_in(&repositories) {
            found if found.iter().any(|line| line.contains("-pack")) => Ok(()),
            found => Err(format!("{found:?}")),
        })
        .await;
        child.kill().await.unwrap();
        wait_until_nothing_runs(&place).await;
    }
    let leftovers: Vec<_> = std::fs::read_dir(repositories.join("1.git/objects")).unwrap().collect();
    assert!(
        leftovers.iter().flatten().all(|entry| !entry.file_name().to_string_lossy().contains("incoming"))
    );
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_have_little_time_and_a_stop_little_patience() {
    let place = Place::new();
    place.limit(&json!({"sshSignInSeconds": 1, "sshConnections": 3, "shutdownSeconds": 1}));
    let server = server_with(&place, "repo").await;
    let key = Key::new(&place, "key", &[&server]).await.registered(&server).await;
    let address = format!("127.0.0.1:{}", server.ssh_port());
    let begun = Instant::now();
    // As many as there is room for, each stuck at another point.
    let mut silent = TcpStream::connect(&address).await.unwrap();
    let mut named = TcpStream::connect(&address).await.unwrap();
    named.write_all(b"SSH-2.0-x\r\n").await.unwrap();
    let mut garbled = TcpStream::connect(&address).await.unwrap();
    garbled.write_all(b"SSH-2.0-x\r\n\xff\xff\xff\xff and so on").await.unwrap();
    for stream in [&mut silent, &mut named, &mut garbled] {
        let mut rest = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest));
        let _ = read.await.expect("the server hangs up");
        assert!(rest.starts_with(b"SSH-2.0-e3-githost\r\n"), "{rest:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    key.must(&place, &["ls-remote", &server.ssh_url("PROJ", "repo")]).await;

    // A push that never ends does not keep the node from ending.
    let mut child = key.begin(&server, "git-receive-pack 'PROJ/repo'").await;
    child.stdin.as_mut().unwrap().write_all(b"00a0").await.unwrap();
    let mut first = [0_u8; 4];
    child.stdout.as_mut().unwrap().read_exact(&mut first).await.unwrap();
    let begun = Instant::now();
    server.stop().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    wait_until_nothing_runs(&place).await;
    let ended = tokio::time::timeout(Duration::from_secs(20), child.wait()).await;
    assert!(!ended.expect("ssh notices").unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_node_says_so() {
    let place = Place::new();
    place.limit(&json!({"gitProcesses": 1, "gitQueue": 0, "gitWaitSeconds": 1}));
    let server = server_with(&place, "repo").await;
    let key = Key::new(&place, "key", &[&server]).await.registered(&server).await;
    let mut child = key.begin(&server, "git-receive-pack 'PROJ/repo'").await;
    child.stdin.as_mut().unwrap().write_all(b"00a0").await.unwrap();
    let repositories = place.home().canonicalize().unwrap().join("repositories");
    wait_for("git to run", || match processes_in(&repositories) {
        found if found.iter().any(|line| line.contains("receive-pack")) => Ok(()),
        found => Err(format!("{found:?}")),
    })
    .await;
    place.history("work", 1).await;
    let url = server.ssh_url("PROJ", "repo");
    let (success, _, stderr) = key.git(&place, &["-C", "work", "push", &url, "main"]).await;
    assert!(!success && stderr.contains("The server is busy"), "{stderr}");
    child.kill().await.unwrap();
    wait_until_nothing_runs(&place).await;
    key.must(&place, &["-C", "work", "push", "--quiet", &url, "main"]).await;
    let mut serve = options(&place.home(), "2", crate::harness::PASSWORD);
    serve.ssh = Some(server.ready.ssh.as_deref().unwrap().trim_start_matches("ssh://").parse().unwrap());
    let taken = e3_githost::serve(serve, |_| {}, std::future::ready(())).await.unwrap_err();
    assert!(matches!(taken, e3_githost::GithostError::Listen { .. }), "{taken}");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_carries_any_number_of_operations_one_after_another() {
    let place = Place::new();
    let server = server_with(&place, "repo").await;
    let key = Key::new(&place, "key", &[&server]).await.registered(&server).await;
    let socket = place.path("control");
    let mut all = key.command.split_whitespace();
    let mut master = tokio::process::Command::new(all.next().unwrap());
    master.args(all).args(["-M", "-N", "-S"]).arg(&socket).args(["-p", server.ssh_port(), "git@127.0.0.1"]);
    master.stdin(std::process::Stdio::null()).kill_on_drop(true);
    let mut master = master.spawn().unwrap();
    wait_for("the connection that is shared", || {
        if socket.exists() { Ok(()) } else { Err(format!("{} is not there", socket.display())) }
    })
    .await;
    let shared = format!("{} -S {} -o ControlMaster=no", key.command, socket.display());
    let url = server.ssh_url("proj", "repo");
    // More than may be open at a time; ssh says so on stderr when it has to open a connection of its own.
    for operation in 0..15 {
        let (success, _, stderr) = place.try_git(&["ls-remote", &url], &[("GIT_SSH_COMMAND", &shared)]).await;
        assert!(success && stderr.is_empty(), "operation {operation}: {stderr}");
    }
    master.kill().await.unwrap();
    server.stop().await.unwrap();
}
