//! The planner's view of the home and of the scripts.

use std::path::Path;

use e3_home::{Home, HomeError};
use e3_model::{ArgumentFault, Arguments, Kind, OpDescriptor, ScriptDescriptor, with_causes};
use e3_plan::Library;

use crate::registry;

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

    fn ops(
        &self,
        script: &ScriptDescriptor,
        arguments: &Arguments,
    ) -> Result<Vec<OpDescriptor>, Vec<ArgumentFault>> {
        let catalogue = registry::catalogue();
        catalogue.find(&script.name).map_or_else(|| Ok(script.ops.clone()), |script| script.ops(arguments))
    }

    fn file(&self, beside: &str, path: &str) -> Result<(String, String), String> {
        let folder = Path::new(beside).parent().unwrap_or_else(|| Path::new(""));
        let path = folder.join(path);
        let metadata = std::fs::metadata(&path).map_err(|error| error.to_string())?;
        if !metadata.is_file() {
            return Err("it is no file".to_owned());
        }
        if metadata.len() > LARGEST_FILE {
            return Err(format!("it has more than {}", e3_model::quantity::bytes(LARGEST_FILE)));
        }
        let bytes = std::fs::read(&path).map_err(|error| error.to_string())?;
        let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
        Ok((path.display().to_string(), text))
    }
}

/// What an argument's file may hold; the plan holds it all.
const LARGEST_FILE: u64 = 16_000_000;
