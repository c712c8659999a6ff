//! What the Git scripts over HTTP share: who asks, and for which repository.

use std::sync::Arc;

use e3_git::{RepositoryPath, Transfer};
use e3_http::{BaseUrl, HttpSession};
use e3_workload::{Account, ClientContext, DrawnRepository, Measured, ScriptError, Setting};

use crate::setting::{draw_account, parse_base};

/// One client's view of the Git side of a system: its account, and the repositories it draws from.
pub(crate) struct HttpRemote {
    setting: Arc<Setting>,
    base: BaseUrl,
    account: Account,
}

impl HttpRemote {
    /// Prepares a client that keeps one account, drawn uniformly, through the stage.
    pub(crate) fn prepare(
        script: &str,
        setting: &Arc<Setting>,
        context: &mut ClientContext,
    ) -> Result<Self, ScriptError> {
        if setting.repositories.is_empty() {
            return Err(ScriptError::NoRepository { script: script.to_owned() });
        }
        let account = draw_account(script, setting, context)?;
        Ok(Self { setting: Arc::clone(setting), base: parse_base(script, &setting.url)?, account })
    }

    /// Returns the next repository, drawn by weight, and a session with no connection yet: as `git` itself, every op
    /// connects anew, inside the clock.
    pub(crate) fn next(&self, context: &mut ClientContext) -> Option<(HttpSession, RepositoryPath)> {
        let repository = self.draw(context)?;
        Some((self.session(), RepositoryPath::scm(&repository.project, &repository.slug)))
    }

    /// Returns the next repository, drawn by weight.
    pub(crate) fn draw(&self, context: &mut ClientContext) -> Option<&DrawnRepository> {
        self.setting.repositories.draw(context.random())
    }

    /// Returns a session of the client's account with no connection yet.
    pub(crate) fn session(&self) -> HttpSession {
        HttpSession::new(self.base.clone()).with_basic(&self.account.name, &self.account.password)
    }
}

/// Returns what a finished transfer tells about its op.
pub(crate) fn measured(transfer: &Transfer) -> Measured {
    Measured {
        first_byte: transfer.first_byte,
        bytes_in: transfer.bytes_in,
        bytes_out: transfer.bytes_out,
        phases: Some(transfer.phases),
        ..Measured::default()
    }
}
