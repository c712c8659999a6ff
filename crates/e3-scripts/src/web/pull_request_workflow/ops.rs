//! The steps of the workflow, in the order in which they are first done.

use e3_model::OpId;

pub(super) const OPS: &[(&str, &str)] = &[
    ("Login", "the login page, then the form's submission"),
    ("Browse", "the repository's page of files"),
    ("Fetch", "Git: from connecting until the default branch's tip is read"),
    ("Push", "Git: from connecting until the server's report on the feature branch is read"),
    ("ListBranches", "REST: the branches with the feature branch's name"),
    ("DefaultBranch", "REST: the default branch"),
    ("Repository", "REST: the repository"),
    ("Compare", "the page that compares both branches"),
    ("BuildStatus", "REST: how many builds of a commit succeeded; of each end of the branch"),
    ("CompareChanges", "REST: the files that differ between both branches"),
    ("CompareCommits", "REST: the commits that the feature branch has more"),
    ("DefaultReviewers", "REST: who reviews by default"),
    ("InboxCount", "REST: the number of pull requests in the inbox"),
    ("CompareDiff", "REST: how one file differs between both branches"),
    ("CreatePage", "the page on which the pull request is written"),
    ("CreatePullRequest", "REST: the pull request's creation"),
    ("PullRequest", "the pull request's page"),
    ("Overview", "the page of its description and activities"),
    ("Mergeability", "REST: whether it can be merged"),
    ("Issues", "REST: the issues that it names"),
    ("Settings", "REST: the repository's settings for pull requests"),
    ("Changes", "REST: the files that it changes"),
    ("Diff", "REST: how it changes one file; some of the files"),
    ("ListPullRequests", "the page of the repository's open pull requests"),
    ("Version", "REST: the pull request as it is now"),
    ("Automerge", "REST: which branches the merge would go on to"),
    ("BranchCheck", "REST: whether the feature branch can be deleted"),
    ("Merge", "REST: the merge"),
    ("DeleteBranch", "REST: the feature branch's deletion"),
    ("Decline", "REST: the decline, only where the merge was refused"),
    ("Logout", "the logout"),
];

pub(super) const LOGIN: OpId = OpId(0);
pub(super) const BROWSE: OpId = OpId(1);
pub(super) const FETCH: OpId = OpId(2);
pub(super) const PUSH: OpId = OpId(3);
pub(super) const LIST_BRANCHES: OpId = OpId(4);
pub(super) const DEFAULT_BRANCH: OpId = OpId(5);
pub(super) const REPOSITORY: OpId = OpId(6);
pub(super) const COMPARE: OpId = OpId(7);
pub(super) const BUILD_STATUS: OpId = OpId(8);
pub(super) const COMPARE_CHANGES: OpId = OpId(9);
pub(super) const COMPARE_COMMITS: OpId = OpId(10);
pub(super) const DEFAULT_REVIEWERS: OpId = OpId(11);
pub(super) const INBOX_COUNT: OpId = OpId(12);
pub(super) const COMPARE_DIFF: OpId = OpId(13);
pub(super) const CREATE_PAGE: OpId = OpId(14);
pub(super) const CREATE_PULL_REQUEST: OpId = OpId(15);
pub(super) const PULL_REQUEST: OpId = OpId(16);
pub(super) const OVERVIEW: OpId = OpId(17);
pub(super) const MERGEABILITY: OpId = OpId(18);
pub(super) const ISSUES: OpId = OpId(19);
pub(super) const SETTINGS: OpId = OpId(20);
pub(super) const CHANGES: OpId = OpId(21);
pub(super) const DIFF: OpId = OpId(22);
pub(super) const LIST_PULL_REQUESTS: OpId = OpId(23);
pub(super) const VERSION: OpId = OpId(24);
pub(super) const AUTOMERGE: OpId = OpId(25);
pub(super) const BRANCH_CHECK: OpId = OpId(26);
pub(super) const MERGE: OpId = OpId(27);
pub(super) const DELETE_BRANCH: OpId = OpId(28);
pub(super) const DECLINE: OpId = OpId(29);
pub(super) const LOGOUT: OpId = OpId(30);
