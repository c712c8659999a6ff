//! Finding out what a server can and which refs it has.

use std::time::Instant;

use e3_git_wire::{Advertisement, ListedRef, RefList, Version, ls_refs};

use crate::{
    GitError, Transfer,
    conversation::{Conversation, Request},
    transfer::nanoseconds,
};

/// Asks for the refs whose names start with one of the prefixes, or for all without prefixes, and hands each to the
/// closure as it comes.
///
/// A server may list others, too, as every server of version 0 does: they are left out. The clock started when the
/// operation did.
pub(crate) async fn discover(
    conversation: &mut Conversation<'_>,
    started: Instant,
    prefixes: &[&str],
    mut each: impl FnMut(&ListedRef<'_>),
    transfer: &mut Transfer,
) -> Result<Advertisement, GitError> {
    let mut each = |listed: &ListedRef<'_>| {
        if prefixes.is_empty() || prefixes.iter().any(|prefix| listed.name.starts_with(prefix.as_bytes())) {
            each(listed);
        }
    };
    let found = conversation.advertisement(&mut each, transfer).await?;
    transfer.first_byte = Some(found.begun);
    let advertisement = found.answer;
    if advertisement.version == Version::V2 {
        let body = ls_refs(&advertisement.capabilities, prefixes);
        let request = Request { version: Version::V2, body, is_last: false };
        let listed = conversation.ask(request, RefList::new(&mut each), transfer).await?;
        transfer.first_byte = Some(listed.begun);
    }
    transfer.phases.advertisement_ns = nanoseconds(started, Instant::now());
    Ok(advertisement)
}
