//! The client's half of the session's callbacks: is it the right server, and why did the session end.

use russh::{
    client::{DisconnectReason, Handler},
    keys::{HashAlg, PublicKey, PublicKeyOrCertificate},
};
use tokio::sync::oneshot;

/// Lets only the server with the pinned key pass, and tells why the session ended.
pub(super) struct Verifier {
    pinned: PublicKey,
    ended: Option<oneshot::Sender<Ended>>,
}

/// Why a session ended, before or after its handshake.
#[derive(Debug)]
pub(super) enum Ended {
    /// The server showed the key with this fingerprint.
    WrongHostKey(String),
    /// The server said farewell in these words.
    Disconnected(String),
    /// The connection broke.
    Broken(russh::Error),
}

impl Verifier {
    /// Returns the verifier, and where it tells why an established session ended.
    pub(super) fn new(pinned: PublicKey) -> (Self, oneshot::Receiver<Ended>) {
        let (tell, ended) = oneshot::channel();
        (Self { pinned, ended: Some(tell) }, ended)
    }
}

impl Handler for Verifier {
    type Error = Ended;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Ended> {
        match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } if key.key_data() == self.pinned.key_data() => {
                Ok(true)
            }
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                Err(Ended::WrongHostKey(key.fingerprint(HashAlg::Sha256).to_string()))
            }
            PublicKeyOrCertificate::Certificate(_) => Err(Ended::WrongHostKey("of a certificate".to_owned())),
        }
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Ended>) -> Result<(), Ended> {
        let ended = match reason {
            DisconnectReason::ReceivedDisconnect(farewell) => {
                let words: String = farewell.message.chars().take(LONGEST_FAREWELL).collect();
                Ended::Disconnected(words.trim().escape_debug().to_string())
            }
            DisconnectReason::Error(error) => error,
        };
        if let Some(tell) = self.ended.take() {
            // Nobody listens where the operation has ended already.
            let _ = tell.send(ended);
        }
        Ok(())
    }
}

impl From<russh::Error> for Ended {
    fn from(error: russh::Error) -> Self {
        Self::Broken(error)
    }
}

const LONGEST_FAREWELL: usize = 300;
