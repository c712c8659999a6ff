//! The client against a loopback server that answers as Bitbucket does.

#![expect(clippy::unwrap_used, reason = "a step that fails here fails its test")]

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use e3_bitbucket::{Bitbucket, BitbucketError, Creation};
use e3_http::BaseUrl;
use e3_model::Secret;
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
