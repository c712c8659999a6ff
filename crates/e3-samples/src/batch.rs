//! Record batches back to samples.

use std::sync::Arc;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, DictionaryArray, PrimitiveArray, RecordBatch, UInt16Array, UInt32Array, UInt64Array,
};

use e3_model::{CacheState, GitPhases, Outcome, Sample};

use crate::columns::cache_name;
use crate::{Names, SamplesError};

pub(crate) fn dictionary<'a>(values: impl Iterator<Item = &'a str>) -> Result<ArrayRef, SamplesError> {
    let mut builder = StringDictionaryBuilder::<UInt16Type>::new();
    for value in values {
        builder.append(value).map_err(SamplesError::Segment)?;
    }
    Ok(Arc::new(builder.finish()))
}

/// Appends the samples of a record batch.
pub(crate) fn from_batch(
    batch: &RecordBatch,
    names: &Names,
    samples: &mut Vec<Sample>,
) -> Result<(), SamplesError> {
    let columns = Columns::of(batch)?;
    samples.reserve(batch.num_rows());
    for row in 0..batch.num_rows() {
        samples.push(columns.sample(row, names)?);
    }
    Ok(())
}

/// A batch's columns by their types; every column has the batch's length, so a row within it exists in all.
struct Columns<'a> {
    scheduled: &'a UInt64Array,
    started: &'a UInt64Array,
    first_byte: &'a UInt64Array,
    ended: &'a UInt64Array,
    bytes_in: &'a UInt64Array,
    bytes_out: &'a UInt64Array,
    client: &'a UInt32Array,
    iteration: &'a UInt32Array,
    job: &'a UInt16Array,
    script: Texts<'a>,
    op: Texts<'a>,
    outcome: Texts<'a>,
    cache: Texts<'a>,
    advertisement: &'a UInt64Array,
    negotiation: &'a UInt64Array,
    server_think: &'a UInt64Array,
    transfer: &'a UInt64Array,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, SamplesError> {
        Ok(Self {
            scheduled: primitive::<UInt64Type>(batch, "scheduled_ns")?,
            started: primitive::<UInt64Type>(batch, "started_ns")?,
            first_byte: primitive::<UInt64Type>(batch, "first_byte_ns")?,
            ended: primitive::<UInt64Type>(batch, "ended_ns")?,
            bytes_in: primitive::<UInt64Type>(batch, "bytes_in")?,
            bytes_out: primitive::<UInt64Type>(batch, "bytes_out")?,
            client: primitive::<UInt32Type>(batch, "client")?,
            iteration: primitive::<UInt32Type>(batch, "iteration")?,
            job: primitive::<UInt16Type>(batch, "job")?,
            script: Texts::of(batch, "script")?,
            op: Texts::of(batch, "op")?,
            outcome: Texts::of(batch, "outcome")?,
            cache: Texts::of(batch, "cache")?,
            advertisement: primitive::<UInt64Type>(batch, "advertisement_ns")?,
            negotiation: primitive::<UInt64Type>(batch, "negotiation_ns")?,
            server_think: primitive::<UInt64Type>(batch, "server_think_ns")?,
            transfer: primitive::<UInt64Type>(batch, "transfer_ns")?,
        })
    }

    fn sample(&self, row: usize, names: &Names) -> Result<Sample, SamplesError> {
        let job = self.job.value(row);
        let (script, op) = (self.script.value(row)?, self.op.value(row)?);
        let unknown = || SamplesError::UnknownOp { job, op: format!("{script} {op}") };
        Ok(Sample {
            scheduled_ns: self.scheduled.value(row),
            started_ns: self.started.value(row),
            first_byte_ns: maybe(self.first_byte, row),
            ended_ns: self.ended.value(row),
            bytes_in: maybe(self.bytes_in, row),
            bytes_out: maybe(self.bytes_out, row),
            client: self.client.value(row),
            job,
            op: names.op(job, script, op).ok_or_else(unknown)?,
            iteration: self.iteration.value(row),
            outcome: Outcome::from_name(self.outcome.value(row)?).ok_or(SamplesError::Column("outcome"))?,
            cache: cache_state(self.cache.value(row)?).ok_or(SamplesError::Column("cache"))?,
            phases: self.phases(row),
        })
    }

    fn phases(&self, row: usize) -> Option<GitPhases> {
        Some(GitPhases {
            advertisement_ns: maybe(self.advertisement, row)?,
            negotiation_ns: maybe(self.negotiation, row)?,
            server_think_ns: maybe(self.server_think, row)?,
            transfer_ns: maybe(self.transfer, row)?,
        })
    }
}

/// A dictionary column of text.
pub(crate) struct Texts<'a> {
    name: &'static str,
    keys: &'a UInt16Array,
    values: Vec<&'a str>,
}

impl<'a> Texts<'a> {
    pub(crate) fn of(batch: &'a RecordBatch, name: &'static str) -> Result<Self, SamplesError> {
        let column = batch.column_by_name(name).ok_or(SamplesError::Column(name))?;
        let column: &DictionaryArray<UInt16Type> = column
            .as_dictionary_opt()
            .filter(|column| column.null_count() == 0)
            .ok_or(SamplesError::Column(name))?;
        let values = column.values().as_string_opt::<i32>().ok_or(SamplesError::Column(name))?;
        Ok(Self { name, keys: column.keys(), values: values.iter().map(Option::unwrap_or_default).collect() })
    }

    pub(crate) fn value(&self, row: usize) -> Result<&'a str, SamplesError> {
        self.values.get(usize::from(self.keys.value(row))).copied().ok_or(SamplesError::Column(self.name))
    }
}

pub(crate) fn primitive<'a, T: ArrowPrimitiveType>(
    batch: &'a RecordBatch,
    name: &'static str,
) -> Result<&'a PrimitiveArray<T>, SamplesError> {
    let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<T>());
    column.ok_or(SamplesError::Column(name))
}

fn maybe(column: &UInt64Array, row: usize) -> Option<u64> {
    column.is_valid(row).then(|| column.value(row))
}

fn cache_state(name: &str) -> Option<CacheState> {
    crate::columns::CACHE_STATES.into_iter().find(|cache| cache_name(*cache) == name)
}
