//! The client's half of the session's callbacks: is it the right server, and why did the session end.

use std::sync::Arc;

use russh::{
    Names,
    client::{DisconnectReason, Handler, Session},
    keys::{HashAlg, PublicKeyOrCertificate},
};
use tokio::sync::watch;

use super::SshServer;

/// Lets only the server with the pinned key pass, and tells what was negotiated and why the session ended.
pub(super) struct Verifier {
    server: SshServer,
    ended: watch::Sender<Option<Ended>>,
}

/// Why a session ended, before or after its handshake.
#[derive(Debug, Clone)]
pub(super) enum Ended {
    /// The server showed the key with this fingerprint.
    WrongHostKey(String),
    /// The server said farewell in these words.
    Disconnected(String),
    /// The connection broke.
    Broken(Arc<russh::Error>),
}

impl Verifier {
    /// Returns the verifier, and where it tells why an established session ended.
    pub(super) fn new(server: &SshServer) -> (Self, watch::Receiver<Option<Ended>>) {
        let (tell, ended) = watch::channel(None);
        (Self { server: server.alone(), ended: tell }, ended)
    }
}

impl Handler for Verifier {
    type Error = Ended;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Ended> {
        match shown {
            PublicKeyOrCertificate::PublicKey { key, .. }
                if key.key_data() == self.server.host_key().key_data() =>
            {
                Ok(true)
            }
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                Err(Ended::WrongHostKey(key.fingerprint(HashAlg::Sha256).to_string()))
            }
            PublicKeyOrCertificate::Certificate(_) => Err(Ended::WrongHostKey("of a certificate".to_owned())),
        }
    }

    async fn kex_done(&mut self, _: Option<&[u8]>, names: &Names, _: &mut Session) -> Result<(), Ended> {
        self.server.note_negotiated(names);
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Ended>) -> Result<(), Ended> {
        let ended = match reason {
            DisconnectReason::ReceivedDisconnect(farewell) => {
                let words: String = farewell.message.chars().take(LONGEST_FAREWELL).collect();
                Ended::Disconnected(words.trim().escape_debug().to_string())
            }
            DisconnectReason::Error(error) => error,
        };
        self.ended.send_replace(Some(ended));
        Ok(())
    }
}

impl From<russh::Error> for Ended {
    fn from(error: russh::Error) -> Self {
        Self::Broken(Arc::new(error))
    }
}

const LONGEST_FAREWELL: usize = 300;
