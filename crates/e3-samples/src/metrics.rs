//! Metrics on disk: small segments while a stage runs, one Parquet file beside its samples when it has ended.

use std::fs;
use std::path::{Path, PathBuf};

use e3_model::Reading;

use crate::SamplesError;
use crate::metrics_rows::{METRIC_COLUMNS, from_batch, from_metric_segment, to_batch, to_metric_segment};
use crate::seal::{ROWS_AT_ONCE, open, write_file};
use crate::segment::{WHOLE, clear, list, set_aside, write_whole};

/// Returns the path of a sealed stage's file of metrics.
pub fn metrics_file(stage_directory: &Path) -> PathBuf {
    stage_directory.join("metrics.parquet")
}

/// Adds readings to a stage as one segment: it appears whole or not at all, whenever this process is killed.
///
/// Adding the same sequence number again replaces the segment. The file is not forced to the disk, as with samples.
///
/// # Errors
/// When the file cannot be written, or the stage's metrics are sealed.
pub fn append_metrics(
    stage_directory: &Path,
    sequence: u64,
    readings: &[Reading],
) -> Result<(), SamplesError> {
    if metrics_file(stage_directory).exists() {
        return Err(SamplesError::Sealed(stage_directory.to_owned()));
    }
    let segment = to_metric_segment(readings)?;
    write_whole(&stage_directory.join(SEGMENTS), &format!("{sequence:06}"), &segment)
}

/// Turns a stage's segments of metrics into its file of metrics and returns how many readings it holds.
///
/// May be cut short and repeated at any point, as [`crate::seal`]; torn segments are kept aside. A stage without
/// segments gets an empty file.
///
/// # Errors
/// When a file cannot be read, written or removed.
pub fn seal_metrics(stage_directory: &Path) -> Result<u64, SamplesError> {
    let path = metrics_file(stage_directory);
    if !path.exists() {
        let (readings, torn) = read_segments(stage_directory)?;
        set_aside(&torn)?;
        let batches = readings.chunks(ROWS_AT_ONCE).map(to_batch);
        write_file(stage_directory, &path, &METRIC_COLUMNS, batches)?;
    }
    let count = open(&path)?.metadata().file_metadata().num_rows();
    clear(&stage_directory.join(SEGMENTS))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Returns a stage's readings ordered by time, source, subject and name: from its file of metrics, or before it is
/// sealed from every whole segment. A stage without either has none.
///
/// # Errors
/// When a file cannot be read, or is no file of metrics.
pub fn read_metrics(stage_directory: &Path) -> Result<Vec<Reading>, SamplesError> {
    let path = metrics_file(stage_directory);
    if !path.exists() {
        return Ok(read_segments(stage_directory)?.0);
    }
    let reader = open(&path)?.build().map_err(SamplesError::parquet(&path))?;
    let mut readings = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|error| SamplesError::parquet(&path)(error.into()))?;
        from_batch(&batch, &mut readings)?;
    }
    Ok(readings)
}

/// Returns the readings of every whole segment, in order, and the torn segments.
fn read_segments(stage_directory: &Path) -> Result<(Vec<Reading>, Vec<PathBuf>), SamplesError> {
    let (mut readings, mut torn) = (Vec::new(), Vec::new());
    for path in list(&stage_directory.join(SEGMENTS), WHOLE)? {
        let bytes = fs::read(&path).map_err(SamplesError::io("read", &path))?;
        match from_metric_segment(&bytes) {
            Ok(found) => readings.extend(found),
            Err(SamplesError::Segment(_)) => torn.push(path),
            Err(other) => return Err(other),
        }
    }
    Ok((in_order(readings), torn))
}

/// Unit and value break ties, so that equal readings give equal files however they were cut.
fn in_order(mut readings: Vec<Reading>) -> Vec<Reading> {
    let key = |reading: &Reading| {
        (
            reading.at_ns,
            reading.source.clone(),
            reading.subject.clone(),
            reading.name.clone(),
            reading.unit.clone(),
        )
    };
    readings.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.value.total_cmp(&b.value)));
    readings
}

const SEGMENTS: &str = "metric-segments";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    fn reading(at_ns: u64, name: &str, value: f64) -> Reading {
        let text = |text: &str| Arc::<str>::from(text);
        Reading {
            at_ns,
            source: text("proc"),
            subject: text("machine"),
            name: text(name),
            unit: text("%"),
            value,
        }
    }

    fn any_reading() -> impl Strategy<Value = Reading> {
        let texts = ("(proc|prometheus)", "[a-z0-9 -]{0,6}", "\\PC{0,6}", "(%|bytes|bytes/s|)");
        (0..20_u64, texts, any::<f64>()).prop_map(|(at_ns, (source, subject, name, unit), value)| Reading {
            at_ns,
            source: source.into(),
            subject: subject.into(),
            name: name.into(),
            unit: unit.into(),
            value,
        })
    }

    /// Compares bits: a value that is no number equals itself here.
    fn bits(readings: &[Reading]) -> Vec<(Reading, u64)> {
        readings
            .iter()
            .map(|reading| (Reading { value: 0.0, ..reading.clone() }, reading.value.to_bits()))
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn any_reading_comes_back_from_segments_and_from_the_sealed_file(
            segments in prop::collection::vec(prop::collection::vec(any_reading(), 0..30), 0..5),
        ) {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path();
            for (sequence, readings) in (1..).zip(&segments) {
                append_metrics(path, sequence, readings).unwrap();
            }
            let all = bits(&in_order(segments.concat()));
            prop_assert_eq!(&bits(&read_metrics(path).unwrap()), &all);
            prop_assert_eq!(seal_metrics(path).unwrap(), all.len() as u64);
            prop_assert_eq!(&bits(&read_metrics(path).unwrap()), &all);
        }
    }

    #[test]
    fn they_come_in_order_of_time_source_subject_and_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        append_metrics(path, 1, &[reading(2, "cpu/user", 3.0)]).unwrap();
        append_metrics(path, 2, &[reading(1, "load/1m", 2.0), reading(1, "cpu/user", 1.0)]).unwrap();
        let values: Vec<f64> = read_metrics(path).unwrap().iter().map(|reading| reading.value).collect();
        assert_eq!(values, [1.0, 2.0, 3.0]);
    }

    #[test]
    fn a_seal_that_was_cut_short_is_finished_and_counts_nothing_twice() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        append_metrics(path, 1, &[reading(1, "cpu/user", 1.0)]).unwrap();
        append_metrics(path, 1, &[reading(1, "cpu/user", 1.0)]).unwrap();
        append_metrics(path, 2, &[reading(2, "cpu/user", 2.0)]).unwrap();
        // Killed while the Parquet file was being written.
        fs::write(metrics_file(path).with_extension("parquet.unfinished"), b"PAR1 and then nothing").unwrap();
        assert_eq!(read_metrics(path).unwrap().len(), 2);
        assert_eq!(seal_metrics(path).unwrap(), 2);
        // Killed before the segments were gone.
        let segment = to_metric_segment(&[reading(1, "cpu/user", 1.0)]).unwrap();
        fs::create_dir(path.join(SEGMENTS)).unwrap();
        fs::write(path.join(SEGMENTS).join("000001.arrow"), segment).unwrap();
        assert_eq!(read_metrics(path).unwrap().len(), 2);
        assert_eq!(seal_metrics(path).unwrap(), 2);
        assert!(!path.join(SEGMENTS).exists());
        let late = append_metrics(path, 3, &[]);
        assert!(matches!(late, Err(SamplesError::Sealed(_))));
    }

    #[test]
    fn torn_segments_are_passed_over_and_kept_and_samples_are_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        append_metrics(path, 1, &[reading(1, "cpu/user", 1.0)]).unwrap();
        let whole = to_metric_segment(&[reading(2, "cpu/user", 2.0)]).unwrap();
        for length in [0, 7, whole.len() / 2, whole.len() - 1] {
            fs::write(path.join(SEGMENTS).join("000002.arrow"), &whole[..length]).unwrap();
            assert_eq!(read_metrics(path).unwrap(), [reading(1, "cpu/user", 1.0)], "cut at {length}");
        }
        fs::create_dir(path.join("segments")).unwrap();
        fs::write(path.join("segments/worker-001-000001.arrow"), b"samples").unwrap();
        assert_eq!(seal_metrics(path).unwrap(), 1);
        assert!(path.join(SEGMENTS).join("000002.torn").exists());
        assert!(path.join("segments/worker-001-000001.arrow").exists());
    }

    #[test]
    fn a_stage_without_metrics_has_none_and_seals_to_an_empty_file() {
        let directory = tempfile::tempdir().unwrap();
        let stage = directory.path().join("thread-001/stage-000");
        assert_eq!(read_metrics(&stage).unwrap(), []);
        assert_eq!(seal_metrics(&stage).unwrap(), 0);
        assert_eq!(read_metrics(&stage).unwrap(), []);
    }
}
