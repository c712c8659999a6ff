//! The only list of rooms: which scripts, providers and metric sources this binary has.

use std::path::PathBuf;
use std::sync::Arc;

use e3_metrics::SourceKind;
use e3_provider::Provider;
use e3_provider_local::LocalProvider;
use e3_workload::Catalogue;

use crate::commands::ExistingProvider;

/// Returns every script that workers of this binary can run.
pub(crate) fn catalogue() -> Catalogue {
    Catalogue::new(e3_scripts::all())
}

/// Returns every provider of this binary; githost's nodes are children of `program`, which is e3 itself.
pub(crate) fn providers(program: PathBuf) -> Vec<Arc<dyn Provider>> {
    vec![Arc::new(LocalProvider::new(program)), Arc::new(ExistingProvider)]
}

/// Returns every kind of metrics that this binary can read.
pub(crate) fn metric_sources() -> Vec<SourceKind> {
    e3_metrics::all()
}
