//! The real git over TLS: whom it trusts, and what a server that is not trusted becomes.

use bytes::Bytes;
use e3_git::{ForkedGit, ForkedOptions, Remote, clone, ls_remote};
use e3_http::{BaseUrl, HttpSession, HttpWay, Request, Trust};
use e3_model::{HttpVersion, Outcome, Secret, with_causes};
use e3_testkit::{Authority, GitServerOptions, Secure, Shape, Speech, Validity, answer};

use crate::{
    nginx::{PASSWORD, USER},
    site::{Site, as_for_each_ref, as_ls_remote, repository},
};

/// Returns a server that speaks TLS and answers what another answers without.
async fn secured(plain: String, authority: &Authority, name: &str, validity: Validity) -> Secure {
    let config = authority.server(name, validity, &["h2", "http/1.1"]);
    Secure::serve(Speech::Tls(config), move |request| {
        let plain = plain.clone();
        async move { forward(&plain, request).await }
    })
    .await
}

async fn forward(plain: &str, request: http::Request<Bytes>) -> e3_testkit::Answer {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map(ToString::to_string).unwrap();
    let mut forwarded = Request::new(head.method, path).body(body);
    forwarded.headers.extend(head.headers.into_iter().filter_map(|(name, value)| Some((name?, value))));
    let mut session = HttpSession::new(BaseUrl::parse(plain).unwrap());
    let answered = session.send(forwarded).await.unwrap();
    let headers = answered.headers.iter().filter(|(name, _)| !FRAMING.contains(&name.as_str()));
    let headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    answer(answered.status, &headers, answered.body.clone())
}

/// What says how a body goes over one connection.
const FRAMING: [&str; 3] = ["content-length", "transfer-encoding", "connection"];

/// Returns the real git as a client of a secured server, whose certificate must lead to that authority.
fn forked(server: &Secure, trusted: Option<&Authority>, http: HttpVersion) -> ForkedGit {
    let base = BaseUrl::parse(&server.https("127.0.0.1")).unwrap();
    let options = ForkedOptions { ca: trusted.map(Authority::pem), http, ..ForkedOptions::default() };
    ForkedGit::http(&base, USER, &Secret::new(PASSWORD), &options).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_the_own_authority_serves_the_real_git_as_the_native_client() {
    let credentials = Some((USER.to_owned(), PASSWORD.to_owned()));
    let site = Site::http(GitServerOptions { credentials, ..GitServerOptions::default() }).await;
    site.create("r", 4, Shape { binary_bytes: 30_000, ..Shape::seeded(4) }).await;
    let authority = Authority::new();
    let server = secured(site.server.url(), &authority, "127.0.0.1", Validity::Current).await;
    let way = HttpWay { trust: Trust::pem(authority.pem()).unwrap(), ..HttpWay::default() };
    let options = e3_git::GitOptions { way, ..e3_git::GitOptions::default() };
    let base = BaseUrl::parse(&server.https("127.0.0.1")).unwrap();
    let native = Remote::http(base, USER, &Secret::new(PASSWORD)).with_options(&options);
    let listed = ls_remote(&native, &repository("r")).await.unwrap();
    let is_cloned = |name: &str| name.starts_with("refs/heads/") || name.starts_with("refs/tags/");
    let kept: Vec<_> = listed.refs.iter().filter(|found| is_cloned(&found.name)).cloned().collect();
    let cloned = clone(&native, &repository("r")).await.unwrap();
    for http in [HttpVersion::Http1, HttpVersion::Http2] {
        let git = forked(&server, Some(&authority), http);
        let refs = git.ls_remote(&repository("r")).await.unwrap();
        assert_eq!(as_ls_remote(&refs), as_ls_remote(&listed.refs), "{http:?}");
        let bare = git.clone_bare(&repository("r")).await.unwrap();
        assert_eq!(bare.objects, cloned.objects, "{http:?}");
        assert_eq!(as_for_each_ref(&bare.refs().unwrap()), as_for_each_ref(&kept), "{http:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_be_trusted_gets_no_request_and_no_password() {
    let (authority, another) = (Authority::new(), Authority::new());
    for (name, validity, trusted, why) in [
        ("127.0.0.1", Validity::Current, None, "the machine does not know its authority"),
        ("127.0.0.1", Validity::Current, Some(&another), "only another authority counts"),
        ("127.0.0.1", Validity::Expired, Some(&authority), "it has expired"),
        ("git.example.com", Validity::Current, Some(&authority), "it is another server's"),
    ] {
        let config = authority.server(name, validity, &["http/1.1"]);
        let server =
            Secure::serve(Speech::Tls(config), |_| async { answer(200, &[], "what nobody may read\n") })
                .await;
        let git = forked(&server, trusted, HttpVersion::Http1);
        for error in [
            git.ls_remote(&repository("r")).await.unwrap_err(),
            git.clone_bare(&repository("r")).await.err().unwrap(),
        ] {
            assert_eq!(error.outcome(), Outcome::Connection, "{why}: {}", with_causes(&error));
        }
        assert_eq!(server.requests(), 0, "{why}");
        assert!(server.loopback.connections() >= 2, "{why}: git has tried");
    }
}
