//! One file of `/proc`, read again and again.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use procfs::ProcError;

use crate::MetricsError;

/// A file of `/proc` that is opened once, and read into the same memory each time.
#[derive(Debug)]
pub(super) struct ProcText {
    /// Its path below `/proc`.
    name: &'static str,
    path: PathBuf,
    /// None at first, and after it could not be read.
    file: Option<File>,
    /// All initialised.
    bytes: Vec<u8>,
}

impl ProcText {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, path: PathBuf::from("/proc").join(name), file: None, bytes: vec![0; FIRST] }
    }

    /// Reads the whole file as it is now and returns what a function makes of it.
    pub(super) fn read<T>(
        &mut self,
        parse: impl FnOnce(&[u8]) -> Result<T, ProcError>,
    ) -> Result<T, MetricsError> {
        let length = self.fill().map_err(|error| ProcError::Io(error, Some(self.path.clone())));
        let parsed = length.and_then(|length| parse(self.bytes.get(..length).unwrap_or_default()));
        parsed.map_err(|source| {
            self.file = None;
            MetricsError::Proc { file: self.name, source }
        })
    }

    fn fill(&mut self) -> io::Result<usize> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::open(&self.path)?),
        };
        let mut length = 0_usize;
        loop {
            if length == self.bytes.len() {
                self.bytes.resize(length * 2, 0);
            }
            // Source: seq_file.rst of Linux: what is read from the beginning is made anew.
            let at = u64::try_from(length).unwrap_or(u64::MAX);
            match file.read_at(self.bytes.get_mut(length..).unwrap_or_default(), at) {
                Ok(0) => return Ok(length),
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Returns the number behind each of some words that begin a line, such as `pswpin 7`; none for a word that begins none.
pub(super) fn numbers<const N: usize>(text: &[u8], words: [&str; N]) -> [Option<u64>; N] {
    let mut found = [None; N];
    for line in text.split(|byte| *byte == b'\n') {
        let Some(end) = line.iter().position(|byte| *byte == b' ') else { continue };
        let (word, rest) = line.split_at(end);
        let places = words.iter().zip(&mut found).find(|(wanted, _)| wanted.as_bytes() == word);
        if let Some((_, place)) = places {
            let number = rest.trim_ascii().split(|byte| *byte == b' ').next().unwrap_or_default();
            *place = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
        }
    }
    found
}

/// Room for most of the files; the others make more, once.
const FIRST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_anew_each_time_whatever_its_length() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut text = ProcText { path: file.path().to_owned(), ..ProcText::new("test") };
        for length in [10, 3 * FIRST, 0, FIRST] {
            file.as_file_mut().set_len(0).unwrap();
            let content = vec![b'x'; length];
            file.as_file_mut().write_all_at(&content, 0).unwrap();
            assert_eq!(text.read(|bytes| Ok(bytes.to_vec())).unwrap(), content);
        }
        let mut stat = ProcText::new("stat");
        let first = stat.read(|bytes| Ok(bytes.to_vec())).unwrap();
        assert!(first.starts_with(b"cpu ") && first.ends_with(b"\n"));
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while stat.read(|bytes| Ok(bytes.to_vec())).unwrap() == first {
            assert!(std::time::Instant::now() < until, "it shows what was there when it was opened");
        }
        assert!(ProcText::new("no-such-file").read(|_| Ok(())).is_err());
    }

    #[test]
    fn numbers_are_found_by_the_word_before_them() {
        let text = b"MemTotal:       123 kB\nSwap 7\npswpin 8\npswpinner 9\npswpout\n";
        assert_eq!(numbers(text, ["MemTotal:", "pswpin", "pswpout", "x"]), [Some(123), Some(8), None, None]);
    }
}
