//! `/rest/ssh`: users' public keys. A user looks after their own, an administrator after anybody's.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, HashAlg, PublicKey};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::exchange::{MayWrite, Write};
use super::page::{Page, Paged, parameter};
use crate::auth::{Account, Known};
use crate::failure::Failure;
use crate::names::UserName;
use crate::state::{App, Host};
use crate::store::{self, NewSshKey, User};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/keys", get(list).post(add).delete(delete_all))
        .route("/keys/{id}", get(one).delete(delete))
}

/// Source: `RestSshKey` of the interface's description, whose dates are RFC 3339.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SshKey {
    id: i64,
    text: String,
    label: String,
    algorithm_type: String,
    bit_length: i64,
    fingerprint: String,
    created_date: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wish {
    text: String,
    label: Option<String>,
}

async fn list(
    State(host): State<App>,
    Known(account): Known,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
) -> Result<Json<Page<SshKey>>, Failure> {
    let user = owner(&host, &account, query.as_deref()).await?;
    let part = host.store.ssh_keys(&user, window).await?;
    Ok(Json(Page::new(part, window, SshKey::new)))
}

async fn one(
    State(host): State<App>,
    Known(account): Known,
    id: Result<Path<i64>, PathRejection>,
) -> Result<Json<SshKey>, Failure> {
    let Path(id) = id.map_err(|_| no_key())?;
    let key = host.store.ssh_key(id).await?.ok_or_else(no_key)?;
    may(&account, key.user_id)?;
    Ok(Json(SshKey::new(key)))
}

async fn add(
    State(host): State<App>,
    Known(account): Known,
    RawQuery(query): RawQuery,
    Write(wish): Write<Wish>,
) -> Result<Response, Failure> {
    let user = owner(&host, &account, query.as_deref()).await?;
    let new = parse(&wish.text, wish.label.as_deref())?;
    match host.store.add_ssh_key(&user, new).await? {
        Some(key) => Ok((StatusCode::CREATED, Json(SshKey::new(key))).into_response()),
        None => Err(Failure::taken("text", "This SSH key is already in use.")),
    }
}

async fn delete(
    State(host): State<App>,
    Known(account): Known,
    _: MayWrite,
    id: Result<Path<i64>, PathRejection>,
) -> Result<StatusCode, Failure> {
    // Source: the interface's description, "was deleted or did not exist".
    let Ok(Path(id)) = id else { return Ok(StatusCode::NO_CONTENT) };
    if let Some(key) = host.store.ssh_key(id).await? {
        may(&account, key.user_id)?;
        host.store.delete_ssh_key(id).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_all(
    State(host): State<App>,
    Known(account): Known,
    _: MayWrite,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Failure> {
    let user = owner(&host, &account, query.as_deref()).await?;
    host.store.delete_ssh_keys(&user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Returns whose keys the query means: the named user's, or the asking user's own.
async fn owner(host: &Host, account: &Account, query: Option<&str>) -> Result<User, Failure> {
    let named = ["user", "userName"].iter().find_map(|name| parameter(query, name));
    let Some(named) = named.filter(|name| !name.is_empty()) else { return Ok(account.user.clone()) };
    let parsed = UserName::parse(&named);
    if parsed.as_ref().is_some_and(|name| name.as_str() == account.user.name) {
        return Ok(account.user.clone());
    }
    if !account.user.admin {
        return Err(Failure::not_permitted());
    }
    let user = match parsed {
        Some(name) => host.store.user(&name).await?,
        None => None,
    };
    user.ok_or_else(|| Failure::no_user(&named))
}

fn may(account: &Account, owner: i64) -> Result<(), Failure> {
    if account.user.admin || account.user.id == owner { Ok(()) } else { Err(Failure::not_permitted()) }
}

fn no_key() -> Failure {
    let exception = Some("com.atlassian.bitbucket.NoSuchEntityException");
    Failure { message: "There is no SSH key with this ID.".to_owned(), exception, ..Failure::no_resource() }
}

/// Reads a public key as people paste it.
///
/// # Errors
/// 400 for what is no key, or one that no client could sign in with here.
fn parse(text: &str, label: Option<&str>) -> Result<NewSshKey, Failure> {
    let refuse = || Failure::invalid("text", BAD_KEY);
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST_TEXT || text.chars().any(char::is_control) {
        return Err(refuse());
    }
    let key = PublicKey::from_openssh(text).map_err(|_| refuse())?;
    let (algorithm, bits) = strength(&key).ok_or_else(refuse)?;
    let label = label.map_or_else(|| key.comment().to_string(), str::to_owned);
    if label.len() > LONGEST_LABEL || label.chars().any(char::is_control) {
        return Err(Failure::invalid("label", "The label is limited to 255 bytes."));
    }
    Ok(NewSshKey {
        blob: key.to_bytes().map_err(|_| refuse())?,
        text: text.to_owned(),
        label,
        algorithm: algorithm.to_owned(),
        bits,
        fingerprint: key.fingerprint(HashAlg::Sha256).to_string().trim_start_matches("SHA256:").to_owned(),
    })
}

/// Returns the algorithm's name and the key's length in bits, or none for keys that are not served.
fn strength(key: &PublicKey) -> Option<(&'static str, i64)> {
    let rsa = |data: &KeyData| data.rsa().map(|rsa| i64::from(rsa.key_size()));
    match key.algorithm() {
        Algorithm::Ed25519 => Some(("ED25519", 256)),
        Algorithm::Ecdsa { curve } => {
            Some(("ECDSA", curve.as_str().trim_start_matches("nistp").parse().ok()?))
        }
        Algorithm::Rsa { .. } => {
            rsa(key.key_data()).filter(|bits| RSA_BITS.contains(bits)).map(|bits| ("RSA", bits))
        }
        _ => None,
    }
}

impl SshKey {
    fn new(row: store::SshKey) -> Self {
        let created = OffsetDateTime::from_unix_timestamp_nanos(i128::from(row.created_ms) * 1_000_000);
        Self {
            id: row.id,
            text: row.text,
            label: row.label,
            algorithm_type: row.algorithm,
            bit_length: row.bits,
            fingerprint: row.fingerprint,
            created_date: created.ok().and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default(),
        }
    }
}

/// Shorter ones are broken, longer ones only cost time.
const RSA_BITS: std::ops::RangeInclusive<i64> = 2048..=16_384;
const LONGEST_TEXT: usize = 16 << 10;
const LONGEST_LABEL: usize = 255;
/// Source: the description of the status 400.
const BAD_KEY: &str = "The SSH key is not a valid RSA/ECDSA/Ed25519 key of a supported length.";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ED25519: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti foo@bar.com";

    #[test]
    fn keys_that_can_sign_in_are_read() {
        // Source: the examples of the ssh-key crate, whose fingerprints `ssh-keygen -l` confirms.
        let key = parse(&format!(" {ED25519}\n"), None).unwrap();
        assert_eq!((key.algorithm.as_str(), key.bits, key.label.as_str()), ("ED25519", 256, "foo@bar.com"));
        assert_eq!(key.fingerprint, "UCUiLr7Pjs9wFFJMDByLgc3NrtdU344OgUM45wZPcIQ");
        assert_eq!(key.text, ED25519);
        let labelled = parse(ED25519, Some("work")).unwrap();
        assert_eq!((labelled.label.as_str(), labelled.blob), ("work", key.blob));
    }

    #[test]
    fn other_texts_are_refused() {
        let short = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7";
        for bad in
            ["", "ssh-rsa", "ssh-rsa AAAA", "hello world", short, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+"]
        {
            assert!(parse(bad, None).is_err(), "{bad}");
        }
        assert!(parse(&format!("{ED25519}\n{ED25519}"), None).is_err(), "one at a time");
        assert!(parse(ED25519, Some("a\nb")).is_err());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in any::<String>(), tail in any::<String>()) {
            let _ = parse(&text, None);
            let _ = parse(&format!("ssh-ed25519 {tail}"), None);
        }
    }
}
