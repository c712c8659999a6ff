//! What the workflow does between login and logout, for every script of which it is a part.

use std::sync::Arc;

use e3_bitbucket::{DefaultBranchWay, Dialect, path};
use e3_git::{Remote, RepositoryPath};
use e3_http::Response;
use e3_model::{Connections, OpId};
use e3_workload::{Account, ClientContext, ScriptError, Setting, Stopped};
use rand::RngExt as _;
use serde_json::Value;

use super::branch::Branch;
use super::leftovers::Leftovers;
use super::ops::*;
use crate::scm::change::Change;
use crate::scm::git_op;
use crate::setting::{draw_account, draw_among, git_options, http_way, parse_base};
use crate::web::ask::Ask;
use crate::web::browser::{Browser, json as json_of};
use crate::web::listing::changed_files;
use crate::web::steps::Steps;

/// One developer's pull requests, one after the other, and what is left of them.
pub(crate) struct Workflow {
    setting: Arc<Setting>,
    account: Account,
    remote: Remote,
    pub(super) leftovers: Leftovers,
    pub(super) dialect: Dialect,
    /// How the default branch is found, as far as is known.
    default_branch: DefaultBranchWay,
    /// Whether the server has the resource that deletes the source branch of a pull request, as far as is known.
    pub(super) knows_cleanup: bool,
    /// Whether the last pull request came to its end by a merge that was refused.
    pub(super) was_refused: bool,
}

impl Workflow {
    /// Draws a user and prepares its Git client, outside the clock and without touching the network.
    pub(crate) fn prepare(
        script: &'static str,
        setting: &Arc<Setting>,
        context: &mut ClientContext,
    ) -> Result<Self, ScriptError> {
        if setting.repositories.is_empty() {
            return Err(ScriptError::NoRepository { script: script.to_owned() });
        }
        if !setting.repositories.has_writable() {
            return Err(ScriptError::NoDefaultBranch { script: script.to_owned() });
        }
        let account = draw_account(script, setting, context)?;
        let base = parse_base(script, &setting.url)?;
        let way = http_way(script, setting, Connections::KeepAlive)?;
        let options = git_options(script, setting)?;
        let remote = Remote::http(base.clone(), &account.name, &account.password).with_options(&options);
        let dialect = Dialect::of(setting.product);
        Ok(Self {
            dialect,
            default_branch: dialect.default_branch(),
            leftovers: Leftovers::new((base, way), account.clone(), remote.clone()),
            setting: Arc::clone(setting),
            account,
            remote,
            knows_cleanup: true,
            was_refused: false,
        })
    }

    /// Returns the user that pushes; the browser must be logged in as the same.
    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    /// Takes one branch from its push to its merge in a browser that is logged in; `first` is the first of [`OPS`] in
    /// the script's own list.
    pub(crate) async fn once(
        &mut self,
        browser: &mut Browser,
        context: &mut ClientContext,
        first: OpId,
    ) -> Result<(), Stopped> {
        self.was_refused = false;
        let mut steps = Steps::new(browser, context, first);
        let steps = &mut steps;
        if let Some(branch) = self.push(steps).await? {
            let repository = self.compare(steps, &branch).await?;
            let id = self.create(steps, &branch, repository).await?;
            self.review(steps, &branch, id).await?;
            self.merge(steps, &branch, id).await?;
            self.leftovers.forget(&branch);
        }
        Ok(())
    }

    /// Logs out after [`Workflow::once`], as a person does who has come to an end: also after a merge that was refused, not
    /// after what broke off. Returns how it all ended: what the workflow ended with, or the stage's end.
    pub(crate) async fn leave(
        &self,
        browser: &mut Browser,
        context: &mut ClientContext,
        (logout, done): (OpId, Result<(), Stopped>),
    ) -> Result<(), Stopped> {
        match done {
            Ok(()) => browser.log_out(context, logout).await,
            Err(Stopped::Failed { .. }) if self.was_refused => {
                // What fails here is a failed op of its own; the iteration has ended by the refusal all the same.
                match browser.log_out(context, logout).await {
                    Err(Stopped::StageOver) => Err(Stopped::StageOver),
                    Ok(()) | Err(Stopped::Failed { .. }) => done,
                }
            }
            Err(_) => done,
        }
    }

    /// Removes what an early end left: branches, and open pull requests.
    pub(crate) async fn finish(&mut self) -> Result<(), String> {
        self.leftovers.remove().await
    }

    /// Looks at repositories until one is not empty, and pushes a feature branch to it.
    async fn push(&mut self, steps: &mut Steps<'_>) -> Result<Option<Branch>, Stopped> {
        for _ in 0..REPOSITORIES_SEEN {
            let Some(drawn) = self.setting.repositories.draw(steps.context.random()).cloned() else { break };
            let browse = Ask::page(path::browse_page(&drawn.project, &drawn.slug));
            let is_empty = steps.ask(BROWSE, browse, is_empty).await?;
            let Some(base) = drawn.default_branch.filter(|_| !is_empty) else { continue };
            let repository = RepositoryPath::new(&drawn.project, &drawn.slug);
            let name = format!("feature/{}", word(steps.context));
            let fetch = e3_git::fetch_tip(&self.remote, &repository, &base);
            let op = steps.op(FETCH);
            let tip = git_op(steps.context, op, fetch, |tip| tip.transfer).await?;
            let change = Change::draw(steps.context, &tip, FILES);
            let parent = tip.commit.to_string();
            let (project, slug, commit) = (drawn.project, drawn.slug, String::new());
            let mut branch = Branch { project, slug, base, name, parent, commit };
            self.leftovers.expect(&branch);
            let commit = change.commit();
            let push = e3_git::push(&self.remote, &repository, &tip, &branch.name, &commit);
            let op = steps.op(PUSH);
            let pushed = git_op(steps.context, op, push, |pushed| pushed.transfer).await?;
            branch.commit = pushed.commit.to_string();
            self.leftovers.arrived(&branch);
            let find = Ask::rest(path::rest_branches_named(&branch.project, &branch.slug, &branch.name));
            steps.ask(LIST_BRANCHES, find, |page| branch.is_in(&json_of(page)?)).await?;
            return Ok(Some(branch));
        }
        Ok(None)
    }

    /// Looks at what the branch would bring, as a person does before opening a pull request; returns the repository's
    /// number.
    async fn compare(&mut self, steps: &mut Steps<'_>, branch: &Branch) -> Result<u64, Stopped> {
        let (key, slug, from, to) = (&branch.project, &branch.slug, &branch.from(), &branch.to());
        self.default_branch(steps, branch).await?;
        let repository = Ask::rest(path::rest_repository(key, slug));
        let id = steps.ask(REPOSITORY, repository, |answer| number(answer, "id")).await?;
        steps.page(COMPARE, path::compare_page(key, slug, from, to, id)).await?;
        for commit in [&branch.commit, &branch.parent] {
            steps.rest(BUILD_STATUS, path::build_status(commit)).await?;
        }
        let changes = Ask::rest(path::rest_compare_changes(key, slug, from, to));
        let files = steps.ask(COMPARE_CHANGES, changes, some_files).await?;
        steps.rest(COMPARE_COMMITS, path::rest_compare_commits(key, slug, from, to)).await?;
        steps.rest(DEFAULT_REVIEWERS, path::default_reviewers(key, slug, from, to, id)).await?;
        steps.rest(INBOX_COUNT, path::inbox_count()).await?;
        let Some(file) = draw_among(&files, steps.context) else { return Ok(id) };
        steps.rest(COMPARE_DIFF, path::rest_compare_diff(key, slug, file, from, to)).await?;
        Ok(id)
    }

    /// Finds the default branch and its latest commit.
    async fn default_branch(&mut self, steps: &mut Steps<'_>, branch: &Branch) -> Result<(), Stopped> {
        let (key, slug) = (&branch.project, &branch.slug);
        if self.default_branch == DefaultBranchWay::BranchThenCommit {
            let find = Ask::rest(path::rest_default_branch_name(key, slug));
            // A server that does not say its version may be older than the resource.
            let accepted: &[u16] = if self.dialect.is_known() { &[200] } else { &[200, 404] };
            let found = steps.ask(DEFAULT_BRANCH, find.accepting(accepted), default_name).await?;
            if let Some(name) = found {
                let list = Ask::rest(path::rest_branches_named(key, slug, &name));
                return steps
                    .ask(DEFAULT_BRANCH_COMMIT, list, |page| has_commit(&json_of(page)?, &name))
                    .await;
            }
            self.default_branch = DefaultBranchWay::WithCommit;
        }
        steps.rest(DEFAULT_BRANCH, path::rest_default_branch(key, slug)).await.map(drop)
    }

    /// Reads the differences of some of the changed files, and the list of pull requests.
    async fn review(&mut self, steps: &mut Steps<'_>, branch: &Branch, id: u64) -> Result<(), Stopped> {
        let (key, slug) = (&branch.project, &branch.slug);
        let changes = Ask::rest(path::rest_pull_request_changes(key, slug, id));
        let files = steps.ask(CHANGES, changes, some_files).await?;
        let read = steps.context.random().random_range(0..files.len().max(1));
        for _ in 0..read {
            let Some(file) = draw_among(&files, steps.context) else { break };
            steps.rest(DIFF, path::rest_pull_request_diff(key, slug, id, file)).await?;
        }
        steps.page(LIST_PULL_REQUESTS, path::pull_requests_page(key, slug)).await
    }
}

/// Returns whether a repository's page says how to fill it.
fn is_empty(page: &Response) -> Result<bool, String> {
    let text = page.text().map_err(|error| format!("with a page that cannot be read: {error}"))?;
    Ok(text.contains("empty-repository-instructions"))
}

/// Returns the short name of the default branch; none where the server does not know the question.
fn default_name(answer: &Response) -> Result<Option<String>, String> {
    if answer.status == 404 {
        return Ok(None);
    }
    let name = json_of(answer)?.get("displayId").and_then(Value::as_str).map(str::to_owned);
    name.map(Some).ok_or_else(|| "without a text \"displayId\"".to_owned())
}

/// Checks that a page of branches tells that branch's latest commit, unless the branch may be on a later page.
fn has_commit(page: &Value, name: &str) -> Result<(), String> {
    let branches = page.get("values").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |branch: &Value, field: &str| branch.get(field).and_then(Value::as_str).map(str::to_owned);
    match branches.iter().find(|branch| text(branch, "displayId").as_deref() == Some(name)) {
        Some(branch) if text(branch, "latestCommit").is_some_and(|commit| !commit.is_empty()) => Ok(()),
        None if page.get("isLastPage").and_then(Value::as_bool) == Some(false) => Ok(()),
        Some(_) => Err(format!("with {name}, but not with its latest commit")),
        None => Err(format!("without {name}, the default branch")),
    }
}

fn some_files(answer: &Response) -> Result<Vec<String>, String> {
    let files = changed_files(&json_of(answer)?);
    if files.is_empty() { Err("with no changed file".to_owned()) } else { Ok(files) }
}

pub(super) fn number(answer: &Response, field: &str) -> Result<u64, String> {
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
