//! The list of scripts that a worker can run.

use std::sync::Arc;

use e3_model::ScriptDescriptor;

use crate::Script;

/// Every script that a worker can run, by name.
#[derive(Clone, Default)]
pub struct Catalogue {
    scripts: Vec<(ScriptDescriptor, Arc<dyn Script>)>,
}

impl Catalogue {
    /// Returns the catalogue of these scripts, sorted by name.
    pub fn new(scripts: Vec<Arc<dyn Script>>) -> Self {
        let mut scripts: Vec<_> = scripts.into_iter().map(|script| (script.descriptor(), script)).collect();
        scripts.sort_by(|a, b| a.0.name.cmp(&b.0.name));
        Self { scripts }
    }

    /// Returns the script of that name.
    pub fn find(&self, name: &str) -> Option<&Arc<dyn Script>> {
        self.scripts.iter().find(|(descriptor, _)| descriptor.name == name).map(|(_, script)| script)
    }

    /// Returns all descriptors, sorted by name.
    pub fn descriptors(&self) -> Vec<ScriptDescriptor> {
        self.scripts.iter().map(|(descriptor, _)| descriptor.clone()).collect()
    }
}

impl std::fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.scripts.iter().map(|(descriptor, _)| &descriptor.name)).finish()
    }
}
