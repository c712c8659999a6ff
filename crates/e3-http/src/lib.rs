//! One client's HTTP: a session that keeps its connection and cookies as a browser would.
//!
//! In goes a [`Request`], out comes a [`Response`], or a [`Streaming`] body chunk by chunk. Every load client
//! owns one [`HttpSession`], so nothing is pooled or shared behind its back: connections are counted by
//! clients. The session never follows a redirect, never sends a request twice that the server may have seen
//! (unless repeating it is harmless), and never waits for a connection longer than ten seconds. The time for
//! a whole exchange is the caller's to bound: every future here may be dropped at any point.

mod base_url;
mod connection;
mod cookies;
mod error;
mod request;
mod response;
mod session;
mod streaming;
mod wire;

pub use base_url::BaseUrl;
pub use error::HttpError;
pub use request::{DEFAULT_MAX_BODY, Request};
pub use response::Response;
pub use session::HttpSession;
pub use streaming::Streaming;
