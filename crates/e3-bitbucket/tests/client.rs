//! The client against a loopback server that answers as Bitbucket does.

#![expect(clippy::unwrap_used, reason = "a step that fails here fails its test")]

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use e3_bitbucket::{
    Bitbucket, BitbucketError, Creation, NewPullRequest, ProjectPermission, PullRequestFilter,
};
use e3_http::{BaseUrl, HttpError, HttpWay, Trust};
use e3_model::Secret;
use e3_testkit::{Authority, Secure, Speech, Validity};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// One answer: request line without version, status, body.
type Answer = (&'static str, u16, &'static str);

/// A request as the server saw it.
#[derive(Debug, Clone)]
struct Seen {
    line: String,
    authorization: String,
    body: String,
}

struct Canned {
    base: BaseUrl,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// Ends the server when dropped.
    _task: tokio::task::JoinSet<()>,
}

impl Canned {
    /// Serves the answers below the context path `/bitbucket`; a request that none is for gets status 599.
    async fn serve(answers: &'static [Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = BaseUrl::parse(&format!("http://{}/bitbucket", listener.local_addr().unwrap())).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let mut task = tokio::task::JoinSet::new();
        task.spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let log = log.clone();
                connections.spawn(async move {
                    let service = service_fn(move |request| answer(request, answers, log.clone()));
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { base, seen, _task: task }
    }

    fn client(&self) -> Bitbucket {
        Bitbucket::new(self.base.clone(), "admin", &Secret::new("pass"))
    }

    fn lines(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|seen| seen.line.clone()).collect()
    }
}

async fn answer(
    request: Request<Incoming>,
    answers: &'static [Answer],
    log: Arc<Mutex<Vec<Seen>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let line = format!("{} {}", request.method(), request.uri());
    let authorization =
        request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let body = request.into_body().collect().await.unwrap().to_bytes();
    log.lock().unwrap().push(Seen {
        line: line.clone(),
        authorization: authorization.unwrap_or_default(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    let line = line.replacen("/bitbucket/", "/", 1);
    let (status, body) = answers
        .iter()
        .find(|(wanted, ..)| *wanted == line)
        .map_or((599, ""), |(_, status, body)| (*status, *body));
    Ok(Response::builder().status(status).body(Full::from(body)).unwrap())
}

#[tokio::test]
async fn follows_the_pages_that_the_server_names() {
    let server = Canned::serve(&[
        (
            "GET /rest/api/latest/projects?start=0&limit=1000",
            200,
            r#"{"size":1,"limit":1,"isLastPage":false,"start":0,"nextPageStart":2,
                "values":[{"key":"ALPHA","id":1,"name":"Alpha","public":false,"type":"NORMAL","links":{}}]}"#,
        ),
        (
            "GET /rest/api/latest/projects?start=2&limit=1000",
            200,
            r#"{"size":1,"limit":1,"isLastPage":true,"start":8,"nextPageStart":null,
                "values":[{"key":"~ada","id":9,"name":"Ada","type":"PERSONAL"}]}"#,
        ),
    ])
    .await;
    let projects = server.client().projects().await.unwrap();
    let keys: Vec<_> = projects.iter().map(|project| project.key.as_str()).collect();
    assert_eq!(keys, ["ALPHA", "~ada"]);
    assert_eq!(
        server.lines(),
        [
            "GET /bitbucket/rest/api/latest/projects?start=0&limit=1000",
            "GET /bitbucket/rest/api/latest/projects?start=2&limit=1000",
        ],
        "below the context path, and not at start + size"
    );
    // Basic authentication of admin:pass.
    assert_eq!(server.seen.lock().unwrap()[0].authorization, "Basic YWRtaW46cGFzcw==");
}

#[tokio::test]
async fn refuses_pages_that_never_end() {
    let server = Canned::serve(&[(
        "GET /rest/api/latest/users?start=0&limit=1000",
        200,
        r#"{"isLastPage":false,"start":0,"nextPageStart":0,"values":[{"name":"ada","displayName":"Ada"}]}"#,
    )])
    .await;
    let error = server.client().users().await.unwrap_err();
    assert!(matches!(error, BitbucketError::Pages { next: Some(0), .. }), "{error}");
}

#[tokio::test]
async fn reads_branches_whole() {
    let server = Canned::serve(&[(
        "GET /rest/api/latest/projects/A/repos/b/branches?start=0&limit=1000",
        200,
        r#"{"isLastPage":true,"values":[{"id":"refs/heads/main","displayId":"main","type":"BRANCH",
            "latestCommit":"0123","latestChangeset":"0123","isDefault":true}]}"#,
    )])
    .await;
    let branches = server.client().branches("A", "b").await.unwrap();
    assert_eq!(branches[0].id, "refs/heads/main");
    assert_eq!(branches[0].latest_commit, "0123");
    assert!(branches[0].is_default);
}

#[tokio::test]
async fn creating_twice_is_fine() {
    let server = Canned::serve(&[
        ("POST /rest/api/latest/projects", 201, r#"{"key":"A"}"#),
        (
            "POST /rest/api/latest/projects/A/repos",
            409,
            r#"{"errors":[{"context":"name","message":"This repository URL is already taken.","exceptionName":null}]}"#,
        ),
        ("GET /rest/api/latest/projects/A/repos/b", 200, r#"{"slug":"b"}"#),
        (
            "POST /rest/api/latest/admin/users?name=ada&password=p%26q+r&displayName=Ada+L&emailAddress=a%40x.invalid&addToDefaultGroup=true",
            409,
            r#"{"errors":[{"context":"name","message":"x","exceptionName":"com.atlassian.bitbucket.user.UserAlreadyExistsException"}]}"#,
        ),
    ])
    .await;
    let mut client = server.client();
    assert_eq!(client.create_project("A", "Alpha", "d").await.unwrap(), Creation::Created);
    assert_eq!(client.create_repository("A", "b").await.unwrap(), Creation::Existing);
    let password = Secret::new("p&q r");
    assert_eq!(
        client.create_user("ada", &password, "Ada L", "a@x.invalid").await.unwrap(),
        Creation::Existing
    );
    let seen = server.seen.lock().unwrap().clone();
    let sent: serde_json::Value = serde_json::from_str(&seen[0].body).unwrap();
    assert_eq!(sent, serde_json::json!({"key": "A", "name": "Alpha", "description": "d"}));
    let sent: serde_json::Value = serde_json::from_str(&seen[1].body).unwrap();
    assert_eq!(sent["name"], "b");
    assert_eq!(sent["scmId"], "git");
}

#[tokio::test]
async fn a_taken_name_under_another_key_is_an_error() {
    let server = Canned::serve(&[
        (
            "POST /rest/api/latest/projects",
            409,
            r#"{"errors":[{"context":"name","message":"This project name is already in use.","exceptionName":null}]}"#,
        ),
        ("GET /rest/api/latest/projects/A", 404, r#"{"errors":[{"message":"Project A does not exist."}]}"#),
    ])
    .await;
    let error = server.client().create_project("A", "Alpha", "").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "POST /rest/api/latest/projects was answered 409: This project name is already in use."
    );
}

#[tokio::test]
async fn errors_name_the_request_and_the_answer() {
    let server = Canned::serve(&[
        (
            "GET /rest/api/latest/users?start=0&limit=1000",
            401,
            r#"{"errors":[{"context":null,"message":"Authentication failed. Please check your credentials and try again.",
                "exceptionName":"com.atlassian.bitbucket.auth.IncorrectPasswordAuthenticationException"}]}"#,
        ),
        ("GET /rest/api/latest/projects?start=0&limit=1000", 500, "<html><h1>Oops</h1></html>"),
        ("GET /rest/api/latest/projects/A/repos?start=0&limit=1000", 200, "<html>login</html>"),
    ])
    .await;
    let mut client = server.client();
    let error = client.users().await.unwrap_err();
    assert_eq!(error.status(), Some(401));
    assert_eq!(
        error.to_string(),
        "GET /rest/api/latest/users was answered 401: Authentication failed. Please check your credentials and \
         try again. (IncorrectPasswordAuthenticationException)"
    );
    let error = client.projects().await.unwrap_err();
    assert_eq!(error.to_string(), "GET /rest/api/latest/projects was answered 500");
    let error = client.repositories("A").await.unwrap_err();
    assert!(matches!(error, BitbucketError::Unreadable { .. }), "{error}");
}

#[tokio::test]
async fn no_error_shows_the_password_of_a_new_user() {
    // Nothing is canned: the server answers 599.
    let server = Canned::serve(&[]).await;
    let password = Secret::new("hunter2");
    let refused = server.client().create_user("ada", &password, "Ada", "a@x.invalid").await.unwrap_err();
    assert!(!format!("{refused} {refused:?}").contains("hunter2"), "{refused:?}");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = BaseUrl::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let mut nobody = Bitbucket::new(base, "admin", &Secret::new("pass"));
    let unanswered = nobody.create_user("ada", &password, "Ada", "a@x.invalid").await.unwrap_err();
    assert!(matches!(unanswered, BitbucketError::Unanswered { .. }), "{unanswered}");
    assert!(!format!("{unanswered} {unanswered:?}").contains("hunter2"), "{unanswered:?}");
}

#[tokio::test]
async fn a_starting_server_has_a_state_too() {
    let server = Canned::serve(&[("GET /status", 503, r#"{"state":"STARTING"}"#)]).await;
    assert_eq!(server.client().status().await.unwrap(), "STARTING");
    let server = Canned::serve(&[("GET /status", 502, "<html>Bad gateway</html>")]).await;
    assert_eq!(server.client().status().await.unwrap_err().status(), Some(502));
}

#[tokio::test]
async fn a_key_is_existing_only_for_its_user() {
    let server = Canned::serve(&[
        ("POST /rest/ssh/1.0/keys?user=ada", 201, r#"{"id":1,"text":"ssh-ed25519 AAAA"}"#),
        ("POST /rest/ssh/1.0/keys?user=eve", 409, r#"{"errors":[{"message":"The key is known."}]}"#),
        (
            "GET /rest/ssh/1.0/keys?user=eve&start=0&limit=1000",
            200,
            r#"{"isLastPage":true,"values":[{"id":2,"text":"ssh-ed25519 BBBB eve@home","label":"eve@home"}]}"#,
        ),
    ])
    .await;
    let mut client = server.client();
    assert_eq!(client.add_ssh_key("ada", "ssh-ed25519 AAAA").await.unwrap(), Creation::Created);
    let sent: serde_json::Value = serde_json::from_str(&server.seen.lock().unwrap()[0].body).unwrap();
    assert_eq!(sent, serde_json::json!({"text": "ssh-ed25519 AAAA"}));
    let known = client.add_ssh_key("eve", "ssh-ed25519 BBBB").await.unwrap();
    assert_eq!(known, Creation::Existing, "the comment does not make it another key");
    let stolen = client.add_ssh_key("eve", "ssh-ed25519 AAAA").await.unwrap_err();
    assert_eq!(stolen.to_string(), "POST /rest/ssh/1.0/keys was answered 409: The key is known.");
}

/// Shortened from recordings of Bitbucket 7.11, with the duplicate's exception.
const DUPLICATE: &str = r#"{"errors":[{"context":null,"message":"Only one pull request may be open for a given source and target branch",
    "exceptionName":"com.atlassian.bitbucket.pull.DuplicatePullRequestException","existingPullRequest":{"id":132,"version":3,
    "title":"This is a test PR","state":"OPEN","open":true,"closed":false,
    "fromRef":{"id":"refs/heads/x","displayId":"x","latestCommit":"b939ea0debe88e145c5409230b29e7dbbedcb9da"},
    "toRef":{"id":"refs/heads/main","displayId":"main","latestCommit":"db0a6e3b7bcd9963cfaa69bd3f87e04a803900ac"},
    "author":{"user":{"name":"erik","displayName":"Erik"},"role":"AUTHOR","approved":false},"reviewers":[]}}]}"#;

#[tokio::test]
async fn creating_an_open_pull_request_again_finds_it() {
    let server = Canned::serve(&[
        ("POST /rest/api/latest/projects/A/repos/b/pull-requests", 409, DUPLICATE),
        (
            "POST /rest/api/latest/projects/A/repos/c/pull-requests",
            409,
            r#"{"errors":[{"message":"Branch \"main\" is already up-to-date with branch \"x\".",
                "exceptionName":"com.atlassian.bitbucket.pull.EmptyPullRequestException"}]}"#,
        ),
    ])
    .await;
    let mut client = server.client();
    let new = NewPullRequest {
        title: "T",
        description: "",
        from: "refs/heads/x",
        to: "refs/heads/main",
        reviewers: &["ada"],
    };
    let (found, creation) = client.create_pull_request("A", "b", &new).await.unwrap();
    assert_eq!((found.id, found.version, creation), (132, 3, Creation::Existing));
    assert_eq!(found.author.unwrap().user.name, "erik");
    let sent: serde_json::Value = serde_json::from_str(&server.seen.lock().unwrap()[0].body).unwrap();
    let repository = serde_json::json!({"slug": "b", "project": {"key": "A"}});
    assert_eq!(sent["fromRef"], serde_json::json!({"id": "refs/heads/x", "repository": repository}));
    assert_eq!(sent["reviewers"], serde_json::json!([{"user": {"name": "ada"}}]));
    let empty = client.create_pull_request("A", "c", &new).await.unwrap_err();
    assert!(empty.to_string().contains("already up-to-date"), "{empty}");
}

#[tokio::test]
async fn a_pull_request_lives_through_its_calls() {
    const ONE: &str = r#"{"id":146,"version":2,"title":"T","state":"MERGED","fromRef":{"id":"refs/heads/x"},
        "toRef":{"id":"refs/heads/main"},"properties":{"mergeCommit":{"displayId":"fadf","id":"fadfd840"}}}"#;
    const PAGE: &str = r#"{"isLastPage":true,"values":[{"id":146,"version":0,"title":"T","state":"OPEN",
        "fromRef":{"id":"refs/heads/x"},"toRef":{"id":"refs/heads/main"},"properties":{"openTaskCount":0}}]}"#;
    let server = Canned::serve(&[
        ("GET /rest/api/latest/projects/A/repos/b/pull-requests?state=ALL&start=0&limit=1000", 200, PAGE),
        (
            "POST /rest/api/latest/projects/A/repos/b/pull-requests/146/comments",
            201,
            r#"{"properties":{"repositoryId":10070},"id":2790,"version":0,"text":"hm","author":{"name":"erik"}}"#,
        ),
        (
            "GET /rest/api/latest/projects/A/repos/b/pull-requests/146/activities?start=0&limit=1000",
            200,
            r#"{"isLastPage":true,"values":[
                {"action":"COMMENTED","user":{"name":"erik"},"commentAction":"ADDED","comment":{"id":2790,"text":"hm"}},
                {"action":"OPENED","user":{"name":"erik"}}]}"#,
        ),
        (
            "POST /rest/api/latest/projects/A/repos/b/pull-requests/146/approve",
            200,
            r#"{"user":{"name":"a"},"approved":true}"#,
        ),
        ("POST /rest/api/latest/projects/A/repos/b/pull-requests/146/merge?version=0", 200, ONE),
        (
            "POST /rest/api/latest/projects/A/repos/b/pull-requests/146/decline?version=2",
            409,
            r#"{"errors":[{"message":"This pull request has already been merged.",
                "exceptionName":"com.atlassian.bitbucket.pull.IllegalPullRequestFilterException"}]}"#,
        ),
        ("GET /rest/api/latest/projects/A/repos/b/pull-requests/146", 200, ONE),
    ])
    .await;
    let mut client = server.client();
    let listed = client.pull_requests("A", "b", PullRequestFilter::All).await.unwrap();
    assert_eq!((listed[0].id, listed[0].state.as_str(), listed[0].merge_commit()), (146, "OPEN", None));
    assert_eq!(client.comment("A", "b", 146, "hm").await.unwrap().id, 2790);
    let texts: Vec<_> = (client.activities("A", "b", 146).await.unwrap().into_iter())
        .filter_map(|activity| Some(activity.comment?.text))
        .collect();
    assert_eq!(texts, ["hm"]);
    client.approve("A", "b", 146).await.unwrap();
    let merged = client.merge("A", "b", 146, 0).await.unwrap();
    assert_eq!((merged.state.as_str(), merged.merge_commit()), ("MERGED", Some("fadfd840")));
    let late = client.decline("A", "b", 146, 2).await.unwrap_err();
    assert_eq!(late.status(), Some(409));
    assert_eq!(client.pull_request("A", "b", 146).await.unwrap(), merged);
}

#[tokio::test]
async fn asks_for_tags_permissions_and_ancestors() {
    let server = Canned::serve(&[
        ("POST /rest/api/latest/projects/A/permissions/PROJECT_WRITE/all?allow=true", 204, ""),
        ("POST /rest/api/latest/projects/A/repos/b/tags", 200, r#"{"id":"refs/tags/v1"}"#),
        (
            "GET /rest/api/latest/projects/A/repos/b/tags?start=0&limit=1000",
            200,
            r#"{"isLastPage":true,"values":[{"id":"refs/tags/v1","type":"TAG","latestCommit":"01","hash":"02"},
                {"id":"refs/tags/light","type":"TAG","latestCommit":"01","hash":null}]}"#,
        ),
        (
            "GET /rest/api/latest/projects/A/repos/b/compare/commits?from=01&to=refs%2Fheads%2Fmain&limit=1",
            200,
            r#"{"isLastPage":true,"values":[]}"#,
        ),
        (
            "GET /rest/api/latest/projects/A/repos/b/compare/commits?from=03&to=refs%2Fheads%2Fmain&limit=1",
            200,
            r#"{"isLastPage":false,"nextPageStart":1,"values":[{"id":"03"}]}"#,
        ),
    ])
    .await;
    let mut client = server.client();
    client.permit_everyone("A", ProjectPermission::Write).await.unwrap();
    client.create_tag("A", "b", "v1", "01", Some("Release")).await.unwrap();
    let sent: serde_json::Value = serde_json::from_str(&server.seen.lock().unwrap()[1].body).unwrap();
    assert_eq!(sent, serde_json::json!({"name": "v1", "startPoint": "01", "message": "Release"}));
    let tags = client.tags("A", "b").await.unwrap();
    assert_eq!((tags[0].hash.as_deref(), tags[1].hash.as_deref()), (Some("02"), None));
    assert!(client.contains("A", "b", "refs/heads/main", "01").await.unwrap());
    assert!(!client.contains("A", "b", "refs/heads/main", "03").await.unwrap());
}

#[tokio::test]
async fn an_encrypted_server_is_trusted_by_its_authority_alone() {
    let authority = Authority::new();
    let config = authority.server("127.0.0.1", Validity::Current, &["http/1.1"]);
    let server = Secure::serve(Speech::Tls(config), |_| async {
        e3_testkit::answer(200, &[], r#"{"state":"RUNNING"}"#)
    })
    .await;
    let base = BaseUrl::parse(&server.https("127.0.0.1")).unwrap();
    let client = || Bitbucket::new(base.clone(), "admin", &Secret::new("pass"));
    let way = HttpWay { trust: Trust::pem(authority.pem()).unwrap(), ..HttpWay::default() };
    assert_eq!(client().with_way(&way).status().await.unwrap(), "RUNNING");
    let error = client().status().await.unwrap_err();
    assert!(matches!(&error, BitbucketError::Unanswered { source: HttpError::Tls { .. }, .. }), "{error:?}");
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn anyone_may_ask_which_version_runs() {
    let answers: [(&'static [Answer], Option<&str>); 4] = [
        (
            &[(
                PROPERTIES,
                200,
                r#"{"version":"7.11.2","buildNumber":"7011002","buildDate":"1616539597394","displayName":"Bitbucket"}"#,
            )],
            Some("7.11.2"),
        ),
        (&[(PROPERTIES, 200, r#"{"version":"unknown"}"#)], None),
        (&[(PROPERTIES, 200, "<html>another product</html>")], None),
        (&[], None),
    ];
    for (answers, expected) in answers {
        let server = Canned::serve(answers).await;
        let properties = Bitbucket::anonymous(server.base.clone()).application_properties().await;
        let version = properties.ok().and_then(|properties| properties.product_version());
        assert_eq!(version.map(|version| version.to_string()).as_deref(), expected);
        assert_eq!(server.seen.lock().unwrap()[0].authorization, "", "nobody in particular");
    }
}

const PROPERTIES: &str = "GET /rest/api/1.0/application-properties";
