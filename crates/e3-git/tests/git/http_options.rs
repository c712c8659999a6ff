//! How a remote may talk over HTTP: connections that are kept, HTTP/2, packs of which some are verified.

use std::sync::Arc;

use bytes::Bytes;
use e3_git::{GitError, GitOptions, NewCommit, Remote, clone, delete_branches, fetch_tip, ls_remote, push};
use e3_http::{BaseUrl, HttpWay};
use e3_model::{Connections, HttpVersion, Secret, Verify};
use e3_testkit::{GitServerOptions, Shape};

use crate::{
    nginx::{PASSWORD, USER},
    site::{Site, repository},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_connection_serves_one_operation_after_another() {
    let site = Site::http(GitServerOptions::default()).await;
    site.create("r", 1, Shape::seeded(1)).await;
    let keeping = GitOptions { connections: Connections::KeepAlive, ..GitOptions::default() };
    let remote = site.remote().with_options(&keeping);
    for _ in 0..3 {
        ls_remote(&remote, &repository("r")).await.unwrap();
        clone(&remote, &repository("r")).await.unwrap();
        fetch_tip(&remote.clone(), &repository("r"), "main").await.unwrap();
    }
    assert_eq!(site.server.connections(), 1);
    // Two at a time need two; one of them is kept.
    let path = repository("r");
    let (one, two) = tokio::join!(clone(&remote, &path), clone(&remote, &path));
    assert_eq!(one.unwrap().objects, two.unwrap().objects);
    ls_remote(&remote, &path).await.unwrap();
    assert_eq!(site.server.connections(), 2);
    // One that failed is not kept.
    let missing = ls_remote(&remote, &repository("missing")).await.unwrap_err();
    assert!(matches!(missing, GitError::NotFound { .. }), "{missing}");
    ls_remote(&remote, &path).await.unwrap();
    assert_eq!(site.server.connections(), 3);
}

/// Returns a server that damages the trailer of every pack.
async fn damaging() -> Site<e3_testkit::GitServer> {
    let tamper = |service: &str, request: &[u8], body: Bytes| {
        if service != "git-upload-pack" || !request.starts_with(b"0012command=fetch") {
            return body;
        }
        let mut body = body.to_vec();
        let last = body.len() - 5;
        body[last] ^= 1;
        Bytes::from(body)
    };
    let site =
        Site::http(GitServerOptions { tamper: Some(Arc::new(tamper)), ..GitServerOptions::default() }).await;
    site.create("r", 1, Shape::seeded(1)).await;
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sampled_packs_the_first_and_then_every_sixteenth_is_verified() {
    let site = damaging().await;
    let sampled = GitOptions { verify: Verify::Sampled, ..GitOptions::default() };
    let remote = site.remote().with_options(&sampled);
    for number in 0..34 {
        match clone(&remote.clone(), &repository("r")).await {
            Ok(cloned) => {
                assert_ne!(number % 16, 0);
                assert_eq!(cloned.is_verified, Some(false), "{number}");
                assert!(cloned.objects > 0 && cloned.pack_bytes > 32);
            }
            Err(error) => {
                assert_eq!(number % 16, 0, "{error}");
                assert!(matches!(error, GitError::Checksum { .. }), "{error}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_brings_the_same() {
    let site = Site::nginx().await;
    site.create("r", 6, Shape { binary_bytes: 60_000, ..Shape::seeded(6) }).await;
    let expected = clone(&site.remote(), &repository("r")).await.unwrap();
    let way = HttpWay { version: HttpVersion::Http2, ..HttpWay::default() };
    let base = BaseUrl::parse(&site.server.http2_url()).unwrap();
    for connections in [Connections::PerOp, Connections::KeepAlive] {
        let options = GitOptions { connections, way: way.clone(), ..GitOptions::default() };
        let remote = Remote::http(base.clone(), USER, &Secret::new(PASSWORD)).with_options(&options);
        for _ in 0..2 {
            let cloned = clone(&remote, &repository("r")).await.unwrap();
            assert_eq!((cloned.refs, cloned.objects), (expected.refs, expected.objects));
            assert_eq!(cloned.is_verified, Some(true));
        }
        let tip = fetch_tip(&remote, &repository("r"), "main").await.unwrap();
        let files = [("a".to_owned(), b"a\n".to_vec())];
        let commit = NewCommit {
            directory: "e3",
            files: &files,
            message: "m",
            author: "E3 <e3@example.com>",
            seconds: 1,
        };
        let pushed = push(&remote, &repository("r"), &tip, "new", &commit).await.unwrap();
        let found = fetch_tip(&remote, &repository("r"), "new").await.unwrap();
        assert_eq!(found.commit, pushed.commit);
        delete_branches(&remote, &repository("r"), &["new"]).await.unwrap();
    }
}
