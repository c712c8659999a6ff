//! `scm.GitCloneOverHttp`: clones a random repository over smart HTTP.

use std::sync::Arc;

use async_trait::async_trait;
use e3_model::{OpId, Protocol, ScriptDescriptor};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting, Stopped};

use super::remote::{HttpRemote, measured};
use crate::failure;

/// Clones a random repository over smart HTTP; the pack is verified and thrown away.
pub(crate) struct GitCloneOverHttp;

const NAME: &str = "scm.GitCloneOverHttp";
const CLONE: OpId = OpId(0);

impl Script for GitCloneOverHttp {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            NAME,
            "Clones a repository, drawn by weight, over HTTP with a user's password.",
            Protocol::GitHttp,
            &[("Clone", "from connecting until the pack's checksum is verified")],
        )
    }

    fn client(
        &self,
        setting: &Arc<Setting>,
        context: &mut ClientContext,
    ) -> Result<Box<dyn ScriptClient>, ScriptError> {
        Ok(Box::new(Client { remote: HttpRemote::prepare(NAME, setting, context)? }))
    }
}

struct Client {
    remote: HttpRemote,
}

#[async_trait]
impl ScriptClient for Client {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        let Some((mut session, repository)) = self.remote.next(context) else { return Ok(()) };
        context
            .op(CLONE, async {
                let clone = e3_git::clone(&mut session, &repository)
                    .await
                    .map_err(|error| failure::of_git(&error))?;
                Ok(((), measured(&clone.transfer)))
            })
            .await
    }
}
