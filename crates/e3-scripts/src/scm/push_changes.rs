//! `scm.PushChangesSsh`, `scm.PushChangesHttp`, `scm.PushChangesHttpDirect`: pushes a new commit to a new branch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use e3_git::RepositoryPath;
use e3_model::{
    ArgumentFault, ArgumentForm, Arguments, Need, OpDescriptor, OpId, ScriptDescriptor, with_causes,
};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting, Stopped};
use rand::RngExt as _;

use super::Transport;
use super::change::{Change, NAMES};
use super::client::Base;
use super::removal::remove_branches;
use super::repositories::Repositories;

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
        .needing(&self.0.needs(Need::WritableRepository))
        .argument("files", ArgumentForm::Text, Some("1"), "How many files each commit changes, from 1 to 40.")
    }

    fn ops(&self, arguments: &Arguments) -> Result<Vec<OpDescriptor>, Vec<ArgumentFault>> {
        files(arguments).map(|_| self.descriptor().ops).map_err(|fault| vec![fault])
    }

    fn client(
        &self,
        setting: &Arc<Setting>,
        context: &mut ClientContext,
    ) -> Result<Box<dyn ScriptClient>, ScriptError> {
        let files = files(context.arguments()).map_err(|fault| ScriptError::Arguments {
            script: self.name().to_owned(),
            reason: fault.message,
        })?;
        let repositories = Repositories::prepare_writable(self.name(), self.0, setting, context)?;
        Ok(Box::new(Client {
            repositories,
            files,
            number: context.client().0,
            kept: Vec::new(),
            tried: BTreeMap::new(),
            unreported: BTreeSet::new(),
        }))
    }
}

struct Client {
    repositories: Repositories,
    /// How many files one push changes.
    files: usize,
    /// The client's own number.
    number: u32,
    /// What pushes go on top of, as the first E3 kept a clone for each client and repository.
    /// The last used comes last.
    kept: Vec<(RepositoryPath, Base)>,
    /// What was drawn for every branch that a push may have made, since a day's names would fill the memory; a push that
    /// failed may have made one too.
    tried: BTreeMap<RepositoryPath, Vec<u64>>,
    /// Those of them whose push has no report that was read.
    unreported: BTreeSet<u64>,
}

impl Client {
    /// Returns the branch's name as the first E3 chose it, with a draw for its time stamp, so that equal seeds push equal
    /// branches.
    fn branch(&self, drawn: u64) -> String {
        format!("bugfix/{drawn:x}-{}", self.number)
    }
}

#[async_trait]
impl ScriptClient for Client {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        let Some((default, repository)) = self.repositories.draw_writable(context) else { return Ok(()) };
        let client = &self.repositories.client;
        let drawn = context.random().random();
        let branch = self.branch(drawn);
        let known = self.kept.iter().position(|(kept, _)| *kept == repository);
        let base = match known.map(|place| self.kept.remove(place)) {
            Some((_, tip)) => tip,
            None => client.fetch(context, FETCH, &repository, default).await?,
        };
        let change = Change::draw_on(context, base.commit(), self.files..=self.files);
        self.tried.entry(repository.clone()).or_default().push(drawn);
        self.unreported.insert(drawn);
        base.push(context, PUSH, (&repository, &branch), &change.commit()).await?;
        self.unreported.remove(&drawn);
        // After a push that failed the next one fetches anew.
        self.kept.push((repository, base));
        let surplus = self.kept.len().saturating_sub(MOST_KEPT);
        self.kept.drain(..surplus);
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), String> {
        let mut left = Vec::new();
        for (repository, drawn) in std::mem::take(&mut self.tried) {
            let branches: Vec<_> = drawn.iter().map(|drawn| self.branch(*drawn)).collect();
            let names: Vec<_> = branches.iter().map(String::as_str).collect();
            let unreported: Vec<_> = drawn
                .iter()
                .zip(&names)
                .filter(|(drawn, _)| self.unreported.contains(drawn))
                .map(|(_, name)| *name)
                .collect();
            let client = &self.repositories.client;
            if let Err(error) = remove_branches(client, &repository, &names, &unreported).await {
                left.push(format!("{} branches of {repository}: {}", names.len(), with_causes(&error)));
            }
        }
        self.unreported.clear();
        if left.is_empty() { Ok(()) } else { Err(left.join("; ")) }
    }
}

/// Returns how many files one push changes: the first E3 appended to one.
fn files(arguments: &Arguments) -> Result<usize, ArgumentFault> {
    let Some(given) = arguments.get("files") else { return Ok(1) };
    let text = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
    match text.trim().parse() {
        Ok(count) if (1..=NAMES).contains(&count) => Ok(count),
        _ => Err(ArgumentFault::new(
            "/files",
            format!("the argument \"files\" is {given}; it must be from 1 to {NAMES}"),
        )),
    }
}

/// Of how many repositories a client keeps what it pushes on top of, so that any number of repositories fit in memory.
const MOST_KEPT: usize = 8;
