//! Reading files, with a bound and with errors that name them.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::HomeError;
use crate::error::io;

/// The largest document that people may write.
pub(crate) const LARGEST_INPUT: u64 = 64 << 20;
/// The largest document that E3 writes itself; a plan has a line for every client of every stage.
pub(crate) const LARGEST_DOCUMENT: u64 = 2 << 30;

/// Returns the file's bytes; none when there is no such file.
pub(crate) fn bytes(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, HomeError> {
    let metadata = match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(io("read", path))?,
    };
    if !metadata.is_file() {
        return Err(HomeError::NotAFile { path: path.to_owned() });
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(io("read", path))?;
    let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(io("read", path))?;
    if u64::try_from(read).is_ok_and(|read| read <= limit) {
        Ok(Some(bytes))
    } else {
        Err(HomeError::TooLarge { path: path.to_owned(), limit })
    }
}

/// Returns the file's text; none when there is no such file.
pub(crate) fn text(path: &Path, limit: u64) -> Result<Option<String>, HomeError> {
    let Some(bytes) = bytes(path, limit)? else { return Ok(None) };
    String::from_utf8(bytes).map(Some).map_err(|error| HomeError::NotText {
        path: path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })
}
