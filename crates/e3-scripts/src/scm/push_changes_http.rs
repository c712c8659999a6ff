//! `scm.PushChangesHttp`: pushes a new commit to a branch of its own over smart HTTP.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use e3_git::{NewCommit, RepositoryPath};
use e3_model::{OpId, Outcome, Protocol, ScriptDescriptor, with_causes};
use e3_workload::{ClientContext, Failure, Script, ScriptClient, ScriptError, Setting, Stopped};
use rand::RngExt as _;

use super::remote::{HttpRemote, measured};
use crate::failure;

/// Pushes a commit on top of a random repository's default branch; the branches go when the client has finished.
pub(crate) struct PushChangesHttp;

const NAME: &str = "scm.PushChangesHttp";
const PUSH: OpId = OpId(0);

impl Script for PushChangesHttp {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            NAME,
            "Pushes a new commit to a branch of its own, in a repository drawn by weight, over HTTP with a user's \
             password; deletes its branches after its last push, outside the clock.",
            Protocol::GitHttp,
            &[("Push", "from connecting until the server's report on the branch is read")],
        )
    }

    fn client(
        &self,
        setting: &Arc<Setting>,
        context: &mut ClientContext,
    ) -> Result<Box<dyn ScriptClient>, ScriptError> {
        Ok(Box::new(Client { remote: HttpRemote::prepare(NAME, setting, context)?, tried: BTreeMap::new() }))
    }
}

struct Client {
    remote: HttpRemote,
    /// Every branch that a push may have made, by its repository's path; a push that failed may have made one too.
    tried: BTreeMap<String, Vec<String>>,
}

#[async_trait]
impl ScriptClient for Client {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        let Some(repository) = self.remote.draw(context) else { return Ok(()) };
        let path = RepositoryPath::scm(&repository.project, &repository.slug);
        let base = repository.default_branch.clone();
        // The name of the first E3, with a draw for its time stamp, so that equal seeds push equal branches.
        let branch = format!("bugfix/{:x}-{}", context.random().random::<u64>(), context.client().0);
        let content = text(context);
        let mut session = self.remote.session();
        let tried = self.tried.entry(path.to_string()).or_default();
        let (path, branch_name) = (&path, branch.as_str());
        tried.push(branch.clone());
        context
            .op(PUSH, async {
                let base = base.ok_or_else(|| {
                    Failure::new(
                        Outcome::Unexpected,
                        format!("the snapshot names no default branch of {path}"),
                    )
                })?;
                let commit = NewCommit {
                    file: "CHANGES",
                    content: content.as_bytes(),
                    message: "Change what is to be changed",
                    author: "E3 <e3@example.com>",
                    seconds: AUTHORED,
                };
                let pushed = e3_git::push(&mut session, path, &base, branch_name, &commit)
                    .await
                    .map_err(|error| failure::of_git(&error))?;
                Ok(((), measured(&pushed.transfer)))
            })
            .await
    }

    async fn finish(&mut self) -> Result<(), String> {
        let mut left = Vec::new();
        for (path, branches) in std::mem::take(&mut self.tried) {
            let names: Vec<_> = branches.iter().map(String::as_str).collect();
            let path = RepositoryPath::new(&path);
            if let Err(error) = e3_git::delete_branches(&mut self.remote.session(), &path, &names).await {
                left.push(format!("{} branches of {path}: {}", names.len(), with_causes(&error)));
            }
        }
        if left.is_empty() { Ok(()) } else { Err(left.join("; ")) }
    }
}

/// Returns 10 to 60 lines of text, drawn by the client's seed.
fn text(context: &mut ClientContext) -> String {
    let random = context.random();
    let lines = random.random_range(10..=60);
    (0..lines).fold(String::new(), |mut text, line| {
        let _ =
            writeln!(text, "change {line}: {:016x} {:016x}", random.random::<u64>(), random.random::<u64>());
        text
    })
}

/// When all commits were authored: the same at every run, so that equal seeds make equal commits.
const AUTHORED: u64 = 1_700_000_000;
