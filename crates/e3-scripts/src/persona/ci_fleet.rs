//! `persona.CiFleet`: a build server that polls, fetches what changed, and reports what became of its builds.

use std::sync::Arc;

use async_trait::async_trait;
use e3_bitbucket::path;
use e3_git::RepositoryPath;
use e3_model::{
    ArgumentFault, ArgumentForm, Arguments, Need, OpDescriptor, OpId, Protocol, ScriptDescriptor, Span,
};
use e3_workload::{ClientContext, DrawnRepository, Script, ScriptClient, ScriptError, Setting, Stopped};
use rand::RngExt as _;
use serde_json::json;

use super::rest::Rest;
use super::spans::span;
use super::ticks::Ticks;
use crate::scm::{BranchTip, Client as GitClient, WorkingCopy, over_http};
use crate::setting::draw_account;

/// Polls a random repository's default branch at every tick, and builds what it has not built.
pub(crate) struct CiFleet;

const NAME: &str = "persona.CiFleet";
const POLL: OpId = OpId(0);
const SHALLOW_CLONE: OpId = OpId(1);
const FETCH: OpId = OpId(2);
const BUILD_STARTED: OpId = OpId(3);
const BUILD_SUCCEEDED: OpId = OpId(4);

impl Script for CiFleet {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            NAME,
            "Each client is a build server: at every tick of its own it looks where the default branch of a repository, \
             drawn by weight, points to; a repository that it sees for the first time it clones without history, of one \
             that changed it fetches what is new, and reports a build of the commit. The build's last status stays with \
             the server, one for each commit and client. In the open model nobody remembers: an arrival is one poll, and \
             a drawn sixth of them clone and build.",
            Protocol::GitHttp,
            &[
                ("Poll", "Git: from when the poll was due until the default branch's tip is read"),
                (
                    "ShallowClone",
                    "Git: from connecting until the pack's checksum is verified; again when 32 other repositories came between",
                ),
                ("Fetch", "Git: from connecting until the checksum of the pack with what is new is verified"),
                ("BuildStarted", "REST: a commit's build is in progress"),
                ("BuildSucceeded", "REST: a commit's build was successful"),
            ],
        )
        .needing(&[Need::HttpUser, Need::Repository])
        .argument(
            "poll",
            ArgumentForm::Text,
            Some("10s"),
            "How long from one poll to the next; the clients' polls are spread over this time.",
        )
    }

    fn ops(&self, arguments: &Arguments) -> Result<Vec<OpDescriptor>, Vec<ArgumentFault>> {
        span(arguments, "poll", EVERY).map(|_| self.descriptor().ops).map_err(|fault| vec![fault])
    }

    fn client(
        &self,
        setting: &Arc<Setting>,
        context: &mut ClientContext,
    ) -> Result<Box<dyn ScriptClient>, ScriptError> {
        let script = || NAME.to_owned();
        let poll = span(context.arguments(), "poll", EVERY)
            .map_err(|fault| ScriptError::Arguments { script: script(), reason: fault.message })?;
        if setting.repositories.is_empty() {
            return Err(ScriptError::NoRepository { script: script() });
        }
        let account = draw_account(NAME, setting, context)?;
        Ok(Box::new(Client {
            git: over_http(NAME, &setting.url, setting, &account)?,
            rest: Rest::open(NAME, setting, &account)?,
            setting: Arc::clone(setting),
            ticks: Ticks::new(poll, context),
            built: Vec::new(),
        }))
    }
}

struct Client {
    setting: Arc<Setting>,
    git: GitClient,
    rest: Rest,
    ticks: Ticks,
    /// Clones at the commits that were built last. The last used comes last.
    built: Vec<(RepositoryPath, WorkingCopy)>,
}

#[async_trait]
impl ScriptClient for Client {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        let tick = self.ticks.next(context).await?;
        let worked = self.work(context, tick.is_none()).await;
        self.ticks.done(context, POLL);
        worked
    }
}

impl Client {
    async fn work(&mut self, context: &mut ClientContext, is_arrival: bool) -> Result<(), Stopped> {
        let Some(drawn) = self.setting.repositories.draw(context.random()).cloned() else { return Ok(()) };
        let builds = context.random().random_ratio(1, POLLS_A_BUILD);
        let DrawnRepository { project, slug, default_branch } = &drawn;
        let repository = RepositoryPath::new(project, slug);
        let looked = self.git.find_branch(context, POLL, (&repository, default_branch.as_deref())).await?;
        // An empty repository has nothing to build.
        let Some(tip) = looked else { return Ok(()) };
        if is_arrival {
            if builds {
                self.git.check_out(context, SHALLOW_CLONE, (&repository, &tip)).await?;
                self.report(context, &tip).await?;
            }
            return Ok(());
        }
        let known = self.built.iter().position(|(known, _)| *known == repository);
        let (copy, is_new) = match known.map(|place| self.built.remove(place)) {
            Some((_, copy)) if copy.commit() == tip.commit => (copy, false),
            Some((_, mut copy)) => {
                copy.update(context, FETCH, (&repository, &tip)).await?;
                (copy, true)
            }
            None => (self.git.check_out(context, SHALLOW_CLONE, (&repository, &tip)).await?, true),
        };
        self.built.push((repository, copy));
        let surplus = self.built.len().saturating_sub(MOST_KEPT);
        self.built.drain(..surplus);
        if is_new { self.report(context, &tip).await } else { Ok(()) }
    }

    /// Reports that a build of the commit began, and that it succeeded; what it did in between is not the server's time.
    async fn report(&mut self, context: &mut ClientContext, tip: &BranchTip) -> Result<(), Stopped> {
        let key = format!("e3-{}", context.client().0);
        for (op, state) in [(BUILD_STARTED, "INPROGRESS"), (BUILD_SUCCEEDED, "SUCCESSFUL")] {
            let status = json!({
                "state": state,
                "key": key,
                "name": format!("Build of {}", tip.branch),
                "url": format!("https://ci.example.com/builds/{key}/{}", tip.commit),
                "description": "A build that E3 pretends to do.",
            });
            self.rest.post(context, op, path::set_build_status(&tip.commit.to_string()), &status).await?;
        }
        Ok(())
    }
}

/// How long from poll to poll, unless the job says otherwise.
const EVERY: Span = Span::from_secs(10);
/// How many arrivals of the open model, on average, have one that builds: as many as a build agent's polls a clone.
const POLLS_A_BUILD: u32 = 6;
/// Of how many repositories a client keeps a clone, so that any number of repositories fit on a disk.
const MOST_KEPT: usize = 32;
