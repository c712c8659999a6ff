//! What the tests start and how they ask: nodes in this process, git with an environment of its own, plain HTTP.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use bytes::Bytes;
use e3_githost::{BalanceOptions, GithostError, Ready, ServeOptions};
use e3_model::Secret;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const PASSWORD: &str = "an admin's pass:word";

/// A server in this process; stopped when told to, or with its runtime.
pub(crate) struct Server {
    pub(crate) base: String,
    pub(crate) ready: Ready,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), GithostError>>,
}

/// A directory for a home and for what git clones.
pub(crate) struct Place {
    directory: tempfile::TempDir,
}

/// A response, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// Writes the home's limits before a node starts.
    pub(crate) fn limit(&self, limits: &Value) {
        std::fs::create_dir_all(self.home().join("config")).unwrap();
        std::fs::write(self.home().join("config/limits.json"), limits.to_string()).unwrap();
    }

    /// Runs git and returns what it printed; it must succeed.
    pub(crate) async fn git(&self, arguments: &[&str]) -> String {
        let (success, stdout, stderr) = self.try_git(arguments, &[]).await;
        assert!(success, "git {arguments:?}: {stderr}");
        stdout.trim().to_owned()
    }

    /// Runs git; returns whether it succeeded, its stdout and its stderr.
    pub(crate) async fn try_git(
        &self,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> (bool, String, String) {
        let output = self.command(arguments, environment).stdin(Stdio::null()).output();
        let output =
            tokio::time::timeout(Duration::from_secs(60), output).await.expect("git ends within a minute");
        let output = output.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    }

    pub(crate) fn command(
        &self,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> tokio::process::Command {
        let mut command = tokio::process::Command::new("git");
        command
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.directory.path())
            .envs([("LC_ALL", "C"), ("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")])
            .envs([
                ("GIT_TERMINAL_PROMPT", "0"),
                ("GIT_AUTHOR_NAME", "a"),
                ("GIT_AUTHOR_EMAIL", "a@example.com"),
            ])
            .envs([("GIT_COMMITTER_NAME", "a"), ("GIT_COMMITTER_EMAIL", "a@example.com")])
            .envs(environment.iter().copied())
            .args(arguments)
            .kill_on_drop(true);
        command
    }

    /// Makes a repository with this many commits on `main`, each with a file of its own, and returns its directory.
    pub(crate) async fn history(&self, name: &str, commits: usize) -> String {
        let path = self.path(name);
        self.git(&["init", "--quiet", "--initial-branch=main", name]).await;
        for n in 0..commits {
            std::fs::write(path.join(format!("file-{n}.txt")), format!("content {n}\n").repeat(n + 1))
                .unwrap();
            self.git(&["-C", name, "add", "."]).await;
            self.git(&["-C", name, "commit", "--quiet", "-m", &format!("commit {n}")]).await;
        }
        path.to_str().unwrap().to_owned()
    }
}

impl Server {
    pub(crate) async fn start(home: &Path, node: &str) -> Self {
        Self::start_with_password(home, node, PASSWORD).await
    }

    /// Starts a node that serves SSH too.
    pub(crate) async fn start_with_ssh(home: &Path, node: &str) -> Self {
        Self::start_with(ServeOptions {
            ssh: Some(([127, 0, 0, 1], 0).into()),
            ..options(home, node, PASSWORD)
        })
        .await
    }

    /// Starts a node that serves SSH too, with these lines of `bitbucket.properties`.
    pub(crate) async fn start_throttled(home: &Path, lines: &[&str]) -> Self {
        Self::start_with(throttled(home, lines)).await
    }

    pub(crate) async fn start_with_password(home: &Path, node: &str, password: &str) -> Self {
        Self::start_with(options(home, node, password)).await
    }

    pub(crate) async fn start_with(options: ServeOptions) -> Self {
        Self::spawn(|ready, stop| {
            tokio::spawn(async move {
                e3_githost::serve(options, |at: &Ready| drop(ready.send(at.clone())), async {
                    drop(stop.await);
                })
                .await
            })
        })
        .await
    }

    pub(crate) async fn balance(nodes: Vec<String>) -> Self {
        let http = ([127, 0, 0, 1], 0).into();
        Self::balance_with(BalanceOptions { http, ssh: None, nodes, ssh_nodes: Vec::new() }).await
    }

    /// Starts a front that passes SSH on too.
    pub(crate) async fn balance_with_ssh(nodes: &[&Self]) -> Self {
        let any = ([127, 0, 0, 1], 0).into();
        let ssh_nodes = nodes.iter().map(|node| node.ready.ssh.clone().unwrap()).collect();
        let nodes = nodes.iter().map(|node| node.base.clone()).collect();
        Self::balance_with(BalanceOptions { http: any, ssh: Some(any), nodes, ssh_nodes }).await
    }

    async fn balance_with(options: BalanceOptions) -> Self {
        Self::spawn(|ready, stop| {
            tokio::spawn(async move {
                e3_githost::balance(options, |at: &Ready| drop(ready.send(at.clone())), async {
                    drop(stop.await);
                })
                .await
            })
        })
        .await
    }

    async fn spawn(
        start: impl FnOnce(oneshot::Sender<Ready>, oneshot::Receiver<()>) -> JoinHandle<Result<(), GithostError>>,
    ) -> Self {
        let (ready, is_ready) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let task = start(ready, stopped);
        let ready =
            tokio::time::timeout(Duration::from_secs(60), is_ready).await.expect("it starts within a minute");
        match ready {
            Ok(ready) => Self { base: ready.http.clone(), ready, stop: Some(stop), task },
            Err(_) => panic!("it did not start: {:?}", task.await),
        }
    }

    /// Returns the port of SSH.
    pub(crate) fn ssh_port(&self) -> &str {
        self.ready.ssh.as_deref().and_then(|url| url.rsplit(':').next()).unwrap()
    }

    /// Returns the clone URL by SSH.
    pub(crate) fn ssh_url(&self, key: &str, slug: &str) -> String {
        format!("ssh://git@127.0.0.1:{}/{key}/{slug}.git", self.ssh_port())
    }

    /// Stops it in order and returns how it ended.
    pub(crate) async fn stop(mut self) -> Result<(), GithostError> {
        drop(self.stop.take());
        let ended = tokio::time::timeout(Duration::from_secs(30), &mut self.task).await;
        ended.expect("it stops within half a minute").unwrap()
    }

    /// Ends it without asking, as a crash would.
    pub(crate) async fn crash(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }

    pub(crate) fn host(&self) -> &str {
        self.base.strip_prefix("http://").unwrap()
    }

    /// Returns the clone URL with the administrator's name and password.
    pub(crate) fn clone_url(&self, key: &str, slug: &str) -> String {
        format!("http://admin:an%20admin%27s%20pass%3Aword@{}/scm/{key}/{slug}.git", self.host())
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(self.url(path)).header("authorization", basic()), "").await
    }

    pub(crate) async fn fetch_anonymous(&self, path: &str) -> Answer {
        self.send(Request::get(self.url(path)), "").await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Answer {
        let request = Request::post(self.url(path)).header("authorization", basic());
        self.send(request.header("content-type", "application/json"), body.to_string()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Request::delete(self.url(path)).header("authorization", basic()), "").await
    }

    pub(crate) async fn send(&self, request: http::request::Builder, body: impl Into<Bytes>) -> Answer {
        let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let exchange = async {
            let response = client.request(request.body(Full::new(body.into())).unwrap()).await.unwrap();
            let (head, body) = response.into_parts();
            Answer {
                status: head.status,
                headers: head.headers,
                body: body.collect().await.unwrap().to_bytes(),
            }
        };
        tokio::time::timeout(Duration::from_secs(60), exchange).await.expect("an answer within a minute")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) async fn create_project(&self, key: &str) {
        let answer = self
            .post_json("/rest/api/1.0/projects", &json!({"key": key, "name": format!("Project {key}")}))
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    }

    pub(crate) async fn create_repository(&self, key: &str, name: &str) -> Value {
        let path = format!("/rest/api/1.0/projects/{key}/repos");
        let answer = self.post_json(&path, &json!({"name": name, "scmId": "git", "forkable": true})).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }

    pub(crate) async fn create_user(&self, name: &str, password: &str) {
        let query =
            format!("name={name}&password={password}&displayName={name}&emailAddress={name}%40example.com");
        let request = Request::post(self.url(&format!("/rest/api/1.0/admin/users?{query}")));
        let request = request.header("authorization", basic()).header("content-type", "application/json");
        let answer = self.send(request, "").await;
        assert_eq!(answer.status, 204, "{}", answer.text());
        assert!(answer.body.is_empty());
    }

    /// Signs in by the form and returns the cookie to send.
    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> String {
        let answer = self
            .post_form("/j_atl_security_check", &[("j_username", name), ("j_password", password)], "")
            .await;
        assert_eq!(answer.status, 302);
        assert_eq!(answer.header("location"), "/dashboard");
        answer.header("set-cookie").split(';').next().unwrap().to_owned()
    }

    pub(crate) async fn post_form(&self, path: &str, form: &[(&str, &str)], cookie: &str) -> Answer {
        let mut request =
            Request::post(self.url(path)).header("content-type", "application/x-www-form-urlencoded");
        if !cookie.is_empty() {
            request = request.header("cookie", cookie);
        }
        self.send(request, serde_urlencoded::to_string(form).unwrap()).await
    }

    pub(crate) async fn fetch_with_cookie(&self, path: &str, cookie: &str) -> Answer {
        self.send(Request::get(self.url(path)).header("cookie", cookie), "").await
    }
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Returns the header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) fn options(home: &Path, node: &str, password: &str) -> ServeOptions {
    ServeOptions {
        home: home.to_owned(),
        http: ([127, 0, 0, 1], 0).into(),
        ssh: None,
        admin_password: Secret::new(password),
        database: None,
        node: node.to_owned(),
        properties: std::collections::BTreeMap::new(),
    }
}

/// Returns options for SSH, too, and these lines of `bitbucket.properties`.
pub(crate) fn throttled(home: &Path, lines: &[&str]) -> ServeOptions {
    let properties = lines.iter().map(|line| e3_model::property_line(line).unwrap()).collect();
    ServeOptions { ssh: Some(([127, 0, 0, 1], 0).into()), properties, ..options(home, "1", PASSWORD) }
}

pub(crate) fn basic() -> String {
    authorization("admin", PASSWORD)
}

pub(crate) fn authorization(name: &str, password: &str) -> String {
    use base64::Engine;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}")))
}

/// Returns the command lines of the running processes that name the directory, this test's git clients aside.
pub(crate) fn processes_in(directory: &Path) -> Vec<String> {
    let needle = directory.to_str().unwrap();
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(needle)).collect()
}

/// Waits until the condition holds, within a bound, and returns what it found.
pub(crate) async fn wait_for<T: std::fmt::Debug>(
    what: &str,
    mut condition: impl FnMut() -> Result<T, String>,
) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match condition() {
            Ok(found) => return found,
            Err(last) if Instant::now() > deadline => panic!("waited for {what}; at last: {last}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
