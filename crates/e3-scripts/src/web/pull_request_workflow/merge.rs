//! The merge, or what comes instead where it is refused.

use e3_bitbucket::{SourceBranchWay, path};
use e3_workload::Stopped;
use serde_json::{Value, json};

use super::body::{Workflow, number};
use super::branch::Branch;
use super::ops::*;
use crate::web::ask::Ask;
use crate::web::browser::{Refusal, json as json_of};
use crate::web::steps::Steps;

impl Workflow {
    /// Merges the pull request and deletes its branch; where the server refuses, declines it.
    ///
    /// A merge that is refused because the pull request has changed is tried again with its new version.
    pub(super) async fn merge(
        &mut self,
        steps: &mut Steps<'_>,
        branch: &Branch,
        id: u64,
    ) -> Result<(), Stopped> {
        let (key, slug) = (&branch.project, &branch.slug);
        let mut version = self.version(steps, branch, id).await?;
        let automerge = Ask::rest(path::automerge_path(key, slug, &branch.to()));
        // No part of the published interface: a server without it answers 404.
        steps.ask(AUTOMERGE, automerge.accepting(&[200, 204, 404]), |_| Ok(())).await?;
        self.knows_cleanup = self.may_delete(steps, branch, id).await?;
        for attempt in 1.. {
            let merge =
                Ask::post(path::rest_merge_pull_request(key, slug, id, version), json!({"message": ""}));
            let merged = steps.attempt(MERGE, merge, |answer| is_merged(&json_of(answer)?)).await?;
            let Err(refusal) = merged else { break };
            let is_stale = refusal.status == 409 && refusal.said.contains("PullRequestOutOfDateException");
            if is_stale && attempt < ATTEMPTS {
                version = self.version(steps, branch, id).await?;
                continue;
            }
            return Err(self.give_up(steps, branch, id, refusal).await);
        }
        self.delete_source(steps, branch, Some(id)).await
    }

    /// Comes to an end although the merge was refused: declines, where the answer shows that it was not merged. Returns why
    /// it ended: the refusal, or the stage's end.
    async fn give_up(
        &mut self,
        steps: &mut Steps<'_>,
        branch: &Branch,
        id: u64,
        refusal: Refusal,
    ) -> Stopped {
        if refusal.status == 409
            && let Err(Stopped::StageOver) = self.decline(steps, branch, id).await
        {
            return Stopped::StageOver;
        }
        self.was_refused = true;
        refusal.stopped
    }

    /// Asks whether the source branch can be deleted; returns whether the server knows the question.
    async fn may_delete(&mut self, steps: &mut Steps<'_>, branch: &Branch, id: u64) -> Result<bool, Stopped> {
        let (key, slug) = (&branch.project, &branch.slug);
        let check = match self.dialect.source_branch() {
            SourceBranchWay::Deletion => {
                Ask::post(path::source_branch_deletion(key, slug, id, true), Value::Null)
            }
            SourceBranchWay::Cleanup => Ask::rest(path::pull_request_cleanup_check(key, slug, id)),
        };
        // No part of the published interface: from which version on which one is there is not known.
        let check = check.accepting(&[200, 204, 404]);
        steps.ask(BRANCH_CHECK, check, |answer| Ok(answer.status != 404)).await
    }

    async fn version(&mut self, steps: &mut Steps<'_>, branch: &Branch, id: u64) -> Result<u64, Stopped> {
        let read = Ask::rest(path::rest_pull_request(&branch.project, &branch.slug, id));
        steps.ask(VERSION, read, |answer| number(answer, "version")).await
    }

    /// Declines the pull request and deletes its branch.
    async fn decline(&mut self, steps: &mut Steps<'_>, branch: &Branch, id: u64) -> Result<(), Stopped> {
        let version = self.version(steps, branch, id).await?;
        let path = path::rest_decline_pull_request(&branch.project, &branch.slug, id, version);
        steps.ask(DECLINE, Ask::post(path, Value::Null), |_| Ok(())).await?;
        self.delete_source(steps, branch, None).await?;
        self.leftovers.forget(branch);
        Ok(())
    }

    /// Deletes the branch as the page of a merged pull request does, or as the published interface does.
    async fn delete_source(
        &mut self,
        steps: &mut Steps<'_>,
        branch: &Branch,
        merged: Option<u64>,
    ) -> Result<(), Stopped> {
        let (key, slug) = (&branch.project, &branch.slug);
        let ask = match merged {
            Some(id) if self.knows_cleanup => match self.dialect.source_branch() {
                SourceBranchWay::Deletion => {
                    Ask::post(path::source_branch_deletion(key, slug, id, false), Value::Null)
                }
                SourceBranchWay::Cleanup => Ask::post(
                    path::pull_request_cleanup(key, slug, id),
                    json!({"deleteSourceRef": true, "retargetDependents": true}),
                ),
            }
            .accepting(&[200, 204]),
            _ => Ask::delete(path::branch_utils(key, slug), json!({"name": branch.from(), "dryRun": false})),
        };
        steps.ask(DELETE_BRANCH, ask, |_| Ok(())).await
    }
}

fn is_merged(pull_request: &Value) -> Result<(), String> {
    match pull_request.get("state").and_then(Value::as_str) {
        Some("MERGED") => Ok(()),
        state => Err(format!("with the state {}", state.unwrap_or("of nothing"))),
    }
}

/// How often a merge is tried with the version that was read last.
const ATTEMPTS: u32 = 3;
