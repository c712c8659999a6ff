//! Segments: what a worker recorded within a second, as one Arrow IPC file each.

use std::fs;
use std::io::{Cursor, ErrorKind};
use std::path::{Path, PathBuf};

use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::FileWriter;
use bytes::Bytes;
use e3_model::{Sample, WorkerId};

use crate::batch::from_batch;
use crate::columns::ColumnEncoder;
use crate::schema::schema;
use crate::{Names, SamplesError, samples_file};

/// Returns samples as the bytes of one segment; none is fine.
///
/// # Errors
/// When a sample names a job or op that the stage does not have.
pub fn to_segment(samples: &[Sample], names: &Names) -> Result<Bytes, SamplesError> {
    SegmentEncoder::new(names).encode(samples)
}

/// Makes segments of one stage's samples, one after another.
#[derive(Debug)]
pub struct SegmentEncoder {
    columns: ColumnEncoder,
    /// How many bytes the last segment had: the next one needs about as many.
    length: usize,
}

impl SegmentEncoder {
    /// Returns the encoder of a stage with these names.
    pub fn new(names: &Names) -> Self {
        Self { columns: ColumnEncoder::new(names), length: 0 }
    }

    /// Returns samples as the bytes of one segment; none is fine.
    ///
    /// # Errors
    /// When a sample names a job or op that the stage does not have.
    pub fn encode(&mut self, samples: &[Sample]) -> Result<Bytes, SamplesError> {
        let batch = self.columns.encode(samples)?;
        let room = Vec::with_capacity(self.length + self.length / 8);
        let mut writer = FileWriter::try_new(room, &schema()).map_err(SamplesError::Segment)?;
        writer.write(&batch).map_err(SamplesError::Segment)?;
        let segment = writer.into_inner().map_err(SamplesError::Segment)?;
        self.length = segment.len();
        Ok(segment.into())
    }
}

/// Adds a worker's segment to a stage: the file appears whole or not at all, whenever this process is killed.
///
/// Adding the same sequence number again replaces the segment, so a segment that is delivered twice counts once. The
/// file is not forced to the disk: that would stall a system under test on the same machine, to guard against power
/// cuts only.
///
/// # Errors
/// When the file cannot be written, or the stage is sealed.
pub fn append_segment(
    stage_directory: &Path,
    worker: WorkerId,
    sequence: u64,
    segment: &[u8],
) -> Result<(), SamplesError> {
    if samples_file(stage_directory).exists() {
        return Err(SamplesError::Sealed(stage_directory.to_owned()));
    }
    write_whole(&stage_directory.join(SEGMENTS), &format!("{worker}-{sequence:06}"), segment)
}

/// Writes a segment of that name, without its extension, into a directory: whole or not at all.
pub(crate) fn write_whole(directory: &Path, name: &str, segment: &[u8]) -> Result<(), SamplesError> {
    fs::create_dir_all(directory).map_err(SamplesError::io("create", directory))?;
    let unfinished = directory.join(format!("{name}.{UNFINISHED}"));
    let path = directory.join(format!("{name}.{WHOLE}"));
    fs::write(&unfinished, segment).map_err(SamplesError::io("write", &unfinished))?;
    fs::rename(&unfinished, &path).map_err(SamplesError::io("rename", &unfinished))
}

/// Returns how many of a stage's segments could not be read when it was sealed; these files are kept.
///
/// # Errors
/// When the directory cannot be read.
pub fn torn_segments(stage_directory: &Path) -> Result<usize, SamplesError> {
    Ok(list(&stage_directory.join(SEGMENTS), TORN)?.len())
}

/// Returns whether a stage has a segment, whole or torn.
pub(crate) fn has_segments(stage_directory: &Path) -> bool {
    list(&stage_directory.join(SEGMENTS), WHOLE).is_ok_and(|paths| !paths.is_empty())
}

/// The whole segments of a stage and the torn ones.
#[derive(Debug, Default)]
pub(crate) struct Segments {
    pub(crate) samples: Vec<Sample>,
    pub(crate) torn: Vec<PathBuf>,
}

/// Reads every segment, in order of worker and sequence; a torn one is named instead.
pub(crate) fn read_segments(stage_directory: &Path, names: &Names) -> Result<Segments, SamplesError> {
    let mut segments = Segments::default();
    for path in list(&stage_directory.join(SEGMENTS), WHOLE)? {
        let bytes = fs::read(&path).map_err(SamplesError::io("read", &path))?;
        match from_segment(&bytes, names) {
            Ok(samples) => segments.samples.extend(samples),
            Err(SamplesError::Segment(_)) => segments.torn.push(path),
            Err(other) => return Err(other),
        }
    }
    Ok(segments)
}

/// Returns the samples of one segment; an error of kind [`SamplesError::Segment`] means that it is torn.
fn from_segment(bytes: &[u8], names: &Names) -> Result<Vec<Sample>, SamplesError> {
    let reader = FileReader::try_new(Cursor::new(bytes), None).map_err(SamplesError::Segment)?;
    let mut samples = Vec::new();
    for batch in reader {
        from_batch(&batch.map_err(SamplesError::Segment)?, names, &mut samples)?;
    }
    Ok(samples)
}

/// Sets torn segments aside under another name, then removes all that sealing has made superfluous.
pub(crate) fn clear_segments(stage_directory: &Path) -> Result<(), SamplesError> {
    clear(&stage_directory.join(SEGMENTS))
}

/// Removes the whole and the unfinished segments of a directory, and the directory if nothing is left in it.
pub(crate) fn clear(directory: &Path) -> Result<(), SamplesError> {
    for extension in [WHOLE, UNFINISHED] {
        for path in list(directory, extension)? {
            fs::remove_file(&path).map_err(SamplesError::io("remove", &path))?;
        }
    }
    match fs::remove_dir(directory) {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty) => {
            Err(SamplesError::io("remove", directory)(error))
        }
        _ => Ok(()),
    }
}

/// Renames torn segments, so that they stay for whoever wants to look.
pub(crate) fn set_aside(torn: &[PathBuf]) -> Result<(), SamplesError> {
    torn.iter().try_for_each(|path| {
        fs::rename(path, path.with_extension(TORN)).map_err(SamplesError::io("rename", path))
    })
}

/// Returns a directory's files of that extension, ordered by name; none when there is no directory.
pub(crate) fn list(directory: &Path, extension: &str) -> Result<Vec<PathBuf>, SamplesError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(SamplesError::io("list", directory)(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(SamplesError::io("list", directory))?.path();
        if path.extension().is_some_and(|found| found == extension) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

const SEGMENTS: &str = "segments";
pub(crate) const WHOLE: &str = "arrow";
const UNFINISHED: &str = "unfinished";
const TORN: &str = "torn";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::tests::{names, sample};

    #[test]
    fn a_segment_cut_at_any_byte_is_torn_and_nothing_worse() {
        let samples: Vec<Sample> = (0..20).map(sample).collect();
        let segment = to_segment(&samples, &names()).unwrap();
        assert_eq!(from_segment(&segment, &names()).unwrap(), samples);
        for length in 0..segment.len() {
            let cut = from_segment(&segment[..length], &names());
            assert!(matches!(cut, Err(SamplesError::Segment(_))), "cut at {length} of {}", segment.len());
        }
    }

    #[test]
    fn a_segment_of_nothing_is_whole() {
        let segment = to_segment(&[], &names()).unwrap();
        assert_eq!(from_segment(&segment, &names()).unwrap(), []);
    }

    #[test]
    fn an_op_that_the_stage_does_not_have_is_refused() {
        let stranger = Sample { op: 9, ..sample(0) };
        assert!(matches!(to_segment(&[stranger], &names()), Err(SamplesError::UnknownOp { job: 0, .. })));
    }
}
