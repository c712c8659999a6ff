//! The server of a remote: its address, its host key, and who the client is there.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
    time::Duration,
};

use e3_model::{Connections, SshEndpoint};
use percent_encoding::percent_decode_str;
use russh::{
    Names, Preferred, SshId, cipher,
    client::Config,
    compression, kex,
    keys::{Algorithm, PublicKey},
};
use url::{Host, Url};

use super::{SshKey, kept::Kept, negotiated::Negotiated};
use crate::{GitError, GitOptions, OnNegotiated};

/// An SSH server as one user's client knows it. Cheap to clone; clones share a connection that is kept.
#[derive(Clone)]
pub(crate) struct SshServer {
    shared: Arc<Shared>,
    /// The connection from operation to operation; none where each has its own.
    kept: Option<Arc<Kept>>,
}

struct Shared {
    address: Address,
    host_key: PublicKey,
    key: SshKey,
    config: Arc<Config>,
    negotiated: OnceLock<Negotiated>,
    on_negotiated: Option<OnNegotiated>,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) user: String,
    /// The host without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// The URL as it is shown.
    pub(super) url: String,
}

impl SshServer {
    pub(crate) fn new(endpoint: &SshEndpoint, key: SshKey) -> Result<Self, GitError> {
        let address = Address::parse(&endpoint.url)?;
        let host_key =
            PublicKey::from_openssh(endpoint.host_key.trim()).map_err(|error| GitError::Endpoint {
                text: endpoint.host_key.clone(),
                what: "a public host key such as \"ssh-ed25519 AAAA…\"",
                reason: error.to_string(),
            })?;
        let config = Arc::new(config(&host_key.algorithm(), Connections::PerOp));
        let negotiated = OnceLock::new();
        let shared = Shared { address, host_key, key, config, negotiated, on_negotiated: None };
        Ok(Self { shared: Arc::new(shared), kept: None })
    }

    /// Returns the server as it is talked to in this way; it shares no connection with the one that it was made from.
    ///
    /// A kept connection is opened by the first operation and has a channel for each, any number at a time. One that
    /// breaks, or that an operation leaves before its service has ended, is replaced by the next operation; it is
    /// closed when the last clone of this and the last operation is gone.
    pub(crate) fn with_options(self, options: &GitOptions) -> Self {
        let connections = options.connections;
        let Shared { address, host_key, key, .. } = &*self.shared;
        let shared = Shared {
            address: address.clone(),
            host_key: host_key.clone(),
            key: key.clone(),
            config: Arc::new(config(&host_key.algorithm(), connections)),
            negotiated: OnceLock::new(),
            on_negotiated: options.on_negotiated.clone(),
        };
        let kept = match connections {
            Connections::PerOp => None,
            Connections::KeepAlive => Some(Arc::default()),
        };
        Self { shared: Arc::new(shared), kept }
    }

    /// Returns the server without the connection that is kept to it.
    pub(super) fn alone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), kept: None }
    }

    /// Returns what was negotiated with the server first; none before that.
    pub(crate) fn negotiated(&self) -> Option<&Negotiated> {
        self.shared.negotiated.get()
    }

    pub(super) fn note_negotiated(&self, names: &Names) {
        // Both sides offer the same every time, so the first answer is everyone's.
        let mut is_first = false;
        let negotiated = self.shared.negotiated.get_or_init(|| {
            is_first = true;
            Negotiated::of(names)
        });
        if let Some(listener) = self.shared.on_negotiated.as_ref().filter(|_| is_first) {
            listener.tell(negotiated);
        }
    }

    /// Returns the server's URL, for people.
    pub(crate) fn address(&self) -> &str {
        &self.shared.address.url
    }

    pub(super) fn kept(&self) -> Option<&Arc<Kept>> {
        self.kept.as_ref()
    }

    pub(super) fn user(&self) -> &str {
        &self.shared.address.user
    }

    pub(super) fn host_and_port(&self) -> (&str, u16) {
        (&self.shared.address.host, self.shared.address.port)
    }

    pub(super) fn host_key(&self) -> &PublicKey {
        &self.shared.host_key
    }

    pub(super) fn key(&self) -> &SshKey {
        &self.shared.key
    }

    pub(super) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.shared.config)
    }
}

impl Address {
    fn parse(text: &str) -> Result<Self, GitError> {
        let invalid = |reason: &str| GitError::Endpoint {
            // The text may hold a password, which must not reach a message.
            text: text.rsplit('@').next().unwrap_or_default().to_owned(),
            what: "an address such as ssh://127.0.0.1:7999",
            reason: reason.to_owned(),
        };
        let url = Url::parse(text).map_err(|error| invalid(&error.to_string()))?;
        if url.scheme() != "ssh" {
            return Err(invalid("its scheme is not ssh"));
        }
        if url.password().is_some() {
            return Err(invalid("a password does not belong into it"));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("it has more than a host and a port"));
        }
        let host = match url.host() {
            Some(Host::Domain(name)) if !name.is_empty() => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            _ => return Err(invalid("it has no host")),
        };
        let user = match url.username() {
            "" => GIT.to_owned(),
            user => percent_decode_str(user).decode_utf8_lossy().into_owned(),
        };
        let port = url.port().unwrap_or(SSH_PORT);
        Ok(Self { user, host, port, url: url.as_str().trim_end_matches('/').to_owned() })
    }
}

/// Returns how to talk: cheap and fast where the server lets us choose, since the client must not be the bottleneck.
///
/// Source: measurements against OpenSSH 9.2: AES-GCM takes half of the CPU of chacha20-poly1305. Windows and packets
/// are those of OpenSSH's own client; larger ones take no less CPU here, and more memory.
fn config(host_key: &Algorithm, connections: Connections) -> Config {
    // The pinned kind first, so that a server with several keys shows that one; the others, so that the key of
    // a wrong server can be named.
    let is_pinned = |algorithm: &Algorithm| match (algorithm, host_key) {
        (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }) => true,
        (algorithm, pinned) => algorithm == pinned,
    };
    let (mut keys, others): (Vec<_>, Vec<_>) = Preferred::DEFAULT.key.iter().cloned().partition(is_pinned);
    keys.extend(others);
    Config {
        client_id: SshId::Standard(Cow::Borrowed(concat!("SSH-2.0-e3_", env!("CARGO_PKG_VERSION")))),
        window_size: WINDOW,
        maximum_packet_size: LARGEST_PACKET,
        channel_buffer_size: MESSAGES_AHEAD,
        nodelay: true,
        // Sees that the server of a connection that is kept is gone; an operation's own ends with it.
        keepalive_interval: (connections == Connections::KeepAlive).then_some(KEEPALIVE),
        preferred: Preferred {
            kex: Cow::Borrowed(KEX),
            key: Cow::Owned(keys),
            cipher: Cow::Borrowed(CIPHERS),
            compression: Cow::Borrowed(&[compression::NONE]),
            ..Preferred::DEFAULT
        },
        ..Config::default()
    }
}

/// The cheapest first; the last two announce extensions (RFC 8308, and OpenSSH's PROTOCOL, section 1.10).
const KEX: &[kex::Name] = &[
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::MLKEM768X25519_SHA256,
    kex::DH_GEX_SHA256,
    kex::DH_G16_SHA512,
    kex::DH_G14_SHA256,
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
];

const CIPHERS: &[cipher::Name] = &[
    cipher::AES_128_GCM,
    cipher::AES_256_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_128_CTR,
    cipher::AES_192_CTR,
    cipher::AES_256_CTR,
];

/// How far a server may send ahead, in bytes. What is held of it here is bounded by [`MESSAGES_AHEAD`]; the rest
/// waits in the operating system, or at the server.
///
/// Source: `CHAN_SES_WINDOW_DEFAULT` in OpenSSH's channels.h.
const WINDOW: u32 = 64 * LARGEST_PACKET;
/// Source: `CHAN_SES_PACKET_DEFAULT`, likewise.
const LARGEST_PACKET: u32 = 32 << 10;
/// As many packets as a client holds while it is not running. With the packet that is being read, its copy, and the
/// buffer of the socket, a connection holds some 300 KiB, however large the pack is (`cargo xtask bench memory`).
const MESSAGES_AHEAD: usize = 4;

/// How long a server may be silent until it is asked for a sign of life.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Who logs in where the URL names nobody: Bitbucket and its like know people by their keys, not by this.
const GIT: &str = "git";

/// Source: RFC 4251, section 4.1.
const SSH_PORT: u16 = 22;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_host_and_port_and_maybe_a_user() {
        for (text, user, host, port, shown) in [
            ("ssh://127.0.0.1:7999", "git", "127.0.0.1", 7999, "ssh://127.0.0.1:7999"),
            ("ssh://git.example.com/", "git", "git.example.com", 22, "ssh://git.example.com"),
            ("ssh://[::1]:7999", "git", "::1", 7999, "ssh://[::1]:7999"),
            ("ssh://a%20b@h:1", "a b", "h", 1, "ssh://a%20b@h:1"),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!((address.user.as_str(), address.host.as_str(), address.port), (user, host, port));
            assert_eq!(address.url, shown);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for text in [
            "",
            "127.0.0.1:7999",
            "http://127.0.0.1",
            "ssh://",
            "ssh://h:99999",
            "ssh://h/path",
            "ssh://h?x",
            "ssh://git:hunter2@h",
            "ssh://git:hunter2@h:x",
        ] {
            let error = Address::parse(text).unwrap_err();
            assert!(matches!(error, GitError::Endpoint { .. }), "{text}: {error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn the_pinned_kind_of_key_is_asked_for_first_and_the_others_too() {
        for first in Preferred::DEFAULT.key.iter() {
            let config = config(first, Connections::PerOp);
            let keys = &config.preferred.key;
            assert_eq!(keys.len(), Preferred::DEFAULT.key.len());
            let is_first = keys[0] == *first || (keys[0].clone().is_rsa() && first.clone().is_rsa());
            assert!(is_first, "{first}: {keys:?}");
        }
        let rsa = config(&Algorithm::Rsa { hash: None }, Connections::PerOp);
        assert_ne!(rsa.preferred.key[0], Algorithm::Rsa { hash: None }, "SHA-1 comes last");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_fall(text in "(ssh://)?[ -~]{0,40}") {
            if let Ok(address) = Address::parse(&text) {
                prop_assert!(!address.host.is_empty());
            }
        }
    }
}
