//! `web.PullRequestWorkflow`: a developer pushes a feature branch, opens a pull request, looks at it and merges it.
//!
//! The order of calls is the first E3's. Where its calls are gone or never worked, this script does what they were for:
//! the pull request is created by REST, the branch is looked up by its name, files are told by their node type, and a
//! merge counts by its own answer.

mod branch;
mod leftovers;
mod merge;
mod ops;

use std::sync::Arc;

use async_trait::async_trait;
use e3_bitbucket::path;
use e3_git::{Remote, RepositoryPath};
use e3_http::Response;
use e3_model::{Connections, Protocol, ScriptDescriptor};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting, Stopped};
use rand::RngExt as _;
use serde_json::{Value, json};

use self::branch::Branch;
use self::leftovers::Leftovers;
use self::ops::*;
use super::ask::Ask;
use super::browser::{Browser, json as json_of, leads_on};
use super::listing::changed_files;
use crate::scm::change::Change;
use crate::scm::git_op;
use crate::setting::{draw_account, draw_among, git_options, http_way, parse_base};

/// Pushes a feature branch, opens a pull request for it, reviews it, merges it, and deletes the branch.
pub(crate) struct PullRequestWorkflow;

const NAME: &str = "web.PullRequestWorkflow";

impl Script for PullRequestWorkflow {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            NAME,
            "Pushes a feature branch over HTTP to a repository drawn by weight, opens a pull request, looks through it, \
             merges it and deletes the branch; declines what cannot be merged, and leaves neither branch nor open pull \
             request behind.",
            Protocol::Http,
            OPS,
        )
    }

    fn client(
        &self,
        setting: &Arc<Setting>,
        context: &mut ClientContext,
    ) -> Result<Box<dyn ScriptClient>, ScriptError> {
        if setting.repositories.is_empty() {
            return Err(ScriptError::NoRepository { script: NAME.to_owned() });
        }
        let account = draw_account(NAME, setting, context)?;
        let base = parse_base(NAME, &setting.url)?;
        let way = http_way(NAME, setting, Connections::KeepAlive)?;
        let options = git_options(NAME, setting)?;
        let remote = Remote::http(base.clone(), &account.name, &account.password).with_options(&options);
        Ok(Box::new(Client {
            leftovers: Leftovers::new((base, way), account.clone(), remote.clone()),
            browser: Browser::open(NAME, setting, Some(account))?,
            setting: Arc::clone(setting),
            remote,
            knows_cleanup: true,
        }))
    }
}

struct Client {
    setting: Arc<Setting>,
    browser: Browser,
    remote: Remote,
    leftovers: Leftovers,
    /// Whether the server has the resource that deletes the source branch of a pull request, as far as is known.
    knows_cleanup: bool,
}

#[async_trait]
impl ScriptClient for Client {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        self.browser.log_in(context, LOGIN).await?;
        if let Some(branch) = self.push(context).await? {
            self.compare(context, &branch).await?;
            let id = self.create(context, &branch).await?;
            self.review(context, &branch, id).await?;
            self.merge(context, &branch, id).await?;
            self.leftovers.forget(&branch);
        }
        self.browser.log_out(context, LOGOUT).await
    }

    async fn finish(&mut self) -> Result<(), String> {
        self.leftovers.remove().await
    }
}

impl Client {
    /// Looks at repositories until one is not empty, and pushes a feature branch to it.
    async fn push(&mut self, context: &mut ClientContext) -> Result<Option<Branch>, Stopped> {
        for _ in 0..REPOSITORIES_SEEN {
            let Some(drawn) = self.setting.repositories.draw(context.random()).cloned() else { break };
            let browse = Ask::page(path::browse_page(&drawn.project, &drawn.slug));
            let is_empty = self.browser.ask(context, BROWSE, browse, is_empty).await?;
            let Some(base) = drawn.default_branch.filter(|_| !is_empty) else { continue };
            let repository = RepositoryPath::new(&drawn.project, &drawn.slug);
            let name = format!("feature/{}", word(context));
            let fetch = e3_git::fetch_tip(&self.remote, &repository, &base);
            let tip = git_op(context, FETCH, fetch, |tip| tip.transfer).await?;
            let change = Change::draw(context, &tip, FILES);
            let parent = tip.commit.to_string();
            let (project, slug, commit) = (drawn.project, drawn.slug, String::new());
            let mut branch = Branch { project, slug, base, name, parent, commit };
            self.leftovers.expect(&branch);
            let commit = change.commit();
            let push = e3_git::push(&self.remote, &repository, &tip, &branch.name, &commit);
            let pushed = git_op(context, PUSH, push, |pushed| pushed.transfer).await?;
            branch.commit = pushed.commit.to_string();
            self.leftovers.arrived(&branch);
            let find = Ask::rest(path::rest_branches_named(&branch.project, &branch.slug, &branch.name));
            self.browser.ask(context, LIST_BRANCHES, find, |page| branch.is_in(&json_of(page)?)).await?;
            return Ok(Some(branch));
        }
        Ok(None)
    }

    /// Looks at what the branch would bring, as a person does before opening a pull request.
    async fn compare(&mut self, context: &mut ClientContext, branch: &Branch) -> Result<(), Stopped> {
        let browser = &mut self.browser;
        let (key, slug, from, to) = (&branch.project, &branch.slug, &branch.from(), &branch.to());
        browser.rest(context, DEFAULT_BRANCH, path::rest_default_branch(key, slug)).await?;
        let repository = Ask::rest(path::rest_repository(key, slug));
        let id = browser.ask(context, REPOSITORY, repository, |answer| number(answer, "id")).await?;
        browser.page(context, COMPARE, path::compare_page(key, slug, from, to, id)).await?;
        for commit in [&branch.commit, &branch.parent] {
            browser.rest(context, BUILD_STATUS, path::build_status(commit)).await?;
        }
        let changes = Ask::rest(path::rest_compare_changes(key, slug, from, to));
        let files = browser.ask(context, COMPARE_CHANGES, changes, some_files).await?;
        browser.rest(context, COMPARE_COMMITS, path::rest_compare_commits(key, slug, from, to)).await?;
        browser.rest(context, DEFAULT_REVIEWERS, path::default_reviewers(key, slug, from, to, id)).await?;
        browser.rest(context, INBOX_COUNT, path::inbox_count()).await?;
        let Some(file) = draw_among(&files, context) else { return Ok(()) };
        browser
            .rest(context, COMPARE_DIFF, path::rest_compare_diff(key, slug, file, from, to))
            .await
            .map(drop)
    }

    /// Opens the pull request and its page; returns its number.
    async fn create(&mut self, context: &mut ClientContext, branch: &Branch) -> Result<u64, Stopped> {
        let browser = &mut self.browser;
        let (key, slug, from, to) = (&branch.project, &branch.slug, &branch.from(), &branch.to());
        browser.page(context, CREATE_PAGE, path::pull_request_create_page(key, slug, from, to)).await?;
        let end = |id: &str| json!({"id": id, "repository": {"slug": slug, "project": {"key": key}}});
        let body = json!({
            "title": format!("Merge {}", branch.name),
            "description": "Changes some files.",
            "fromRef": end(from),
            "toRef": end(to),
            "reviewers": [],
        });
        let create = Ask::post(path::rest_create_pull_request(key, slug), body).accepting(&[201]);
        let id = browser.ask(context, CREATE_PULL_REQUEST, create, |answer| number(answer, "id")).await?;
        let page = Ask::page(path::pull_request_page(key, slug, id)).accepting(&[200, 302]);
        browser.ask(context, PULL_REQUEST, page, leads_on).await?;
        browser.page(context, OVERVIEW, path::pull_request_overview_page(key, slug, id)).await?;
        let mergeability = path::rest_pull_request_mergeability(key, slug, id);
        browser.rest(context, MERGEABILITY, mergeability).await?;
        browser.rest(context, ISSUES, path::pull_request_issues(key, slug, id)).await?;
        browser.rest(context, SETTINGS, path::rest_pull_request_settings(key, slug)).await?;
        Ok(id)
    }

    /// Reads the differences of some of the changed files, and the list of pull requests.
    async fn review(&mut self, context: &mut ClientContext, branch: &Branch, id: u64) -> Result<(), Stopped> {
        let browser = &mut self.browser;
        let (key, slug) = (&branch.project, &branch.slug);
        let changes = Ask::rest(path::rest_pull_request_changes(key, slug, id));
        let files = browser.ask(context, CHANGES, changes, some_files).await?;
        let read = context.random().random_range(0..files.len().max(1));
        for _ in 0..read {
            let Some(file) = draw_among(&files, context) else { break };
            browser.rest(context, DIFF, path::rest_pull_request_diff(key, slug, id, file)).await?;
        }
        browser.page(context, LIST_PULL_REQUESTS, path::pull_requests_page(key, slug)).await
    }
}

/// Returns whether a repository's page says how to fill it.
fn is_empty(page: &Response) -> Result<bool, String> {
    let text = page.text().map_err(|error| format!("with a page that cannot be read: {error}"))?;
    Ok(text.contains("empty-repository-instructions"))
}

fn some_files(answer: &Response) -> Result<Vec<String>, String> {
    let files = changed_files(&json_of(answer)?);
    if files.is_empty() { Err("with no changed file".to_owned()) } else { Ok(files) }
}

fn number(answer: &Response, field: &str) -> Result<u64, String> {
    let number = json_of(answer)?.get(field).and_then(Value::as_u64);
    number.ok_or_else(|| format!("without a number {field:?}"))
}

/// Draws ten letters.
fn word(context: &mut ClientContext) -> String {
    (0..10).map(|_| char::from(context.random().random_range(b'a'..=b'z'))).collect()
}

/// How many repositories a client looks at for one that is not empty.
const REPOSITORIES_SEEN: u32 = 8;
/// How many files one branch changes, as in the first E3.
const FILES: std::ops::RangeInclusive<usize> = 10..=30;
