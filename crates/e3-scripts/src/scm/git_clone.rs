//! `scm.GitCloneOverSsh`, `scm.GitCloneOverHttp`, `scm.GitCloneOverHttpDirect`: clones a random repository.

use std::sync::Arc;

use async_trait::async_trait;
use e3_model::{Need, OpId, ScriptDescriptor};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting, Stopped};

use super::Transport;
use super::repositories::Repositories;

/// Clones a random repository; the pack is verified and thrown away, by the real git also indexed and written.
pub(crate) struct GitClone(pub(crate) Transport);

const CLONE: OpId = OpId(0);

impl GitClone {
    fn name(&self) -> &'static str {
        match self.0 {
            Transport::Ssh => "scm.GitCloneOverSsh",
            Transport::Http => "scm.GitCloneOverHttp",
            Transport::HttpDirect => "scm.GitCloneOverHttpDirect",
        }
    }
}

impl Script for GitClone {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            self.name(),
            &format!("Clones a repository, drawn by weight, {}.", self.0.words()),
            self.0.protocol(),
            &[("Clone", "from connecting until the pack's checksum is verified")],
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
        self.0.client.clone_repository(context, CLONE, &repository).await
    }
}
