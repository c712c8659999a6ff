//! The documents that come with E3.

use e3_model::Kind;

/// A document that is part of the binary.
pub(crate) struct Embedded {
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

impl Embedded {
    /// Returns the document's place as findings show it.
    pub(crate) fn file(&self) -> String {
        format!("library:{}/{}.json", self.kind.folder(), self.name)
    }
}

/// Returns the embedded document of that kind and name.
pub(crate) fn find(kind: Kind, name: &str) -> Option<&'static Embedded> {
    LIBRARY.iter().find(|document| document.kind == kind && document.name == name)
}

macro_rules! library {
    ($($kind:ident $folder:literal $name:literal;)*) => {
        /// Every embedded document.
        pub(crate) const LIBRARY: &[Embedded] = &[$(Embedded {
            kind: Kind::$kind,
            name: $name,
            text: include_str!(concat!("../library/", $folder, "/", $name, ".json")),
        }),*];
    };
}

library! {
    Experiment "experiments" "local-open-load";
    Experiment "experiments" "quickstart";
    Experiment "experiments" "smoke";
    Workload "workloads" "quickstart";
    Workload "workloads" "smoke";
    Snapshot "snapshots" "quickstart";
    Snapshot "snapshots" "smoke";
}

#[cfg(test)]
mod tests {
    use e3_model::{Experiment, Snapshot, Workload};

    use super::*;

    #[test]
    fn every_document_loads_and_every_file_is_registered() {
        for document in LIBRARY {
            let loaded = match document.kind {
                Kind::Experiment => serde_json::from_str::<Experiment>(document.text).map(drop),
                Kind::Workload => serde_json::from_str::<Workload>(document.text).map(drop),
                Kind::Snapshot => serde_json::from_str::<Snapshot>(document.text).map(drop),
                Kind::Instance => serde_json::from_str::<e3_model::Instance>(document.text).map(drop),
            };
            loaded.unwrap_or_else(|error| panic!("{}: {error}", document.file()));
        }
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("library");
        for kind in Kind::ALL {
            let files = std::fs::read_dir(folder.join(kind.folder())).map_or(0, Iterator::count);
            let registered = LIBRARY.iter().filter(|document| document.kind == kind).count();
            assert_eq!(files, registered, "{kind}");
        }
    }

    #[test]
    fn what_an_embedded_experiment_names_is_embedded_too() {
        for document in LIBRARY.iter().filter(|document| document.kind == Kind::Experiment) {
            let experiment: Experiment = serde_json::from_str(document.text).unwrap();
            let workload = experiment.load.workload.unwrap();
            assert!(find(Kind::Workload, &workload).is_some(), "{workload}");
            for thread in experiment.threads {
                let snapshot = thread.instance.snapshot.unwrap();
                assert!(find(Kind::Snapshot, &snapshot).is_some(), "{snapshot}");
            }
        }
    }
}
