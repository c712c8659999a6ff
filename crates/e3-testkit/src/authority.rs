//! A certificate authority of a test's own, and what it signs.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

/// A certificate authority that nobody but its test trusts.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// Since when and until when a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Now, and for as long as this test will exist.
    Current,
    /// It ended years ago.
    Expired,
}

impl Authority {
    /// Makes an authority with keys of its own.
    ///
    /// # Panics
    /// If the keys cannot be made.
    pub fn new() -> Self {
        let mut parameters = CertificateParams::default();
        // Two authorities of one name would be taken for one whose keys are wrong.
        let name = format!("a test's authority {}", rand::random::<u64>());
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        parameters.not_before = date_time_ymd(2000, 1, 1);
        parameters.not_after = date_time_ymd(3000, 1, 1);
        let key = KeyPair::generate().expect("keys can be made");
        let pem = parameters.self_signed(&key).expect("the authority signs itself").pem();
        Self { issuer: Issuer::new(parameters, key), pem }
    }

    /// Returns its certificate in PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Returns what a TLS server needs to show a certificate for this name or address, and to offer these protocols.
    ///
    /// # Panics
    /// If the name is none.
    pub fn server(&self, name: &str, validity: Validity, protocols: &[&str]) -> Arc<ServerConfig> {
        let mut parameters =
            CertificateParams::new(vec![name.to_owned()]).expect("the test's name is a name");
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        parameters.not_before = date_time_ymd(2000, 1, 1);
        parameters.not_after = match validity {
            Validity::Current => date_time_ymd(3000, 1, 1),
            Validity::Expired => date_time_ymd(2001, 1, 1),
        };
        let key = KeyPair::generate().expect("keys can be made");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("the authority signs");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("the key is the certificate's");
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}
