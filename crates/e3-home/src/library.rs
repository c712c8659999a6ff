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
    Experiment "experiments" "adaptive-scaling";
    Experiment "experiments" "cluster-scaling-ssh";
    Experiment "experiments" "horizontal-scaling";
    Experiment "experiments" "local-adaptive-scaling";
    Experiment "experiments" "local-build-load";
    Experiment "experiments" "local-capacity";
    Experiment "experiments" "local-clone-vs-shallow";
    Experiment "experiments" "local-cluster-scaling";
    Experiment "experiments" "local-git-versions";
    Experiment "experiments" "local-http-vs-ssh";
    Experiment "experiments" "local-open-load";
    Experiment "experiments" "local-pull-request";
    Experiment "experiments" "loose-coupling";
    Experiment "experiments" "mixed-test";
    Experiment "experiments" "pull-request";
    Experiment "experiments" "quickstart";
    Experiment "experiments" "smoke";
    Workload "workloads" "build-load";
    Workload "workloads" "developer-using-pull-requests";
    Workload "workloads" "local-adaptive-scaling";
    Workload "workloads" "local-clone-vs-shallow";
    Workload "workloads" "local-git";
    Workload "workloads" "local-http-vs-ssh";
    Workload "workloads" "mixed";
    Workload "workloads" "pull-request";
    Workload "workloads" "quickstart";
    Workload "workloads" "smoke";
    Snapshot "snapshots" "e3-small";
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
            let stages = experiment.threads.iter().flat_map(|thread| &thread.stages);
            let named =
                stages.map(|stage| stage.load.workload.as_ref().or(experiment.load.workload.as_ref()));
            for workload in named {
                let workload = workload.unwrap_or_else(|| panic!("{}: no workload", document.name));
                assert!(find(Kind::Workload, workload).is_some(), "{}: {workload}", document.name);
            }
            for thread in experiment.threads {
                let snapshot = thread.instance.snapshot.unwrap();
                assert!(find(Kind::Snapshot, &snapshot).is_some(), "{}: {snapshot}", document.name);
            }
        }
    }

    #[test]
    fn every_workload_is_of_an_experiment_or_of_the_first_e3() {
        let experiments: Vec<&Embedded> =
            LIBRARY.iter().filter(|document| document.kind == Kind::Experiment).collect();
        for workload in LIBRARY.iter().filter(|document| document.kind == Kind::Workload) {
            let quoted = format!("\"workload\": \"{}\"", workload.name);
            let is_used = experiments.iter().any(|experiment| experiment.text.contains(&quoted));
            assert!(is_used || workload.name == "developer-using-pull-requests", "{}", workload.name);
        }
    }

    #[test]
    fn every_document_says_in_one_line_what_it_is() {
        for document in LIBRARY.iter().filter(|document| document.kind != Kind::Workload) {
            let value: serde_json::Value = serde_json::from_str(document.text).unwrap();
            let description = value["description"].as_str().unwrap_or_default();
            let is_sentence = description.ends_with(['?', '.']) && description.len() > 20;
            assert!(is_sentence && !description.contains('\n'), "{}: {description:?}", document.file());
            if document.kind == Kind::Experiment {
                assert!(description.len() <= 120, "{}: {} letters", document.file(), description.len());
            }
        }
    }

    #[test]
    fn e3_small_has_the_shape_of_the_first_e3s() {
        let snapshot: Snapshot =
            serde_json::from_str(find(Kind::Snapshot, "e3-small").unwrap().text).unwrap();
        let generate = snapshot.generate.unwrap();
        // Source: the predefined experiments of the first E3.
        assert_eq!((generate.projects, generate.repositories, generate.users), (6, 10, 200));
        assert!(generate.pull_requests >= generate.repositories, "every repository has some to be read");
    }

    #[test]
    fn workloads_of_the_first_e3_have_its_shares() {
        // Source: the predefined experiments of the first E3.
        let expected: [(&str, &[(&str, f64)]); 4] = [
            (
                "mixed",
                &[
                    ("scm.GitCloneOverSsh", 0.40),
                    ("scm.GitLsRemoteSsh", 0.10),
                    ("web.Dashboard", 0.10),
                    ("web.ViewPullRequest", 0.10),
                    ("scm.PushChangesSsh", 0.05),
                    ("web.Audit", 0.05),
                    ("web.BrowseProjectsAndRepositories", 0.05),
                    ("web.PullRequestWorkflow", 0.05),
                    ("web.ListUsers", 0.05),
                    ("scm.GitLsRemoteHttp", 0.05),
                ],
            ),
            (
                "build-load",
                &[
                    ("persona.SshBuildAgent", 0.70),
                    ("persona.HttpBuildAgent", 0.25),
                    ("persona.DeveloperUsingPullRequests", 0.05),
                ],
            ),
            ("pull-request", &[("web.PullRequestWorkflow", 1.0)]),
            ("developer-using-pull-requests", &[("persona.DeveloperUsingPullRequests", 1.0)]),
        ];
        for (name, jobs) in expected {
            let workload: Workload = serde_json::from_str(find(Kind::Workload, name).unwrap().text).unwrap();
            let found: Vec<(&str, f64)> =
                workload.0.iter().map(|job| (job.script_name(), job.weight)).collect();
            assert_eq!(found, jobs, "{name}");
        }
    }
}
