//! The planner's view of the home and of the scripts.

use e3_home::{Home, HomeError};
use e3_model::{Kind, ScriptDescriptor, with_causes};
use e3_plan::Library;

/// The documents of a home and the scripts of this binary.
pub(crate) struct HomeLibrary<'a> {
    home: &'a Home,
    scripts: Vec<ScriptDescriptor>,
}

impl<'a> HomeLibrary<'a> {
    /// Returns the library of that home.
    pub(crate) fn new(home: &'a Home, scripts: Vec<ScriptDescriptor>) -> Self {
        Self { home, scripts }
    }

    fn find(&self, kind: Kind, name: &str) -> Option<(String, String)> {
        self.home.find(kind, name).ok().map(|source| (source.file, source.text))
    }
}

impl Library for HomeLibrary<'_> {
    fn workload(&self, name: &str) -> Option<(String, String)> {
        self.find(Kind::Workload, name)
    }

    fn snapshot(&self, name: &str) -> Option<(String, String)> {
        self.find(Kind::Snapshot, name)
    }

    fn instance(&self, name: &str) -> Option<(String, String)> {
        self.find(Kind::Instance, name)
    }

    fn names(&self, kind: Kind) -> Vec<String> {
        self.home.list(kind).into_iter().map(|listed| listed.name).collect()
    }

    fn unreadable(&self, kind: Kind, name: &str) -> Option<String> {
        match self.home.find(kind, name) {
            Ok(_) | Err(HomeError::Unknown { .. } | HomeError::Name { .. }) => None,
            Err(error) => Some(with_causes(&error)),
        }
    }

    fn scripts(&self) -> &[ScriptDescriptor] {
        &self.scripts
    }
}
