//! Any HTTP server: one request, or a sequence of them, as the job's arguments say.

mod body;
mod expected;
mod headers;
mod player;
pub(crate) mod request;
pub(crate) mod sequence;
mod shared;
mod step;
mod template;
mod variables;
