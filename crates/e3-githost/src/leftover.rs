//! What a client still sends when its answer is known already.
//!
//! A connection that is closed while its client is sending is reset, and with it goes the answer: instead of "too large"
//! the client sees a broken pipe. So the rest of a body is read and dropped first, within bounds.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt;
use http::header;
use http_body::{Frame, SizeHint};

use crate::faults::Cut;

/// A body that can be read on after whoever had it has dropped it.
struct Lent(Arc<Mutex<Body>>);

/// Serves the request, and lets its client finish sending before it gets the answer.
pub(crate) async fn take(request: Request, next: Next) -> Response {
    // A client that waits for a go-ahead sends nothing after a refusal.
    let waits = request.headers().contains_key(header::EXPECT);
    if waits || http_body::Body::is_end_stream(request.body()) {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let body = Arc::new(Mutex::new(body));
    let lent = Body::new(Lent(Arc::clone(&body)));
    let response = next.run(Request::from_parts(head, lent)).await;
    // Of a connection that is cut, nothing more is read.
    if response.extensions().get::<Cut>().is_some() {
        return response;
    }
    // Otherwise somebody reads it while the answer is on its way.
    if let Some(left) = Arc::into_inner(body) {
        drop_unread(left.into_inner().unwrap_or_else(PoisonError::into_inner)).await;
    }
    response
}

async fn drop_unread(body: Body) {
    if http_body::Body::is_end_stream(&body) {
        return;
    }
    let mut chunks = body.into_data_stream();
    let mut total = 0_usize;
    let read = async {
        while let Some(Ok(chunk)) = chunks.next().await {
            total = total.saturating_add(chunk.len());
            if total > MOST {
                return;
            }
        }
    };
    // One that sends more, or more slowly, may lose its answer.
    let _ = tokio::time::timeout(LONGEST, read).await;
}

impl http_body::Body for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Pin::new(&mut *body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}

const MOST: usize = 64 << 20;
const LONGEST: Duration = Duration::from_secs(5);
