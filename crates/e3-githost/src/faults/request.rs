//! Faults around a whole request by HTTP: REST and pages; and what all answers by HTTP have in common.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use e3_model::FaultRoute;
use http::StatusCode;
use http_body::{Frame, SizeHint};
use tokio::time::Sleep;

use super::ahead::while_waiting;
use super::armed::{Asked, Part};
use super::cut::Cut;
use super::held::{Held, Injected};
use super::pace::Pace;
use crate::auth::Visitor;
use crate::failure::Failure;
use crate::state::{App, Host};
use crate::{git, web};

/// Serves a request as its faults want it; those of Git meet theirs later.
pub(crate) async fn serve(host: &App, request: Request, next: Next) -> Response {
    if !host.faults.are_on() {
        return next.run(request).await;
    }
    let path = request.uri().path();
    let part = if path == "/rest" || path.starts_with("/rest/") { Part::Rest } else { Part::Web };
    if path.starts_with("/scm/") || FaultRoute::is_spared(path) {
        return next.run(request).await;
    }
    let Some(disturbance) = host.faults.of(&Asked::Http(part, path)) else { return next.run(request).await };
    let (head, body) = request.into_parts();
    let (begun, body) = while_waiting(body, disturbance.begin()).await;
    match begun {
        Ok(held) => held.answer(next.run(Request::from_parts(head, body)).await).await,
        Err(injected) => injected.response(host, part),
    }
}

/// The same, as a layer.
pub(crate) async fn disturb(State(host): State<App>, request: Request, next: Next) -> Response {
    serve(&host, request, next).await
}

impl Held {
    /// Returns the answer as it leaves: not within a stall, at its pace, and with the slots until its last byte.
    pub(super) async fn answer(self, response: Response) -> Response {
        self.outlast_stalls().await;
        let slow = self.bytes_per_second().map(|bytes| Slow { pace: Pace::new(bytes), rest: None });
        response.map(|body| Body::new(HeldBody { body, slow, _held: self }))
    }
}

impl Injected {
    /// Returns what the client of REST or of a page gets.
    pub(super) fn response(self, host: &Host, part: Part) -> Response {
        match (self, part) {
            (Self::Cut, _) => Cut::response(),
            (Self::Failure(_), Part::Rest) => self.failure().into_response(),
            (Self::Failure(_), _) => web::refuse(host, &Visitor::Anonymous, &self.failure()),
        }
    }

    /// Returns what Git gets by HTTP.
    pub(crate) fn response_to_git(self) -> Response {
        match self {
            Self::Cut => Cut::response(),
            Self::Failure(_) => git::refuse(&self.failure()),
        }
    }

    /// Returns it in Bitbucket's error shape.
    pub(crate) fn failure(self) -> Failure {
        let status = match self {
            Self::Failure(status) => status,
            Self::Cut => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Failure { status, ..Failure::bad_request(self.to_string()) }
    }
}

/// An answer's body, which may be slow.
struct HeldBody {
    body: Body,
    slow: Option<Slow>,
    _held: Held,
}

struct Slow {
    pace: Pace,
    rest: Option<Rest>,
}

/// Data that has not left yet: the next piece with the time until which it waits, and what comes after it.
struct Rest {
    piece: Bytes,
    wait: Pin<Box<Sleep>>,
    after: Bytes,
}

impl Slow {
    fn hold(&mut self, mut data: Bytes) {
        if data.is_empty() {
            return;
        }
        let (piece, due) = self.pace.cut(&mut data);
        self.rest = Some(Rest { piece, wait: Box::pin(tokio::time::sleep_until(due)), after: data });
    }

    /// Returns the next piece when it may leave; nothing when there is none.
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        ready!(rest.wait.as_mut().poll(context));
        let Some(Rest { piece, after, .. }) = self.rest.take() else { return Poll::Ready(None) };
        self.hold(after);
        Poll::Ready(Some(piece))
    }

    fn len(&self) -> u64 {
        let len = self.rest.as_ref().map_or(0, |rest| rest.piece.len().saturating_add(rest.after.len()));
        u64::try_from(len).unwrap_or(u64::MAX)
    }
}

impl http_body::Body for HeldBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Self { body, slow, .. } = &mut *self;
        let Some(slow) = slow else { return Pin::new(body).poll_frame(context) };
        loop {
            if let Some(piece) = ready!(slow.poll_piece(context)) {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            match ready!(Pin::new(&mut *body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => slow.hold(data),
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                ended => return Poll::Ready(ended),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.slow.as_ref().is_none_or(|slow| slow.rest.is_none()) && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let waiting = self.slow.as_ref().map_or(0, Slow::len);
        let rest = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(waiting));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(waiting));
        }
        hint
    }
}
