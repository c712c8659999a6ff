//! `web.Dashboard`: a person logs in, looks at the dashboard, and logs out.

use std::sync::Arc;

use async_trait::async_trait;
use e3_bitbucket::path;
use e3_model::{OpId, Protocol, ScriptDescriptor};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting, Stopped};

use super::browser::Browser;
use crate::setting::draw_account;

/// Logs in, fetches the dashboard and what it shows, logs out.
pub(crate) struct Dashboard;

const NAME: &str = "web.Dashboard";
const LOGIN: OpId = OpId(0);
const DASHBOARD: OpId = OpId(1);
const INBOX_COUNT: OpId = OpId(2);
const RECENT_REPOSITORIES: OpId = OpId(3);
const SUGGESTIONS: OpId = OpId(4);
const LOGOUT: OpId = OpId(5);

impl Script for Dashboard {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            NAME,
            "Logs in, fetches the dashboard page and the REST calls behind it, logs out.",
            Protocol::Http,
            &[
                ("Login", "the login page, then the form's submission"),
                ("Dashboard", "the dashboard page"),
                ("InboxCount", "REST: the number of pull requests in the inbox"),
                ("RecentRepositories", "REST: the repositories the user saw last"),
                ("PullRequestSuggestions", "REST: suggested pull requests"),
                ("Logout", "the logout"),
            ],
        )
    }

    fn client(
        &self,
        setting: &Arc<Setting>,
        context: &mut ClientContext,
    ) -> Result<Box<dyn ScriptClient>, ScriptError> {
        let account = draw_account(NAME, setting, context)?;
        Ok(Box::new(Client { browser: Browser::open(NAME, setting, Some(account))? }))
    }
}

struct Client {
    browser: Browser,
}

#[async_trait]
impl ScriptClient for Client {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        let browser = &mut self.browser;
        browser.log_in(context, LOGIN).await?;
        browser.page(context, DASHBOARD, path::dashboard()).await?;
        browser.rest(context, INBOX_COUNT, path::inbox_count()).await?;
        browser.rest(context, RECENT_REPOSITORIES, path::recent_repositories(RECENT)).await?;
        browser.rest(context, SUGGESTIONS, path::pull_request_suggestions()).await?;
        browser.log_out(context, LOGOUT).await
    }
}

/// How many recent repositories the dashboard shows.
const RECENT: u32 = 10;
