//! `web.PullRequestWorkflow`: a developer pushes a feature branch, opens a pull request, looks at it and merges it.
//!
//! The order of calls is the first E3's. Where its calls never worked, this script does what they were for: the branch is
//! looked up by its name, files are told by their node type, and a merge counts by its own answer. Where its calls are gone
//! in newer versions, the server's [`Dialect`](e3_bitbucket::Dialect) says which ones came instead.

mod body;
mod branch;
mod create;
mod leftovers;
mod merge;
mod ops;

use std::sync::Arc;

use async_trait::async_trait;
use e3_model::{Need, OpId, Protocol, ScriptDescriptor};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting, Stopped};

pub(crate) use self::body::Workflow;
pub(crate) use self::ops::OPS;
use super::browser::Browser;

/// Pushes a feature branch, opens a pull request for it, reviews it, merges it, and deletes the branch.
pub(crate) struct PullRequestWorkflow;

const NAME: &str = "web.PullRequestWorkflow";
const LOGIN: OpId = OpId(0);
const FIRST: OpId = OpId(1);
const LOGOUT: OpId = OpId(31);

impl Script for PullRequestWorkflow {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            NAME,
            "Pushes a feature branch over HTTP to a repository drawn by weight, opens a pull request, looks through it, \
             merges it and deletes the branch; declines what cannot be merged, and leaves neither branch nor open pull \
             request behind.",
            Protocol::Http,
            &[&[("Login", "the login page, then its submission")], OPS, &[("Logout", "the logout")]]
                .concat(),
        )
        .needing(&[Need::HttpUser, Need::WritableRepository])
    }

    fn client(
        &self,
        setting: &Arc<Setting>,
        context: &mut ClientContext,
    ) -> Result<Box<dyn ScriptClient>, ScriptError> {
        let workflow = Workflow::prepare(NAME, setting, context)?;
        let browser = Browser::open(NAME, setting, Some(workflow.account().clone()))?;
        Ok(Box::new(Client { browser, workflow }))
    }
}

struct Client {
    browser: Browser,
    workflow: Workflow,
}

#[async_trait]
impl ScriptClient for Client {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        self.browser.log_in(context, LOGIN).await?;
        let done = self.workflow.once(&mut self.browser, context, FIRST).await;
        self.workflow.leave(&mut self.browser, context, (LOGOUT, done)).await
    }

    async fn finish(&mut self) -> Result<(), String> {
        self.workflow.finish().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logout_is_the_last_op() {
        let ops = PullRequestWorkflow.descriptor().ops;
        assert_eq!(ops.len(), usize::from(LOGOUT.0) + 1);
        assert_eq!(ops.last().map(|op| op.name.as_str()), Some("Logout"));
    }
}
