//! Sealing: the segments of a stage become its one sample file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use e3_model::Sample;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use crate::batch::from_batch;
use crate::columns::ColumnEncoder;
use crate::schema::{COLUMNS, Column, Kind, schema_of};
use crate::segment::{clear_segments, has_segments, read_segments, set_aside};
use crate::{Names, SamplesError};

/// Returns the path of a sealed stage's sample file.
pub fn samples_file(stage_directory: &Path) -> PathBuf {
    stage_directory.join("samples.parquet")
}

/// Returns whether a stage has recorded anything: a sample file, or at least one segment.
pub fn has_samples(stage_directory: &Path) -> bool {
    samples_file(stage_directory).exists() || has_segments(stage_directory)
}

/// Turns a stage's segments into its sample file, ordered by (end, client), and returns how many samples it holds.
///
/// A stage that is sealed already stays as it is; one whose sealing was cut short is sealed anew. The segments go only
/// after the sample file is safely on disk, and once that file exists they are never read again: no sample is lost or
/// counted twice, whenever this is killed. Torn segments are kept aside, see [`crate::torn_segments`].
///
/// # Errors
/// When a file cannot be read, written or removed, or a segment names what the stage does not have.
pub fn seal(stage_directory: &Path, names: &Names) -> Result<u64, SamplesError> {
    let path = samples_file(stage_directory);
    if !path.exists() {
        let segments = read_segments(stage_directory, names)?;
        set_aside(&segments.torn)?;
        write(stage_directory, &path, &in_order(segments.samples), names)?;
    }
    let count = open(&path)?.metadata().file_metadata().num_rows();
    clear_segments(stage_directory)?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Returns a stage's samples ordered by (end, client): from its sample file, or before it is sealed from every whole
/// segment. A stage without either has no samples.
///
/// # Errors
/// When a file cannot be read, or names what the stage does not have.
pub fn read(stage_directory: &Path, names: &Names) -> Result<Vec<Sample>, SamplesError> {
    let path = samples_file(stage_directory);
    if !path.exists() {
        return Ok(in_order(read_segments(stage_directory, names)?.samples));
    }
    let reader = open(&path)?.build().map_err(SamplesError::parquet(&path))?;
    let mut samples = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|error| SamplesError::parquet(&path)(error.into()))?;
        from_batch(&batch, names, &mut samples)?;
    }
    Ok(samples)
}

pub(crate) fn open(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, SamplesError> {
    let file = File::open(path).map_err(SamplesError::io("open", path))?;
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(SamplesError::parquet(path))
}

/// Ties beyond (end, client) are broken by what a client does one after another, so equal samples give equal files.
fn in_order(mut samples: Vec<Sample>) -> Vec<Sample> {
    samples.sort_by_key(|s| (s.ended_ns, s.client, s.iteration, s.scheduled_ns, s.started_ns, s.job, s.op));
    samples
}

fn write(stage_directory: &Path, path: &Path, samples: &[Sample], names: &Names) -> Result<(), SamplesError> {
    let columns = ColumnEncoder::new(names);
    let batches = samples.chunks(ROWS_AT_ONCE).map(|chunk| columns.encode(chunk));
    write_file(stage_directory, path, &COLUMNS, batches)
}

/// Writes record batches of these columns as one Parquet file: it appears whole or not at all, and safely on disk.
pub(crate) fn write_file(
    stage_directory: &Path,
    path: &Path,
    columns: &[Column],
    batches: impl Iterator<Item = Result<RecordBatch, SamplesError>>,
) -> Result<(), SamplesError> {
    fs::create_dir_all(stage_directory).map_err(SamplesError::io("create", stage_directory))?;
    let unfinished = path.with_extension("parquet.unfinished");
    let file = File::create(&unfinished).map_err(SamplesError::io("create", &unfinished))?;
    let failed = || SamplesError::parquet(&unfinished);
    let properties = properties(columns);
    let mut writer = ArrowWriter::try_new(&file, schema_of(columns), Some(properties)).map_err(failed())?;
    for batch in batches {
        writer.write(&batch?).map_err(failed())?;
    }
    writer.close().map_err(failed())?;
    file.sync_all().map_err(SamplesError::io("write", &unfinished))?;
    fs::rename(&unfinished, path).map_err(SamplesError::io("rename", &unfinished))?;
    File::open(stage_directory)
        .and_then(|directory| directory.sync_all())
        .map_err(SamplesError::io("write", stage_directory))
}

/// Times and byte counts are packed as differences: close to each other when ordered by end, and never alike.
fn properties(columns: &[Column]) -> WriterProperties {
    let level = ZstdLevel::try_new(ZSTD_LEVEL).unwrap_or_default();
    let builder =
        WriterProperties::builder().set_created_by("e3".to_owned()).set_compression(Compression::ZSTD(level));
    columns
        .iter()
        .filter(|column| column.kind == Kind::U64)
        .fold(builder, |builder, column| {
            let path = ColumnPath::from(column.name);
            builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED)
        })
        .build()
}

pub(crate) const ROWS_AT_ONCE: usize = 65_536;
const ZSTD_LEVEL: i32 = 3;

#[cfg(test)]
pub(crate) mod tests {
    use e3_model::{
        CacheState, Distribution, GitPhases, JobPlan, Mix, OpDescriptor, Outcome, Span, StagePlan, WorkerId,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::{append_segment, to_segment, torn_segments};

    pub(crate) fn names() -> Names {
        let job = |script: &str, ops: &[&str]| JobPlan {
            script: script.to_owned(),
            ops: ops
                .iter()
                .map(|name| OpDescriptor { name: (*name).to_owned(), summary: String::new() })
                .collect(),
            weight: 0.5,
            scale: 1.0,
            clients: 0,
            arguments: e3_model::Arguments::new(),
        };
        Names::of(&StagePlan {
            arrivals: None,
            transport: e3_model::Transport::default(),
            duration: Span::from_secs(6),
            operations: None,
            warm_up: Span::from_secs(1),
            grace: Span::from_secs(5),
            think_time: Distribution::NONE,
            mix: Mix::Ops,
            workload: "mixed".to_owned(),
            // The same script twice: the job's position keeps them apart.
            jobs: vec![
                job("scm.Clone", &["clone"]),
                job("web.Users", &["login", "list"]),
                job("scm.Clone", &["clone"]),
            ],
            clients: Vec::new(),
            faults: Vec::new(),
            search: None,
        })
    }

    pub(crate) fn sample(number: u32) -> Sample {
        let scheduled = u64::from(number % 7) * 1_000_000;
        Sample {
            scheduled_ns: scheduled,
            started_ns: scheduled,
            first_byte_ns: Some(scheduled + 10),
            ended_ns: scheduled + u64::from(number % 5) * 1000,
            bytes_in: Some(1 << (number % 40)),
            bytes_out: None,
            client: number % 4,
            job: 0,
            op: 0,
            iteration: number,
            outcome: Outcome::Ok,
            cache: CacheState::Unknown,
            phases: Some(GitPhases { transfer_ns: 5, ..GitPhases::default() }),
        }
    }

    fn any_sample() -> impl Strategy<Value = Sample> {
        let times = (any::<u64>(), any::<u64>(), any::<Option<u64>>(), any::<u64>());
        let counts = (any::<Option<u64>>(), any::<Option<u64>>(), any::<u32>(), any::<u32>());
        let op = prop_oneof![Just((0, 0)), Just((1, 0)), Just((1, 1)), Just((2, 0))];
        let ending = (
            prop::sample::select(Outcome::ALL.to_vec()),
            prop::sample::select(vec![CacheState::Unknown, CacheState::Hit, CacheState::Miss]),
            prop::option::of(any::<[u64; 4]>()),
        );
        (times, counts, op, ending).prop_map(|(times, counts, (job, op), (outcome, cache, phases))| Sample {
            scheduled_ns: times.0,
            started_ns: times.1,
            first_byte_ns: times.2,
            ended_ns: times.3,
            bytes_in: counts.0,
            bytes_out: counts.1,
            client: counts.2,
            job,
            op,
            iteration: counts.3,
            outcome,
            cache,
            phases: phases.map(|[advertisement_ns, negotiation_ns, server_think_ns, transfer_ns]| {
                GitPhases { advertisement_ns, negotiation_ns, server_think_ns, transfer_ns }
            }),
        })
    }

    fn append(directory: &Path, worker: u32, sequence: u64, samples: &[Sample]) {
        let segment = to_segment(samples, &names()).unwrap();
        append_segment(directory, WorkerId(worker), sequence, &segment).unwrap();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_sample_comes_back_from_segments_and_from_the_sealed_file(
            segments in prop::collection::vec(prop::collection::vec(any_sample(), 0..40), 0..5),
        ) {
            let directory = tempfile::tempdir().unwrap();
            for (sequence, samples) in (1..).zip(&segments) {
                append(directory.path(), 0, sequence, samples);
            }
            let all = in_order(segments.concat());
            prop_assert_eq!(&read(directory.path(), &names()).unwrap(), &all);
            prop_assert_eq!(seal(directory.path(), &names()).unwrap(), all.len() as u64);
            prop_assert_eq!(&read(directory.path(), &names()).unwrap(), &all);
        }
    }

    #[test]
    fn a_seal_that_was_cut_short_is_finished_and_counts_nothing_twice() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        append(path, 0, 1, &[sample(1), sample(2)]);
        append(path, 1, 1, &[sample(3)]);
        assert!(has_samples(path));
        // Killed while the Parquet file was being written.
        fs::write(samples_file(path).with_extension("parquet.unfinished"), b"PAR1 and then nothing").unwrap();
        assert_eq!(read(path, &names()).unwrap().len(), 3);
        assert_eq!(seal(path, &names()).unwrap(), 3);
        assert!(!path.join("segments").exists());
        // Killed before the segments were gone.
        fs::create_dir(path.join("segments")).unwrap();
        fs::write(path.join("segments/worker-001-000001.arrow"), to_segment(&[sample(1)], &names()).unwrap())
            .unwrap();
        assert_eq!(read(path, &names()).unwrap().len(), 3);
        assert_eq!(seal(path, &names()).unwrap(), 3);
        assert!(!path.join("segments").exists());
        assert_eq!(seal(path, &names()).unwrap(), 3, "sealing twice changes nothing");
        let late = append_segment(path, WorkerId(0), 2, b"");
        assert!(matches!(late, Err(SamplesError::Sealed(_))));
    }

    #[test]
    fn unfinished_and_torn_segments_are_passed_over_and_torn_ones_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        append(path, 0, 1, &[sample(1)]);
        let whole = to_segment(&[sample(2)], &names()).unwrap();
        fs::write(path.join("segments/worker-001-000002.unfinished"), &whole).unwrap();
        fs::write(path.join("segments/worker-001-000003.arrow"), &whole[..whole.len() / 2]).unwrap();
        assert_eq!(read(path, &names()).unwrap(), [sample(1)]);
        assert_eq!(seal(path, &names()).unwrap(), 1);
        assert_eq!(torn_segments(path).unwrap(), 1);
        assert!(path.join("segments/worker-001-000003.torn").exists());
    }

    #[test]
    fn a_segment_that_is_delivered_twice_counts_once() {
        let directory = tempfile::tempdir().unwrap();
        append(directory.path(), 0, 1, &[sample(1)]);
        append(directory.path(), 0, 1, &[sample(1)]);
        assert_eq!(seal(directory.path(), &names()).unwrap(), 1);
    }

    #[test]
    fn equal_samples_give_equal_files_however_they_were_cut() {
        let samples: Vec<Sample> = (0..200).map(sample).collect();
        let file = |segments: &[&[Sample]]| {
            let directory = tempfile::tempdir().unwrap();
            for (sequence, samples) in (1..).zip(segments) {
                append(directory.path(), 0, sequence, samples);
            }
            seal(directory.path(), &names()).unwrap();
            fs::read(samples_file(directory.path())).unwrap()
        };
        assert_eq!(file(&[&samples]), file(&[&samples[100..], &samples[..100]]));
    }

    #[test]
    fn a_stage_without_samples_seals_to_an_empty_file() {
        let directory = tempfile::tempdir().unwrap();
        let stage = directory.path().join("thread-001/stage-000");
        assert_eq!(read(&stage, &names()).unwrap(), []);
        assert!(!has_samples(&stage));
        assert_eq!(seal(&stage, &names()).unwrap(), 0);
        assert_eq!(read(&stage, &names()).unwrap(), []);
    }
}
