//! Connections that are cut without an answer, through the front too.
//!
//! A handler cannot cut its connection, so it answers with a mark, and whoever owns the connection cuts it. A front would
//! take a cut connection to a node for a lost node, and ask another one; so it says that it is one, is told in words, and
//! cuts its client's connection itself.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// The mark of an answer that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection is cut on purpose")]
pub(crate) struct Cut;

impl Cut {
    /// Returns the answer in whose place the connection is cut.
    pub(super) fn response() -> Response {
        let mut response = Response::new(Body::empty());
        // 1xx is no answer, and is counted as none.
        *response.status_mut() = StatusCode::CONTINUE;
        response.extensions_mut().insert(Self);
        response
    }
}

/// Returns the answer as it goes to whom it is for: to a front in words.
///
/// # Errors
/// When the connection is to be cut.
pub(crate) fn pass_on<B>(
    mut response: http::Response<B>,
    is_for_front: bool,
) -> Result<http::Response<B>, Cut> {
    if response.extensions().get::<Cut>().is_none() {
        return Ok(response);
    }
    if !is_for_front {
        return Err(Cut);
    }
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response.headers_mut().insert(CUT, HeaderValue::from_static("1"));
    Ok(response)
}

/// Returns whether a node's answer to a front says that the client's connection is to be cut.
pub(crate) fn is_cut(headers: &HeaderMap) -> bool {
    headers.contains_key(CUT)
}

/// With this a front tells its nodes that it is one.
pub(crate) const FRONT: HeaderName = HeaderName::from_static("x-e3-front");
const CUT: HeaderName = HeaderName::from_static("x-e3-cut");
