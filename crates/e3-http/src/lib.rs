//! One client's HTTP: a session that keeps its connection and cookies as a browser would.
//!
//! In goes a [`Request`], out comes a [`Response`], or a [`Streaming`] body chunk by chunk. Every load client
//! owns one [`HttpSession`], so nothing is pooled or shared behind its back: connections are counted by
//! clients. The session never follows a redirect, never sends a request twice that the server may have seen
//! (unless repeating it is harmless), and never waits for a connection longer than ten seconds. The time for
//! a whole exchange is the caller's to bound: every future here may be dropped at any point.
//!
//! No task and no channel stands between a client and its socket: the client's own task writes and reads.

mod base_url;
mod buffer;
mod connection;
mod cookies;
mod error;
mod headers;
mod http1;
mod http2;
mod message;
#[doc(hidden)]
pub mod parsing;
mod request;
mod response;
mod session;
mod stream;
mod streaming;
mod trust;
mod way;

pub use base_url::BaseUrl;
pub use error::HttpError;
pub use headers::{HeaderText, Headers};
pub use request::{DEFAULT_MAX_BODY, Request};
pub use response::Response;
pub use session::HttpSession;
pub use streaming::Streaming;
pub use trust::Trust;
pub use way::HttpWay;
