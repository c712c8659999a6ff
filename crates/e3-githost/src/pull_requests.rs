//! Pull requests: how they come to be, what happens to them, how they are merged.
//!
//! What REST and the pages do with a pull request is here, as functions of the server, the user and the repository. The
//! database says that a request is there and in which state; where its branches are, only Git says: an open request is
//! brought up to date with its branches whenever it is read, and nothing needs to be told of a push.
//!
//! A merge is Git's, without a working tree, and either whole or not there: see [`merging`].

mod branches;
mod cleanup;
mod closing;
mod comments;
mod containing;
mod create;
mod edit;
mod find;
mod lock;
mod mergeability;
mod merging;
mod refusal;
mod review;
mod suggestions;
mod vetoes;

pub(crate) use cleanup::{delete_source, may_delete_source};
pub(crate) use closing::{decline, delete, reopen};
pub(crate) use comments::{CommentWish, add_comment, comment, edit_comment, remove_comment};
pub(crate) use containing::containing;
pub(crate) use create::{Wish, create};
pub(crate) use edit::{Changed, update};
pub(crate) use find::{list, list_of_user, one, scope};
pub(crate) use mergeability::{Mergeability, Merging, Outcome, can_merge};
pub(crate) use merging::{MergeWish, merge};
pub(crate) use refusal::{Refusal, Veto};
pub(crate) use review::{add_reviewer, remove_reviewer, set_status};
pub(crate) use suggestions::{Suggestion, suggestions};
