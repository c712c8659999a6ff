//! Readings to record batches and back.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::{Arc, LazyLock};

use arrow_array::types::{Float64Type, UInt64Type};
use arrow_array::{Array as _, ArrayRef, Float64Array, RecordBatch, UInt64Array};
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::FileWriter;
use arrow_schema::SchemaRef;
use e3_model::Reading;

use crate::batch::{Texts, dictionary, primitive};
use crate::schema::{Kind, column, schema_of};
use crate::{Column, SamplesError};

/// The columns of every file of metrics, in order; the files carry the descriptions, too.
pub const METRIC_COLUMNS: [Column; 6] = [
    column("at_ns", Kind::U64, "when it was read, since the stage's start"),
    column("source", Kind::Text, "what read it: proc or prometheus"),
    column("subject", Kind::Text, "what it is about: machine, a node, a node's git children, or worker"),
    column("name", Kind::Text, "the metric, as group/part"),
    column("unit", Kind::Text, "%, bytes, bytes/s, 1/s, ms, or empty for a plain number"),
    column("value", Kind::F64, "its value; of what is counted, the rate since the reading before"),
];

/// Returns readings as the bytes of one segment.
pub(crate) fn to_metric_segment(readings: &[Reading]) -> Result<Vec<u8>, SamplesError> {
    let batch = to_batch(readings)?;
    let mut writer = FileWriter::try_new(Vec::new(), &schema()).map_err(SamplesError::Segment)?;
    writer.write(&batch).map_err(SamplesError::Segment)?;
    writer.into_inner().map_err(SamplesError::Segment)
}

/// Appends the readings of one segment; an error of kind [`SamplesError::Segment`] means that it is torn.
pub(crate) fn from_metric_segment(bytes: &[u8]) -> Result<Vec<Reading>, SamplesError> {
    let reader = FileReader::try_new(Cursor::new(bytes), None).map_err(SamplesError::Segment)?;
    let mut readings = Vec::new();
    for batch in reader {
        from_batch(&batch.map_err(SamplesError::Segment)?, &mut readings)?;
    }
    Ok(readings)
}

/// Returns readings as one record batch of [`METRIC_COLUMNS`].
pub(crate) fn to_batch(readings: &[Reading]) -> Result<RecordBatch, SamplesError> {
    let texts =
        |field: fn(&Reading) -> &Arc<str>| dictionary(readings.iter().map(|reading| &**field(reading)));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(readings.iter().map(|reading| reading.at_ns).collect::<UInt64Array>()),
        texts(|reading| &reading.source)?,
        texts(|reading| &reading.subject)?,
        texts(|reading| &reading.name)?,
        texts(|reading| &reading.unit)?,
        Arc::new(readings.iter().map(|reading| reading.value).collect::<Float64Array>()),
    ];
    RecordBatch::try_new(schema(), columns).map_err(SamplesError::Segment)
}

/// Appends the readings of a record batch; equal texts within it are one in memory.
pub(crate) fn from_batch(batch: &RecordBatch, readings: &mut Vec<Reading>) -> Result<(), SamplesError> {
    let at = primitive::<UInt64Type>(batch, "at_ns")?;
    let value = primitive::<Float64Type>(batch, "value")?;
    if at.null_count() > 0 || value.null_count() > 0 {
        return Err(SamplesError::Column("value"));
    }
    let (source, subject) = (Texts::of(batch, "source")?, Texts::of(batch, "subject")?);
    let (name, unit) = (Texts::of(batch, "name")?, Texts::of(batch, "unit")?);
    let mut shared: HashMap<&str, Arc<str>> = HashMap::new();
    let mut share = |text| Arc::clone(shared.entry(text).or_insert_with(|| Arc::from(text)));
    readings.reserve(batch.num_rows());
    for row in 0..batch.num_rows() {
        readings.push(Reading {
            at_ns: at.value(row),
            source: share(source.value(row)?),
            subject: share(subject.value(row)?),
            name: share(name.value(row)?),
            unit: share(unit.value(row)?),
            value: value.value(row),
        });
    }
    Ok(())
}

fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(&METRIC_COLUMNS));
    SCHEMA.clone()
}
