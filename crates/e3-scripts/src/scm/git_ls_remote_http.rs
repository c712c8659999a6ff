//! `scm.GitLsRemoteHttp`: lists the refs of a random repository over smart HTTP.

use std::sync::Arc;

use async_trait::async_trait;
use e3_model::{OpId, Protocol, ScriptDescriptor};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting, Stopped};

use super::remote::{HttpRemote, measured};
use crate::failure;

/// Lists the refs of a random repository over smart HTTP, as a build agent that polls does.
pub(crate) struct GitLsRemoteHttp;

const NAME: &str = "scm.GitLsRemoteHttp";
const LS_REMOTE: OpId = OpId(0);

impl Script for GitLsRemoteHttp {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            NAME,
            "Lists the refs of a repository, drawn by weight, over HTTP with a user's password.",
            Protocol::GitHttp,
            &[("LsRemote", "from connecting until the last ref is read")],
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
            .op(LS_REMOTE, async {
                let listed = e3_git::ls_remote(&mut session, &repository)
                    .await
                    .map_err(|error| failure::of_git(&error))?;
                Ok(((), measured(&listed.transfer)))
            })
            .await
    }
}
