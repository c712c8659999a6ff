//! `scm.ShallowCloneSsh`, `scm.ShallowCloneHttp`: clones a random repository as build servers do.

use std::sync::Arc;

use async_trait::async_trait;
use e3_model::{Need, OpId, ScriptDescriptor};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting, Stopped};

use super::Transport;
use super::repositories::Repositories;

/// Clones the default branch at its latest commit: `--depth=1 --no-tags`; the pack is thrown away.
pub(crate) struct ShallowClone(pub(crate) Transport);

const CLONE: OpId = OpId(0);

impl ShallowClone {
    fn name(&self) -> &'static str {
        match self.0 {
            Transport::Ssh => "scm.ShallowCloneSsh",
            Transport::Http | Transport::HttpDirect => "scm.ShallowCloneHttp",
        }
    }
}

impl Script for ShallowClone {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            self.name(),
            &format!(
                "Clones the default branch of a repository, drawn by weight, without history and tags, as build servers \
                 do, {}.",
                self.0.words()
            ),
            self.0.protocol(),
            &[("ShallowClone", "from connecting until the pack's checksum is verified")],
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
        self.0.client.clone_shallow(context, CLONE, &repository).await
    }
}
