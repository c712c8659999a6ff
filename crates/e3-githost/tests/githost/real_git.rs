//! Real git over HTTP and SSH, at a node and through the front: the same sessions, whichever way in.

use crate::harness::{Place, Server};
use crate::ssh::Key;

/// One way to reach a server's repositories.
struct Way<'a> {
    place: &'a Place,
    name: String,
    url: String,
    key: &'a Key,
    protocol: &'static str,
}

impl Way<'_> {
    /// Runs git, which must succeed; returns what it printed.
    async fn git(&self, arguments: &[&str]) -> String {
        let (success, stdout, stderr) = self.try_git(arguments).await;
        assert!(success, "{}: git {arguments:?}: {stderr}", self.name);
        stdout.trim().to_owned()
    }

    /// Runs git, which must fail; returns what it complained about.
    async fn refused(&self, arguments: &[&str]) -> String {
        let (success, _, stderr) = self.try_git(arguments).await;
        assert!(!success, "{}: git {arguments:?} should fail", self.name);
        stderr
    }

    async fn try_git(&self, arguments: &[&str]) -> (bool, String, String) {
        let version = format!("protocol.version={}", self.protocol);
        let arguments = [&["-c", version.as_str()], arguments].concat();
        self.key.git(self.place, &arguments).await
    }

    /// Makes a commit in a working copy, and returns it.
    async fn commit(&self, work: &str, file: &str, text: &str) -> String {
        std::fs::write(self.place.path(work).join(file), text).unwrap();
        self.place.git(&["-C", work, "add", "."]).await;
        self.place.git(&["-C", work, "commit", "--quiet", "-m", &format!("{file}: {text}")]).await;
        self.place.git(&["-C", work, "rev-parse", "HEAD"]).await
    }

    /// Returns the refs of the remote, without its HEAD.
    async fn refs(&self) -> Vec<String> {
        let listed = self.git(&["ls-remote", "--refs", &self.url]).await;
        listed.lines().filter_map(|line| line.split('\t').nth(1)).map(str::to_owned).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_the_same_by_every_way_in() {
    let place = Place::new();
    let one = Server::start_with_ssh(&place.home(), "1").await;
    let two = Server::start_with_ssh(&place.home(), "2").await;
    let front = Server::balance_with_ssh(&[&one, &two]).await;
    assert_eq!(one.ready.host_key, two.ready.host_key, "nodes share their host key");
    let key = &Key::new(&place, "key", &[&one, &front]).await.registered(&one).await;
    front.create_project("PROJ").await;
    place.history("work", 6).await;

    for (server, at) in [(&one, "node"), (&front, "front")] {
        for protocol in ["0", "2"] {
            for scheme in ["http", "ssh"] {
                let name = format!("{scheme}-{at}-{protocol}");
                front.create_repository("PROJ", &name).await;
                let url = match scheme {
                    "http" => server.clone_url("PROJ", &name),
                    _ => server.ssh_url("proj", &name),
                };
                session(&Way { place: &place, name, url, key, protocol }).await;
            }
        }
    }
    for server in [front, one, two] {
        server.stop().await.unwrap();
    }
}

/// What a team does with one repository, from its first push on.
async fn session(way: &Way<'_>) {
    let (url, directory) = (way.url.as_str(), |what: &str| format!("{}-{what}", way.name));
    let (success, _, stderr) = way.try_git(&["clone", url, &directory("empty")]).await;
    assert!(success && stderr.contains("cloned an empty repository"), "{}: {stderr}", way.name);

    way.git(&["-C", "work", "push", "--quiet", url, "main", "main:refs/heads/other", "main~2:refs/tags/v1"])
        .await;
    assert_eq!(way.refs().await, ["refs/heads/main", "refs/heads/other", "refs/tags/v1"], "{}", way.name);

    // Two of the team, one of them late.
    let (early, late) = (directory("early"), directory("late"));
    way.git(&["clone", "--quiet", url, &early]).await;
    way.git(&["clone", "--quiet", url, &late]).await;
    let first = way.commit(&early, "a.txt", "first").await;
    way.git(&["-C", &early, "push", "--quiet"]).await;
    way.commit(&late, "b.txt", "second").await;
    let stderr = way.refused(&["-C", &late, "push"]).await;
    assert!(stderr.contains("[rejected]") && stderr.contains("fetch first"), "{}: {stderr}", way.name);
    way.git(&["-C", &late, "pull", "--quiet", "--rebase"]).await;
    way.git(&["-C", &late, "push", "--quiet"]).await;
    way.git(&["-C", &early, "fetch", "--quiet", "--prune"]).await;
    let parent = way.git(&["-C", &early, "rev-parse", "origin/main~1"]).await;
    assert_eq!(parent, first, "{}", way.name);

    // All or nothing.
    way.commit(&late, "c.txt", "third").await;
    let both = ["-C", &late, "push", "--atomic", url, "main", "main~4:refs/heads/other"];
    let stderr = way.refused(&both).await;
    assert!(stderr.contains("atomic"), "{}: {stderr}", way.name);
    assert_eq!(
        way.git(&["ls-remote", url, "main"]).await.split('\t').next(),
        Some(&*way.git(&["-C", &late, "rev-parse", "main~1"]).await)
    );
    // Force, with and without looking first.
    way.git(&["-C", &early, "reset", "--quiet", "--hard", &first]).await;
    let amended = way.commit(&early, "a.txt", "amended").await;
    let stderr =
        way.refused(&["-C", &early, "push", &format!("--force-with-lease=main:{first}"), url, "main"]).await;
    assert!(stderr.contains("stale info"), "{}: {stderr}", way.name);
    way.git(&["-C", &early, "push", "--quiet", "--force", url, "main"]).await;
    assert!(way.git(&["ls-remote", url, "main"]).await.starts_with(&amended), "{}", way.name);
    way.git(&["-C", &early, "push", "--quiet", url, "--delete", "other", "v1"]).await;
    assert_eq!(way.refs().await, ["refs/heads/main"], "{}", way.name);

    shallow_and_partial(way).await;
    let whole = directory("whole");
    way.git(&["clone", "--quiet", "--mirror", url, &whole]).await;
    way.git(&["-C", &whole, "fsck", "--strict", "--full"]).await;
}

async fn shallow_and_partial(way: &Way<'_>) {
    let (shallow, partial) = (format!("{}-shallow", way.name), format!("{}-partial", way.name));
    let count = async || way.git(&["-C", &shallow, "rev-list", "--count", "HEAD"]).await;
    way.git(&["clone", "--quiet", "--depth=1", &way.url, &shallow]).await;
    assert_eq!(count().await, "1", "{}", way.name);
    way.git(&["-C", &shallow, "fetch", "--quiet", "--deepen=2"]).await;
    assert_eq!(count().await, "3", "{}", way.name);
    let pushed = way.commit(&shallow, "d.txt", "from a shallow clone").await;
    way.git(&["-C", &shallow, "push", "--quiet"]).await;
    assert!(way.git(&["ls-remote", &way.url, "main"]).await.starts_with(&pushed), "{}", way.name);
    way.git(&["-C", &shallow, "fetch", "--quiet", "--unshallow"]).await;
    assert_eq!(count().await, "9", "{}", way.name);

    for filter in ["blob:none", "tree:0"] {
        let directory = format!("{partial}-{}", filter.replace(':', "-"));
        way.git(&["clone", "--quiet", "--no-checkout", &format!("--filter={filter}"), &way.url, &directory])
            .await;
        let missing = ["-C", &directory, "rev-list", "--objects", "--all", "--missing=print"];
        let count = way.git(&missing).await.lines().filter(|line| line.starts_with('?')).count();
        assert!(count >= 1, "{}: {filter} left nothing out", way.name);
        way.git(&["-C", &directory, "checkout", "--quiet", "main"]).await;
        assert!(way.place.path(&directory).join("file-5.txt").exists(), "{}: {filter}", way.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_push_over_ssh_arrives_whole() {
    let place = Place::new();
    let server = Server::start_with_ssh(&place.home(), "1").await;
    let key = &Key::new(&place, "key", &[&server]).await.registered(&server).await;
    server.create_project("PROJ").await;
    server.create_repository("PROJ", "repo").await;
    place.git(&["init", "--quiet", "--initial-branch=main", "work"]).await;
    let mut noise = vec![0_u8; 24 << 20];
    rand::Rng::fill_bytes(&mut rand::rng(), &mut noise);
    std::fs::write(place.path("work").join("noise"), &noise).unwrap();
    place.git(&["-C", "work", "add", "."]).await;
    place.git(&["-C", "work", "commit", "--quiet", "-m", "noise"]).await;
    let url = server.ssh_url("PROJ", "repo");
    let way = Way { place: &place, name: "large".to_owned(), url, key, protocol: "2" };
    way.git(&["-C", "work", "push", "--quiet", &way.url, "main"]).await;
    way.git(&["clone", "--quiet", &way.url, "clone"]).await;
    assert!(std::fs::read(place.path("clone").join("noise")).unwrap() == noise, "it came back as it went");
    server.stop().await.unwrap();
}
