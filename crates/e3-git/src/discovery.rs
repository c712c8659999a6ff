//! Finding out what a server can and which refs it has.

use std::time::Instant;

use crate::{
    GitError, Transfer,
    advertisement::{Advertisement, Kept, Version},
    conversation::{Conversation, Request},
    ref_list::RefList,
    request,
    transfer::nanoseconds,
};

/// Asks for the refs whose names start with one of the prefixes; without prefixes, for all.
///
/// In version 0 the server sends all its refs, whatever the prefixes. The clock started when the operation did.
pub(crate) async fn discover(
    conversation: &mut Conversation<'_>,
    started: Instant,
    prefixes: &[&str],
    transfer: &mut Transfer,
) -> Result<Advertisement, GitError> {
    let found = conversation.advertisement(Kept::All, transfer).await?;
    transfer.first_byte = Some(found.begun);
    let mut advertisement = found.answer;
    if advertisement.version == Version::V2 {
        let body = request::ls_refs(&advertisement.capabilities, prefixes);
        let request = Request { version: Version::V2, body, is_last: false };
        let listed = conversation.ask(request, RefList::default(), transfer).await?;
        transfer.first_byte = Some(listed.begun);
        advertisement.refs = listed.answer;
    }
    transfer.phases.advertisement_ns = nanoseconds(started, Instant::now());
    Ok(advertisement)
}
