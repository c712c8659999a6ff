//! Finding out what a server can and which refs it has.

use std::time::Instant;

use e3_http::HttpSession;

use crate::{
    GitError, Ref, RepositoryPath, Transfer,
    advertisement::{Advertisement, AdvertisementReader, Service, Version},
    ref_list::RefList,
    request,
    smart_http::{chunk, fetch_advertisement, post_upload_pack},
    transfer::nanoseconds,
};

/// Asks for the refs whose names start with one of the prefixes; without prefixes, for all.
///
/// In version 0 the server sends all its refs, whatever the prefixes.
pub(crate) async fn discover(
    session: &mut HttpSession,
    repository: &RepositoryPath,
    prefixes: &[&str],
    transfer: &mut Transfer,
) -> Result<Advertisement, GitError> {
    let started = Instant::now();
    let mut advertisement = advertisement(session, repository, transfer).await?;
    if advertisement.version == Version::V2 {
        let body = request::ls_refs(&advertisement.capabilities, prefixes);
        advertisement.refs = refs(session, repository, body, transfer).await?;
    }
    transfer.phases.advertisement_ns = nanoseconds(started, Instant::now());
    Ok(advertisement)
}

async fn advertisement(
    session: &mut HttpSession,
    repository: &RepositoryPath,
    transfer: &mut Transfer,
) -> Result<Advertisement, GitError> {
    let fault = |fault| GitError::of_fault(repository, fault);
    let mut answer = fetch_advertisement(session, repository).await?;
    let mut reader = AdvertisementReader::new(Service::UploadPack);
    while let Some(bytes) = chunk(&mut answer, repository).await? {
        reader.push(&bytes).map_err(fault)?;
    }
    transfer.count(&answer);
    transfer.first_byte = answer.first_byte();
    reader.finish().map_err(fault)
}

async fn refs(
    session: &mut HttpSession,
    repository: &RepositoryPath,
    body: Vec<u8>,
    transfer: &mut Transfer,
) -> Result<Vec<Ref>, GitError> {
    let fault = |fault| GitError::of_fault(repository, fault);
    let mut answer = post_upload_pack(session, repository, Version::V2, body).await?;
    let mut list = RefList::default();
    while let Some(bytes) = chunk(&mut answer, repository).await? {
        list.push(&bytes).map_err(fault)?;
    }
    transfer.count(&answer);
    transfer.first_byte = answer.first_byte();
    list.finish().map_err(fault)
}
