//! The body of a form, as it was sent.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::Response;
use http::StatusCode;

use super::refuse;
use crate::auth::Visitor;
use crate::failure::Failure;
use crate::state::App;

/// A form's body within the bound; who sends a larger one gets a page that says so.
pub(super) struct Sent(pub(super) Bytes);

impl FromRequest<App> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, host: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, host).await.unwrap_or(Visitor::Anonymous);
        let body = Bytes::from_request(Request::from_parts(parts, body), host).await;
        body.map(Self).map_err(|rejection| {
            let failure = match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => Failure::too_large(),
                _ => Failure::bad_request("The form could not be read."),
            };
            refuse(host, &visitor, &failure)
        })
    }
}
