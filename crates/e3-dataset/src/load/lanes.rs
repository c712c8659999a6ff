//! Work in parallel: a few lanes that take one thing after another from the same queue.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;

use crate::DatasetError;

/// What is still to be done, in its order.
#[derive(Debug)]
pub(super) struct Queue<T>(Mutex<std::vec::IntoIter<T>>);

impl<T> Queue<T> {
    pub(super) fn of(things: Vec<T>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(things.into_iter())))
    }

    /// Takes the next thing; none when there is none left.
    pub(super) fn next(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next()
    }
}

/// Runs `count` lanes at once, and returns what each returns; the first error ends all of them.
pub(super) async fn run<R, F>(count: usize, lane: impl Fn() -> F) -> Result<Vec<R>, DatasetError>
where
    R: Send + 'static,
    F: Future<Output = Result<R, DatasetError>> + Send + 'static,
{
    let mut lanes = JoinSet::new();
    for _ in 0..count {
        lanes.spawn(lane());
    }
    let mut returned = Vec::with_capacity(count);
    while let Some(ended) = lanes.join_next().await {
        let ended =
            ended.map_err(|source| DatasetError::Task { repository: "a repository".to_owned(), source })?;
        returned.push(ended?);
    }
    Ok(returned)
}
