//! `git fetch`, without what it does to a disk.

use std::time::Instant;

use e3_git_wire::{
    Advertisement, Asked, FetchAnswer, FetchRequest, Fetched as FetchedPack, ListedRef, Negotiation,
    ObjectId, Pack, PackDrain, Round, Service, Version,
};

use crate::{
    GitError, Remote, RepositoryPath, Transfer, Updated,
    conversation::{Conversation, Exchange, Request},
    discovery::discover,
    transfer::nanoseconds,
    wanted::FetchWants,
};

/// What a fetch received, and what it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetch {
    /// How many refs were wanted, since they name something that the client does not have.
    pub refs: u64,
    /// How many rounds the negotiation took; 0 where nothing was new.
    pub rounds: u32,
    /// What came; none where nothing was new.
    pub pack: Option<FetchPack>,
    /// What it took.
    pub transfer: Transfer,
}

/// The pack of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchPack {
    /// The number of objects, as its header says.
    pub objects: u32,
    /// The size with its header and checksum.
    pub bytes: u64,
    /// Whether its checksum was verified.
    pub is_verified: bool,
}

/// Fetches what is new since some known commits, as `git fetch` does in a clone that has these, newest first, and all
/// that they reach; drains the pack.
///
/// # Errors
/// Fails as [`crate::clone`] does, or if a named branch does not exist.
///
/// # Cancellation
/// Dropping the future closes the connection.
pub async fn fetch(
    remote: &Remote,
    repository: &RepositoryPath,
    updated: &Updated,
    haves: &[ObjectId],
) -> Result<Fetch, GitError> {
    let started = Instant::now();
    let mut transfer = Transfer::default();
    let mut conversation = Conversation::open(remote, repository, Service::UploadPack).await?;
    let mut wants = FetchWants::new(updated, haves);
    let prefixes = FetchWants::prefixes(updated);
    let prefixes: Vec<_> = prefixes.iter().map(String::as_str).collect();
    let each = |listed: &ListedRef<'_>| wants.take(listed);
    let found = discover(&mut conversation, started, &prefixes, each, &mut transfer).await?;
    if let Some(branch) = wants.missing().map(str::to_owned) {
        conversation.end().await?;
        return Err(GitError::NoBranch { repository: repository.clone(), branch });
    }
    let wants = wants.into_ids();
    let refs = u64::try_from(wants.len()).unwrap_or(u64::MAX);
    if wants.is_empty() {
        conversation.end().await?;
        return Ok(Fetch { refs, rounds: 0, pack: None, transfer });
    }
    let mut talk = Talk { conversation, found, wants, haves, is_tagged: *updated == Updated::All, rounds: 0 };
    let pack = talk.negotiate(remote, &mut transfer).await?;
    talk.conversation.end().await?;
    let Pack { objects, bytes, is_verified, .. } = pack.ok_or_else(|| GitError::no_pack(repository))?;
    let pack = Some(FetchPack { objects, bytes, is_verified });
    Ok(Fetch { refs, rounds: talk.rounds, pack, transfer })
}

/// A fetch that has heard the server's refs.
struct Talk<'r> {
    conversation: Conversation<'r>,
    found: Advertisement,
    wants: Vec<ObjectId>,
    haves: &'r [ObjectId],
    is_tagged: bool,
    rounds: u32,
}

impl Talk<'_> {
    /// Finds out in rounds what both sides have, until the pack comes: at the latest when the client is done.
    async fn negotiate(
        &mut self,
        remote: &Remote,
        transfer: &mut Transfer,
    ) -> Result<Option<Pack>, GitError> {
        let began = Instant::now();
        let Self { conversation, found, wants, haves, .. } = self;
        let is_stateless = conversation.is_stateless();
        let request = FetchRequest {
            version: found.version,
            server: &found.capabilities,
            is_stateless,
            include_tag: self.is_tagged,
            depth: None,
            is_blobless: false,
        };
        let is_remembered = found.version == Version::V0 && !is_stateless;
        let mut negotiation = Negotiation::new(found.version, is_stateless, haves);
        let is_verified = remote.verifies_next();
        loop {
            let is_first = self.rounds == 0;
            let round = if request.has_rounds() {
                negotiation.next_round()
            } else {
                Round { haves: haves.to_vec(), is_done: true }
            };
            let body = if is_remembered && !is_first {
                FetchRequest::more_v0(&round.haves, round.is_done)
            } else {
                request.body(wants.iter().copied(), &round.haves, round.is_done)
            };
            let asked = Asked {
                version: found.version,
                wrapping: request.wrapping(),
                is_shallow: false,
                haves: if is_remembered { haves.len() } else { round.haves.len() },
                is_done: round.is_done,
                is_pack_early: request.is_pack_early(),
            };
            self.rounds += 1;
            let answer = FetchAnswer::new(asked, PackDrain::discarding(is_verified));
            let request = Request { version: found.version, body, is_last: round.is_done };
            let exchange = conversation.ask(request, answer, transfer).await?;
            if exchange.answer.pack.is_some() || round.is_done {
                received(transfer, began, &exchange);
                return Ok(exchange.answer.pack);
            }
            negotiation.heard(&exchange.answer.common);
        }
    }
}

/// Notes the phases: the rounds before the last belong to the negotiation.
fn received(transfer: &mut Transfer, began: Instant, exchange: &Exchange<FetchedPack>) {
    transfer.received(began, exchange);
    transfer.phases.negotiation_ns = nanoseconds(began, exchange.sent);
}
