//! Stands in for `e3 githost`: the same arguments, ready line, `/status` and switch of faults, and misbehaves on request.
//!
//! What it is switched to lies beside the path it was called by, as `githost-2.faults`. Beside the path it was called by lies a file `behaviour` with lines such as `githost-2 silent`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

fn main() -> std::io::Result<ExitCode> {
    let args: Vec<String> = std::env::args().collect();
    let mut errors = std::io::stderr();
    writeln!(errors, "arguments: {}", args.get(1..).unwrap_or_default().join(" "))?;
    let name = match args.iter().any(|arg| arg == "serve") {
        true => format!("githost-{}", value_of(&args, "--node")),
        false => "balance".to_owned(),
    };
    let folder =
        args.first().and_then(|program| Path::new(program).parent()).map(Path::to_owned).unwrap_or_default();
    let behaviour = std::fs::read_to_string(folder.join("behaviour")).unwrap_or_default();
    let does = |what: &str| behaviour.lines().any(|line| line == format!("{name} {what}"));

    if does("exits") {
        writeln!(errors, "the database is locked")?;
        return Ok(ExitCode::from(3));
    }
    if does("silent") {
        loop {
            std::thread::park();
        }
    }
    if does("forks") {
        // Leaves the group and drops the environment but for the mark, as a daemon of git's might.
        use std::os::unix::process::CommandExt as _;
        let mark = std::env::var_os("E3_RESOURCE").unwrap_or_default();
        Command::new("sleep")
            .arg("300")
            .env_clear()
            .env("E3_RESOURCE", mark)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
    }
    let is_again = args.iter().any(|arg| arg == "--http") && !value_of(&args, "--http").ends_with(":0");
    let http = if does("moves") && is_again { "127.0.0.1:0".to_owned() } else { value_of(&args, "--http") };
    let mut host_key = "null".to_owned();
    if name != "balance" {
        let home = value_of(&args, "--home");
        std::fs::write(Path::new(&home).join(&name), "data")?;
        let key = Path::new(&home).join("host-key");
        if !key.exists() {
            std::fs::write(&key, format!("\"ssh-ed25519 {}\"", std::process::id()))?;
        }
        host_key = std::fs::read_to_string(key)?;
    }
    let listener = TcpListener::bind(http)?;
    let ssh = TcpListener::bind(value_of(&args, "--ssh"))?;
    let mut output = std::io::stdout();
    if does("mumbles") {
        writeln!(output, "hello")?;
    } else {
        let (http, pid) = (listener.local_addr()?, std::process::id());
        let ssh =
            if does("is-dumb") { "null".to_owned() } else { format!("\"ssh://{}\"", ssh.local_addr()?) };
        writeln!(
            output,
            "{{\"event\":\"ready\",\"http\":\"http://{http}\",\"ssh\":{ssh},\"hostKey\":{host_key},\"pid\":{pid}}}"
        )?;
    }
    output.flush()?;
    for (asked, connection) in listener.incoming().enumerate() {
        if does("dies") {
            return Ok(ExitCode::from(4));
        }
        let state = if asked == 0 || does("starts-for-ever") { "STARTING" } else { "RUNNING" };
        // One that hangs up early is no reason to end.
        let switched = folder.join(format!("{name}.faults"));
        let _ = answer(connection?, state, (&switched, does("refuses")));
    }
    Ok(ExitCode::SUCCESS)
}

fn value_of(args: &[String], flag: &str) -> String {
    args.iter().skip_while(|arg| *arg != flag).nth(1).cloned().unwrap_or_default()
}

fn answer(mut connection: TcpStream, state: &str, (switched, refuses): (&Path, bool)) -> std::io::Result<()> {
    let mut request = BufReader::new(connection.try_clone()?);
    let (mut first, mut length) = (String::new(), 0);
    request.read_line(&mut first)?;
    for line in request.by_ref().lines() {
        let line = line?.to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    request.read_exact(&mut body)?;
    let (status, body) = if !first.starts_with("PUT /rest/e3/1.0/faults ") {
        ("200 OK", format!("{{\"state\":\"{state}\"}}"))
    } else if refuses {
        ("401 Unauthorized", "{\"errors\":[{\"message\":\"You may not.\"}]}".to_owned())
    } else {
        std::fs::write(switched, &body)?;
        ("200 OK", String::from_utf8_lossy(&body).into_owned())
    };
    write!(
        connection,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
