//! `log/atlassian-bitbucket-access.log`: who asked for what, when, how much and for how long, in Bitbucket's format.
//!
//! Comes in: a [`Record`] for each request, from its beginning to the last byte of its answer. Goes out: a line when it
//! begins and one when it has ended, written by one task from a bounded channel. A request never waits for its lines; one
//! for which there is no room is lost, and counted. The nodes of a home share the file, which is bounded in size.
//!
//! Source: Atlassian's "How to read the Bitbucket Data Center Log Formats".

mod line;
mod record;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub(crate) use record::{Head, Label, Record, Recorded};

use writer::{Message, Writer};

/// Where lines go.
#[derive(Debug)]
pub(crate) struct AccessLog {
    lines: mpsc::Sender<Message>,
    counts: Arc<Counts>,
}

/// What has become of lines.
#[derive(Debug, Default)]
struct Counts {
    written: AtomicU64,
    lost: AtomicU64,
}

impl AccessLog {
    /// Opens the log in this directory; returns it and the task that writes.
    pub(crate) fn open(directory: &Path) -> (Self, JoinHandle<()>) {
        let (lines, waiting) = mpsc::channel(LINES_AHEAD);
        let counts = Arc::<Counts>::default();
        let writer = Writer::new(directory.join(NAME), Arc::clone(&counts));
        (Self { lines, counts }, tokio::task::spawn_blocking(move || writer.run(waiting)))
    }

    /// Lets the writer end once it has written what was said so far.
    pub(crate) async fn close(&self) {
        // It fails when the writer has ended, which is as good.
        let _ = self.lines.send(Message::End).await;
    }

    /// Returns how many lines were written and how many lost.
    pub(crate) fn counted(&self) -> (u64, u64) {
        (self.counts.written.load(Ordering::Relaxed), self.counts.lost.load(Ordering::Relaxed))
    }

    fn say(&self, line: String) {
        if self.lines.try_send(Message::Line(line)).is_err() {
            self.counts.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Source: Bitbucket's name for it.
const NAME: &str = "atlassian-bitbucket-access.log";
/// Of some 300 bytes each.
const LINES_AHEAD: usize = 8192;
