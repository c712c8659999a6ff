//! `scm.GitLsRemoteSsh`, `scm.GitLsRemoteHttp`, `scm.GitLsRemoteHttpDirect`: lists the refs of a random repository.

use std::sync::Arc;

use async_trait::async_trait;
use e3_model::{Need, OpId, ScriptDescriptor};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting, Stopped};

use super::Transport;
use super::repositories::Repositories;

/// Lists the refs of a random repository, as a build agent that polls does.
pub(crate) struct GitLsRemote(pub(crate) Transport);

const LS_REMOTE: OpId = OpId(0);

impl GitLsRemote {
    fn name(&self) -> &'static str {
        match self.0 {
            Transport::Ssh => "scm.GitLsRemoteSsh",
            Transport::Http => "scm.GitLsRemoteHttp",
            Transport::HttpDirect => "scm.GitLsRemoteHttpDirect",
        }
    }
}

impl Script for GitLsRemote {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            self.name(),
            &format!("Lists the refs of a repository, drawn by weight, {}.", self.0.words()),
            self.0.protocol(),
            &[("LsRemote", "from connecting until the last ref is read")],
        )
        .needing(&self.0.needs(Need::Repository))
    }

    fn client(
        &self,
        setting: &Arc<Setting>,
        context: &mut ClientContext,
    ) -> Result<Box<dyn ScriptClient>, ScriptError> {
        Ok(Box::new(Client(Repositories::prepare(self.name(), self.0, setting, context)?)))
    }
}

struct Client(Repositories);

#[async_trait]
impl ScriptClient for Client {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        let Some((_, repository)) = self.0.draw(context) else { return Ok(()) };
        self.0.client.ls_remote(context, LS_REMOTE, &repository).await
    }
}
