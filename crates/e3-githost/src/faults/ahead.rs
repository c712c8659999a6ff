//! Reading ahead while a request waits.
//!
//! A connection notices that its client has left only once it has read all that the client has sent, so what a small
//! request sends is read while it waits; the body that is handed on begins with it.

use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::{Buf, Bytes};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;

/// Waits, and reads the body meanwhile; returns what was waited for, and the body from its beginning.
pub(crate) async fn while_waiting<T>(mut body: Body, wait: impl Future<Output = T>) -> (T, Body) {
    let mut read = VecDeque::new();
    let mut held = 0;
    let mut wait = pin!(wait);
    while held < MOST && !body.is_end_stream() {
        let frame = tokio::select! {
            biased;
            waited = &mut wait => return (waited, whole(read, body)),
            frame = body.frame() => frame,
        };
        let Some(frame) = frame else { break };
        held += frame.as_ref().ok().and_then(Frame::data_ref).map_or(1, Buf::remaining);
        read.push_back(frame);
    }
    (wait.await, whole(read, body))
}

fn whole(read: VecDeque<Result<Frame<Bytes>, axum::Error>>, rest: Body) -> Body {
    if read.is_empty() { rest } else { Body::new(Ahead { read, rest }) }
}

/// A body whose beginning has been read.
struct Ahead {
    read: VecDeque<Result<Frame<Bytes>, axum::Error>>,
    rest: Body,
}

impl http_body::Body for Ahead {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self.read.pop_front() {
            Some(frame) => Poll::Ready(Some(frame)),
            None => Pin::new(&mut self.rest).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.read.iter().filter_map(|frame| frame.as_ref().ok()?.data_ref());
        let read = read.map(|data| u64::try_from(data.remaining()).unwrap_or(u64::MAX)).sum::<u64>();
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(read));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint
    }
}

/// More than requests but pushes send.
const MOST: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::stream;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_body_is_the_same_whether_it_was_read_ahead_or_not() {
        for (chunks, wait_ms) in [(0, 50), (3, 50), (3, 0), (40, 50)] {
            let data = (0..chunks).map(|number: u8| Ok::<_, axum::Error>(Bytes::from(vec![number; 10_000])));
            let body = Body::from_stream(stream::iter(data));
            let wait = tokio::time::sleep(Duration::from_millis(wait_ms));
            let ((), body) = while_waiting(body, wait).await;
            let all = body.collect().await.unwrap().to_bytes();
            let expected: Vec<u8> = (0..chunks).flat_map(|number| vec![number; 10_000]).collect();
            assert_eq!(all, expected, "{chunks} chunks, {wait_ms} ms");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_is_read_ahead_than_has_room() {
        let taken = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = std::sync::Arc::clone(&taken);
        let endless = stream::repeat_with(move || {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok::<_, axum::Error>(Bytes::from(vec![0; 64 << 10]))
        });
        let wait = tokio::time::sleep(Duration::from_secs(1));
        drop(while_waiting(Body::from_stream(endless), wait).await);
        assert_eq!(taken.load(std::sync::atomic::Ordering::Relaxed), 4);
    }
}
