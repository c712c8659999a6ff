//! `web.ListPullRequests`: a person looks which pull requests a repository has.

use std::sync::Arc;

use async_trait::async_trait;
use e3_bitbucket::path;
use e3_model::{Need, OpId, Protocol, ScriptDescriptor};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting, Stopped};

use super::browser::Browser;
use super::listing::draw_text;
use crate::setting::draw_account;

/// Lists the open pull requests of a random repository of a random project.
pub(crate) struct ListPullRequests;

const NAME: &str = "web.ListPullRequests";
const LOGIN: OpId = OpId(0);
const LIST_PROJECTS: OpId = OpId(1);
const LIST_REPOSITORIES: OpId = OpId(2);
const LIST_PULL_REQUESTS: OpId = OpId(3);

impl Script for ListPullRequests {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            NAME,
            "Lists the open pull requests of a random repository of a random project by REST.",
            Protocol::Http,
            &[
                ("Login", "the login page, then its submission; once a session"),
                ("ListProjects", "REST: the first 50 projects"),
                ("ListRepositories", "REST: a project's first 50 repositories"),
                ("ListPullRequests", "REST: a repository's first 50 open pull requests"),
            ],
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
        let browser = &mut self.browser;
        browser.log_in(context, LOGIN).await?;
        let projects = browser.rest(context, LIST_PROJECTS, path::rest_projects(0, PAGE)).await?;
        let Some(key) = draw_text(&projects, "key", context) else { return Ok(()) };
        let list = path::rest_repositories(&key, 0, PAGE);
        let repositories = browser.rest(context, LIST_REPOSITORIES, list).await?;
        let Some(slug) = draw_text(&repositories, "slug", context) else { return Ok(()) };
        let list = path::rest_pull_requests(&key, &slug, 0, PAGE);
        browser.rest(context, LIST_PULL_REQUESTS, list).await.map(drop)
    }
}

/// The first E3's page size.
const PAGE: u32 = 50;
