//! The native client against real git, and against servers that misbehave.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use e3_git::{GitError, Ref, RepositoryPath, clone, ls_remote};
use e3_http::{BaseUrl, HttpSession};
use e3_model::{Outcome, Secret};
use e3_testkit::{Git, GitServer, GitServerOptions, Loopback, Shape, answer, create_repository};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// A directory of repositories and a server over it.
struct Site {
    directory: TempDir,
    server: GitServer,
}

impl Site {
    async fn new(options: GitServerOptions) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let server = GitServer::start(directory.path(), options).await;
        Self { directory, server }
    }

    /// Creates a repository `scm/P/SLUG.git`.
    async fn create(&self, slug: &str, seed: u64, shape: Shape) -> PathBuf {
        let path = self.directory.path().join(format!("scm/P/{slug}.git"));
        blocking(move || create_repository(&path, seed, &shape)).await
    }

    fn session(&self) -> HttpSession {
        session(&self.server.url())
    }

    /// Runs real git in the site's directory.
    async fn git(&self, arguments: Vec<String>) -> String {
        let git = Git::new(self.directory.path());
        blocking(move || git.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())).await
    }
}

fn session(url: &str) -> HttpSession {
    HttpSession::new(BaseUrl::parse(url).unwrap())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

fn repository(slug: &str) -> RepositoryPath {
    RepositoryPath::scm("P", slug)
}

/// What a fresh clone of real git has: refs, objects in packs, bytes of the pack.
struct Cloned {
    refs: String,
    objects: u32,
    pack_bytes: u64,
}

async fn clone_with_git(site: &Site, slug: &str, version: &str) -> Cloned {
    let url = format!("{}/scm/P/{slug}.git", site.server.url());
    let target = format!("clones/{slug}.git");
    let words = ["-c", &format!("protocol.version={version}"), "clone", "-q", "--bare", &url, &target];
    site.git(words.map(str::to_owned).to_vec()).await;
    let git = Git::new(site.directory.path().join(target));
    blocking(move || {
        let count = git.run(&["count-objects", "-v"]);
        let field = |name: &str| -> u32 {
            count
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                .unwrap()
                .parse()
                .unwrap()
        };
        assert_eq!((field("count"), field("packs")), (0, 1), "a fresh clone has one pack and nothing else");
        Cloned {
            refs: git.run(&["for-each-ref", "--format=%(objectname) %(refname)"]),
            objects: field("in-pack"),
            pack_bytes: pack_bytes(git.directory()),
        }
    })
    .await
}

fn pack_bytes(bare: &Path) -> u64 {
    let packs = std::fs::read_dir(bare.join("objects/pack")).unwrap().map(Result::unwrap);
    packs
        .filter(|entry| entry.path().extension().is_some_and(|e| e == "pack"))
        .map(|e| e.metadata().unwrap().len())
        .sum()
}

/// Shows refs as `git ls-remote` does.
fn as_ls_remote(refs: &[Ref]) -> String {
    let mut lines = Vec::new();
    for reference in refs {
        lines.push(format!("{}\t{}", reference.oid, reference.name));
        lines.extend(reference.peeled.map(|peeled| format!("{peeled}\t{}^{{}}", reference.name)));
    }
    lines.join("\n")
}

/// Shows branches and tags as `git for-each-ref` does in a bare clone.
fn as_for_each_ref(refs: &[Ref]) -> String {
    let named = refs.iter().filter(|reference| reference.name != "HEAD");
    named.map(|reference| format!("{} {}", reference.oid, reference.name)).collect::<Vec<_>>().join("\n")
}

async fn agrees_with_git(site: &Site, seed: u64, version: &str) {
    let slug = format!("repository-{seed}");
    let shape = Shape::seeded(seed);
    site.create(&slug, seed, shape.clone()).await;
    let context = format!("seed {seed}, protocol version {version}, {shape:?}");

    let url = format!("{}/scm/P/{slug}.git", site.server.url());
    let mut session = site.session();
    let listed = ls_remote(&mut session, &repository(&slug)).await.unwrap();
    let expected = site.git(vec!["ls-remote".to_owned(), url]).await;
    assert_eq!(as_ls_remote(&listed.refs), expected, "{context}");
    let head = listed.refs.iter().find(|reference| reference.name == "HEAD").unwrap();
    let target = (!shape.detached_head).then_some("refs/heads/main");
    assert_eq!(head.symref_target.as_deref(), target, "{context}");

    let native = clone(&mut session, &repository(&slug)).await.unwrap();
    let real = clone_with_git(site, &slug, version).await;
    assert_eq!(as_for_each_ref(&native.refs), real.refs, "{context}");
    assert_eq!(native.objects, real.objects, "{context}");
    let difference = native.pack_bytes.abs_diff(real.pack_bytes);
    assert!(
        difference * 100 <= real.pack_bytes,
        "{context}: {} bytes instead of {}",
        native.pack_bytes,
        real.pack_bytes
    );
    assert!(native.transfer.bytes_in > native.pack_bytes, "{context}");
}

#[tokio::test(flavor = "multi_thread")]
async fn native_and_real_git_agree_on_20_repositories() {
    let site = Site::new(GitServerOptions::default()).await;
    for seed in 1..=20 {
        agrees_with_git(&site, seed, "2").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn native_and_real_git_agree_in_version_0() {
    let site = Site::new(GitServerOptions { ignore_protocol: true, ..GitServerOptions::default() }).await;
    for seed in 21..=26 {
        agrees_with_git(&site, seed, "0").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_takes_as_many_requests_as_gits_on_one_connection() {
    for (ignore_protocol, listing, cloning) in [(false, 2, 3), (true, 1, 2)] {
        let site = Site::new(GitServerOptions { ignore_protocol, ..GitServerOptions::default() }).await;
        site.create("r", 1, Shape::seeded(1)).await;
        let mut session = site.session();
        ls_remote(&mut session, &repository("r")).await.unwrap();
        assert_eq!((site.server.requests(), site.server.connections()), (listing, 1));
        clone(&mut session, &repository("r")).await.unwrap();
        assert_eq!((site.server.requests(), site.server.connections()), (listing + cloning, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_repository_is_cloned_empty() {
    for ignore_protocol in [false, true] {
        let site = Site::new(GitServerOptions { ignore_protocol, ..GitServerOptions::default() }).await;
        site.create("empty", 1, Shape { commits: 0, ..Shape::seeded(1) }).await;
        let mut session = site.session();
        assert_eq!(ls_remote(&mut session, &repository("empty")).await.unwrap().refs, []);
        let cloned = clone(&mut session, &repository("empty")).await.unwrap();
        assert_eq!((cloned.refs.len(), cloned.objects, cloned.pack_bytes), (0, 0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_phases_tell_where_the_time_went() {
    const THINKING: Duration = Duration::from_millis(80);
    let thinks = |service: &str, request: &[u8], body: Bytes| {
        if service == "git-upload-pack" && request.starts_with(b"0012command=fetch") {
            std::thread::sleep(THINKING);
        }
        body
    };
    let site =
        Site::new(GitServerOptions { tamper: Some(Arc::new(thinks)), ..GitServerOptions::default() }).await;
    site.create("r", 2, Shape::seeded(2)).await;
    let before = Instant::now();
    let transfer = clone(&mut site.session(), &repository("r")).await.unwrap().transfer;
    let whole = before.elapsed();
    let phases = transfer.phases;
    let sum = phases.advertisement_ns + phases.negotiation_ns + phases.server_think_ns + phases.transfer_ns;
    assert!(Duration::from_nanos(phases.server_think_ns) >= THINKING, "{phases:?}");
    assert!(
        [phases.advertisement_ns, phases.negotiation_ns, phases.transfer_ns].iter().all(|ns| *ns > 0),
        "{phases:?}"
    );
    assert!(Duration::from_nanos(sum) <= whole, "{phases:?} within {whole:?}");
    assert!(transfer.first_byte.unwrap() >= before + THINKING);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_decide() {
    let credentials = Some(("ada".to_owned(), "right".to_owned()));
    let site = Site::new(GitServerOptions { credentials, ..GitServerOptions::default() }).await;
    site.create("r", 1, Shape::seeded(1)).await;
    let mut right = site.session().with_basic("ada", &Secret::new("right"));
    ls_remote(&mut right, &repository("r")).await.unwrap();
    for mut wrong in [site.session(), site.session().with_basic("ada", &Secret::new("wrong"))] {
        let error = clone(&mut wrong, &repository("r")).await.unwrap_err();
        assert!(matches!(error, GitError::Unauthorized { .. }), "{error}");
        assert_eq!(error.outcome(), Outcome::Http4xx);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_is_not_there_is_not_found_and_the_connection_stays() {
    let site = Site::new(GitServerOptions::default()).await;
    let mut session = site.session();
    for _ in 0..2 {
        let error = ls_remote(&mut session, &repository("missing")).await.unwrap_err();
        assert!(matches!(error, GitError::NotFound { .. }), "{error}");
        assert!(error.to_string().contains("/scm/P/missing.git"), "{error}");
    }
    assert_eq!(site.server.connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sha256_repository_is_named_as_such() {
    for ignore_protocol in [false, true] {
        let site = Site::new(GitServerOptions { ignore_protocol, ..GitServerOptions::default() }).await;
        let path = site.directory.path().join("scm/P/wide.git");
        blocking(move || {
            std::fs::create_dir_all(&path).unwrap();
            let git = Git::new(path);
            git.run(&["init", "-q", "--bare", "--object-format=sha256", "."]);
            let tree = git.run_with_input(&["mktree"], b"");
            let commit = git.run(&["commit-tree", "-m", "first", &tree]);
            git.run(&["update-ref", "refs/heads/main", &commit]);
        })
        .await;
        let error = clone(&mut site.session(), &repository("wide")).await.unwrap_err();
        assert!(matches!(&error, GitError::ObjectFormat { format, .. } if format == "sha256"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_a_pack_on_its_way_is_seen() {
    type Damage = fn(Vec<u8>) -> Vec<u8>;
    let cut: Damage = |mut body| {
        body.truncate(body.len() / 2);
        body
    };
    let without_flush: Damage = |mut body| {
        body.truncate(body.len() - 4);
        body
    };
    let trailer: Damage = |mut body| {
        let last = body.len() - 5;
        body[last] ^= 1;
        body
    };
    let middle: Damage = |mut body| {
        let middle = body.len() / 2;
        body[middle] ^= 0x80;
        body
    };
    let more: Damage = |mut body| {
        body.extend_from_slice(b"0005\x01");
        body
    };
    for (damage, expected) in [
        (cut, "ends within the pack"),
        (without_flush, "ends within the pack"),
        (trailer, "does not have the checksum"),
        (middle, "does not have the checksum"),
        (more, "more after the end of the pack"),
    ] {
        let tamper = move |service: &str, request: &[u8], body: Bytes| {
            let fetches = service == "git-upload-pack" && request.starts_with(b"0012command=fetch");
            if fetches { Bytes::from(damage(body.to_vec())) } else { body }
        };
        let site =
            Site::new(GitServerOptions { tamper: Some(Arc::new(tamper)), ..GitServerOptions::default() })
                .await;
        site.create("r", 4, Shape { commits: 5, binary_bytes: 30_000, ..Shape::seeded(4) }).await;
        let mut session = site.session();
        let error = clone(&mut session, &repository("r")).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert_eq!(error.outcome(), Outcome::Protocol, "{error}");
        ls_remote(&mut session, &repository("r")).await.expect("the session outlives a broken clone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_git_server_keeps_its_words() {
    // The list names an object that the repository does not have, so that real upload-pack refuses the want.
    let tamper = |_: &str, request: &[u8], body: Bytes| {
        if !request.starts_with(b"0014command=ls-refs") {
            return body;
        }
        Bytes::from(format!("003d{} refs/heads/main\n0000", "1".repeat(40)))
    };
    let site =
        Site::new(GitServerOptions { tamper: Some(Arc::new(tamper)), ..GitServerOptions::default() }).await;
    site.create("r", 1, Shape::seeded(1)).await;
    let error = clone(&mut site.session(), &repository("r")).await.unwrap_err();
    assert!(matches!(&error, GitError::Remote { message, .. } if message.contains("not our ref")), "{error}");
    assert_eq!(error.outcome(), Outcome::Git);
}

#[tokio::test]
async fn statuses_are_typed() {
    for (status, outcome) in [
        (403, Outcome::Http4xx),
        (429, Outcome::Http429),
        (500, Outcome::Http5xx),
        (503, Outcome::Http5xx),
        (302, Outcome::Http3xx),
        (204, Outcome::Protocol),
    ] {
        let server =
            Loopback::serve(move |_| async move { answer(status, &[("location", "/login")], "") }).await;
        let error = clone(&mut session(&server.url()), &repository("r")).await.unwrap_err();
        assert_eq!(error.outcome(), outcome, "{error}");
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test]
async fn garbage_is_a_protocol_error() {
    const ADVERTISEMENT: &str = "application/x-git-upload-pack-advertisement";
    let mut noise = vec![0; 5000];
    noise
        .iter_mut()
        .zip((0..=255_u8).cycle())
        .for_each(|(byte, value)| *byte = value.wrapping_mul(151).wrapping_add(7));
    for (content_type, body) in [
        ("text/html", b"<!DOCTYPE html><title>Log in</title>".to_vec()),
        ("text/plain", b"85040fff6e688f9148600929555048056b27bb97\trefs/heads/main\n".to_vec()),
        (ADVERTISEMENT, b"<!DOCTYPE html>".to_vec()),
        (ADVERTISEMENT, b"001e# service=git-upload-pack\n0000".to_vec()),
        (ADVERTISEMENT, Vec::new()),
        (ADVERTISEMENT, noise),
    ] {
        let shown = String::from_utf8_lossy(&body).chars().take(40).collect::<String>();
        let server = Loopback::serve(move |_| {
            let body = body.clone();
            async move { answer(200, &[("content-type", content_type)], body) }
        })
        .await;
        let error = ls_remote(&mut session(&server.url()), &repository("r")).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Protocol, "{shown:?}: {error}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_within_the_pack_is_a_broken_connection() {
    for framing in ["content-length: 100000", "transfer-encoding: chunked"] {
        let server = Loopback::raw(move |mut stream, _| async move {
            while let Some(fetches) = next_request(&mut stream).await {
                if !fetches {
                    advertise(&mut stream).await;
                    continue;
                }
                let chunk = if framing.starts_with('c') { "0008NAK\n" } else { "8\r\n0008NAK\n\r\n" };
                let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {RESULT}\r\n{framing}\r\n\r\n{chunk}");
                let _ = stream.write_all(head.as_bytes()).await;
                return;
            }
        })
        .await;
        let error = clone(&mut session(&server.url()), &repository("r")).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Connection, "{framing}: {error}");
    }
}

#[tokio::test]
async fn endless_progress_is_bounded_by_the_callers_timeout() {
    let server = Loopback::raw(|mut stream, number| async move {
        while let Some(fetches) = next_request(&mut stream).await {
            if !fetches {
                advertise(&mut stream).await;
                continue;
            }
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-type: {RESULT}\r\ntransfer-encoding: chunked\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(b"8\r\n0008NAK\n\r\n").await;
            while number == 0 && stream.write_all(b"f\r\n000f\x02Counting\n\r\r\n").await.is_ok() {}
            return;
        }
    })
    .await;
    let mut session = session(&server.url());
    let before = Instant::now();
    timeout(Duration::from_millis(200), clone(&mut session, &repository("r"))).await.unwrap_err();
    assert!(before.elapsed() < Duration::from_secs(5));
    assert_eq!(ls_remote(&mut session, &repository("r")).await.unwrap().refs.len(), 1);
    assert_eq!(server.connections(), 2);
}

/// Reads a request with its body; whether it is a fetch, or none when the client is gone.
async fn next_request(stream: &mut TcpStream) -> Option<bool> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(head.starts_with("post"))
}

/// Answers with a repository of one branch, in version 0.
async fn advertise(stream: &mut TcpStream) {
    let line = format!("{} refs/heads/main\0side-band-64k ofs-delta\n", "1".repeat(40));
    let body = format!("001e# service=git-upload-pack\n0000{:04x}{line}0000", line.len() + 4);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-advertisement";
    let _ =
        stream.write_all(format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
}

const RESULT: &str = "application/x-git-upload-pack-result";
