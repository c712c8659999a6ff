//! A connection that lives from operation to operation, with a channel for each.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OnceCell;

use super::{
    SshError, SshServer,
    connection::{Command, Connection},
    session::Session,
};

/// Where the connection of a remote is kept.
///
/// The first operation opens it. A server that opens no more channels on it (OpenSSH: `MaxSessions`, 10) gets a
/// connection of its own for each operation beyond them, for as long as that takes.
#[derive(Default)]
pub(super) struct Kept {
    slot: Mutex<Arc<Slot>>,
}

/// A connection that is there, or being opened by one operation while others wait for it.
type Slot = OnceCell<Arc<Held>>;

/// A session that takes leave of its server when nobody holds it any more.
pub(super) struct Held {
    session: Option<Session>,
    kept: Weak<Kept>,
}

impl Kept {
    /// Opens a channel and asks for a command; once more on a new connection where the old one proves to be gone before
    /// the server has accepted the command.
    pub(super) async fn open(
        self: &Arc<Self>,
        server: &SshServer,
        command: &Command,
    ) -> Result<Connection, SshError> {
        let slot = self.slot();
        let was_there = slot.initialized();
        let held = self.held(&slot, server).await?;
        match Connection::on(Arc::clone(&held), command).await {
            Err(SshError::Broken { .. } | SshError::Disconnected { .. }) if was_there => {
                self.forget(&held);
                let held = self.held(&self.slot(), server).await?;
                Connection::on(held, command).await
            }
            Err(SshError::NoChannel { .. }) if held.is_shared() => Connection::own(server, command).await,
            Err(error @ SshError::Timeout { .. }) => {
                self.forget(&held);
                Err(error)
            }
            result => result,
        }
    }

    /// Returns the session of a slot, opening it if nobody has yet.
    async fn held(self: &Arc<Self>, slot: &Slot, server: &SshServer) -> Result<Arc<Held>, SshError> {
        let opening = || async {
            let session = Session::open(server).await?;
            Ok(Arc::new(Held { session: Some(session), kept: Arc::downgrade(self) }))
        };
        slot.get_or_try_init(opening).await.cloned()
    }

    /// Returns where the connection is or will be; one that is known to be gone is left to those who still use it.
    fn slot(&self) -> Arc<Slot> {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.get().is_some_and(|held| held.session().is_closed()) {
            *slot = Arc::default();
        }
        Arc::clone(&slot)
    }

    /// Sees to it that no other operation begins on this connection, which ends with those that have.
    fn forget(&self, held: &Arc<Held>) {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.get().is_some_and(|kept| Arc::ptr_eq(kept, held)) {
            *slot = Arc::default();
        }
    }
}

impl Held {
    /// Sees to it that no other operation begins on the session.
    pub(super) fn give_up(self: &Arc<Self>) {
        if let Some(kept) = self.kept.upgrade() {
            kept.forget(self);
        }
    }

    pub(super) fn session(&self) -> &Session {
        self.session.as_ref().expect("only a drop takes it")
    }

    /// Returns whether more than one operation uses the session now.
    pub(super) fn is_shared(self: &Arc<Self>) -> bool {
        // The slot and one operation; a moment too many while others begin or end does no harm.
        Arc::strong_count(self) > 2
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Without a runtime, the drop of the session cuts the connection.
        if let Some(session) = self.session.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(session.leave());
        }
    }
}
