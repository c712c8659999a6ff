//! `web.ViewPullRequest`: a person reads a pull request.

use std::sync::Arc;

use async_trait::async_trait;
use e3_bitbucket::path;
use e3_model::{Need, OpId, Protocol, ScriptDescriptor};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting, Stopped};

use super::ask::Ask;
use super::browser::{Browser, leads_on};
use super::listing::{changed_files, draw_number, draw_text};
use crate::setting::{draw_account, draw_among};

/// Looks for a repository that has open pull requests, and reads one of them.
pub(crate) struct ViewPullRequest;

const NAME: &str = "web.ViewPullRequest";
const LOGIN: OpId = OpId(0);
const LIST_PROJECTS: OpId = OpId(1);
const LIST_REPOSITORIES: OpId = OpId(2);
const LIST_PULL_REQUESTS: OpId = OpId(3);
const PULL_REQUEST: OpId = OpId(4);
const CHANGES: OpId = OpId(5);
const DIFF: OpId = OpId(6);

impl Script for ViewPullRequest {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            NAME,
            "Looks through at most four random repositories for an open pull request, and reads its page and how it \
             changes a random file.",
            Protocol::Http,
            &[
                ("Login", "the login page, then its submission; once a session"),
                ("ListProjects", "REST: the first 50 projects"),
                ("ListRepositories", "REST: a project's first 50 repositories"),
                ("ListPullRequests", "REST: a repository's first 50 open pull requests"),
                ("PullRequest", "the pull request's page"),
                ("Changes", "REST: the files that it changes"),
                ("Diff", "REST: how it changes one file"),
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
        self.browser.log_in(context, LOGIN).await?;
        match self.find(context).await? {
            Some((key, slug, id)) => self.read(context, &key, &slug, id).await,
            None => Ok(()),
        }
    }
}

impl Client {
    /// Returns a random open pull request; none where those repositories that were looked through have none.
    async fn find(&mut self, context: &mut ClientContext) -> Result<Option<(String, String, u64)>, Stopped> {
        let browser = &mut self.browser;
        let projects = browser.rest(context, LIST_PROJECTS, path::rest_projects(0, PAGE)).await?;
        for _ in 0..REPOSITORIES_SEEN {
            let Some(key) = draw_text(&projects, "key", context) else { return Ok(None) };
            let list = path::rest_repositories(&key, 0, PAGE);
            let repositories = browser.rest(context, LIST_REPOSITORIES, list).await?;
            let Some(slug) = draw_text(&repositories, "slug", context) else { continue };
            let list = path::rest_pull_requests(&key, &slug, 0, PAGE);
            let pull_requests = browser.rest(context, LIST_PULL_REQUESTS, list).await?;
            if let Some(id) = draw_number(&pull_requests, "id", context) {
                return Ok(Some((key, slug, id)));
            }
        }
        Ok(None)
    }

    /// Reads a pull request, which may have been merged since it was listed.
    async fn read(
        &mut self,
        context: &mut ClientContext,
        key: &str,
        slug: &str,
        id: u64,
    ) -> Result<(), Stopped> {
        let browser = &mut self.browser;
        let page = Ask::page(path::pull_request_page(key, slug, id)).accepting(&[200, 302]);
        browser.ask(context, PULL_REQUEST, page, leads_on).await?;
        let changes = path::rest_pull_request_changes(key, slug, id);
        let files = changed_files(&browser.rest(context, CHANGES, changes).await?);
        let Some(file) = draw_among(&files, context) else { return Ok(()) };
        let diff = path::rest_pull_request_diff(key, slug, id, file);
        browser.rest(context, DIFF, diff).await.map(drop)
    }
}

/// The first E3's page size.
const PAGE: u32 = 50;
/// In how many repositories a client looks for an open pull request; the first E3 gave up after one.
const REPOSITORIES_SEEN: u32 = 4;
