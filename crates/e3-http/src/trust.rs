//! Whose certificates a TLS server may show.

use std::{
    fmt,
    sync::{Arc, LazyLock, Mutex, PoisonError, Weak},
};

use e3_model::HttpVersion;
use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::HttpError;

/// Whose certificates a TLS server may show: by default those that lead to what the machine trusts.
///
/// Cheap to clone. Sessions that share it share no TLS session: each connection pays for a whole handshake, as each of
/// many clients' own machines would.
#[derive(Clone, Default)]
pub struct Trust {
    /// None stands for the machine's.
    given: Option<Arc<Configs>>,
}

/// One configuration for each version of HTTP, which differ in what ALPN offers.
struct Configs {
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
}

impl Trust {
    /// Trusts these certificates and no others; text around the blocks is ignored. While anybody holds what a text gave,
    /// the same text gives the same.
    ///
    /// # Errors
    /// Fails if the text has no certificate, or one that is broken.
    pub fn pem(text: &str) -> Result<Self, HttpError> {
        // Otherwise each of thousands of clients would hold the certificates for itself.
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, configs)| configs.strong_count() > 0);
        let same = known.iter().find(|(known, _)| known == text);
        if let Some(configs) = same.and_then(|(_, configs)| configs.upgrade()) {
            return Ok(Self { given: Some(configs) });
        }
        let configs = Arc::new(Self::read(text)?);
        known.push((text.to_owned(), Arc::downgrade(&configs)));
        Ok(Self { given: Some(configs) })
    }

    fn read(text: &str) -> Result<Configs, HttpError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
            let certificate = certificate.map_err(|error| invalid(format!("not PEM: {error}")))?;
            roots.add(certificate).map_err(|error| invalid(format!("a certificate is broken: {error}")))?;
        }
        if roots.is_empty() {
            return Err(invalid("no certificate is in the text".to_owned()));
        }
        Configs::of(roots)
    }

    /// Returns what a TLS connection that will speak this version needs.
    pub(crate) fn config(&self, version: HttpVersion) -> Result<&Arc<ClientConfig>, HttpError> {
        let configs = match &self.given {
            Some(given) => given,
            None => MACHINE.as_ref().map_err(|reason| invalid(reason.clone()))?,
        };
        Ok(match version {
            HttpVersion::Http1 => &configs.http1,
            HttpVersion::Http2 => &configs.http2,
        })
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.given.is_some() { "Trust(given)" } else { "Trust(machine)" })
    }
}

impl Configs {
    fn of(roots: RootCertStore) -> Result<Self, HttpError> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| invalid(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![HTTP1.to_vec()];
        let mut http2 = config.clone();
        http2.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
        Ok(Self { http1: Arc::new(config), http2: Arc::new(http2) })
    }

    /// Reads what the machine trusts; a certificate that cannot be read is left out as long as others can.
    fn of_machine() -> Result<Self, String> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        let (known, _) = roots.add_parsable_certificates(found.certs);
        match found.errors.first() {
            _ if known > 0 => Self::of(roots).map_err(|error| error.to_string()),
            Some(error) => Err(format!("the machine's certificates cannot be read: {error}")),
            None => Err(
                "the machine has no certificates that it trusts: install ca-certificates, or give the CA's"
                    .to_owned(),
            ),
        }
    }
}

fn invalid(reason: String) -> HttpError {
    HttpError::Trust { reason }
}

/// The machine's, read when first needed: a few hundred certificates, the same for all sessions.
static MACHINE: LazyLock<Result<Configs, String>> = LazyLock::new(Configs::of_machine);

/// Those that were given, by their text.
static KNOWN: Mutex<Vec<(String, Weak<Configs>)>> = Mutex::new(Vec::new());

const HTTP1: &[u8] = b"http/1.1";

/// The name of HTTP/2 over TLS.
///
/// Source: RFC 9113, section 3.2.
pub(crate) const HTTP2: &[u8] = b"h2";
