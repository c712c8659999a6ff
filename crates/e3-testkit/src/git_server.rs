//! Smart HTTP by git's own http-backend.

use std::{ffi::OsString, path::PathBuf, process::Stdio, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::header::AUTHORIZATION;
use tokio::{io::AsyncWriteExt, process::Command};

use crate::{Answer, Git, Loopback, answer, git::missing};

/// How a [`GitServer`] differs from git's own; the default does not.
#[derive(Clone, Default)]
pub struct GitServerOptions {
    /// User and password that every request must bring; none asks for none.
    pub credentials: Option<(String, String)>,
    /// Whether `Git-Protocol` is ignored, as by a server that only knows version 0.
    pub ignore_protocol: bool,
    /// Changes the bodies of successful answers.
    pub tamper: Option<Arc<Tamper>>,
}

/// Makes another body of an answer: gets the service (`info/refs`, `git-upload-pack`), the request's body, and the
/// answer's.
pub type Tamper = dyn Fn(&str, &[u8], Bytes) -> Bytes + Send + Sync;

/// A Git server on loopback: real `git http-backend` behind HTTP, over all repositories below a directory.
pub struct GitServer {
    loopback: Loopback,
}

impl GitServer {
    /// Starts a server; `http://…/scm/p/r.git` is the repository `scm/p/r.git` below the root.
    ///
    /// # Panics
    /// If no port can be bound.
    pub async fn start(root: impl Into<PathBuf>, options: GitServerOptions) -> Self {
        let root = root.into();
        let loopback = Loopback::serve(move |request| {
            let (root, options) = (root.clone(), options.clone());
            async move { respond(root, &options, request).await }
        })
        .await;
        Self { loopback }
    }

    /// Returns `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.loopback.url()
    }

    /// Returns how many connections were accepted.
    pub fn connections(&self) -> usize {
        self.loopback.connections()
    }

    /// Returns how many requests came whole.
    pub fn requests(&self) -> usize {
        self.loopback.requests()
    }
}

pub(crate) async fn respond(
    root: PathBuf,
    options: &GitServerOptions,
    request: http::Request<Bytes>,
) -> Answer {
    if let Some((user, password)) = &options.credentials {
        let expected = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
        if request.headers().get(AUTHORIZATION).is_none_or(|given| given.as_bytes() != expected.as_bytes()) {
            return answer(401, &[("www-authenticate", "Basic realm=\"test\"")], "wrong credentials\n");
        }
    }
    let output = backend(root, options, &request).await;
    let (status, headers, body) = parse_cgi(&output);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let service = request.uri().path().rsplit_once(".git/").map_or("", |(_, service)| service);
    match &options.tamper {
        Some(tamper) if status == 200 => answer(status, &headers, tamper(service, request.body(), body)),
        _ => answer(status, &headers, body),
    }
}

/// Runs `git http-backend` for one request and returns what it printed.
///
/// Source: git-http-backend(1), section ENVIRONMENT, and RFC 3875.
async fn backend(root: PathBuf, options: &GitServerOptions, request: &http::Request<Bytes>) -> Vec<u8> {
    let header = |name: &str| {
        OsString::from(request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default())
    };
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env_clear()
        .envs(Git::new(&root).environment())
        .env("GIT_PROJECT_ROOT", &root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", request.method().as_str())
        .env("PATH_INFO", request.uri().path())
        .env("QUERY_STRING", request.uri().query().unwrap_or_default())
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", request.body().len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("REMOTE_USER", "tester")
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    if !options.ignore_protocol {
        command.env("GIT_PROTOCOL", header("git-protocol"));
    }
    let mut child = command.spawn().unwrap_or_else(|error| missing(&error));
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let write = async move {
        // A backend that refuses the request does not read it.
        let _ = stdin.write_all(request.body()).await;
    };
    let ((), output) = tokio::join!(write, child.wait_with_output());
    output.expect("a child that was started can be waited for").stdout
}

fn parse_cgi(output: &[u8]) -> (u16, Vec<(String, String)>, Bytes) {
    let separator = output.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(output.len());
    let (head, rest) = output.split_at(separator);
    let mut status = 200;
    let mut headers = Vec::new();
    for line in String::from_utf8_lossy(head).lines() {
        let Some((name, value)) = line.split_once(": ") else { continue };
        if name.eq_ignore_ascii_case("status") {
            status = value.split(' ').next().and_then(|code| code.parse().ok()).unwrap_or(500);
        } else {
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
    }
    (status, headers, Bytes::copy_from_slice(rest.get(4..).unwrap_or_default()))
}
