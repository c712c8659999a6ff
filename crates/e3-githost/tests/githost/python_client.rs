//! A Python script of a user's, with the client library that most of them have.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::harness::{PASSWORD, Place, Server};
use crate::ssh::Key;

/// Returns the Python of the environment that `cargo xtask tools` makes from the list of requirements.
fn python() -> PathBuf {
    let list = include_str!("python_client.txt");
    let first = list.lines().find(|line| !line.starts_with('#')).unwrap().replacen("==", "-", 1);
    let environment = e3_home::cache_directory().join("python").join(first);
    let made_from = std::fs::read_to_string(environment.join("made-from.txt")).unwrap_or_default();
    assert!(made_from == list, "this test needs {}: run `cargo xtask tools`", environment.display());
    environment.join("bin/python")
}

/// Runs the tour against two nodes behind their front; every node must know at once what another was told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn atlassian_python_api_tours_the_front_of_two_nodes() {
    let place = Place::new();
    let one = Server::start_with_ssh(&place.home(), "1").await;
    let two = Server::start_with_ssh(&place.home(), "2").await;
    let front = Server::balance_with_ssh(&[&one, &two]).await;
    let ada = Key::new(&place, "ada", &[&one, &front]).await;
    std::fs::create_dir(place.path("work")).unwrap();
    let given = json!({
        "password": PASSWORD,
        "publicKey": ada.public,
        "privateKeyFile": place.path("ada"),
        "knownHostsFile": place.path("ada.known_hosts"),
    });

    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/githost/python_client.py");
    let mut command = tokio::process::Command::new(python());
    command.arg(script).arg(&front.base).arg(place.path("work")).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap()).env("PYTHONDONTWRITEBYTECODE", "1");
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.kill_on_drop(true).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(given.to_string().as_bytes()).await.unwrap();
    drop(stdin);
    let output = tokio::time::timeout(Duration::from_secs(120), child.wait_with_output());
    let output = output.await.expect("the tour ends within two minutes").unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");
    assert_eq!(stdout.lines().filter(|line| line.starts_with("ok ")).count(), 12, "{stdout}");
    for server in [front, one, two] {
        server.stop().await.unwrap();
    }
}
