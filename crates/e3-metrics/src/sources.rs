//! The sources: one file each.

mod proc;
pub(crate) mod prometheus;

use crate::SourceKind;

/// Returns every kind of source.
pub fn all() -> Vec<SourceKind> {
    vec![proc::KIND, prometheus::KIND]
}
