//! Fetches of what is new, judged by real git.

use e3_git::{Fetch, FetchPack, GitError, ObjectId, Updated, fetch};
use e3_testkit::{Git, GitServerOptions, Shape, SshdOptions};

use crate::{
    requests::hearing,
    site::{Server, Site, repository},
};

/// Commits on top of a branch, one a second, by `git fast-import`; the first on top of nothing for an empty base.
fn grow(git: &Git, branch: &str, base: &str, from: u32, count: u32) {
    let mut stream = String::new();
    for number in from..from + count {
        let text = format!("{branch} {number}\n");
        stream.push_str(&format!(
            "commit {branch}\ncommitter A <a@example.com> {} +0000\ndata {}\n{text}",
            1_700_000_000 + number,
            text.len()
        ));
        if number == from && !base.is_empty() {
            stream.push_str(&format!("from {base}\n"));
        }
        stream.push_str(&format!("M 644 inline file\ndata {}\n{text}\n", text.len()));
    }
    git.run_with_input(&["fast-import", "--quiet", "--force"], stream.as_bytes());
}

/// Returns the commits of a clone, newest first.
fn commits(git: &Git) -> Vec<ObjectId> {
    let listed = git.run(&["rev-list", "--date-order", "--all"]);
    listed.lines().map(|line| ObjectId::parse(line.as_bytes()).unwrap()).collect()
}

/// Returns an empty clone of the repository `r`, which fetches its branches.
fn client<S: Server>(site: &Site<S>, name: &str) -> Git {
    let path = site.directory.path().join(name);
    std::fs::create_dir_all(&path).unwrap();
    let git = Git::new(path);
    git.run(&["init", "-q", "--bare", "."]);
    git.run(&["config", "remote.origin.url", &site.url("r")]);
    git.run(&["config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"]);
    git
}

async fn fetches_with_git<S: Server>(site: &Site<S>, client: &Git, version: &str) {
    let directory = client.directory().to_string_lossy().into_owned();
    let version = format!("protocol.version={version}");
    site.git(&["-c", &version, "-c", "fetch.unpackLimit=1", "-C", &directory, "fetch", "-q", "origin"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http_the_negotiation_is_word_for_word_gits() {
    for (ignore_protocol, version) in [(false, "2"), (true, "0")] {
        let (site, heard) = hearing(ignore_protocol).await;
        let server = Git::new(site.create("r", 1, Shape { commits: 0, ..Shape::seeded(1) }).await);
        grow(&server, "refs/heads/main", "", 0, 3);
        let remote = site.remote();

        // Nothing is had: no round is lost on it.
        let client = client(&site, "client");
        fetches_with_git(&site, &client, version).await;
        let expected = heard.take();
        let first = fetch(&remote, &repository("r"), &Updated::All, &[]).await.unwrap();
        assert_eq!(heard.take(), expected, "{version}");
        assert_eq!((first.refs, first.rounds), (1, 1));
        assert_eq!(first.pack.map(|pack| pack.objects), Some(9));

        // One round finds what is common.
        let haves = commits(&client);
        grow(&server, "refs/heads/main", "refs/heads/main^0", 3, 2);
        server.run(&["tag", "-a", "-m", "a tag", "v1", "main"]);
        fetches_with_git(&site, &client, version).await;
        let expected = heard.take();
        let second = fetch(&remote, &repository("r"), &Updated::All, &haves).await.unwrap();
        assert_eq!(heard.take(), expected, "{version}");
        // Two commits with a tree and a file each, and the tag.
        assert_eq!((second.refs, second.pack.map(|pack| pack.objects)), (2, Some(7)), "{version}");

        // Nothing new, no pack.
        let mut haves = commits(&client);
        haves.push(ObjectId::parse(server.run(&["rev-parse", "v1"]).as_bytes()).unwrap());
        fetches_with_git(&site, &client, version).await;
        let expected = heard.take();
        let third = fetch(&remote, &repository("r"), &Updated::All, &haves).await.unwrap();
        assert_eq!(heard.take(), expected, "{version}");
        assert_eq!((third.refs, third.rounds, third.pack), (0, 0, None));

        // Many commits that the server does not know come before those that it knows.
        server.run(&["tag", "-d", "v1"]);
        grow(&client, "refs/heads/other", "refs/remotes/origin/main^0", 1_000, 40);
        grow(&server, "refs/heads/main", "refs/heads/main^0", 5, 1);
        let haves = commits(&client);
        fetches_with_git(&site, &client, version).await;
        let expected = heard.take();
        assert!(expected.len() > 3, "{expected:?}");
        let fourth = fetch(&remote, &repository("r"), &Updated::All, &haves).await.unwrap();
        assert_eq!(heard.take(), expected, "{version}");
        assert!(fourth.rounds > 1 && fourth.pack.is_some_and(|pack| pack.objects == 3), "{fourth:?}");
    }
}

async fn fetches_what_is_new<S: Server>(site: &Site<S>) {
    let server = Git::new(site.create("r", 1, Shape { commits: 0, ..Shape::seeded(1) }).await);
    grow(&server, "refs/heads/main", "", 0, 60);
    let (remote, path) = (site.remote(), repository("r"));
    let newest = commits(&server);
    let objects = |fetched: &Fetch| fetched.pack.map(|pack: FetchPack| pack.objects);
    // Of sixty commits, each with a tree and a file, the client has all but the newest two.
    let some = fetch(&remote, &path, &Updated::All, &newest[2..3]).await.unwrap();
    assert_eq!((some.refs, objects(&some)), (1, Some(6)), "{some:?}");
    assert!(some.pack.unwrap().is_verified && some.transfer.phases.negotiation_ns > 0);
    // Unknown objects in front cost rounds, not correctness.
    let unknown = (0..50).map(|number| ObjectId::parse(format!("{number:040x}").as_bytes()).unwrap());
    let haves: Vec<_> = unknown.clone().chain(newest[2..3].iter().copied()).collect();
    let late = fetch(&remote, &path, &Updated::All, &haves).await.unwrap();
    assert!(late.rounds > 1 && objects(&late) == Some(6), "{late:?}");
    let haves: Vec<_> = unknown.collect();
    let all = fetch(&remote, &path, &Updated::All, &haves).await.unwrap();
    assert_eq!(objects(&all), Some(180), "{all:?}");
    let none = fetch(&remote, &path, &Updated::All, &newest[..1]).await.unwrap();
    assert_eq!((none.refs, none.pack), (0, None));

    grow(&server, "refs/heads/topic", "refs/heads/main^0", 100, 1);
    let named = Updated::Branches(vec!["topic".to_owned()]);
    let topic = fetch(&remote, &path, &named, &newest[..1]).await.unwrap();
    assert_eq!((topic.refs, objects(&topic)), (1, Some(3)));
    let gone = Updated::Branches(vec!["main".to_owned(), "gone".to_owned()]);
    let error = fetch(&remote, &path, &gone, &[]).await.unwrap_err();
    assert!(matches!(&error, GitError::NoBranch { branch, .. } if branch == "gone"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_brings_exactly_what_is_new_over_http() {
    fetches_what_is_new(&Site::http(GitServerOptions::default()).await).await;
    let old = GitServerOptions { ignore_protocol: true, ..GitServerOptions::default() };
    fetches_what_is_new(&Site::http(old).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_brings_exactly_what_is_new_over_ssh() {
    fetches_what_is_new(&Site::ssh(SshdOptions::default()).await).await;
    let old = SshdOptions { ignore_protocol: true, ..SshdOptions::default() };
    fetches_what_is_new(&Site::ssh(old).await).await;
}
