//! `kill -9` of one of two nodes while a team pushes and merges: nothing that was acknowledged is lost.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use e3_http::{BaseUrl, HttpError, HttpSession, Request};
use e3_model::{InstanceTopology, Secret, Topology};
use e3_provider::{Journal, Resource};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::support::E3;

/// How long the load runs before the kill, and as long after it.
const HALF: Duration = Duration::from_secs(5);
/// How long after the kill requests may still fail: what the dead node was doing, and until the front has noticed.
const NOTICED: Duration = Duration::from_secs(2);

/// Something that a client was told had happened, and when it was told.
#[derive(Debug)]
struct Acknowledged {
    at: Instant,
    what: What,
}

#[derive(Debug)]
enum What {
    /// A branch that was pushed, with its commit.
    Push { slug: String, branch: String, commit: String },
    /// A pull request that was merged, with its merge commit.
    Merge { slug: String, id: u64, commit: String },
}

/// What one client was told, and what failed for it.
#[derive(Default)]
struct Told {
    acknowledged: Vec<Acknowledged>,
    failures: Vec<(Instant, String)>,
}

/// A system of two nodes that `e3 provision` has set up.
struct System {
    directory: tempfile::TempDir,
    instance: InstanceTopology,
    password: Secret,
    stop: AtomicBool,
}

#[test]
fn no_acknowledged_push_or_merge_is_lost_with_a_node() {
    let e3 = E3::new();
    e3.run(&["provision", "-e", "smoke"]).exits(0);
    let run = e3.only_run();
    let topology: Topology = run.read().unwrap();
    let secrets = e3.home().read_secrets(run.name()).unwrap();
    let system = Arc::new(System {
        directory: tempfile::tempdir().unwrap(),
        instance: topology.threads[1].instance.clone(),
        password: secrets.threads[1].admin_password.clone(),
        stop: AtomicBool::new(false),
    });
    assert_eq!(system.instance.nodes.len(), 2);

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (killed, told) = runtime.block_on(load_and_kill(&system, || {
        let journal = Journal::open(&run.journal()).unwrap();
        let process = journal.open_resources().into_iter().find_map(|resource| match resource {
            Resource::Process { name, identity, .. } if name == "thread-002-githost-1" => identity,
            _ => None,
        });
        let pid = rustix::process::Pid::from_raw(process.unwrap().pid.try_into().unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    }));
    for client in &told {
        let after = client.acknowledged.iter().filter(|told| told.at > killed + NOTICED).count();
        assert!(after > 0, "a client that had {:?} never got on after the kill", client.failures);
        let late: Vec<_> = client.failures.iter().filter(|(at, _)| *at > killed + NOTICED).collect();
        assert!(late.is_empty(), "the front should have moved on: {late:?}");
        let early: Vec<_> = client.failures.iter().filter(|(at, _)| *at < killed).collect();
        assert!(early.is_empty(), "nothing should fail before the kill: {early:?}");
    }
    let acknowledged: Vec<&What> =
        told.iter().flat_map(|client| &client.acknowledged).map(|told| &told.what).collect();
    let merges = acknowledged.iter().filter(|what| matches!(what, What::Merge { .. })).count();
    assert!(merges > 4 && acknowledged.len() - merges > 8, "too little to judge by: {acknowledged:?}");
    runtime.block_on(async {
        for slug in SLUGS {
            let of_slug = |what: &&&What| match what {
                What::Push { slug: of, .. } | What::Merge { slug: of, .. } => of == slug,
            };
            let its: Vec<&What> = acknowledged.iter().filter(of_slug).copied().collect();
            system.verify(slug, &its).await;
        }
    });
    verify_on_disk(&e3.home().scratch(run.name()).join("thread-002/githost/repositories"));

    e3.run(&["deprovision", "-r", &run.name().0]).exits(0);
    e3.assert_nothing_left();
}

/// Lets pushers and mergers work, kills in the middle, and returns when that was and what each client was told.
async fn load_and_kill(system: &Arc<System>, kill: impl FnOnce()) -> (Instant, Vec<Told>) {
    system.prepare().await;
    let mut clients = JoinSet::new();
    for (number, slug) in (0..).zip(SLUGS) {
        for scheme in ["http", "ssh"] {
            let (pusher, merger) = (Arc::clone(system), Arc::clone(system));
            let name = format!("{scheme}-{number}");
            let merges = format!("merge-{name}");
            clients.spawn(async move { pusher.push_on(slug, scheme, &name).await });
            clients.spawn(async move { merger.merge_on(slug, &merges).await });
        }
    }
    tokio::time::sleep(HALF).await;
    let killed = Instant::now();
    kill();
    tokio::time::sleep(HALF).await;
    system.stop.store(true, Ordering::Relaxed);
    (killed, clients.join_all().await)
}

impl System {
    /// Makes the repositories, gives the administrator a key, and pushes a first commit.
    async fn prepare(&self) {
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(self.path("key"));
        let (success, _, stderr) = output_of(&mut command).await;
        assert!(success, "{stderr}");
        let endpoint = self.instance.ssh.as_ref().expect("the front serves SSH");
        let port = endpoint.url.rsplit(':').next().unwrap();
        let known = format!("[127.0.0.1]:{port} {}\n", endpoint.host_key);
        std::fs::write(self.path("known-hosts"), known).unwrap();
        let key = std::fs::read_to_string(self.path("key.pub")).unwrap();
        let mut session = self.session();
        let mut post = async |path: &str, body: Value| {
            let (status, answer) = ask(&mut session, Request::json(path, &body)).await.unwrap();
            assert_eq!(status, 201, "{path}: {answer}");
        };
        post("/rest/ssh/1.0/keys?user=admin", json!({"text": key})).await;
        post("/rest/api/1.0/projects", json!({"key": "KILL", "name": "Kill"})).await;
        self.git(&["init", "--quiet", "--initial-branch=main", "first"]).await.unwrap();
        self.commit("first", "README.md").await;
        for slug in SLUGS {
            post("/rest/api/1.0/projects/KILL/repos", json!({"name": slug, "scmId": "git"})).await;
            self.git(&["-C", "first", "push", "--quiet", &self.url("ssh", slug), "main"]).await.unwrap();
        }
    }

    /// Pushes one new branch after the other, until it is told to stop.
    async fn push_on(&self, slug: &str, scheme: &str, name: &str) -> Told {
        let mut told = Told::default();
        let url = self.url(scheme, slug);
        self.git(&["clone", "--quiet", &url, name]).await.unwrap();
        for number in 0.. {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let commit = self.commit(name, &format!("{name}-{number}.txt")).await;
            let branch = format!("{name}/{number}");
            let refspec = format!("HEAD:refs/heads/{branch}");
            match self.git(&["-C", name, "push", "--quiet", &url, &refspec]).await {
                Ok(_) => told.note(What::Push { slug: slug.to_owned(), branch, commit }),
                Err(error) => told.failures.push((Instant::now(), error)),
            }
        }
        told
    }

    /// Opens and merges one pull request after the other, until it is told to stop.
    async fn merge_on(&self, slug: &str, name: &str) -> Told {
        let mut told = Told::default();
        let url = self.url("http", slug);
        self.git(&["clone", "--quiet", &url, name]).await.unwrap();
        for number in 0.. {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            if let Err(error) = self.merge_one(&mut told, (slug, &url), name, number).await {
                told.failures.push((Instant::now(), error));
            }
        }
        told
    }

    async fn merge_one(
        &self,
        told: &mut Told,
        (slug, url): (&str, &str),
        name: &str,
        number: u32,
    ) -> Result<(), String> {
        // Each from the first commit, so that none conflicts with what others merge meanwhile.
        self.git(&["-C", name, "checkout", "--quiet", "--detach", "origin/main"]).await?;
        let commit = self.commit(name, &format!("{name}-{number}.txt")).await;
        let branch = format!("{name}/{number}");
        self.git(&["-C", name, "push", "--quiet", url, &format!("HEAD:refs/heads/{branch}")]).await?;
        told.note(What::Push { slug: slug.to_owned(), branch: branch.clone(), commit });

        let mut session = self.session();
        let requests = format!("/rest/api/1.0/projects/KILL/repos/{slug}/pull-requests");
        let from = json!({"id": format!("refs/heads/{branch}")});
        let body = json!({"title": branch, "fromRef": from, "toRef": {"id": "refs/heads/main"}});
        let made = expect(&mut session, Request::json(&requests, &body), 201).await?;
        let (id, version) = (made["id"].as_u64().unwrap(), made["version"].as_u64().unwrap());
        let merge = Request::json(format!("{requests}/{id}/merge?version={version}"), &json!({}));
        let merged = expect(&mut session, merge, 200).await?;
        assert_eq!(merged["state"], "MERGED", "{merged}");
        let commit = merged["properties"]["mergeCommit"]["id"].as_str().unwrap().to_owned();
        told.note(What::Merge { slug: slug.to_owned(), id, commit });
        Ok(())
    }

    /// Checks one repository by git and REST: what was acknowledged is there, and rows and refs agree.
    async fn verify(&self, slug: &str, acknowledged: &[&What]) {
        let mirror = format!("{slug}.mirror");
        self.git(&["clone", "--quiet", "--mirror", &self.url("ssh", slug), &mirror]).await.unwrap();
        self.git(&["-C", &mirror, "fsck", "--strict", "--full"]).await.unwrap();
        let refs =
            self.git(&["-C", &mirror, "for-each-ref", "--format=%(refname) %(objectname)"]).await.unwrap();
        let requests = self.pull_requests(slug).await;
        let log = ["-C", &mirror, "log", "--first-parent", "--merges", "--format=%H", "main"];
        let log = self.git(&log).await.unwrap();
        let mut on_main: Vec<String> = log.lines().map(str::to_owned).collect();
        for what in acknowledged {
            match what {
                What::Push { branch, commit, .. } => {
                    let line = format!("refs/heads/{branch} {commit}");
                    assert!(refs.lines().any(|found| found == line), "{slug}: lost {what:?}");
                }
                What::Merge { id, commit, .. } => {
                    assert!(on_main.contains(commit), "{slug}: the ref lost {what:?}");
                    let request = requests.iter().find(|request| request["id"] == *id);
                    let state = request.map(|request| &request["state"]);
                    assert_eq!(state, Some(&json!("MERGED")), "{slug}: the database lost {what:?}");
                }
            }
        }
        let merged = requests.iter().filter(|request| request["state"] == "MERGED");
        let commit =
            |request: &Value| request["properties"]["mergeCommit"]["id"].as_str().unwrap().to_owned();
        let mut in_database: Vec<String> = merged.map(commit).collect();
        on_main.sort();
        in_database.sort();
        assert_eq!(on_main, in_database, "{slug}: every merge is in the ref and in the database");
    }

    async fn pull_requests(&self, slug: &str) -> Vec<Value> {
        let (mut session, mut found, mut start) = (self.session(), Vec::new(), Some(0));
        while let Some(at) = start {
            let query = format!("state=ALL&limit=100&start={at}");
            let path = format!("/rest/api/1.0/projects/KILL/repos/{slug}/pull-requests?{query}");
            let page = expect(&mut session, Request::get(path), 200).await.unwrap();
            found.extend(page["values"].as_array().unwrap().iter().cloned());
            start = page["nextPageStart"].as_u64();
        }
        found
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn session(&self) -> HttpSession {
        HttpSession::new(BaseUrl::parse(&self.instance.url).unwrap()).with_basic("admin", &self.password)
    }

    fn url(&self, scheme: &str, slug: &str) -> String {
        if scheme == "ssh" {
            let (_, authority) = self.instance.ssh.as_ref().unwrap().url.split_once("://").unwrap();
            return format!("ssh://git@{authority}/kill/{slug}.git");
        }
        let (_, authority) = self.instance.url.split_once("://").unwrap();
        format!("http://admin:{}@{authority}/scm/kill/{slug}.git", self.password.expose())
    }

    async fn commit(&self, work: &str, file: &str) -> String {
        std::fs::write(self.path(work).join(file), file).unwrap();
        self.git(&["-C", work, "add", "."]).await.unwrap();
        self.git(&["-C", work, "commit", "--quiet", "-m", file]).await.unwrap();
        self.git(&["-C", work, "rev-parse", "HEAD"]).await.unwrap()
    }

    /// Runs git and returns what it printed, or what it complained about.
    async fn git(&self, arguments: &[&str]) -> Result<String, String> {
        let ssh = format!(
            "ssh -F none -i {} -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes \
             -o UserKnownHostsFile={}",
            self.path("key").display(),
            self.path("known-hosts").display()
        );
        let mut command = Command::new("git");
        command
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.directory.path())
            .env("GIT_SSH_COMMAND", ssh)
            .envs([("LC_ALL", "C"), ("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")])
            .envs([("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@example.com")])
            .envs([("GIT_COMMITTER_NAME", "a"), ("GIT_COMMITTER_EMAIL", "a@example.com")])
            .envs([("GIT_TERMINAL_PROMPT", "0")])
            .args(arguments);
        let (success, stdout, stderr) = output_of(&mut command).await;
        if success { Ok(stdout.trim().to_owned()) } else { Err(format!("git {arguments:?}: {stderr}")) }
    }
}

impl Told {
    fn note(&mut self, what: What) {
        self.acknowledged.push(Acknowledged { at: Instant::now(), what });
    }
}

async fn output_of(command: &mut Command) -> (bool, String, String) {
    let output = command.stdin(std::process::Stdio::null()).kill_on_drop(true).output();
    let output =
        tokio::time::timeout(Duration::from_secs(60), output).await.expect("it ends within a minute");
    let output = output.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

async fn ask(session: &mut HttpSession, request: Request) -> Result<(u16, String), HttpError> {
    let response = session.send(request).await?;
    Ok((response.status, response.text()?))
}

async fn expect(session: &mut HttpSession, request: Request, wanted: u16) -> Result<Value, String> {
    let shown = format!("{} {}", request.method, request.path);
    let (status, body) = ask(session, request).await.map_err(|error| format!("{shown}: {error}"))?;
    if status != wanted {
        return Err(format!("{shown}: {status} {body}"));
    }
    serde_json::from_str(&body).map_err(|error| format!("{shown}: {error} in {body}"))
}

/// Checks every bare repository where it lies: whole, and nothing half-done that would stop the next push.
fn verify_on_disk(repositories: &Path) {
    let mut checked = 0;
    for entry in std::fs::read_dir(repositories).unwrap().flatten() {
        let repository = entry.path();
        if !repository.join("HEAD").is_file() {
            continue;
        }
        let mut fsck = std::process::Command::new("git");
        let output = fsck.arg("-C").arg(&repository).args(["fsck", "--strict", "--full"]).output().unwrap();
        assert!(
            output.status.success(),
            "{}: {}",
            repository.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        // A lock of Git's own is a file that is there; githost's is one that is held.
        let left = |file: &PathBuf| {
            file.extension().is_some_and(|end| end == "lock") && !file.ends_with("merging.lock")
        };
        let locks: Vec<_> = crate::support::files(&repository).into_iter().filter(left).collect();
        assert!(locks.is_empty(), "{locks:?}");
        checked += 1;
    }
    assert!(checked >= SLUGS.len(), "{checked} repositories");
}

const SLUGS: [&str; 2] = ["one", "two"];
