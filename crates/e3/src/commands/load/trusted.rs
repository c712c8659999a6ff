//! Whose certificates a server may show: `--ca FILE`, read and looked at before anything is written.

use std::path::Path;

use anyhow::Context as _;
use e3_http::Trust;

use super::place::Place;
use crate::exit::Exit;
use crate::failure::Failure;

/// The certificates that a server's own must lead to.
#[derive(Debug, Clone, Default)]
pub(super) struct Trusted {
    /// Them as text, in PEM; none for those that this machine trusts.
    pub(super) pem: Option<String>,
    /// Them as connections need them.
    pub(super) trust: Trust,
}

impl Trusted {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, has no certificate, or there is nothing encrypted to trust.
    pub(super) fn of(file: Option<&Path>, place: &Place) -> Result<Self, Failure> {
        let usage = |error: anyhow::Error| Failure::new(Exit::Usage, error);
        let Some(file) = file else { return Ok(Self::default()) };
        let shown = file.display();
        if !place.base.is_tls() {
            return Err(usage(anyhow::anyhow!("--ca is for https, and --url is {}", place.base))
                .hint("take --ca out, or begin the URL with https"));
        }
        let pem = std::fs::read_to_string(file)
            .with_context(|| format!("the certificates cannot be read from {shown}"))
            .map_err(usage)?;
        let trust = Trust::pem(&pem)
            .with_context(|| format!("{shown} has no certificates that e3 can use"))
            .map_err(|error| {
                usage(error)
                    .hint("PEM is text between -----BEGIN CERTIFICATE----- and -----END CERTIFICATE-----")
            })?;
        Ok(Self { pem: Some(pem), trust })
    }
}
