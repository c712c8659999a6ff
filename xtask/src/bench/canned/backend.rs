//! What git's http-backend answers to a request.

use std::io;
use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// Returns the whole answer of `git http-backend` to a whole request, as a web server would pass it on.
///
/// Source: git-http-backend(1), section ENVIRONMENT, and RFC 3875.
pub(super) async fn answer(root: &Path, request: &[u8]) -> io::Result<Vec<u8>> {
    let end = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(request.len());
    let (head, body) = request.split_at(end);
    let head = String::from_utf8_lossy(head);
    let body = body.get(4..).unwrap_or_default();
    let mut words = head.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if !path.starts_with("/scm/") {
        return Ok(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec());
    }
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let mut command = Command::new("git");
    command.arg("http-backend").env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
        .envs([("LC_ALL", "C"), ("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")])
        .env("GIT_PROJECT_ROOT", root)
        .envs([("GIT_HTTP_EXPORT_ALL", "1"), ("REQUEST_METHOD", method), ("PATH_INFO", path)])
        .envs([("QUERY_STRING", query), ("REMOTE_ADDR", "127.0.0.1")])
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    let mut child = command.spawn()?;
    let stdin = child.stdin.take();
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A backend that refuses does not read.
            let _ = stdin.write_all(body).await;
        }
    };
    let ((), output) = tokio::join!(feed, child.wait_with_output());
    Ok(as_http(&output?.stdout))
}

/// Makes an HTTP answer of what a CGI program printed.
fn as_http(printed: &[u8]) -> Vec<u8> {
    let end = printed.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(printed.len());
    let (head, body) = printed.split_at(end);
    let body = body.get(4..).unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
    let mut answer = format!("HTTP/1.1 {status}\r\n").into_bytes();
    for line in head.lines().filter(|line| !line.starts_with("Status: ")) {
        answer.extend_from_slice(line.as_bytes());
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    answer.extend_from_slice(body);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cgi_answer_gets_its_status_and_length() {
        for (printed, expected) in [
            (
                "Content-Type: a/b\r\n\r\nxyz",
                "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 3\r\n\r\nxyz",
            ),
            ("Status: 404 Not Found\r\n\r\n", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        ] {
            assert_eq!(String::from_utf8(as_http(printed.as_bytes())).unwrap(), expected);
        }
    }
}
