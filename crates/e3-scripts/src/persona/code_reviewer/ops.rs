//! The steps of a review, in the order in which they are first done.

use e3_model::OpId;

use crate::web::dashboard;

/// Returns every op with its summary.
pub(super) fn ops() -> Vec<(&'static str, &'static str)> {
    [&[("Login", "the login page, then its submission")][..], &dashboard::OPS, REVIEW].concat()
}

const REVIEW: &[(&str, &str)] = &[
    ("Inbox", "REST: the first 25 pull requests that wait for the user's review"),
    ("ListPullRequests", "REST: a repository's 25 oldest open pull requests"),
    ("PullRequest", "the pull request's page"),
    ("Changes", "REST: the files that it changes"),
    ("Diff", "REST: how it changes one file; one to three of the files"),
    ("Comment", "REST: a comment on the pull request"),
    ("Approve", "REST: the approval"),
    ("WithdrawApproval", "REST: the approval is taken back"),
    ("DeleteComment", "REST: the comment's deletion"),
    ("Logout", "the logout"),
];

pub(super) const LOGIN: OpId = OpId(0);
pub(super) const DASHBOARD: OpId = OpId(1);
pub(super) const INBOX: OpId = OpId(5);
pub(super) const LIST_PULL_REQUESTS: OpId = OpId(6);
pub(super) const PULL_REQUEST: OpId = OpId(7);
pub(super) const CHANGES: OpId = OpId(8);
pub(super) const DIFF: OpId = OpId(9);
pub(super) const COMMENT: OpId = OpId(10);
pub(super) const APPROVE: OpId = OpId(11);
pub(super) const WITHDRAW_APPROVAL: OpId = OpId(12);
pub(super) const DELETE_COMMENT: OpId = OpId(13);
pub(super) const LOGOUT: OpId = OpId(14);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_op_has_its_place() {
        let ops = ops();
        let named = |op: OpId| ops[usize::from(op.0)].0;
        assert_eq!(
            [LOGIN, DASHBOARD, INBOX, COMMENT, LOGOUT].map(named),
            ["Login", "Dashboard", "Inbox", "Comment", "Logout"]
        );
        assert_eq!(ops.len(), usize::from(LOGOUT.0) + 1);
    }
}
