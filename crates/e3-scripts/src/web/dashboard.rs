//! `web.Dashboard`: a person logs in, looks at the dashboard, and logs out.

use std::sync::Arc;

use async_trait::async_trait;
use e3_bitbucket::path;
use e3_model::{Need, OpId, Protocol, ScriptDescriptor};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting, Stopped};

use super::browser::Browser;
use super::steps::Steps;
use crate::setting::draw_account;

/// Logs in, fetches the dashboard and what it shows, logs out.
pub(crate) struct Dashboard;

const NAME: &str = "web.Dashboard";
const LOGIN: OpId = OpId(0);
const FIRST: OpId = OpId(1);
const LOGOUT: OpId = OpId(5);

/// What [`look`] records, in this order.
pub(crate) const OPS: [(&str, &str); 4] = [
    ("Dashboard", "the dashboard page"),
    ("InboxCount", "REST: the number of pull requests in the inbox"),
    ("RecentRepositories", "REST: the repositories the user saw last"),
    ("PullRequestSuggestions", "REST: suggested pull requests"),
];

/// Looks at the dashboard in a browser that is logged in; `first` is the first of [`OPS`] in the script's own list.
pub(crate) async fn look(
    browser: &mut Browser,
    context: &mut ClientContext,
    first: OpId,
) -> Result<(), Stopped> {
    let mut steps = Steps::new(browser, context, first);
    steps.page(0, path::dashboard()).await?;
    steps.rest(1, path::inbox_count()).await?;
    steps.rest(2, path::recent_repositories(RECENT)).await?;
    steps.rest(3, path::pull_request_suggestions()).await.map(drop)
}

impl Script for Dashboard {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            NAME,
            "Logs in, fetches the dashboard page and the REST calls behind it, logs out.",
            Protocol::Http,
            &[&[("Login", "the login page, then its submission")], &OPS[..], &[("Logout", "the logout")]]
                .concat(),
        )
        .needing(&[Need::HttpUser])
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
        self.browser.log_in(context, LOGIN).await?;
        look(&mut self.browser, context, FIRST).await?;
        self.browser.log_out(context, LOGOUT).await
    }
}

/// How many recent repositories the dashboard shows.
const RECENT: u32 = 10;
