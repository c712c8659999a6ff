//! `scm.GitFetchSsh`, `scm.GitFetchHttp`: fetches what a clone of a random repository lacks.

use std::sync::Arc;

use async_trait::async_trait;
use e3_git::RepositoryPath;
use e3_model::{ArgumentFault, ArgumentForm, Arguments, Need, OpDescriptor, OpId, ScriptDescriptor};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting, Stopped};
use rand::RngExt as _;

use super::Transport;
use super::repositories::Repositories;
use super::working_copy::WorkingCopy;

/// Fetches into a clone that is behind, and stays so: every fetch has something to bring.
pub(crate) struct GitFetch(pub(crate) Transport);

const BASE: OpId = OpId(0);
const FETCH: OpId = OpId(1);
const NOTHING_NEW: OpId = OpId(2);

impl GitFetch {
    fn name(&self) -> &'static str {
        match self.0 {
            Transport::Ssh => "scm.GitFetchSsh",
            Transport::Http | Transport::HttpDirect => "scm.GitFetchHttp",
        }
    }
}

impl Script for GitFetch {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            self.name(),
            &format!(
                "Fetches what the default branch of a repository, drawn by weight, has more than a clone that is some \
                 commits behind, {}; what is pushed meanwhile comes on top.",
                self.0.words()
            ),
            self.0.protocol(),
            &[
                (
                    "Base",
                    "from connecting until the names of the branch's latest commits are read, of which the clone has the \
                     oldest; again after 20 fetches of a repository on average, and when 32 others came between",
                ),
                ("Fetch", "from connecting until the checksum of the pack with what is new is verified"),
                ("NothingNew", "the same where nothing is new: from connecting until the branch's tip is read"),
            ],
        )
        .needing(&self.0.needs(Need::Repository))
        .argument(
            "behind",
            ArgumentForm::Text,
            Some("1"),
            "How many commits the clone is behind, each the first parent of the one before, from 0 to 1000.",
        )
    }

    fn ops(&self, arguments: &Arguments) -> Result<Vec<OpDescriptor>, Vec<ArgumentFault>> {
        behind(arguments).map(|_| self.descriptor().ops).map_err(|fault| vec![fault])
    }

    fn client(
        &self,
        setting: &Arc<Setting>,
        context: &mut ClientContext,
    ) -> Result<Box<dyn ScriptClient>, ScriptError> {
        let behind = behind(context.arguments()).map_err(|fault| ScriptError::Arguments {
            script: self.name().to_owned(),
            reason: fault.message,
        })?;
        let repositories = Repositories::prepare(self.name(), self.0, setting, context)?;
        Ok(Box::new(Client { repositories, behind, kept: Vec::new() }))
    }
}

struct Client {
    repositories: Repositories,
    behind: u32,
    /// The last used comes last.
    kept: Vec<(RepositoryPath, WorkingCopy)>,
}

#[async_trait]
impl ScriptClient for Client {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        let Some((drawn, repository)) = self.repositories.draw(context) else { return Ok(()) };
        // What is pushed while the load runs must not make every fetch a little larger than the one before.
        let is_renewed = context.random().random_ratio(1, RENEWED);
        let known = self.kept.iter().position(|(kept, _)| *kept == repository);
        let copy = match known.map(|place| self.kept.remove(place)).filter(|_| !is_renewed) {
            Some((_, copy)) => copy,
            None => {
                let branch = (&repository, drawn.default_branch.as_deref());
                self.repositories.client.fall_behind(context, BASE, branch, self.behind).await?
            }
        };
        let fetched = copy.fetch(context, (FETCH, NOTHING_NEW), &repository).await;
        self.kept.push((repository, copy));
        let surplus = self.kept.len().saturating_sub(MOST_KEPT);
        self.kept.drain(..surplus);
        fetched
    }
}

/// Returns how many commits a clone is behind.
fn behind(arguments: &Arguments) -> Result<u32, ArgumentFault> {
    let Some(given) = arguments.get("behind") else { return Ok(1) };
    let text = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
    match text.trim().parse() {
        Ok(behind) if behind <= FARTHEST => Ok(behind),
        _ => Err(ArgumentFault::new(
            "/behind",
            format!("the argument \"behind\" is {given}; it must be from 0 to {FARTHEST}"),
        )),
    }
}

/// After how many fetches, on average, a clone is made anew.
const RENEWED: u32 = 20;
/// Of how many repositories a client keeps a clone, so that any number of repositories fit on a disk.
const MOST_KEPT: usize = 32;
/// Whose names still fit in one answer that is held in memory.
const FARTHEST: u32 = 1000;
