//! The lines of `bitbucket.properties` that a githost knows.

use e3_model::{PROPERTIES, PropertyDescriptor};

use super::Entry;

/// Returns an entry per property.
pub(super) fn entries() -> Vec<Entry> {
    let entry = |known: &PropertyDescriptor| Entry {
        kind: "property of a githost",
        names: vec![known.name.to_owned()],
        meaning: format!("{} It is {}; without a line: {}.", known.sentence, known.form, known.default),
        advice: None,
    };
    PROPERTIES.iter().map(entry).collect()
}
