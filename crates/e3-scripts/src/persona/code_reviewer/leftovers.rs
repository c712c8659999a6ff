//! What a review that ended early may have left: its comment, and its approval.

use std::sync::Arc;

use e3_bitbucket::{Bitbucket, path};
use e3_model::{Connections, with_causes};
use e3_workload::{Account, ScriptError, Setting};

use crate::persona::rest::Rest;
use crate::setting::{http_way, parse_base};

/// A pull request that is reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reviewed {
    /// Its project's key.
    pub(super) project: String,
    /// Its repository's slug.
    pub(super) slug: String,
    /// Its number.
    pub(super) id: u64,
}

/// The comments and approvals that are not known to be taken back.
pub(super) struct Leftovers {
    bitbucket: Bitbucket,
    rest: Rest,
    user: String,
    comments: Vec<(Reviewed, String)>,
    approvals: Vec<Reviewed>,
}

impl Leftovers {
    /// Prepares to tidy up after an account; connects to nothing yet.
    pub(super) fn of(script: &str, setting: &Arc<Setting>, account: &Account) -> Result<Self, ScriptError> {
        let bitbucket = Bitbucket::new(parse_base(script, &setting.url)?, &account.name, &account.password);
        Ok(Self {
            bitbucket: bitbucket.with_way(&http_way(script, setting, Connections::KeepAlive)?),
            rest: Rest::open(script, setting, account)?,
            user: account.name.clone(),
            comments: Vec::new(),
            approvals: Vec::new(),
        })
    }

    /// Notes a comment that is about to be written; its text is like no other.
    pub(super) fn expect_comment(&mut self, reviewed: &Reviewed, text: &str) {
        self.comments.push((reviewed.clone(), text.to_owned()));
    }

    /// Strikes out a comment that is deleted.
    pub(super) fn forget_comment(&mut self, text: &str) {
        self.comments.retain(|(_, known)| known != text);
    }

    /// Notes an approval that is about to be given.
    pub(super) fn expect_approval(&mut self, reviewed: &Reviewed) {
        self.approvals.push(reviewed.clone());
    }

    /// Strikes out an approval that was taken back.
    pub(super) fn forget_approval(&mut self, reviewed: &Reviewed) {
        self.approvals.retain(|known| known != reviewed);
    }

    /// Takes back what is there; what could not be stays noted.
    ///
    /// # Errors
    /// With what is left, and why.
    pub(super) async fn remove(&mut self) -> Result<(), String> {
        let mut problems = Vec::new();
        for reviewed in std::mem::take(&mut self.approvals) {
            let Reviewed { project, slug, id } = &reviewed;
            let approval = path::rest_pull_request_approval(project, slug, *id);
            if let Err(problem) = self.rest.delete(approval).await {
                problems.push(format!("the approval of {project}/{slug} {id}: {problem}"));
                self.approvals.push(reviewed);
            }
        }
        for (reviewed, text) in std::mem::take(&mut self.comments) {
            if let Err(problem) = self.delete(&reviewed, &text).await {
                let Reviewed { project, slug, id } = &reviewed;
                problems.push(format!("a comment on {project}/{slug} {id}: {problem}"));
                self.comments.push((reviewed, text));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
    }

    /// Deletes the comment of that text; whoever broke off may not have heard its number.
    async fn delete(&mut self, reviewed: &Reviewed, text: &str) -> Result<(), String> {
        let Reviewed { project, slug, id } = reviewed;
        let activities = self.bitbucket.activities(project, slug, *id).await;
        let activities = activities.map_err(|error| with_causes(&error))?;
        let comments = activities.into_iter().filter_map(|activity| activity.comment);
        let is_own = |author: &str| author == self.user;
        let own: Vec<u64> = comments
            .filter(|comment| comment.text == text)
            .filter(|comment| comment.author.as_ref().is_none_or(|author| is_own(&author.name)))
            .map(|comment| comment.id)
            .collect();
        for comment in own {
            // Nobody has edited it: its version is the first.
            self.rest.delete(path::rest_pull_request_comment(project, slug, *id, (comment, 0))).await?;
        }
        Ok(())
    }
}
