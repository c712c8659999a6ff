//! A library in memory, filled with what comes with E3 and with what a test adds.

use std::collections::BTreeMap;

use e3_model::{ArgumentFault, ArgumentForm, Arguments, OpDescriptor, Protocol, ScriptDescriptor};

use crate::{Kind, Library, Planned, Source, plan};

pub(super) const QUICKSTART: &str = include_str!("../../../e3-home/library/experiments/quickstart.json");
pub(super) const OPEN: &str = include_str!("../../../e3-home/library/experiments/local-open-load.json");
pub(super) const SMOKE: &str = include_str!("../../../e3-home/library/experiments/smoke.json");
const WORKLOAD: &str = include_str!("../../../e3-home/library/workloads/quickstart.json");
const SMOKE_WORKLOAD: &str = include_str!("../../../e3-home/library/workloads/smoke.json");
const SNAPSHOT: &str = include_str!("../../../e3-home/library/snapshots/quickstart.json");
const SMOKE_SNAPSHOT: &str = include_str!("../../../e3-home/library/snapshots/smoke.json");

pub(super) struct Shelf {
    documents: BTreeMap<(Kind, String), String>,
    scripts: Vec<ScriptDescriptor>,
    files: BTreeMap<String, String>,
}

/// A script that takes arguments; its ops are the names in `steps`, and it wants them to be texts.
pub(super) const STEPS: &str = "http.Steps";

impl Shelf {
    pub(super) fn embedded() -> Self {
        let scripts = [
            ("scm.GitCloneOverHttp", Protocol::GitHttp),
            ("scm.GitCloneOverSsh", Protocol::GitSsh),
            ("scm.GitLsRemoteHttp", Protocol::GitHttp),
            ("scm.GitLsRemoteSsh", Protocol::GitSsh),
            ("scm.PushChangesHttp", Protocol::GitHttp),
            ("scm.PushChangesSsh", Protocol::GitSsh),
            ("web.Audit", Protocol::Http),
            ("web.BrowseProjectsAndRepositories", Protocol::Http),
            ("web.Dashboard", Protocol::Http),
            ("web.ListPullRequests", Protocol::Http),
            ("web.ListUsers", Protocol::Http),
            ("web.PullRequestWorkflow", Protocol::Http),
            ("web.Status", Protocol::Http),
            ("web.ViewPullRequest", Protocol::Http),
        ];
        let scripts = scripts.map(|(name, protocol)| {
            ScriptDescriptor::new(name, "Does it.", protocol, &[("op", "From start to end.")])
        });
        let two = [("Fetch", "First."), ("Push", "Then.")];
        let mut scripts = scripts.to_vec();
        scripts.push(ScriptDescriptor::new("scm.PushChangesSlowly", "Pushes.", Protocol::GitHttp, &two));
        scripts.push(
            ScriptDescriptor::new(STEPS, "Does steps.", Protocol::Http, &[("step", "Each.")])
                .required_argument("steps", ArgumentForm::JsonOrFile, "What is done.")
                .argument("method", ArgumentForm::Text, Some("GET"), "How.")
                .argument("headers", ArgumentForm::Texts, None, "What more.")
                .argument("body", ArgumentForm::Json, None, "What is sent.")
                .argument("body_file", ArgumentForm::File, None, "The same from a file."),
        );
        Self { documents: BTreeMap::new(), scripts, files: BTreeMap::new() }
            .with(Kind::Workload, "quickstart", WORKLOAD)
            .with(Kind::Workload, "smoke", SMOKE_WORKLOAD)
            .with(Kind::Snapshot, "quickstart", SNAPSHOT)
            .with(Kind::Snapshot, "smoke", SMOKE_SNAPSHOT)
    }

    pub(super) fn with(mut self, kind: Kind, name: &str, text: &str) -> Self {
        self.documents.insert((kind, name.to_owned()), text.to_owned());
        self
    }

    pub(super) fn with_file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.to_owned(), text.to_owned());
        self
    }

    /// Says what a script needs.
    pub(super) fn needing(mut self, script: &str, needs: &[e3_model::Need]) -> Self {
        let script = self.scripts.iter_mut().find(|known| known.name == script).unwrap();
        script.needs = needs.to_vec();
        self
    }

    /// Allows any other argument for the script that takes some.
    pub(super) fn with_other_arguments(mut self) -> Self {
        let script = self.scripts.iter_mut().find(|script| script.name == STEPS).unwrap();
        script.other_arguments = Some("More.".to_owned());
        self
    }

    fn find(&self, kind: Kind, name: &str) -> Option<(String, String)> {
        let text = self.documents.get(&(kind, name.to_owned()))?;
        Some((format!("{}/{name}.json", kind.folder()), text.clone()))
    }
}

impl Library for Shelf {
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
        self.documents.keys().filter(|(it, _)| *it == kind).map(|(_, name)| name.clone()).collect()
    }

    fn scripts(&self) -> &[ScriptDescriptor] {
        &self.scripts
    }

    fn ops(
        &self,
        script: &ScriptDescriptor,
        arguments: &Arguments,
    ) -> Result<Vec<OpDescriptor>, Vec<ArgumentFault>> {
        if script.name != STEPS {
            return Ok(script.ops.clone());
        }
        let steps = arguments["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_wrong = |position: usize| !steps[position].is_string();
        let faults: Vec<_> = (0..steps.len())
            .filter(|position| is_wrong(*position))
            .map(|position| ArgumentFault::new(format!("/steps/{position}"), "a step is a text"))
            .collect();
        let op = |step: &serde_json::Value| OpDescriptor {
            name: step.as_str().unwrap_or_default().to_owned(),
            summary: "A step.".to_owned(),
        };
        if faults.is_empty() { Ok(steps.iter().map(op).collect()) } else { Err(faults) }
    }

    fn file(&self, beside: &str, path: &str) -> Result<(String, String), String> {
        let text = self.files.get(path).ok_or("it is not there")?;
        assert!(beside.is_empty() || beside.ends_with(".json"), "{beside}");
        Ok((path.to_owned(), text.clone()))
    }

    fn unreadable(&self, _kind: Kind, name: &str) -> Option<String> {
        (name == "latin1").then(|| "it is not UTF-8 text".to_owned())
    }
}

/// Plans a text against the embedded library, and checks what holds for every text.
pub(super) fn planned(text: &str) -> Planned {
    planned_with(text, &Shelf::embedded())
}

pub(super) fn planned_with(text: &str, shelf: &Shelf) -> Planned {
    let planned = plan("test", Source { file: "test.json", text }, shelf);
    assert_eq!(
        planned.plan.is_none(),
        planned.findings.errors() > 0,
        "a plan exactly when there is no error"
    );
    let last_line = u32::try_from(text.lines().count().max(1)).unwrap();
    for finding in &planned.findings.0 {
        if let Some(location) = finding.location.as_ref().filter(|location| location.file == "test.json") {
            assert!((1..=last_line).contains(&location.line) && location.column >= 1, "{finding:?}");
        }
    }
    planned
}

/// Returns findings in short: `rule line:column`.
pub(super) fn short(planned: &Planned) -> Vec<String> {
    let findings = planned.findings.0.iter();
    let place = |finding: &e3_model::Finding| {
        finding.location.as_ref().map_or_else(String::new, |it| format!(" {}:{}", it.line, it.column))
    };
    findings.map(|finding| format!("{}{}", finding.rule, place(finding))).collect()
}
