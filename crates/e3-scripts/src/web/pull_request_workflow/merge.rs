//! The merge, or what comes instead where it is refused.

use e3_bitbucket::path;
use e3_workload::{ClientContext, Stopped};
use serde_json::{Value, json};

use super::branch::Branch;
use super::ops::*;
use super::{Client, json_of, number};
use crate::web::ask::Ask;
use crate::web::browser::Refusal;

impl Client {
    /// Merges the pull request and deletes its branch; where the server refuses, declines it and logs out.
    ///
    /// A merge that is refused because the pull request has changed is tried again with its new version.
    pub(super) async fn merge(
        &mut self,
        context: &mut ClientContext,
        branch: &Branch,
        id: u64,
    ) -> Result<(), Stopped> {
        let (key, slug) = (&branch.project, &branch.slug);
        let mut version = self.version(context, branch, id).await?;
        let automerge = Ask::rest(path::automerge_path(key, slug, &branch.to()));
        // No part of the published interface: a server without it answers 404.
        self.browser.ask(context, AUTOMERGE, automerge.accepting(&[200, 204, 404]), |_| Ok(())).await?;
        let check = Ask::post(path::source_branch_deletion(key, slug, id, true), Value::Null);
        let check = check.accepting(&[200, 204, 404]);
        let status = self.browser.ask(context, BRANCH_CHECK, check, |answer| Ok(answer.status)).await?;
        self.knows_cleanup = status != 404;
        for attempt in 1.. {
            let merge =
                Ask::post(path::rest_merge_pull_request(key, slug, id, version), json!({"message": ""}));
            let merged =
                self.browser.attempt(context, MERGE, merge, |answer| is_merged(&json_of(answer)?)).await?;
            let Err(refusal) = merged else { break };
            let is_stale = refusal.status == 409 && refusal.said.contains("PullRequestOutOfDateException");
            if is_stale && attempt < ATTEMPTS {
                version = self.version(context, branch, id).await?;
                continue;
            }
            return Err(self.give_up(context, branch, id, refusal).await);
        }
        self.delete_source(context, branch, Some(id)).await
    }

    /// Ends an iteration whose merge was refused: declines, where the answer shows that it was not merged, and logs out.
    /// Returns why it ended: the refusal, or the stage's end.
    async fn give_up(
        &mut self,
        context: &mut ClientContext,
        branch: &Branch,
        id: u64,
        refusal: Refusal,
    ) -> Stopped {
        if refusal.status == 409
            && let Err(Stopped::StageOver) = self.decline(context, branch, id).await
        {
            return Stopped::StageOver;
        }
        // What fails here is a failed op of its own; the iteration has ended by the refusal all the same.
        match self.browser.log_out(context, LOGOUT).await {
            Err(Stopped::StageOver) => Stopped::StageOver,
            Ok(()) | Err(Stopped::Failed { .. }) => refusal.stopped,
        }
    }

    async fn version(
        &mut self,
        context: &mut ClientContext,
        branch: &Branch,
        id: u64,
    ) -> Result<u64, Stopped> {
        let read = Ask::rest(path::rest_pull_request(&branch.project, &branch.slug, id));
        self.browser.ask(context, VERSION, read, |answer| number(answer, "version")).await
    }

    /// Declines the pull request and deletes its branch.
    async fn decline(
        &mut self,
        context: &mut ClientContext,
        branch: &Branch,
        id: u64,
    ) -> Result<(), Stopped> {
        let version = self.version(context, branch, id).await?;
        let path = path::rest_decline_pull_request(&branch.project, &branch.slug, id, version);
        self.browser.ask(context, DECLINE, Ask::post(path, Value::Null), |_| Ok(())).await?;
        self.delete_source(context, branch, None).await?;
        self.leftovers.forget(branch);
        Ok(())
    }

    /// Deletes the branch as the page of a merged pull request does, or as the published interface does.
    async fn delete_source(
        &mut self,
        context: &mut ClientContext,
        branch: &Branch,
        merged: Option<u64>,
    ) -> Result<(), Stopped> {
        let (key, slug) = (&branch.project, &branch.slug);
        let ask = match merged {
            Some(id) if self.knows_cleanup => {
                Ask::post(path::source_branch_deletion(key, slug, id, false), Value::Null)
                    .accepting(&[200, 204])
            }
            _ => Ask::delete(path::branch_utils(key, slug), json!({"name": branch.from(), "dryRun": false})),
        };
        self.browser.ask(context, DELETE_BRANCH, ask, |_| Ok(())).await
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
