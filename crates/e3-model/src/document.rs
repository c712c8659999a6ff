//! What all documents share: format, version, and the hash of the document they were made from.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A document that E3 writes: it names its format and version.
pub trait Document: Serialize + DeserializeOwned + JsonSchema {
    /// The format's name, such as `e3/plan`.
    const FORMAT: &'static str;
    /// The version this program writes, and the newest it reads.
    const VERSION: u32;
    /// The name of the file that holds it in a run's directory.
    const FILE: &'static str;

    /// Returns the document's header.
    fn header(&self) -> &Header;
}

/// The first fields of every document that E3 writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Header {
    /// The document's format, such as `e3/plan`.
    pub format: String,
    /// The format's version.
    pub version: u32,
    /// The document this one was made from; none for the first of a run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<Parent>,
}

/// The document from which another was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Parent {
    /// The parent's file name within the run.
    pub file: String,
    /// SHA-256 of the parent's bytes, in lower-case hexadecimal.
    pub sha256: String,
}

impl Header {
    /// Returns the header of a new document of type `D`.
    pub fn of<D: Document>(parent: Option<Parent>) -> Self {
        Self { format: D::FORMAT.to_owned(), version: D::VERSION, parent }
    }
}

/// Says why bytes are no document of the wanted type.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The bytes are not JSON of the document's shape.
    #[error("not a document of format {format}")]
    Parse {
        /// The wanted format.
        format: &'static str,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The document is of another format.
    #[error("this is a document of format {found}, not {wanted}")]
    Format {
        /// What the document says it is.
        found: String,
        /// What was wanted.
        wanted: &'static str,
    },
    /// The document is newer than this program.
    #[error("{format} version {found} is newer than this e3 reads ({wanted})")]
    Version {
        /// The format.
        format: &'static str,
        /// The document's version.
        found: u32,
        /// The newest version this program reads.
        wanted: u32,
    },
}

/// Returns the document that the bytes hold.
///
/// # Errors
/// When the bytes are not JSON of that shape, of another format, or of a newer version.
pub fn from_json<D: Document>(bytes: &[u8]) -> Result<D, DocumentError> {
    let parse = |source| DocumentError::Parse { format: D::FORMAT, source };
    let header: Header = serde_json::from_slice(bytes).map_err(parse)?;
    if header.format != D::FORMAT {
        return Err(DocumentError::Format { found: header.format, wanted: D::FORMAT });
    }
    if header.version > D::VERSION {
        return Err(DocumentError::Version { format: D::FORMAT, found: header.version, wanted: D::VERSION });
    }
    serde_json::from_slice(bytes).map_err(parse)
}

/// Returns a document as the bytes of its file: indented JSON with a final newline, the same for equal documents.
///
/// # Errors
/// When a value has no JSON form, such as a map with keys that are no text.
pub fn to_json<T: Serialize>(document: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Returns the JSON Schema (draft 2020-12) of a type.
pub fn schema_of<T: JsonSchema>() -> serde_json::Value {
    schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value()
}

/// Returns the SHA-256 of some bytes in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_the_standard_says() {
        // Source: FIPS 180-4 examples, "abc".
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn refuses_other_formats_and_newer_versions() {
        let other = br#"{"format": "e3/topology", "version": 1}"#;
        assert!(matches!(from_json::<crate::Plan>(other), Err(DocumentError::Format { .. })));
        let newer = br#"{"format": "e3/plan", "version": 99}"#;
        assert!(matches!(from_json::<crate::Plan>(newer), Err(DocumentError::Version { found: 99, .. })));
        assert!(matches!(from_json::<crate::Plan>(b"{"), Err(DocumentError::Parse { .. })));
    }
}
