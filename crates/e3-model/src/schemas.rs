//! The JSON Schemas of all documents, under the names by which users ask for them.

use serde_json::Value;

use crate::{
    Analysis, Experiment, Instance, Plan, Results, Run, RunComparison, Snapshot, Teardown, Topology,
    Workload, schema_of,
};

/// Returns the name and the JSON Schema (draft 2020-12) of every document, in the order in which a run meets them.
pub fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        ("experiment", schema_of::<Experiment>()),
        ("workload", schema_of::<Workload>()),
        ("snapshot", schema_of::<Snapshot>()),
        ("instance", schema_of::<Instance>()),
        ("plan", schema_of::<Plan>()),
        ("topology", schema_of::<Topology>()),
        ("run", schema_of::<Run>()),
        ("results", schema_of::<Results>()),
        ("analysis", schema_of::<Analysis>()),
        ("run-comparison", schema_of::<RunComparison>()),
        ("teardown", schema_of::<Teardown>()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_describes_its_document() {
        let schemas = schemas();
        for (name, schema) in &schemas {
            assert!(schema["$schema"].as_str().unwrap().contains("2020-12"), "{name}");
            assert!(schema["description"].is_string(), "{name}");
        }
        let names: std::collections::BTreeSet<_> = schemas.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), schemas.len());
    }
}
