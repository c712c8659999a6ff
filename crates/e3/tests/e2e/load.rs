//! `e3 load`: one load from flags, on any HTTP server and on a real githost.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use e3_model::{Analysis, Run, Snapshot, StageOutcome, Topology};
use e3_testkit::{Loopback, answer};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::support::{E3, Ran, wait_for};

/// An HTTP server that answers each request by its path: `/STATUS` with that status, anything else with 200.
pub(crate) struct Server {
    _runtime: Runtime,
    pub(crate) server: Loopback,
}

impl Server {
    /// Starts a server that takes its time for each answer.
    pub(crate) fn start(takes: Duration) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let seen = AtomicUsize::new(0);
        let server = runtime.block_on(Loopback::serve(move |request| {
            let last = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
            let is_third = seen.fetch_add(1, Ordering::Relaxed).is_multiple_of(3);
            async move {
                tokio::time::sleep(takes).await;
                match last.as_str() {
                    "third" if is_third => answer(503, &[], "busy"),
                    "json" => answer(200, &[("set-cookie", "a=b")], r#"{"id": 7}"#),
                    last => {
                        answer(if last.len() == 3 { last.parse().unwrap_or(200) } else { 200 }, &[], "hello")
                    }
                }
            }
        }));
        Self { _runtime: runtime, server }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.url())
    }
}

/// Asserts that a load went through; tests share the machine with others, so that the worker may be the bottleneck.
pub(crate) fn went_through(ran: Ran) -> Ran {
    assert!(matches!(ran.code, Some(0 | 32)), "{:?}\n{}\n{}", ran.code, ran.stdout, ran.stderr);
    ran
}

#[test]
fn any_http_server_gets_exactly_so_many_requests_over_a_connection_for_each_client() {
    let (e3, server) = (E3::new(), Server::start(Duration::ZERO));
    let url = server.url("/x?a=b");
    let ran =
        went_through(e3.run(&["load", "-s", "http.Request", "-u", &url, "-c", "8", "-n", "1000", "--json"]));
    let json = ran.json();
    assert_eq!((&json["total"]["count"], &json["total"]["ok"]), (&json!(1000), &json!(1000)), "{json:#}");
    assert_eq!(
        (&json["clients"], &json["operations"], &json["system"]),
        (&json!(8), &json!(1000), &json!(url))
    );
    assert_eq!(json["ops"][0]["op"], "Request");
    assert_eq!(json["ops"][0]["bytes_in"], 5000);
    // One more of each looked whether the server answers.
    assert_eq!((server.server.requests(), server.server.connections()), (1_001, 9));
    let seconds = json["window_end_ms"].as_f64().unwrap() / 1000.0;
    assert!(seconds < 60.0, "the count ended it, long before its hour");
    let rate = json["total"]["rate_per_s"].as_f64().unwrap();
    assert!((rate * seconds - 1000.0).abs() < 1e-6, "{rate} ops/s in {seconds} s");
    let run = e3.only_run();
    assert_eq!(json["directory"], json!(run.path()));
    assert!(run.report_file().is_file() && run.path().join("teardown.json").is_file());
    e3.assert_nothing_left();
    // A run like every other one: its phases can be repeated, and nothing is left to remove.
    let analyzed = e3.run(&["analyze", "-r", &run.name().0, "--json"]).json();
    assert_eq!(analyzed["threads"][0]["stages"][0]["total"]["ok"], 1000);
    e3.run(&["deprovision", "-r", &run.name().0]).exits(0);
}

#[test]
fn people_read_a_table_and_what_failed() {
    let (e3, server) = (E3::new(), Server::start(Duration::ZERO));
    let url = server.url("/third");
    let ran = went_through(e3.run(&["load", "-s", "http.Request", "-u", &url, "-c", "2", "-n", "300"]));
    for part in [
        &format!("http.Request at {url}, 2 clients") as &str,
        "300 ops in ",
        "ops/s",
        "p99",
        "Request failed: 1",
        " × http-5xx",
        "share this machine",
        "report: ",
        "next:   e3 ",
    ] {
        assert!(ran.stdout.contains(part), "{part} in\n{}", ran.stdout);
    }
    assert!(ran.stdout.lines().all(|line| !line.ends_with(' ')), "{}", ran.stdout);
    let quiet =
        e3.run(&["load", "-s", "http.Request", "-u", &url, "-n", "1", "-q", "--arg", "expect=200,503"]);
    let quiet = went_through(quiet);
    assert!(quiet.stdout.contains("1 ops in"), "{}", quiet.stdout);
    assert!(!quiet.stderr.contains(" s  run"), "{}", quiet.stderr);
}

#[test]
fn a_sequence_comes_from_a_file_with_arguments_as_variables() {
    let (e3, server) = (E3::new(), Server::start(Duration::ZERO));
    let steps = json!([
        {"name": "Make", "method": "POST", "path": "/{{where}}", "body": {"n": "{{random}}"}, "extract": {"id": "/id"}},
        {"name": "Show", "path": "/things/{{id}}/404", "expect": "404, 2xx"},
    ]);
    e3.write("steps.json", steps.to_string().as_bytes());
    let url = server.url("/base");
    let told = ["--arg", "steps=steps.json", "--arg", "where=json"];
    let command =
        [&["load", "-s", "http.Sequence", "-u", &url, "-n", "101", "-c", "3", "--json"] as &[&str], &told]
            .concat();
    let json = went_through(e3.run(&command)).json();
    let ops: Vec<_> =
        json["ops"].as_array().unwrap().iter().map(|op| op["op"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ops, ["Make", "Show"]);
    assert_eq!((&json["total"]["count"], &json["total"]["errors"]), (&json!(101), &json!({})), "{json:#}");
    let plan: Value =
        serde_json::from_slice(&std::fs::read(e3.only_run().path().join("plan.json")).unwrap()).unwrap();
    assert_eq!(
        plan["threads"][0]["stages"][0]["jobs"][0]["arguments"]["steps"], steps,
        "the plan stands alone"
    );
}

#[test]
fn what_the_flags_lack_or_get_wrong_is_said_with_what_to_do() {
    let (e3, server) = (E3::new(), Server::start(Duration::ZERO));
    e3.write("steps.json", b"[\n  {\"name\": \"a\", \"pth\": \"/\"}\n]");
    e3.write("empty", b"");
    e3.write("key", b"no key");
    let url = server.url("");
    let ssh = "ssh://127.0.0.1:9";
    for (flags, code, said, hint) in [
        (
            &["-s", "http.Requst"] as &[&str],
            10,
            "there is no script \"http.Requst\"",
            "did you mean \"http.Request\"?",
        ),
        (
            &["-s", "http.Request", "--arg", "methd=GET"],
            10,
            "takes no argument \"methd\"",
            "did you mean \"method\"?",
        ),
        (
            &["-s", "http.Request", "--arg", "path=x"],
            10,
            "the path \"x\" does not begin with a slash",
            "\"/x\"",
        ),
        (&["-s", "http.Sequence"], 10, "lacks its argument \"steps\"", "hint: "),
        (
            &["-s", "http.Sequence", "--arg", "steps=none.json"],
            10,
            "\"none.json\" cannot be read",
            "current directory",
        ),
        (
            &["-s", "http.Sequence", "--arg", "steps=steps.json"],
            10,
            "steps.json:2:",
            "did you mean \"path\"?",
        ),
        (&["-s", "http.Request", "--arg", "method"], 2, "is not KEY=VALUE", "such as --arg method=POST"),
        (&["-s", "http.Request", "-d", "5 parsecs"], 2, "5 parsecs", "--duration"),
        (&["-s", "http.Request", "-c", "0"], 2, "0 is not in 1", "--clients"),
        (
            &["-s", "http.Request", "-d", "1s", "--warm-up", "1s"],
            10,
            "leaves nothing of a stage of 1 s to measure",
            "shorter",
        ),
        (
            &["-s", "scm.GitCloneOverHttp"],
            2,
            "works on repositories, and none is named",
            "--repo PROJECT/SLUG",
        ),
        (&["-s", "scm.GitCloneOverHttp", "--repo", "P"], 2, "--repo \"P\" is not PROJECT/SLUG", "such as"),
        (&["-s", "scm.GitCloneOverHttp", "--repo", "P/r"], 2, "logs in, and no user is named", "--username"),
        (&["-s", "web.ListUsers"], 2, "web.ListUsers logs in, and no user is named", "--username"),
        (
            &["-s", "web.Dashboard", "--username", "ada"],
            2,
            "--username ada comes without a password",
            "--password-file",
        ),
        (
            &["-s", "web.Dashboard", "--username", "ada", "--password-file", "empty"],
            2,
            "first line of empty is empty",
            "",
        ),
        (&["-s", "web.Dashboard", "--password-file", "empty"], 2, "--username", ""),
        (
            &["-s", "scm.GitLsRemoteSsh", "--repo", "P/r"],
            2,
            "where that is served is not said",
            "--ssh-url ssh://HOST:PORT",
        ),
        (
            &["-s", "scm.GitLsRemoteSsh", "--repo", "P/r", "--ssh-url", "h:1"],
            2,
            "is not ssh://HOST:PORT",
            "such as",
        ),
        (
            &["-s", "scm.GitLsRemoteSsh", "--repo", "P/r", "--ssh-url", ssh],
            2,
            "127.0.0.1:9 is not in",
            "`ssh-keyscan -p 9 127.0.0.1 >> ",
        ),
        (
            &[
                "-s",
                "scm.GitLsRemoteSsh",
                "--repo",
                "P/r",
                "--ssh-url",
                ssh,
                "--ssh-host-key",
                "ssh-ed25519 AAAA",
            ],
            2,
            "there is no key to log in with",
            "--ssh-key FILE",
        ),
        (
            &[
                "-s",
                "scm.GitLsRemoteSsh",
                "--repo",
                "P/r",
                "--ssh-url",
                ssh,
                "--ssh-host-key",
                "ssh-ed25519 AAAA",
                "--ssh-key",
                "key",
            ],
            2,
            "cannot use the private key",
            "without passphrase",
        ),
    ] {
        let ran = e3.run(&[&["load", "-u", &url], flags].concat());
        let stderr = &ran.stderr;
        assert_eq!(ran.code, Some(code), "{flags:?}: {stderr}");
        assert!(stderr.contains(said) && stderr.contains(hint), "{flags:?}: {stderr}");
        assert_eq!(ran.stdout, "", "{flags:?}");
    }
    assert!(e3.home().runs().is_empty(), "nothing was begun");
    assert_eq!(server.server.requests(), 0, "and nobody asked");
    for bad in ["127.0.0.1:1", "ftp://127.0.0.1", "https://ada:secret@127.0.0.1"] {
        let ran = e3.run(&["load", "-s", "http.Request", "-u", bad]).exits(2);
        assert!(
            ran.stderr.contains("--url cannot be used") && !ran.stderr.contains("secret"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn a_system_that_does_not_answer_gets_no_load() {
    let e3 = E3::new();
    let ran = e3.run(&["load", "-s", "http.Request", "-u", "http://127.0.0.1:1/x"]).exits(20);
    for part in
        ["error: http://127.0.0.1:1/x does not answer", "caused by: ", "refused", "hint: is the system up"]
    {
        assert!(ran.stderr.contains(part), "{part} in {}", ran.stderr);
    }
    assert!(e3.home().runs().is_empty());
}

#[test]
fn one_interrupt_ends_a_load_and_keeps_what_was_measured() {
    let (e3, server) = (E3::new(), Server::start(Duration::from_millis(20)));
    let url = server.url("/x");
    let child =
        e3.command(&["load", "-s", "http.Request", "-u", &url, "-d", "10m", "--json"]).spawn().unwrap();
    wait_for("some requests", Duration::from_secs(60), || match server.server.requests() {
        0..20 => Err(format!("{} requests", server.server.requests())),
        _ => Ok(()),
    });
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT)
        .unwrap();
    let ran = Ran::of(child.wait_with_output().unwrap()).exits(31);
    assert!(ran.stderr.contains("interrupted"), "{}", ran.stderr);
    let json = ran.json();
    assert_eq!(json["outcome"]["state"], "interrupted");
    let counted = json["total"]["count"].as_u64().unwrap() + json["total"]["cancelled"].as_u64().unwrap();
    // One looked whether the server answers.
    assert_eq!(usize::try_from(counted).unwrap(), server.server.requests() - 1, "{json:#}");
    let run = e3.only_run();
    assert_eq!(run.read::<Run>().unwrap().stages[0].outcome, StageOutcome::Interrupted);
    assert!(run.report_file().is_file());
    e3.assert_nothing_left();
}

/// A githost that `e3 provision` has filled, and what is known of it.
struct Filled {
    e3: E3,
    url: String,
    ssh: e3_model::SshEndpoint,
    user: String,
    password: String,
    key: PathBuf,
    repository: String,
}

impl Filled {
    fn start() -> Self {
        let e3 = E3::new();
        e3.run(&["provision", "-e", "smoke"]).exits(0);
        let run = e3.only_run();
        let instance = run.read::<Topology>().unwrap().threads[0].instance.clone();
        let snapshot: Snapshot =
            serde_json::from_slice(&std::fs::read(run.path().join(&instance.snapshot)).unwrap()).unwrap();
        let secrets = e3.home().read_secrets(run.name()).unwrap().threads.remove(0);
        let (user, key) = secrets.private_keys.first_key_value().unwrap();
        let (project, repository) = snapshot.repositories().next().unwrap();
        Self {
            url: instance.url,
            ssh: instance.ssh.unwrap(),
            user: user.clone(),
            password: secrets.users[user].expose().to_owned(),
            repository: format!("{project}/{}", repository.name),
            key: e3.write("user.key", key.expose().as_bytes()),
            e3,
        }
    }

    /// Returns a load of this system; the password is in the environment.
    fn load(&self, client: &E3, script: &str, more: &[&str]) -> Command {
        let arguments =
            ["load", "-s", script, "-u", &self.url, "--repo", &self.repository, "--username", &self.user];
        let clients: &[&str] = if more.contains(&"--rate") { &[] } else { &["-c", "2"] };
        let mut command =
            client.command(&[&arguments as &[&str], clients, &["-n", "12", "--json"], more].concat());
        command.env("E3_PASSWORD", &self.password);
        command
    }
}

#[test]
fn git_and_the_web_of_a_real_githost_are_loaded_over_http_and_ssh() {
    let system = Filled::start();
    let client = E3::new();
    let key = system.key.display().to_string();
    let over_ssh = ["--ssh-url", &system.ssh.url, "--ssh-key", &key];
    let address = system.ssh.url.strip_prefix("ssh://").unwrap();
    let (host, port) = address.rsplit_once(':').unwrap();
    client.write(".ssh/known_hosts", format!("[{host}]:{port} {}\n", system.ssh.host_key).as_bytes());
    let pinned = [&over_ssh as &[&str], &["--ssh-host-key", &system.ssh.host_key]].concat();
    for (script, more) in [
        ("scm.GitCloneOverHttp", &[] as &[&str]),
        ("scm.GitCloneOverHttp", &["--git-client", "git", "--rate", "5"]),
        ("scm.GitCloneOverHttp", &["--verify", "sampled", "--timeout", "1m"]),
        ("scm.GitLsRemoteHttpDirect", &[]),
        ("scm.PushChangesHttp", &[]),
        ("bitbucket.scm.GitLsRemoteSsh", &over_ssh),
        ("scm.PushChangesSsh", &pinned),
        ("web.Dashboard", &[]),
        ("web.PullRequestWorkflow", &[]),
        ("http.Request", &["--arg", "path=/rest/api/latest/projects"]),
    ] {
        let json = went_through(Ran::of(system.load(&client, script, more).output().unwrap())).json();
        assert_eq!(json["total"]["count"], 12, "{script}: {json:#}");
        assert_eq!(json["total"]["errors"], json!({}), "{script}: {json:#}");
    }
    client.assert_nothing_left();
    for run in client.home().runs() {
        let run = client.home().run(&run.0).unwrap();
        let analysis: Analysis = run.read().unwrap();
        assert!(analysis.threads[0].stages[0].stamps.contains(&e3_model::Stamp::CoLocated));
        for file in crate::support::files(run.path()) {
            let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
            assert!(!text.contains(&system.password), "the password is in {}", file.display());
        }
    }
    // What is not there, or not allowed, is found before the load.
    let runs = client.home().runs().len();
    let ran = client.run(&[
        "load",
        "-s",
        "scm.GitLsRemoteHttp",
        "-u",
        &system.url,
        "--repo",
        "NO/such",
        "--username",
        &system.user,
        "--password",
        "wrong",
    ]);
    let ran = ran.exits(20);
    for part in [
        "--password can be seen by other users",
        "NO/such cannot be read over Git",
        "hint: are --repo, the user",
    ] {
        assert!(ran.stderr.contains(part), "{part} in {}", ran.stderr);
    }
    assert_eq!(client.home().runs().len(), runs);
    system.e3.run(&["deprovision", "-r", &system.e3.only_run().name().0]).exits(0);
}
