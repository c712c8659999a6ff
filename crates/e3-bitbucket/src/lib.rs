//! Bitbucket's URLs, and a typed client for them.
//!
//! [`path`] builds every path that scripts request, [`Dialect`] says what a server of which version is asked for;
//! [`Bitbucket`] prepares and describes servers outside of any measurement. In: a base URL and credentials. Out: values of this crate, or a [`BitbucketError`] that
//! says which request failed and what the server answered. It never measures and never retries.

mod client;
mod dialect;
mod error;
mod login;
pub mod path;
mod pull_request;
mod resource;

pub use client::{Bitbucket, Creation};
pub use dialect::{AuditLog, CreationWay, DefaultBranchWay, Dialect, Family, LoginWay, SourceBranchWay};
pub use error::{BitbucketError, ServerMessage};
pub use login::{LoginRefusal, has_login_form, login_body, read_login};
pub use pull_request::{NewPullRequest, ProjectPermission, PullRequestFilter};
pub use resource::{
    ApplicationProperties, RestActivity, RestComment, RestParticipant, RestProject, RestPullRequest, RestRef,
    RestRepository, RestSshKey, RestTag, RestUser,
};
