//! What all Git scripts have in hand: a way to the server, and the repositories to draw from.

use std::sync::Arc;

use e3_git::RepositoryPath;
use e3_workload::{ClientContext, DrawnRepository, ScriptError, Setting};

use super::{Client, Transport};

/// One client's view of the Git side of a system.
pub(crate) struct Repositories {
    setting: Arc<Setting>,
    /// The way of the client's account.
    pub(crate) client: Client,
}

impl Repositories {
    /// Prepares a client that keeps one account through the stage.
    pub(crate) fn prepare(
        script: &str,
        transport: Transport,
        setting: &Arc<Setting>,
        context: &mut ClientContext,
    ) -> Result<Self, ScriptError> {
        if setting.repositories.is_empty() {
            return Err(ScriptError::NoRepository { script: script.to_owned() });
        }
        Ok(Self { setting: Arc::clone(setting), client: transport.client(script, setting, context)? })
    }

    /// Prepares a client that pushes on top of default branches, and keeps one account through the stage.
    pub(crate) fn prepare_writable(
        script: &str,
        transport: Transport,
        setting: &Arc<Setting>,
        context: &mut ClientContext,
    ) -> Result<Self, ScriptError> {
        let prepared = Self::prepare(script, transport, setting, context)?;
        if setting.repositories.has_writable() {
            Ok(prepared)
        } else {
            Err(ScriptError::NoDefaultBranch { script: script.to_owned() })
        }
    }

    /// Returns the next repository, drawn by weight.
    pub(crate) fn draw(&self, context: &mut ClientContext) -> Option<(&DrawnRepository, RepositoryPath)> {
        let drawn = self.setting.repositories.draw(context.random())?;
        Some((drawn, path_of(drawn)))
    }

    /// Returns the next repository to push to, drawn by weight, with its default branch.
    pub(crate) fn draw_writable(&self, context: &mut ClientContext) -> Option<(&str, RepositoryPath)> {
        let drawn = self.setting.repositories.draw_writable(context.random())?;
        Some((drawn.default_branch.as_deref()?, path_of(drawn)))
    }
}

fn path_of(drawn: &DrawnRepository) -> RepositoryPath {
    RepositoryPath::new(&drawn.project, &drawn.slug)
}
