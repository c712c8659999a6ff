//! The formats that people write: each with its schema, ready to be checked against.

use std::sync::LazyLock;

use e3_model::{Experiment, Instance, Snapshot, Workload, schema_of};
use jsonschema::Validator;
use schemars::JsonSchema;
use serde_json::{Value, json};

/// A format that people write.
pub(crate) struct Format {
    /// What findings call a document of this format.
    pub(crate) article_and_name: &'static str,
    /// The schema.
    pub(crate) schema: Value,
    /// The schema, compiled.
    pub(crate) validator: Validator,
    /// What stands for an entry of a list that cannot be used.
    pub(crate) placeholder: Value,
    /// How many values such a document holds at most; beyond, each single fault is not worth the search.
    pub(crate) most_values: usize,
}

/// Experiments: 100 threads, 10,000 stages with all their settings.
pub(crate) static EXPERIMENT: LazyLock<Format> =
    LazyLock::new(|| Format::of::<Experiment>("an experiment", json!({}), 200_000));

/// Workloads: 1,000 jobs with all their settings.
pub(crate) static WORKLOAD: LazyLock<Format> =
    LazyLock::new(|| Format::of::<Workload>("a workload", json!({"script": "", "weight": 0}), 20_000));

/// Snapshots: 100,000 repositories with a few branches.
pub(crate) static SNAPSHOT: LazyLock<Format> =
    LazyLock::new(|| Format::of::<Snapshot>("a snapshot", json!({}), 3_000_000));

/// Instance files: a handful of addresses.
pub(crate) static INSTANCE: LazyLock<Format> =
    LazyLock::new(|| Format::of::<Instance>("an instance file", json!({}), 20_000));

/// What an argument's file holds: any JSON.
pub(crate) static JSON: LazyLock<Format> =
    LazyLock::new(|| Format::of::<Value>("JSON", json!(null), 200_000));

impl Format {
    fn of<T: JsonSchema>(article_and_name: &'static str, placeholder: Value, most_values: usize) -> Self {
        let schema = schema_of::<T>();
        let validator = jsonschema::validator_for(&schema).expect("a derived schema is a valid schema");
        Self { article_and_name, schema, validator, placeholder, most_values }
    }
}
