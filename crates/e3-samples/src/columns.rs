//! Samples to record batches.

use std::sync::Arc;

use arrow_array::types::UInt16Type;
use arrow_array::{
    ArrayRef, DictionaryArray, RecordBatch, StringArray, UInt16Array, UInt32Array, UInt64Array,
};
use e3_model::{CacheState, GitPhases, Outcome, Sample};

use crate::schema::schema;
use crate::{Names, SamplesError};

/// Makes the columns of one stage's samples: the dictionaries of names are made once, and a sample finds its keys by
/// position, never by text.
#[derive(Debug)]
pub(crate) struct ColumnEncoder {
    /// Each job's script and ops, as keys of `scripts` and `ops`.
    jobs: Vec<(u16, Vec<u16>)>,
    scripts: ArrayRef,
    ops: ArrayRef,
    outcomes: ArrayRef,
    caches: ArrayRef,
}

impl ColumnEncoder {
    /// Returns the encoder of a stage with these names.
    pub(crate) fn new(names: &Names) -> Self {
        let (mut scripts, mut ops) = (Vec::new(), Vec::new());
        let jobs = names
            .jobs()
            .map(|(script, names)| {
                (key(&mut scripts, script), names.iter().map(|op| key(&mut ops, op)).collect())
            })
            .collect();
        Self {
            jobs,
            scripts: texts(scripts.into_iter()),
            ops: texts(ops.into_iter()),
            outcomes: texts(Outcome::ALL.into_iter().map(Outcome::name)),
            caches: texts(CACHE_STATES.into_iter().map(cache_name)),
        }
    }

    /// Returns samples as one record batch of [`schema`].
    pub(crate) fn encode(&self, samples: &[Sample]) -> Result<RecordBatch, SamplesError> {
        let u64s = |field: fn(&Sample) -> u64| -> ArrayRef {
            Arc::new(UInt64Array::from_iter_values(samples.iter().map(field)))
        };
        let maybe = |field: fn(&Sample) -> Option<u64>| -> ArrayRef {
            Arc::new(samples.iter().map(field).collect::<UInt64Array>())
        };
        let u32s = |field: fn(&Sample) -> u32| -> ArrayRef {
            Arc::new(UInt32Array::from_iter_values(samples.iter().map(field)))
        };
        // Samples of other ops than Git's have no phases, and mostly all of a stage's are such.
        let has_phases = samples.iter().any(|sample| sample.phases.is_some());
        let phases = |field: fn(&GitPhases) -> u64| -> ArrayRef {
            if !has_phases {
                return Arc::new(UInt64Array::new_null(samples.len()));
            }
            let phases = samples.iter().map(|sample| sample.phases.as_ref().map(field));
            Arc::new(phases.collect::<UInt64Array>())
        };
        let (scripts, ops) = self.keys(samples)?;
        let outcomes = samples.iter().map(|sample| sample.outcome as u16);
        let caches = samples.iter().map(|sample| cache_key(sample.cache));
        let columns: Vec<ArrayRef> = vec![
            u64s(|sample| sample.scheduled_ns),
            u64s(|sample| sample.started_ns),
            maybe(|sample| sample.first_byte_ns),
            u64s(|sample| sample.ended_ns),
            maybe(|sample| sample.bytes_in),
            maybe(|sample| sample.bytes_out),
            u32s(|sample| sample.client),
            u32s(|sample| sample.iteration),
            Arc::new(UInt16Array::from_iter_values(samples.iter().map(|sample| sample.job))),
            dictionary(scripts.into(), &self.scripts)?,
            dictionary(ops.into(), &self.ops)?,
            dictionary(UInt16Array::from_iter_values(outcomes), &self.outcomes)?,
            dictionary(UInt16Array::from_iter_values(caches), &self.caches)?,
            phases(|phases| phases.advertisement_ns),
            phases(|phases| phases.negotiation_ns),
            phases(|phases| phases.server_think_ns),
            phases(|phases| phases.transfer_ns),
        ];
        RecordBatch::try_new(schema(), columns).map_err(SamplesError::Segment)
    }

    /// Returns the keys of each sample's script and op.
    fn keys(&self, samples: &[Sample]) -> Result<(Vec<u16>, Vec<u16>), SamplesError> {
        let (mut scripts, mut ops) = (Vec::with_capacity(samples.len()), Vec::with_capacity(samples.len()));
        for sample in samples {
            let job = self.jobs.get(usize::from(sample.job));
            let op = job.and_then(|(script, ops)| Some((script, ops.get(usize::from(sample.op))?)));
            let (script, op) =
                op.ok_or_else(|| SamplesError::UnknownOp { job: sample.job, op: sample.op.to_string() })?;
            scripts.push(*script);
            ops.push(*op);
        }
        Ok((scripts, ops))
    }
}

/// Returns the key of a text, which is added if it is new. Jobs are counted by 16 bits, so that scripts never run out of
/// keys; a stage with more ops than that fails when the dictionary is made.
fn key<'a>(texts: &mut Vec<&'a str>, text: &'a str) -> u16 {
    let known = texts.iter().position(|known| *known == text);
    let position = known.unwrap_or_else(|| {
        texts.push(text);
        texts.len() - 1
    });
    u16::try_from(position).unwrap_or(u16::MAX)
}

fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(texts))
}

fn dictionary(keys: UInt16Array, texts: &ArrayRef) -> Result<ArrayRef, SamplesError> {
    let column = DictionaryArray::<UInt16Type>::try_new(keys, Arc::clone(texts));
    Ok(Arc::new(column.map_err(SamplesError::Segment)?))
}

/// Every cache state, by its key.
pub(crate) const CACHE_STATES: [CacheState; 3] = [CacheState::Unknown, CacheState::Hit, CacheState::Miss];

fn cache_key(cache: CacheState) -> u16 {
    match cache {
        CacheState::Unknown => 0,
        CacheState::Hit => 1,
        CacheState::Miss => 2,
    }
}

pub(crate) fn cache_name(cache: CacheState) -> &'static str {
    match cache {
        CacheState::Unknown => "unknown",
        CacheState::Hit => "hit",
        CacheState::Miss => "miss",
    }
}
