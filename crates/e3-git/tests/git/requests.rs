//! What this client asks, word for word as real git does: the same server records both.

use std::{
    io::Read as _,
    num::NonZeroU32,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use e3_git::{Branches, CloneOptions, clone_with, count_refs, each_ref};
use e3_git_wire::{Packet, Packets};
use e3_testkit::{Git, GitServer, GitServerOptions, Shape, Sshd, SshdOptions};
use flate2::read::GzDecoder;

use crate::site::{Server, Site, repository};

/// The bodies of all requests since the last look.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<Vec<u8>>>>);

impl Heard {
    /// Returns them as lines, one text a request, and forgets them.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap()).iter().map(|body| lines(body)).collect()
    }
}

/// Returns a server over HTTP that hears what clients say.
pub(crate) async fn hearing(ignore_protocol: bool) -> (Site<GitServer>, Heard) {
    let heard = Heard::default();
    let hears = heard.clone();
    let tamper = move |_: &str, request: &[u8], body: Bytes| {
        hears.0.lock().unwrap().push(request.to_vec());
        body
    };
    let tamper: Option<Arc<e3_testkit::Tamper>> = Some(Arc::new(tamper));
    let options = GitServerOptions { ignore_protocol, tamper, ..GitServerOptions::default() };
    (Site::http(options).await, heard)
}

/// Returns a request's packets as lines; who asks is left out.
pub(crate) fn lines(body: &[u8]) -> String {
    let mut plain = Vec::new();
    // Long ones come compressed.
    let body = if body.starts_with(&[0x1f, 0x8b]) {
        GzDecoder::new(body).read_to_end(&mut plain).unwrap();
        &plain
    } else {
        body
    };
    let (mut packets, mut rest, mut text) = (Packets::default(), body, String::new());
    while let Some(packet) = packets.next(&mut rest).unwrap() {
        let line = match packet {
            Packet::Flush => "0000".to_owned(),
            Packet::Delimiter => "0001".to_owned(),
            Packet::ResponseEnd => "0002".to_owned(),
            Packet::Line(line) => String::from_utf8_lossy(line).into_owned(),
        };
        let words = line.split(' ').map(|word| if word.starts_with("agent=") { "agent" } else { word });
        text.push_str(&words.collect::<Vec<_>>().join(" "));
        text.push('\n');
    }
    assert!(packets.is_between_packets());
    text
}

fn shape() -> Shape {
    Shape { commits: 12, branches: 2, annotated_tags: 2, detached_head: false, ..Shape::seeded(5) }
}

/// Every way to clone, and what git calls it.
fn clones() -> Vec<(Vec<&'static str>, CloneOptions)> {
    let everything = CloneOptions::default();
    let (head, depth) = (Branches::Head, |depth| NonZeroU32::new(depth));
    let named = |name: &str| Branches::Named(name.to_owned());
    let clone =
        |branches, depth, is_blobless| CloneOptions { branches, depth, is_blobless, is_tagless: false };
    vec![
        (vec![], everything.clone()),
        (vec!["--depth=1"], clone(head.clone(), depth(1), false)),
        (
            vec!["--depth=1", "--no-tags"],
            CloneOptions { is_tagless: true, ..clone(head.clone(), depth(1), false) },
        ),
        (vec!["--depth=3", "--no-single-branch"], clone(Branches::All, depth(3), false)),
        (vec!["--filter=blob:none"], clone(Branches::All, None, true)),
        (vec!["--single-branch"], clone(head, None, false)),
        (vec!["--single-branch", "--branch=main"], clone(named("main"), None, false)),
        (
            vec!["--depth=2", "--branch=branch-1", "--filter=blob:none"],
            clone(named("branch-1"), depth(2), true),
        ),
    ]
}

async fn prepare<S: Server>(site: &Site<S>) -> Git {
    let git = Git::new(site.create("r", 5, shape()).await);
    git.run(&["config", "uploadpack.allowFilter", "true"]);
    git.run(&["update-ref", "refs/heads/branch-1", "main~2"]);
    git
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http_every_request_is_word_for_word_gits() {
    for (ignore_protocol, version) in [(false, "2"), (true, "0")] {
        let (site, heard) = hearing(ignore_protocol).await;
        prepare(&site).await;
        let (remote, path, url) = (site.remote(), repository("r"), site.url("r"));
        let version = format!("protocol.version={version}");
        site.git(&["-c", &version, "ls-remote", &url]).await;
        let expected = heard.take();
        assert!(!expected.is_empty());
        count_refs(&remote, &path).await.unwrap();
        assert_eq!(heard.take(), expected);

        let shown = site.git(&["-c", &version, "ls-remote", "--heads", &url]).await;
        let expected = heard.take();
        let mut listed = String::new();
        let counted = each_ref(&remote, &path, &["refs/heads/"], |found| {
            listed.push_str(&format!("{}\t{}\n", found.oid, String::from_utf8_lossy(found.name)));
        });
        assert_eq!(counted.await.unwrap().refs, shown.lines().count() as u64);
        assert_eq!((heard.take(), listed.trim_end()), (expected, shown.as_str()));

        for (number, (arguments, options)) in clones().into_iter().enumerate() {
            let target = format!("clone-{number}.git");
            let mut words = vec!["-c", &version, "clone", "-q", "--bare"];
            words.extend(&arguments);
            words.extend([url.as_str(), &target]);
            site.git(&words).await;
            let expected = heard.take();
            clone_with(&remote, &path, &options).await.unwrap();
            assert_eq!(heard.take(), expected, "{version} {arguments:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_clone_gets_as_many_objects_as_gits() {
    let site = Site::http(GitServerOptions::default()).await;
    prepare(&site).await;
    let all = clone_with(&site.remote(), &repository("r"), &CloneOptions::default()).await.unwrap();
    for (number, (arguments, options)) in clones().into_iter().enumerate() {
        let target = format!("clone-{number}.git");
        let mut words = vec!["clone", "-q", "--bare"];
        words.extend(&arguments);
        let url = site.url("r");
        words.extend([url.as_str(), &target]);
        site.git(&words).await;
        let count = Git::new(site.directory.path().join(&target)).run(&["count-objects", "-v"]);
        let cloned = clone_with(&site.remote(), &repository("r"), &options).await.unwrap();
        assert!(
            count.lines().any(|line| line == format!("in-pack: {}", cloned.objects)),
            "{arguments:?}: {count}"
        );
        assert!(number == 0 || cloned.objects < all.objects, "{arguments:?}: {cloned:?}");
    }
}

/// Returns a server over SSH that writes down what clients say to its services.
async fn recorded(ignore_protocol: bool) -> Site<Sshd> {
    let run = Some("tee -a \"$PWD/said\" | \"$@\"".to_owned());
    Site::ssh(SshdOptions { ignore_protocol, run, ..SshdOptions::default() }).await
}

fn said(site: &Site<Sshd>) -> String {
    let path = site.directory.path().join("said");
    let said = lines(&std::fs::read(&path).unwrap());
    std::fs::remove_file(path).unwrap();
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn over_ssh_every_request_is_word_for_word_gits() {
    for (ignore_protocol, version) in [(false, "2"), (true, "0")] {
        let site = recorded(ignore_protocol).await;
        prepare(&site).await;
        let (remote, path, url) = (site.remote(), repository("r"), site.url("r"));
        let version = format!("protocol.version={version}");
        site.git(&["-c", &version, "ls-remote", &url]).await;
        let expected = said(&site);
        count_refs(&remote, &path).await.unwrap();
        assert_eq!(said(&site), expected);
        for (number, (arguments, options)) in clones().into_iter().enumerate() {
            let target = format!("clone-{number}.git");
            let mut words = vec!["-c", &version, "clone", "-q", "--bare"];
            words.extend(&arguments);
            words.extend([url.as_str(), &target]);
            site.git(&words).await;
            let expected = said(&site);
            clone_with(&remote, &path, &options).await.unwrap();
            assert_eq!(said(&site), expected, "{version} {arguments:?}");
        }
    }
}
