//! Real git against the server.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::Request;

use crate::harness::{Place, Server, authorization, basic};

async fn server_with(place: &Place, slug: &str) -> Server {
    let server = Server::start(&place.home(), "1").await;
    server.create_project("PROJ").await;
    server.create_repository("PROJ", slug).await;
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clones_fetches_and_pushes_in_every_protocol_version() {
    let place = Place::new();
    let server = server_with(&place, "repo").await;
    place.history("work", 6).await;
    let url = server.clone_url("PROJ", "repo");
    let (pushed, _, stderr) = place.try_git(&["-C", "work", "push", "--quiet", &url, "main"], &[]).await;
    assert!(pushed, "{stderr}");
    for (version, spoken) in [("0", None), ("1", Some("version 1")), ("2", Some("version 2"))] {
        let protocol = format!("protocol.version={version}");
        let clone = format!("clone-{version}");
        let trace = [("GIT_TRACE_PACKET", "1")];
        let (cloned, _, stderr) = place.try_git(&["-c", &protocol, "clone", &url, &clone], &trace).await;
        assert!(cloned, "{stderr}");
        let heard = stderr.lines().any(|line| spoken.is_some_and(|spoken| line.ends_with(spoken)));
        assert_eq!(heard, spoken.is_some(), "protocol {version}: {stderr}");
        assert_eq!(place.git(&["-C", &clone, "branch", "--show-current"]).await, "main");
        let head = place.git(&["-C", "work", "rev-parse", "main"]).await;
        assert_eq!(place.git(&["-C", &clone, "rev-parse", "HEAD"]).await, head);

        std::fs::write(place.path("work").join(format!("new-{version}")), version).unwrap();
        place.git(&["-C", "work", "add", "."]).await;
        place.git(&["-C", "work", "commit", "--quiet", "-m", "more"]).await;
        place.git(&["-C", "work", "-c", &protocol, "push", "--quiet", &url, "main"]).await;
        place.git(&["-C", &clone, "-c", &protocol, "pull", "--quiet", "--ff-only"]).await;
        assert!(place.path(&clone).join(format!("new-{version}")).exists());
        let listed = place.git(&["-c", &protocol, "ls-remote", &url]).await;
        let head = place.git(&["-C", "work", "rev-parse", "main"]).await;
        assert_eq!(listed, format!("{head}\tHEAD\n{head}\trefs/heads/main"));
    }
    let stored = place.home().join("repositories/1.git");
    place.git(&["-C", stored.to_str().unwrap(), "fsck", "--strict"]).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clones_shallowly_and_partially() {
    let place = Place::new();
    let server = server_with(&place, "repo").await;
    place.history("work", 5).await;
    let url = server.clone_url("proj", "repo");
    place.git(&["-C", "work", "push", "--quiet", &url, "main"]).await;
    for version in ["0", "2"] {
        let protocol = format!("protocol.version={version}");
        let shallow = format!("shallow-{version}");
        place.git(&["-c", &protocol, "clone", "--quiet", "--depth=1", &url, &shallow]).await;
        assert_eq!(place.git(&["-C", &shallow, "rev-list", "--count", "HEAD"]).await, "1");
        place.git(&["-C", &shallow, "-c", &protocol, "fetch", "--quiet", "--unshallow"]).await;
        assert_eq!(place.git(&["-C", &shallow, "rev-list", "--count", "HEAD"]).await, "5");

        let partial = format!("partial-{version}");
        let filter =
            ["-c", &protocol, "clone", "--quiet", "--no-checkout", "--filter=blob:none", &url, &partial];
        place.git(&filter).await;
        let missing = ["-C", &partial, "rev-list", "--objects", "--all", "--missing=print"];
        let count = place.git(&missing).await.lines().filter(|line| line.starts_with('?')).count();
        assert!(count >= 5, "the blobs were left out, {count} are missing");
        // The checkout asks for single objects that no ref names.
        place.git(&["-C", &partial, "-c", &protocol, "checkout", "--quiet", "main"]).await;
        assert!(place.path(&partial).join("file-4.txt").exists());
    }
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn takes_large_pushes_in_chunks_and_compressed_requests() {
    let place = Place::new();
    let server = server_with(&place, "repo").await;
    place.git(&["init", "--quiet", "--initial-branch=main", "work"]).await;
    let mut noise = vec![0_u8; 3 << 20];
    rand::Rng::fill_bytes(&mut rand::rng(), &mut noise);
    std::fs::write(place.path("work").join("noise"), noise).unwrap();
    place.git(&["-C", "work", "add", "."]).await;
    place.git(&["-C", "work", "commit", "--quiet", "-m", "noise"]).await;
    let url = server.clone_url("PROJ", "repo");
    let push = ["-C", "work", "-c", "http.postBuffer=65536", "push", &url, "main"];
    let (pushed, _, stderr) = place.try_git(&push, &[("GIT_CURL_VERBOSE", "1")]).await;
    assert!(pushed, "{stderr}");
    assert!(stderr.to_lowercase().contains("transfer-encoding: chunked"), "the push came in chunks");
    place.git(&["clone", "--quiet", &url, "clone"]).await;
    place.git(&["-C", "clone", "fsck", "--strict"]).await;

    let request = b"0014command=ls-refs\n0001000csymrefs\n0000";
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(request).unwrap();
    let post = || {
        Request::post(server.url("/scm/PROJ/repo.git/git-upload-pack"))
            .header("authorization", basic())
            .header("content-type", "application/x-git-upload-pack-request")
            .header("git-protocol", "version=2")
    };
    let plain = server.send(post(), &request[..]).await;
    assert_eq!(plain.status, 200);
    assert!(plain.text().contains("symref-target:refs/heads/main"), "{}", plain.text());
    assert_eq!(plain.header("content-type"), "application/x-git-upload-pack-result");
    let zipped = server.send(post().header("content-encoding", "gzip"), encoder.finish().unwrap()).await;
    assert_eq!((zipped.status, zipped.body), (plain.status, plain.body));
    let broken = server.send(post().header("content-encoding", "gzip"), &b"not gzip"[..]).await;
    assert_eq!(broken.status, 400);
    assert_eq!(server.send(post().header("content-encoding", "br"), &b"x"[..]).await.status, 415);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tells_git_what_is_wrong() {
    let place = Place::new();
    let server = server_with(&place, "repo").await;
    let wrong = format!("http://admin:wrong@{}/scm/PROJ/repo.git", server.host());
    let (success, _, stderr) = place.try_git(&["ls-remote", &wrong], &[]).await;
    assert!(!success && stderr.contains("Authentication failed"), "{stderr}");
    let (success, _, stderr) = place.try_git(&["ls-remote", &server.clone_url("PROJ", "none")], &[]).await;
    assert!(!success && stderr.contains("Repository not found"), "{stderr}");
    let (success, _, stderr) =
        place.try_git(&["clone", &server.clone_url("PROJ", "repo"), "empty"], &[]).await;
    assert!(success && stderr.contains("cloned an empty repository"), "{stderr}");

    let path = "/scm/PROJ/repo.git/info/refs?service=git-upload-pack";
    let answer = server.fetch_anonymous(path).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("www-authenticate"), "Basic realm=\"Atlassian Bitbucket\"");
    let unknown = server.fetch_anonymous("/scm/PROJ/none.git/info/refs?service=git-upload-pack").await;
    assert_eq!(unknown.status, 401, "who is not known learns nothing about names");
    let request = Request::get(server.url(path)).header("authorization", authorization("nobody", "x"));
    assert_eq!(server.send(request, "").await.status, 401);
    assert_eq!(server.get("/scm/PROJ/none.git/info/refs?service=git-upload-pack").await.status, 404);
    assert_eq!(
        server.get("/scm/PROJ/repo.git/info/refs").await.status,
        400,
        "the dumb protocol is not served"
    );
    assert_eq!(server.get("/scm/PROJ/repo.git/HEAD").await.status, 404);
    assert_eq!(server.get("/scm/PROJ/repo.git/git-upload-pack").await.status, 405);
    let request =
        Request::post(server.url("/scm/PROJ/repo.git/git-upload-pack")).header("authorization", basic());
    assert_eq!(server.send(request, "0000").await.status, 415);
    let request = Request::get(server.url(path)).header("authorization", basic());
    assert_eq!(server.send(request.header("git-protocol", "a b;c"), "").await.status, 400);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_push_decides_the_default_branch() {
    let place = Place::new();
    let server = server_with(&place, "repo").await;
    place.history("work", 1).await;
    let url = server.clone_url("PROJ", "repo");
    place.git(&["-C", "work", "push", "--quiet", &url, "main:feature/first"]).await;
    let branch = server.get("/rest/api/latest/projects/PROJ/repos/repo/default-branch").await;
    assert_eq!(branch.json()["id"], "refs/heads/feature/first");
    place.git(&["-C", "work", "push", "--quiet", &url, "main"]).await;
    let branch = server.get("/rest/api/latest/projects/PROJ/repos/repo/default-branch").await;
    assert_eq!(branch.json()["id"], "refs/heads/feature/first", "it stays as long as it exists");
    place.git(&["-C", "work", "push", "--quiet", "--mirror", &url]).await;
    let branch = server.get("/rest/api/latest/projects/PROJ/repos/repo/default-branch").await;
    assert_eq!(branch.json()["id"], "refs/heads/main", "the mirror push removed it");
    server.stop().await.unwrap();
}
