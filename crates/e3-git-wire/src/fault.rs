//! What a parser finds wrong, before anybody knows in which repository.

/// What is wrong with bytes that a server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The server reports an error, in these words.
    Remote(String),
    /// The object ids are not SHA-1 but this.
    ObjectFormat(String),
    /// The bytes end within this.
    Truncated(&'static str),
    /// The pack's trailer is wrong.
    Checksum,
    /// The bytes are not what the protocol allows.
    Protocol(String),
}

impl Fault {
    /// Returns a fault about bytes that were found where something else was expected.
    pub(crate) fn unexpected(found: &[u8], instead_of: &str) -> Self {
        Self::Protocol(format!("{} instead of {instead_of}", quoted(found)))
    }

    /// Returns the server's error message, without what a terminal would act on.
    pub(crate) fn remote(message: &[u8]) -> Self {
        Self::Remote(String::from_utf8_lossy(start(message)).trim().escape_debug().to_string())
    }
}

fn quoted(bytes: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(start(bytes)))
}

fn start(bytes: &[u8]) -> &[u8] {
    bytes.get(..LONGEST_QUOTE).unwrap_or(bytes)
}

const LONGEST_QUOTE: usize = 300;
