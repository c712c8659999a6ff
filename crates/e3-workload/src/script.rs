//! What a plug-in script implements.

use std::sync::Arc;

use async_trait::async_trait;
use e3_model::{ArgumentFault, Arguments, OpDescriptor, ScriptDescriptor};

use crate::{ClientContext, Setting, Stopped};

/// An operation that clients perform: one file, one line in the catalogue.
pub trait Script: Send + Sync {
    /// Returns the script's name, ops and needs; the same value at every call.
    fn descriptor(&self) -> ScriptDescriptor;

    /// Returns the ops that a job with these arguments records, never none; the descriptor's, unless they depend on the
    /// arguments.
    ///
    /// The arguments have the names and forms that the descriptor allows, and files are replaced by their content.
    ///
    /// # Errors
    /// Everything that is wrong with the arguments beyond their names and forms.
    fn ops(&self, _arguments: &Arguments) -> Result<Vec<OpDescriptor>, Vec<ArgumentFault>> {
        Ok(self.descriptor().ops)
    }

    /// Returns a new client, outside the clock and without touching the network.
    ///
    /// # Errors
    /// When the setting lacks what the script needs: a repository, an account, a URL it can speak to.
    fn client(
        &self,
        setting: &Arc<Setting>,
        context: &mut ClientContext,
    ) -> Result<Box<dyn ScriptClient>, ScriptError>;
}

/// One client of a script: keeps its session from iteration to iteration, as a person's browser would.
#[async_trait]
pub trait ScriptClient: Send {
    /// Performs one iteration; every network exchange is inside an op of the context.
    ///
    /// In the open model an iteration is an arrival, its draws are the arrival's, and any client may serve it: what it
    /// does must follow from the context, not from how many iterations this client has had.
    ///
    /// # Errors
    /// When an op failed and the rest of the iteration makes no sense, or when the stage is over. The samples are
    /// recorded already.
    ///
    /// # Cancellation
    /// The engine drops the future when the stage's grace is over; the op under way is then recorded as cancelled, and
    /// the client is not used again.
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped>;

    /// Undoes what this client left on the system under test; called once, after its last iteration, outside the clock.
    ///
    /// The engine bounds it; most scripts leave nothing and keep the default.
    ///
    /// # Errors
    /// A sentence that says what is left, and why.
    async fn finish(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// Says what a script misses in its setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// The dataset has no repository that can be drawn.
    #[error("{script}: the snapshot has no repository with a weight above 0")]
    NoRepository {
        /// The script.
        script: String,
    },
    /// The dataset has no user that can log in.
    #[error("{script}: the snapshot has no user with a password")]
    NoUser {
        /// The script.
        script: String,
    },
    /// No repository that can be drawn has a default branch that is known.
    #[error("{script}: the snapshot names no default branch of any repository with a weight above 0")]
    NoDefaultBranch {
        /// The script.
        script: String,
    },
    /// The administrator cannot log in.
    #[error("{script}: the administrator's name or password is not known")]
    NoAdmin {
        /// The script.
        script: String,
    },
    /// The system serves no Git over SSH.
    #[error("{script}: the system under test does not say where it serves Git over SSH")]
    NoSsh {
        /// The script.
        script: String,
    },
    /// The dataset has no user that can log in over SSH.
    #[error("{script}: the snapshot has no user with a private key")]
    NoKey {
        /// The script.
        script: String,
    },
    /// A user's private key cannot be used.
    #[error("{script}: the private key of {user} cannot be used: {reason}")]
    Key {
        /// The script.
        script: String,
        /// The user.
        user: String,
        /// Why.
        reason: String,
    },
    /// The job's arguments cannot be used; a plan that was checked has none such.
    #[error("{script}: {reason}")]
    Arguments {
        /// The script.
        script: String,
        /// Why.
        reason: String,
    },
    /// The system's URL cannot be used.
    #[error("{script}: the URL {url} cannot be used: {reason}")]
    Url {
        /// The script.
        script: String,
        /// The URL.
        url: String,
        /// Why.
        reason: String,
    },
}
