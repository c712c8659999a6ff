//! The steps of the workflow between login and logout, in the order in which they are first done.

use crate::web::steps::Step;

/// What [`super::Workflow::once`] records, in this order.
pub(crate) const OPS: &[(&str, &str)] = &[
    ("Browse", "the repository's page of files"),
    ("Fetch", "Git: from connecting until the default branch's tip is read"),
    ("Push", "Git: from connecting until the server's report on the feature branch is read"),
    ("ListBranches", "REST: the branches with the feature branch's name"),
    ("DefaultBranch", "REST: the default branch"),
    ("DefaultBranchCommit", "REST: its latest commit in the list of branches, since 9.0"),
    ("Repository", "REST: the repository"),
    ("Compare", "the page that compares both branches"),
    ("BuildStatus", "REST: how many builds of a commit succeeded; of each end of the branch"),
    ("CompareChanges", "REST: the files that differ between both branches"),
    ("CompareCommits", "REST: the commits that the feature branch has more"),
    ("DefaultReviewers", "REST: who reviews by default"),
    ("InboxCount", "REST: the number of pull requests in the inbox"),
    ("CompareDiff", "REST: how one file differs between both branches"),
    ("CreatePage", "the page on which the pull request is written"),
    ("CreatePullRequest", "REST: the pull request's creation; before 5.0 the page's form"),
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
];

pub(super) const BROWSE: Step = 0;
pub(super) const FETCH: Step = 1;
pub(super) const PUSH: Step = 2;
pub(super) const LIST_BRANCHES: Step = 3;
pub(super) const DEFAULT_BRANCH: Step = 4;
pub(super) const DEFAULT_BRANCH_COMMIT: Step = 5;
pub(super) const REPOSITORY: Step = 6;
pub(super) const COMPARE: Step = 7;
pub(super) const BUILD_STATUS: Step = 8;
pub(super) const COMPARE_CHANGES: Step = 9;
pub(super) const COMPARE_COMMITS: Step = 10;
pub(super) const DEFAULT_REVIEWERS: Step = 11;
pub(super) const INBOX_COUNT: Step = 12;
pub(super) const COMPARE_DIFF: Step = 13;
pub(super) const CREATE_PAGE: Step = 14;
pub(super) const CREATE_PULL_REQUEST: Step = 15;
pub(super) const PULL_REQUEST: Step = 16;
pub(super) const OVERVIEW: Step = 17;
pub(super) const MERGEABILITY: Step = 18;
pub(super) const ISSUES: Step = 19;
pub(super) const SETTINGS: Step = 20;
pub(super) const CHANGES: Step = 21;
pub(super) const DIFF: Step = 22;
pub(super) const LIST_PULL_REQUESTS: Step = 23;
pub(super) const VERSION: Step = 24;
pub(super) const AUTOMERGE: Step = 25;
pub(super) const BRANCH_CHECK: Step = 26;
pub(super) const MERGE: Step = 27;
pub(super) const DELETE_BRANCH: Step = 28;
pub(super) const DECLINE: Step = 29;
