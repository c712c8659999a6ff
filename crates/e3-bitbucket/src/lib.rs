//! Bitbucket's URLs, and a typed client for them.
//!
//! [`path`] builds every path that scripts request; [`Bitbucket`] prepares and describes servers outside
//! of any measurement. In: a base URL and credentials. Out: values of this crate, or a [`BitbucketError`] that
//! says which request failed and what the server answered. It never measures and never retries.

mod client;
mod error;
pub mod path;
mod pull_request;
mod resource;

pub use client::{Bitbucket, Creation};
pub use error::{BitbucketError, ServerMessage};
pub use pull_request::{NewPullRequest, ProjectPermission, PullRequestFilter};
pub use resource::{
    RestActivity, RestComment, RestParticipant, RestProject, RestPullRequest, RestRef, RestRepository,
    RestSshKey, RestTag, RestUser,
};
