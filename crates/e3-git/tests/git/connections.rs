//! Connections over SSH: one for each operation, and none that outlives it.

use std::time::Duration;

use e3_git::{Remote, SshKey, clone, delete_branches, fetch_tip, ls_remote};
use e3_testkit::{Loopback, Shape, Sshd, SshdOptions, wait_for};
use tokio::{io::AsyncReadExt, runtime::Handle, time::timeout};

use crate::site::{Site, endpoint, repository};

const BOUND: Duration = Duration::from_secs(20);

/// Waits until this many tasks are left beside the test itself.
async fn tasks_are(expected: usize) {
    wait_for("the end of the client's tasks", BOUND, || {
        let alive = Handle::current().metrics().num_alive_tasks();
        std::future::ready(if alive <= expected { Ok(()) } else { Err(format!("{alive} tasks")) })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_has_one_connection_which_is_closed_when_it_ends() {
    let site = Site::ssh(SshdOptions::default()).await;
    site.create("r", 1, Shape::seeded(1)).await;
    let remote = site.remote();
    let repository = repository("r");
    let before = Handle::current().metrics().num_alive_tasks();
    ls_remote(&remote, &repository).await.unwrap();
    clone(&remote, &repository).await.unwrap();
    fetch_tip(&remote, &repository, "main").await.unwrap();
    delete_branches(&remote, &repository, &["never"]).await.unwrap();
    assert_eq!(site.server.connections(), 4);
    all_are_closed(&site.server).await;
    tasks_are(before).await;
    // Told, not just cut.
    let log = site.server.log();
    assert_eq!(log.matches("Received disconnect").count(), 4, "{log}");
}

async fn all_are_closed(server: &Sshd) {
    wait_for("the end of all connections", BOUND, || {
        std::future::ready(match server.open() {
            0 => Ok(()),
            open => Err(format!("{open} are open")),
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_operation_leaves_no_connection_and_no_task() {
    let endless = format!("exec yes '003d{} refs/heads/main'", "1".repeat(40));
    // A service that never answers, and one that never stops.
    for lines in ["cat >/dev/null", &endless] {
        let site = Site::ssh(SshdOptions { run: Some(lines.to_owned()), ..SshdOptions::default() }).await;
        let before = Handle::current().metrics().num_alive_tasks();
        let (remote, repository) = (site.remote(), repository("r"));
        let begun = wait_for("the start of the service", BOUND, || {
            let log = site.server.log();
            std::future::ready(if log.contains("Starting session") { Ok(()) } else { Err(log) })
        });
        tokio::select! {
            ended = clone(&remote, &repository) => panic!("{lines}: {ended:?}"),
            () = begun => {}
        }
        all_are_closed(&site.server).await;
        tasks_are(before).await;
    }
}

#[tokio::test]
async fn a_handshake_that_is_given_up_leaves_no_connection_and_no_task() {
    let (tell, mut closed) = tokio::sync::mpsc::unbounded_channel();
    let server = Loopback::raw(move |mut stream, number| {
        let tell = tell.clone();
        async move {
            // The first never greets; the second greets and then leaves the key exchange hanging.
            if number == 1 {
                let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"SSH-2.0-x\r\n").await;
            }
            let mut sink = Vec::new();
            let _ = stream.read_to_end(&mut sink).await;
            let _ = tell.send(sink.len());
        }
    })
    .await;
    let mut endpoint = endpoint(&Site::ssh(SshdOptions::default()).await.server);
    endpoint.url = server.url().replace("http:", "ssh:");
    let remote = Remote::ssh(&endpoint, SshKey::generate().unwrap()).unwrap();
    let before = Handle::current().metrics().num_alive_tasks();
    for _ in 0..2 {
        let repository = repository("r");
        timeout(Duration::from_millis(300), ls_remote(&remote, &repository)).await.unwrap_err();
        let sent = timeout(BOUND, closed.recv()).await.expect("the connection is closed").unwrap();
        assert!(sent > 0);
    }
    // The server's own tasks end too.
    tasks_are(before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remote_serves_many_operations_at_a_time() {
    let site = Site::ssh(SshdOptions::default()).await;
    site.create("r", 3, Shape::seeded(3)).await;
    let remote = site.remote();
    let expected = ls_remote(&remote, &repository("r")).await.unwrap().refs;
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let remote = remote.clone();
        running.spawn(async move { ls_remote(&remote, &repository("r")).await.map(|listed| listed.refs) });
    }
    for refs in running.join_all().await {
        assert_eq!(refs.unwrap(), expected);
    }
    all_are_closed(&site.server).await;
}
