//! `persona.DeveloperUsingPullRequests`: a developer looks at the dashboard and takes one branch to its merge.

use std::sync::Arc;

use async_trait::async_trait;
use e3_model::{Need, OpId, Protocol, ScriptDescriptor};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting, Stopped};

use crate::web::browser::Browser;
use crate::web::dashboard;
use crate::web::pull_request_workflow::{OPS, Workflow};

/// Logs in, looks at the dashboard, works on one pull request, logs out; the order is the first E3's.
pub(crate) struct DeveloperUsingPullRequests;

const NAME: &str = "persona.DeveloperUsingPullRequests";
const LOGIN: OpId = OpId(0);
const DASHBOARD: OpId = OpId(1);
const WORKFLOW: OpId = OpId(5);

impl Script for DeveloperUsingPullRequests {
    fn descriptor(&self) -> ScriptDescriptor {
        let dashboard = dashboard::OPS.map(|(name, summary)| {
            // Both parts ask for it, and a row is one part's.
            let is_twice = OPS.iter().any(|(other, _)| *other == name);
            (if is_twice { format!("Dashboard{name}") } else { name.to_owned() }, summary)
        });
        let dashboard: Vec<_> = dashboard.iter().map(|(name, summary)| (name.as_str(), *summary)).collect();
        let (login, logout) = (("Login", "the login page, then its submission"), ("Logout", "the logout"));
        ScriptDescriptor::new(
            NAME,
            "Logs in, looks at the dashboard, takes one branch from its push over its pull request to the merge as \
             web.PullRequestWorkflow does, and logs out; leaves neither branch nor open pull request behind.",
            Protocol::Http,
            &[&[login][..], &dashboard, OPS, &[logout]].concat(),
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
        dashboard::look(&mut self.browser, context, DASHBOARD).await?;
        let done = self.workflow.once(&mut self.browser, context, WORKFLOW).await;
        self.workflow.leave(&mut self.browser, context, (logout(), done)).await
    }

    async fn finish(&mut self) -> Result<(), String> {
        self.workflow.finish().await
    }
}

/// Returns the op that comes after the workflow's.
fn logout() -> OpId {
    OpId(u16::try_from(usize::from(WORKFLOW.0) + OPS.len()).unwrap_or(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_begins_where_the_one_before_ends() {
        let ops = DeveloperUsingPullRequests.descriptor().ops;
        let named = |op: OpId| ops[usize::from(op.0)].name.as_str();
        assert_eq!(
            [named(LOGIN), named(DASHBOARD), named(WORKFLOW), named(logout())],
            ["Login", "Dashboard", OPS[0].0, "Logout"]
        );
        assert_eq!(ops.len(), usize::from(logout().0) + 1);
        assert_eq!(ops[2].name, "DashboardInboxCount");
    }
}
