//! What every reader of an answer has in common.

use crate::Fault;

/// Reads one answer of a server as it comes.
///
/// Readers are incremental and bounded in memory, and what they find does not depend on how the bytes were cut.
pub trait AnswerReader {
    /// What the answer says.
    type Answer;

    /// Takes the next bytes of the answer.
    ///
    /// # Errors
    /// Fails if the bytes are not what the protocol allows, or tell of a failure of the server; no more must be pushed.
    fn push(&mut self, bytes: &[u8]) -> Result<(), Fault>;

    /// Returns whether the byte has come that an operation's time to first byte is about.
    fn has_begun(&self) -> bool {
        true
    }

    /// Returns whether the answer's own framing says that it is whole, so that nothing more of it comes.
    fn is_complete(&self) -> bool;

    /// Returns what the answer said, when all of it has come.
    ///
    /// # Errors
    /// Fails if the answer is not whole, or its checksum is wrong.
    fn finish(self) -> Result<Self::Answer, Fault>;
}
