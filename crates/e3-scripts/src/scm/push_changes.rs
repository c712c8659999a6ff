//! `scm.PushChangesSsh`, `scm.PushChangesHttp`, `scm.PushChangesHttpDirect`: pushes a new commit to a new branch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use e3_git::{RepositoryPath, Tip};
use e3_model::{OpId, Outcome, ScriptDescriptor, with_causes};
use e3_workload::{ClientContext, Failure, Measured, Script, ScriptClient, ScriptError, Setting, Stopped};
use rand::RngExt as _;

use super::change::Change;
use super::removal::remove_branches;
use super::repositories::Repositories;
use super::{Transport, git_op};

/// Pushes a commit on top of a random repository's default branch; the branches go when the client has finished.
pub(crate) struct PushChanges(pub(crate) Transport);

const FETCH: OpId = OpId(0);
const PUSH: OpId = OpId(1);

impl PushChanges {
    fn name(&self) -> &'static str {
        match self.0 {
            Transport::Ssh => "scm.PushChangesSsh",
            Transport::Http => "scm.PushChangesHttp",
            Transport::HttpDirect => "scm.PushChangesHttpDirect",
        }
    }
}

impl Script for PushChanges {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            self.name(),
            &format!(
                "Pushes a new commit to a new branch, in a repository drawn by weight, {}; deletes its branches after \
                 its last push, outside the clock.",
                self.0.words()
            ),
            self.0.protocol(),
            &[
                (
                    "Fetch",
                    "from connecting until the default branch's tip is read; not again for the last 8 repositories",
                ),
                ("Push", "from connecting until the server's report on the branch is read"),
            ],
        )
    }

    fn client(
        &self,
        setting: &Arc<Setting>,
        context: &mut ClientContext,
    ) -> Result<Box<dyn ScriptClient>, ScriptError> {
        let repositories = Repositories::prepare(self.name(), self.0, setting, context)?;
        Ok(Box::new(Client {
            repositories,
            kept: Vec::new(),
            tried: BTreeMap::new(),
            unreported: BTreeSet::new(),
        }))
    }
}

struct Client {
    repositories: Repositories,
    /// What pushes go on top of, as the first E3 kept a clone for each client and repository.
    /// The last used comes last.
    kept: Vec<(RepositoryPath, Tip)>,
    /// Every branch that a push may have made; a push that failed may have made one too.
    tried: BTreeMap<RepositoryPath, Vec<String>>,
    /// Those of them whose push has no report that was read.
    unreported: BTreeSet<String>,
}

#[async_trait]
impl ScriptClient for Client {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        let Some((drawn, repository)) = self.repositories.draw(context) else { return Ok(()) };
        let remote = &self.repositories.remote;
        // The name of the first E3, with a draw for its time stamp, so that equal seeds push equal branches.
        let branch = format!("bugfix/{:x}-{}", context.random().random::<u64>(), context.client().0);
        let known = self.kept.iter().position(|(kept, _)| *kept == repository);
        let base = match known.map(|place| self.kept.remove(place)) {
            Some((_, tip)) => tip,
            None => {
                let default = match &drawn.default_branch {
                    Some(default) => default,
                    None => return Err(no_default_branch(context, &repository).await),
                };
                let fetch = e3_git::fetch_tip(remote, &repository, default);
                git_op(context, FETCH, fetch, |tip| tip.transfer).await?
            }
        };
        let change = Change::draw(context, &base, FILES);
        self.tried.entry(repository.clone()).or_default().push(branch.clone());
        self.unreported.insert(branch.clone());
        let commit = change.commit();
        let push = e3_git::push(remote, &repository, &base, &branch, &commit);
        git_op(context, PUSH, push, |pushed| pushed.transfer).await?;
        self.unreported.remove(&branch);
        // After a push that failed the next one fetches anew.
        self.kept.push((repository, base));
        let surplus = self.kept.len().saturating_sub(MOST_KEPT);
        self.kept.drain(..surplus);
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), String> {
        let mut left = Vec::new();
        for (repository, branches) in std::mem::take(&mut self.tried) {
            let names: Vec<_> = branches.iter().map(String::as_str).collect();
            let unreported: Vec<_> =
                names.iter().copied().filter(|name| self.unreported.contains(*name)).collect();
            let remote = &self.repositories.remote;
            if let Err(error) = remove_branches(remote, &repository, &names, &unreported).await {
                left.push(format!("{} branches of {repository}: {}", names.len(), with_causes(&error)));
            }
        }
        self.unreported.clear();
        if left.is_empty() { Ok(()) } else { Err(left.join("; ")) }
    }
}

async fn no_default_branch(context: &mut ClientContext, repository: &RepositoryPath) -> Stopped {
    let message = format!("the snapshot names no default branch of {repository}");
    let failure = Failure::new(Outcome::Unexpected, message);
    let failed = context.op(FETCH, async { Err::<((), Measured), _>(failure) }).await;
    failed.err().unwrap_or(Stopped::StageOver)
}

/// Of how many repositories a client keeps what it pushes on top of, so that any number of repositories fit in memory.
const MOST_KEPT: usize = 8;
/// How many files one push changes: the first E3 appended to one.
const FILES: std::ops::RangeInclusive<usize> = 1..=1;
