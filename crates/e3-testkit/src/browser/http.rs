//! One request of HTTP/1.1 over one connection: all that WebDriver needs.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

/// Sends a request to a port of loopback and returns the answer's status and body.
///
/// # Errors
/// When there is no connection or no whole answer; each read waits no longer than the bound.
pub(super) fn ask(
    port: u16,
    (method, path): (&str, &str),
    body: Option<&str>,
    bound: Duration,
) -> Result<(u16, String), String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let failed = |what: &str, error: std::io::Error| format!("{what} {address}: {error}");
    let mut stream =
        TcpStream::connect_timeout(&address, bound).map_err(|error| failed("cannot connect to", error))?;
    stream.set_read_timeout(Some(bound)).map_err(|error| failed("cannot wait for", error))?;
    let body = body.unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).map_err(|error| failed("cannot write to", error))?;
    read(&mut BufReader::new(stream)).map_err(|error| failed("no whole answer from", error))
}

fn read(stream: &mut impl BufRead) -> std::io::Result<(u16, String)> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| std::io::Error::other(format!("no status in {line:?}")))?;
    let mut length = None;
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse::<usize>().ok();
        }
    }
    let mut body = Vec::new();
    match length {
        Some(length) => {
            body.resize(length, 0);
            stream.read_exact(&mut body)?;
        }
        None => {
            stream.read_to_end(&mut body)?;
        }
    }
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_with_and_without_a_length() {
        for (answer, status, body) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}rest", 200, "{}"),
            ("HTTP/1.1 404 Not Found\r\nX: y\r\n\r\nall of it", 404, "all of it"),
        ] {
            assert_eq!(read(&mut answer.as_bytes()).unwrap(), (status, body.to_owned()), "{answer}");
        }
        assert!(read(&mut "".as_bytes()).is_err());
        assert!(read(&mut "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort".as_bytes()).is_err());
    }
}
