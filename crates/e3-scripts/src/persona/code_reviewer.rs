//! `persona.CodeReviewer`: a person reviews another's pull request, comments on it, and approves it.

mod leftovers;
mod ops;

use std::sync::Arc;

use async_trait::async_trait;
use e3_bitbucket::path;
use e3_model::{Need, Protocol, ScriptDescriptor};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting, Stopped};
use rand::RngExt as _;
use serde_json::{Value, json};

use self::leftovers::{Leftovers, Reviewed};
use self::ops::*;
use crate::setting::{draw_account, draw_among};
use crate::web::ask::Ask;
use crate::web::browser::{Browser, json as json_of, leads_on};
use crate::web::dashboard;
use crate::web::listing::changed_files;

/// Reads a pull request, comments, approves, and takes both back, so that the next review finds what this one found.
pub(crate) struct CodeReviewer;

const NAME: &str = "persona.CodeReviewer";

impl Script for CodeReviewer {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            NAME,
            "Logs in, looks at the dashboard and the inbox, looks through at most four repositories, drawn by weight, for \
             another's open pull request, reads it with the changes of up to three files, comments on it and approves it; \
             takes approval and comment back and logs out. The user stays a participant of the pull request.",
            Protocol::Http,
            &ops(),
        )
        .needing(&[Need::HttpUser, Need::Repository])
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
        Ok(Box::new(Client {
            leftovers: Leftovers::of(NAME, setting, &account)?,
            user: account.name.clone(),
            browser: Browser::open(NAME, setting, Some(account))?,
            setting: Arc::clone(setting),
        }))
    }
}

struct Client {
    setting: Arc<Setting>,
    user: String,
    browser: Browser,
    leftovers: Leftovers,
}

#[async_trait]
impl ScriptClient for Client {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        self.browser.log_in(context, LOGIN).await?;
        dashboard::look(&mut self.browser, context, DASHBOARD).await?;
        self.browser.rest(context, INBOX, path::inbox(0, PAGE)).await?;
        if let Some(reviewed) = self.find(context).await? {
            self.read(context, &reviewed).await?;
            self.judge(context, &reviewed).await?;
        }
        self.browser.log_out(context, LOGOUT).await
    }

    async fn finish(&mut self) -> Result<(), String> {
        self.leftovers.remove().await
    }
}

impl Client {
    /// Returns a random open pull request that is another's, and that the user has not approved; none where the
    /// repositories that were looked through have none.
    async fn find(&mut self, context: &mut ClientContext) -> Result<Option<Reviewed>, Stopped> {
        for _ in 0..REPOSITORIES_SEEN {
            let Some(drawn) = self.setting.repositories.draw(context.random()).cloned() else { break };
            // The oldest: the newest may be those that other clients merge meanwhile.
            let list = path::rest_oldest_pull_requests(&drawn.project, &drawn.slug, 0, PAGE);
            let page = self.browser.rest(context, LIST_PULL_REQUESTS, list).await?;
            let ids = reviewable(&page, &self.user);
            if let Some(id) = draw_among(&ids, context) {
                return Ok(Some(Reviewed { project: drawn.project, slug: drawn.slug, id: *id }));
            }
        }
        Ok(None)
    }

    /// Reads the page, the list of changed files, and how some of them changed.
    async fn read(&mut self, context: &mut ClientContext, reviewed: &Reviewed) -> Result<(), Stopped> {
        let (browser, Reviewed { project, slug, id }) = (&mut self.browser, reviewed);
        let page = Ask::page(path::pull_request_page(project, slug, *id)).accepting(&[200, 302]);
        browser.ask(context, PULL_REQUEST, page, leads_on).await?;
        let changes = path::rest_pull_request_changes(project, slug, *id);
        let files = changed_files(&browser.rest(context, CHANGES, changes).await?);
        let read = context.random().random_range(1..=FILES_READ);
        for _ in 0..read.min(files.len()) {
            let Some(file) = draw_among(&files, context) else { break };
            browser.rest(context, DIFF, path::rest_pull_request_diff(project, slug, *id, file)).await?;
        }
        Ok(())
    }

    /// Comments and approves, and takes both back.
    async fn judge(&mut self, context: &mut ClientContext, reviewed: &Reviewed) -> Result<(), Stopped> {
        let Reviewed { project, slug, id } = reviewed;
        let text =
            format!("Reviewed, {:016x} by client {}.", context.random().random::<u64>(), context.client().0);
        let comment = Ask::post(path::rest_pull_request_comments(project, slug, *id), json!({"text": text}));
        self.leftovers.expect_comment(reviewed, &text);
        let browser = &mut self.browser;
        let comment = browser.ask(context, COMMENT, comment.accepting(&[201]), written).await?;
        let approval = || path::rest_pull_request_approval(project, slug, *id);
        self.leftovers.expect_approval(reviewed);
        browser.ask(context, APPROVE, Ask::post(approval(), Value::Null), |_| Ok(())).await?;
        let withdraw = Ask::delete(approval(), Value::Null);
        browser.ask(context, WITHDRAW_APPROVAL, withdraw, |_| Ok(())).await?;
        self.leftovers.forget_approval(reviewed);
        let delete = path::rest_pull_request_comment(project, slug, *id, comment);
        browser.ask(context, DELETE_COMMENT, Ask::delete(delete, Value::Null), |_| Ok(())).await?;
        self.leftovers.forget_comment(&text);
        Ok(())
    }
}

/// Returns the numbers of the pull requests of a page that a user may approve and has not.
fn reviewable(page: &Value, user: &str) -> Vec<u64> {
    let is_user = |part: &Value| part.pointer("/user/name").and_then(Value::as_str) == Some(user);
    let has_approved = |part: &Value| is_user(part) && part.get("approved") == Some(&Value::Bool(true));
    let of = |request: &Value, field: &str| {
        request.get(field).and_then(Value::as_array).is_some_and(|parts| parts.iter().any(has_approved))
    };
    let values = page.get("values").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    values
        .iter()
        .filter(|request| !request.get("author").is_some_and(is_user))
        .filter(|request| !of(request, "reviewers") && !of(request, "participants"))
        .filter_map(|request| request.get("id")?.as_u64())
        .collect()
}

/// Returns the number and the version of a comment that was written.
fn written(answer: &e3_http::Response) -> Result<(u64, u64), String> {
    let comment = json_of(answer)?;
    let number = |field: &str| comment.get(field).and_then(Value::as_u64);
    number("id").zip(number("version")).ok_or_else(|| "without the comment's number and version".to_owned())
}

/// Bitbucket's default page size.
const PAGE: u32 = 25;
/// In how many repositories a client looks for a pull request.
const REPOSITORIES_SEEN: u32 = 4;
/// How many files are read at most.
const FILES_READ: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_reviews_their_own_or_what_they_have_approved() {
        let by = |user: &str, approved: bool| json!({"user": {"name": user}, "approved": approved});
        let request = |id: u64, author: &str, reviewers: Value, participants: Value| json!({"id": id, "author": by(author, false), "reviewers": reviewers, "participants": participants});
        let page = json!({"values": [
            request(1, "ada", json!([]), json!([])),
            request(2, "bob", json!([]), json!([])),
            request(3, "bob", json!([by("ada", true)]), json!([])),
            request(4, "bob", json!([by("ada", false), by("eve", true)]), json!([])),
            request(5, "bob", json!([]), json!([by("ada", true)])),
            {"id": 6},
        ]});
        assert_eq!(reviewable(&page, "ada"), [2, 4, 6]);
        assert_eq!(reviewable(&json!({}), "ada"), [0_u64; 0]);
    }
}
