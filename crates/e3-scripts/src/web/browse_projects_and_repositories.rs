//! `web.BrowseProjectsAndRepositories`: a person looks through projects, their repositories and branches.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use e3_bitbucket::path;
use e3_model::{Need, OpId, Protocol, ScriptDescriptor};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting, Stopped};

use super::browser::Browser;
use super::listing::draw_text;
use crate::setting::draw_account;

/// Looks through four projects, and two repositories of each.
pub(crate) struct BrowseProjectsAndRepositories;

const NAME: &str = "web.BrowseProjectsAndRepositories";
const LOGIN: OpId = OpId(0);
const PROJECTS: OpId = OpId(1);
const LIST_PROJECTS: OpId = OpId(2);
const REPOSITORIES: OpId = OpId(3);
const LIST_REPOSITORIES: OpId = OpId(4);
const BRANCHES: OpId = OpId(5);
const LIST_BRANCHES: OpId = OpId(6);

impl Script for BrowseProjectsAndRepositories {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            NAME,
            "Looks through the projects, four times a random project's repositories, and two of their branch lists each.",
            Protocol::Http,
            &[
                ("Login", "the login page, then its submission; once a session"),
                ("Projects", "the page of all projects"),
                ("ListProjects", "REST: the first 50 projects"),
                ("Repositories", "a project's page of repositories"),
                ("ListRepositories", "REST: a project's first 50 repositories"),
                ("Branches", "a repository's page of branches"),
                ("ListBranches", "REST: a repository's first 25 branches"),
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
        browser.page(context, PROJECTS, path::projects_page()).await?;
        let projects = browser.rest(context, LIST_PROJECTS, path::rest_projects(0, PAGE)).await?;
        for _ in 0..PROJECTS_SEEN {
            let Some(key) = draw_text(&projects, "key", context) else { break };
            browser.page(context, REPOSITORIES, path::project_repos_page(&key)).await?;
            let list = path::rest_repositories(&key, 0, PAGE);
            let repositories = browser.rest(context, LIST_REPOSITORIES, list).await?;
            for _ in 0..REPOSITORIES_SEEN {
                let Some(slug) = draw_text(&repositories, "slug", context) else { break };
                browser.page(context, BRANCHES, path::branches_page(&key, &slug)).await?;
                let list = path::rest_branches(&key, &slug, 0, BRANCH_PAGE);
                browser.rest(context, LIST_BRANCHES, list).await?;
            }
        }
        context.pause(PAUSE).await
    }
}

/// The first E3's page size for projects and repositories.
const PAGE: u32 = 50;
/// Bitbucket's default page size, which the first E3 relied on for branches.
const BRANCH_PAGE: u32 = 25;
/// How many projects one iteration looks at.
const PROJECTS_SEEN: u32 = 4;
/// How many repositories of each project it looks at.
const REPOSITORIES_SEEN: u32 = 2;
/// The first E3's pause at the end.
const PAUSE: Duration = Duration::from_millis(500);
