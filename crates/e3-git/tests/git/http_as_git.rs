//! Redirects, credentials and compression, handled as git does.

use std::{
    io::Write as _,
    sync::{Arc, Mutex},
};

use e3_git::{Authentication, GitError, GitOptions, NewCommit, Remote, clone, fetch_tip, ls_remote, push};
use e3_http::BaseUrl;
use e3_model::{Outcome, Secret};
use e3_testkit::{Answer, Git, GitServerOptions, Loopback, Shape, answer};
use flate2::{Compression, write::GzEncoder};

use crate::site::{Site, anonymous, repository};

const ADVERTISEMENT: &str = "application/x-git-upload-pack-advertisement";

/// An advertisement of version 0 with one branch.
fn one_branch() -> Vec<u8> {
    let line = format!("{} refs/heads/main\0side-band-64k ofs-delta\n", "1".repeat(40));
    format!("001e# service=git-upload-pack\n0000{:04x}{line}0000", line.len() + 4).into_bytes()
}

/// Requests as `METHOD target`, with `+` where they brought credentials.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn note<T>(&self, request: &http::Request<T>) -> bool {
        let has_credentials = request.headers().contains_key("authorization");
        let mark = if has_credentials { " +" } else { "" };
        self.0.lock().unwrap().push(format!("{} {}{mark}", request.method(), request.uri()));
        has_credentials
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Returns a server that answers every request so, and what it saw.
async fn server(
    respond: impl Fn(&http::Request<bytes::Bytes>, bool) -> Answer + Send + Sync + 'static,
) -> (Loopback, Seen) {
    let seen = Seen::default();
    let sees = seen.clone();
    let respond = Arc::new(respond);
    let server = Loopback::serve(move |request| {
        let has_credentials = sees.note(&request);
        let respond = Arc::clone(&respond);
        async move { respond(&request, has_credentials) }
    })
    .await;
    (server, seen)
}

fn with_password(url: &str, authentication: Authentication) -> Remote {
    let remote = Remote::http(BaseUrl::parse(url).unwrap(), "ada", &Secret::new("right"));
    remote.with_options(&GitOptions { authentication, ..GitOptions::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_of_the_first_request_leads_the_whole_operation() {
    let site = Site::http(GitServerOptions::default()).await;
    site.create("r", 1, Shape::seeded(1)).await;
    let expected = clone(&site.remote(), &repository("r")).await.unwrap();
    let target = site.server.url();
    for status in [301, 302, 307, 308] {
        let target = target.clone();
        let (old, seen) = server(move |request, _| {
            let location = format!("{target}{}", request.uri());
            answer(status, &[("location", &location)], "gone")
        })
        .await;
        let requests = site.server.requests();
        let cloned =
            clone(&with_password(&old.url(), Authentication::Preemptive), &repository("r")).await.unwrap();
        assert_eq!((cloned.refs, cloned.objects), (expected.refs, expected.objects), "{status}");
        // One request to the old server, all of the operation to the new one.
        assert_eq!(seen.take(), ["GET /scm/P/r.git/info/refs?service=git-upload-pack +"]);
        assert_eq!(site.server.requests() - requests, 3);
    }
}

#[tokio::test]
async fn credentials_stay_at_home() {
    let (other, seen_there) =
        server(|_, _| answer(200, &[("content-type", ADVERTISEMENT)], one_branch())).await;
    let there = other.url();
    let (home, seen_at_home) = server(move |request, _| {
        let to = if request.uri().path().starts_with("/scm") { "/moved" } else { &there };
        let location = format!("{to}/P/r.git/info/refs?service=git-upload-pack");
        answer(302, &[("location", &location)], "")
    })
    .await;
    let remote = with_password(&home.url(), Authentication::Preemptive);
    assert_eq!(ls_remote(&remote, &repository("r")).await.unwrap().refs.len(), 1);
    assert_eq!(
        seen_at_home.take(),
        [
            "GET /scm/P/r.git/info/refs?service=git-upload-pack +",
            "GET /moved/P/r.git/info/refs?service=git-upload-pack +"
        ]
    );
    assert_eq!(seen_there.take(), ["GET /P/r.git/info/refs?service=git-upload-pack"]);
    // Nor does another server get them by asking.
    let (curious, seen) = server(|_, _| answer(401, &[("www-authenticate", "Basic realm=\"x\"")], "")).await;
    let there = curious.url();
    let (home, _) =
        server(move |request, _| answer(302, &[("location", &format!("{there}{}", request.uri()))], ""))
            .await;
    for authentication in [Authentication::Preemptive, Authentication::Challenge] {
        let error =
            ls_remote(&with_password(&home.url(), authentication), &repository("r")).await.unwrap_err();
        assert!(matches!(error, GitError::Unauthorized { .. }), "{error}");
        assert_eq!(seen.take(), ["GET /scm/P/r.git/info/refs?service=git-upload-pack"]);
    }
}

#[tokio::test]
async fn redirects_that_lead_nowhere_are_named() {
    for (location, expected, requests) in [
        ("/scm/P/r.git/info/refs?service=git-upload-pack", "more than 20", 21),
        ("/login", "does not end with", 1),
        ("ftp://127.0.0.1/info/refs?service=git-upload-pack", "scheme", 1),
        ("", "does not end with", 21),
    ] {
        let (looping, _) = server(move |_, _| answer(302, &[("location", location)], "")).await;
        let error = clone(&anonymous(&looping.url()), &repository("r")).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Http3xx, "{error}");
        assert!(error.to_string().contains(expected) || location.is_empty(), "{error}");
        assert_eq!(looping.requests(), requests, "{location}");
    }
    // A request to a service is not sent elsewhere.
    let (server, seen) = server(|request, _| match request.method().as_str() {
        "GET" => answer(200, &[("content-type", ADVERTISEMENT)], one_branch()),
        _ => answer(307, &[("location", "/elsewhere/git-upload-pack")], ""),
    })
    .await;
    let error = clone(&anonymous(&server.url()), &repository("r")).await.unwrap_err();
    assert!(matches!(error, GitError::Status { status: 307, .. }), "{error}");
    assert_eq!(seen.take().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenged_client_brings_credentials_when_asked() {
    let credentials = Some(("ada".to_owned(), "right".to_owned()));
    let site = Site::http(GitServerOptions { credentials, ..GitServerOptions::default() }).await;
    site.create("r", 1, Shape::seeded(1)).await;
    for (authentication, requests) in [(Authentication::Preemptive, 3), (Authentication::Challenge, 4)] {
        let before = (site.server.requests(), site.server.connections());
        clone(&with_password(&site.server.url(), authentication), &repository("r")).await.unwrap();
        let after = (site.server.requests() - before.0, site.server.connections() - before.1);
        assert_eq!(after, (requests, 1), "{authentication:?}: on one connection");
    }
    let wrong = Remote::http(BaseUrl::parse(&site.server.url()).unwrap(), "ada", &Secret::new("wrong"));
    for (authentication, requests) in [(Authentication::Preemptive, 1), (Authentication::Challenge, 2)] {
        let before = site.server.requests();
        let remote = wrong.clone().with_options(&GitOptions { authentication, ..GitOptions::default() });
        let error = clone(&remote, &repository("r")).await.unwrap_err();
        assert!(matches!(error, GitError::Unauthorized { .. }), "{error}");
        assert_eq!(site.server.requests() - before, requests, "{authentication:?}: not again and again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_push_may_be_what_is_challenged() {
    let site = Site::http(GitServerOptions::default()).await;
    let git = Git::new(site.create("r", 1, Shape::seeded(1)).await);
    let target = Arc::new(site.server.url());
    // Everybody may read; a push is refused until there are credentials, as Bitbucket does with public repositories.
    let front = Loopback::serve(move |request| {
        let target = Arc::clone(&target);
        async move {
            let pushes = request.uri().to_string().contains("receive-pack");
            if pushes && !request.headers().contains_key("authorization") {
                return answer(401, &[("www-authenticate", "Basic realm=\"x\"")], "who are you?");
            }
            let (status, content_type, body) = forward(&target, request).await;
            answer(status, &[("content-type", &content_type)], body)
        }
    })
    .await;
    let remote = with_password(&front.url(), Authentication::Challenge);
    let base = fetch_tip(&remote, &repository("r"), "main").await.unwrap();
    let files = [("a".to_owned(), b"a\n".to_vec())];
    let commit =
        NewCommit { directory: "e3", files: &files, message: "m", author: "E3 <e3@example.com>", seconds: 1 };
    let pushed = push(&remote, &repository("r"), &base, "new", &commit).await.unwrap();
    assert_eq!(git.run(&["rev-parse", "new"]), pushed.commit.to_string());
}

/// Passes a request on; returns the status, the content type and the body of the answer.
async fn forward(target: &str, request: http::Request<bytes::Bytes>) -> (u16, String, bytes::Bytes) {
    let mut session = e3_http::HttpSession::new(BaseUrl::parse(target).unwrap());
    let (head, body) = request.into_parts();
    let mut message = e3_http::Request::new(head.method, head.uri.to_string()).body(body);
    for name in ["content-type", "content-encoding", "git-protocol"] {
        if let Some(value) = head.headers.get(name) {
            message.headers.push((name.parse().unwrap(), value.clone()));
        }
    }
    let found = session.send(message).await.unwrap();
    let content_type = found.headers["content-type"].to_str().unwrap().to_owned();
    (found.status, content_type, found.body)
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_answers_are_inflated_as_they_come() {
    let site = Site::http(GitServerOptions::default()).await;
    site.create("r", 3, Shape { binary_bytes: 50_000, detached_head: false, ..Shape::seeded(3) }).await;
    let expected = clone(&site.remote(), &repository("r")).await.unwrap();
    let target = Arc::new(site.server.url());
    let front = Loopback::serve(move |request| {
        let target = Arc::clone(&target);
        async move {
            let accepted = request.headers()["accept-encoding"].to_str().unwrap().to_owned();
            assert_eq!(accepted, "deflate, gzip");
            let (_, content_type, body) = forward(&target, request).await;
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&body).unwrap();
            let headers = [("content-type", content_type.as_str()), ("content-encoding", "gzip")];
            answer(200, &headers, encoder.finish().unwrap())
        }
    })
    .await;
    let cloned = clone(&anonymous(&front.url()), &repository("r")).await.unwrap();
    assert_eq!(
        (cloned.refs, cloned.objects, cloned.pack_bytes),
        (expected.refs, expected.objects, expected.pack_bytes)
    );
    assert_eq!(cloned.is_verified, Some(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn long_requests_are_compressed_and_understood() {
    for ignore_protocol in [false, true] {
        let site = Site::http(GitServerOptions { ignore_protocol, ..GitServerOptions::default() }).await;
        let git = Git::new(site.create("r", 1, Shape::seeded(1)).await);
        let main = git.run(&["rev-parse", "main"]);
        let many: String =
            (0..1_000).map(|number| format!("create refs/heads/many/{number} {main}\n")).collect();
        git.run_with_input(&["update-ref", "--stdin"], many.as_bytes());
        let cloned = clone(&site.remote(), &repository("r")).await.unwrap();
        assert!(cloned.refs > 1_000);
        // A want takes 50 bytes plain; the same id again and again takes next to none.
        assert!(cloned.transfer.bytes_out < 10_000, "{}", cloned.transfer.bytes_out);
    }
}

#[tokio::test]
async fn a_server_with_too_much_to_do_says_when_to_come_again() {
    for (headers, expected) in
        [(&[("retry-after", "17")][..], "Retry-After: 17"), (&[], "Retry-After: not said")]
    {
        let (server, seen) = server(move |_, _| answer(429, headers, "slow down")).await;
        let error = clone(&anonymous(&server.url()), &repository("r")).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Http429);
        assert!(error.to_string().contains(expected), "{error}");
        // git 2.47 does not try again by itself.
        assert_eq!(seen.take().len(), 1);
    }
}
