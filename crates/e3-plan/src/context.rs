//! What the rules look at: the experiment with its inherited settings, and every document that it names.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use e3_model::{
    Distribution, Experiment, ExperimentStage, HttpVersion, Instance, Job, Kind, Load, Mix, Order,
    ScriptDescriptor, Snapshot, Span, ThreadId, Transport, Verify, Workload,
};
use serde::de::DeserializeOwned;

use crate::arguments::{self, Content, JobPlace, PreparedJob};
use crate::document::Document;
use crate::format::{self, Format, INSTANCE, SNAPSHOT, WORKLOAD};
use crate::library::Library;
use crate::placement::{self, Placement};
use crate::pointer;
use crate::report::{Place, Report};

/// The experiment and all that it names.
pub(crate) struct Context<'a> {
    /// The experiment.
    pub(crate) experiment: &'a Experiment,
    /// What it may name.
    pub(crate) library: &'a dyn Library,
    /// One entry per thread.
    pub(crate) placements: Vec<Placement>,
    /// The stages of all threads, in the order of the file.
    pub(crate) stages: Vec<Stage<'a>>,
    workloads: BTreeMap<String, Loaded<Workload>>,
    /// By their workload's position among the documents, and their own in the workload.
    jobs: BTreeMap<(usize, usize), PreparedJob>,
    snapshots: BTreeMap<String, Loaded<Snapshot>>,
    instances: BTreeMap<String, Loaded<Instance>>,
}

/// A stage as the file has it, and what it inherits from.
#[derive(Debug, Clone)]
pub(crate) struct Stage<'a> {
    /// The thread's position.
    pub(crate) thread: usize,
    /// Where the stage is written.
    pub(crate) pointer: String,
    /// The stage.
    pub(crate) spec: &'a ExperimentStage,
    top: &'a Load,
}

/// A setting, and where it is written.
#[derive(Debug, Clone)]
pub(crate) struct Setting<T> {
    /// The value.
    pub(crate) value: T,
    /// Where it stands: at the stage, or at the top.
    pub(crate) place: Place,
}

/// A document that the experiment names.
#[derive(Debug)]
pub(crate) enum Loaded<T> {
    /// There is none of that name.
    Absent,
    /// There is one, but it cannot be read.
    Unreadable(String),
    /// There is one, and findings say what is wrong with it.
    Broken,
    /// There is one.
    Ready {
        /// Its position among the documents.
        document: usize,
        /// Its value.
        value: T,
    },
}

/// The position of the experiment among the documents.
pub(crate) const EXPERIMENT: usize = 0;

impl<'a> Context<'a> {
    /// Returns the context of an experiment; reads every document that it names, once each.
    pub(crate) fn of(
        experiment: &'a Experiment,
        library: &'a dyn Library,
        documents: &mut Vec<Document<'a>>,
        report: &mut Report,
    ) -> Self {
        let stages = stages(experiment);
        let mut shelf = Shelf { library, documents, report };
        let workload_names = stages.iter().filter_map(|stage| Some(stage.workload()?.value));
        let workloads = shelf.load(Kind::Workload, &WORKLOAD, workload_names);
        let threads = experiment.threads.iter();
        let snapshot_names = threads.clone().filter_map(|thread| thread.instance.snapshot.clone());
        let snapshots = shelf.load(Kind::Snapshot, &SNAPSHOT, snapshot_names);
        let stacks = threads.flat_map(|thread| [&thread.instance.stack, &thread.worker.stack]).flatten();
        let instances = shelf.load(Kind::Instance, &INSTANCE, stacks.filter_map(|stack| stack.name.clone()));
        let jobs = shelf.prepare(&workloads);
        Self {
            experiment,
            library,
            placements: experiment.threads.iter().map(Placement::of).collect(),
            stages,
            workloads,
            jobs,
            snapshots,
            instances,
        }
    }

    /// Returns a thread's name, `thread 1` and so on where it has none.
    pub(crate) fn thread_name(&self, thread: usize) -> String {
        let named = self.experiment.threads.get(thread).and_then(|thread| thread.name.clone());
        named.unwrap_or_else(|| format!("thread {}", thread + 1))
    }

    /// Returns the thread that the others are compared with; the first unless the experiment names one.
    pub(crate) fn baseline(&self) -> ThreadId {
        let named = self.experiment.compare.as_ref();
        let named = named.and_then(|name| {
            (0..self.experiment.threads.len()).position(|thread| &self.thread_name(thread) == name)
        });
        ThreadId(named.and_then(|thread| u32::try_from(thread).ok()).unwrap_or(0))
    }

    /// Returns a workload that the experiment names.
    pub(crate) fn workload(&self, name: &str) -> &Loaded<Workload> {
        self.workloads.get(name).unwrap_or(&Loaded::Absent)
    }

    /// Returns every workload that can be used, by name, with its position among the documents.
    pub(crate) fn ready_workloads(&self) -> impl Iterator<Item = (usize, &Workload)> {
        self.workloads.values().filter_map(Loaded::ready)
    }

    /// Returns a job as its script gets it; none when there is no such script.
    pub(crate) fn job(&self, document: usize, position: usize) -> Option<&PreparedJob> {
        self.jobs.get(&(document, position))
    }

    /// Returns every job of every workload whose script exists.
    pub(crate) fn jobs(&self) -> impl Iterator<Item = &PreparedJob> {
        self.jobs.values()
    }

    /// Returns whether everything that stages run is known; if not, findings of their own say so.
    pub(crate) fn knows_all_jobs(&self) -> bool {
        let is_ready = |stage: &Stage<'_>| {
            stage.workload().is_some_and(|workload| self.workload(&workload.value).ready().is_some())
        };
        self.stages.iter().all(is_ready)
            && self
                .ready_workloads()
                .all(|(_, workload)| workload.0.iter().all(|job| self.script(job).is_some()))
            && self.jobs().all(|job| job.faults.is_empty())
    }

    /// Returns a snapshot that the experiment names.
    pub(crate) fn snapshot(&self, name: &str) -> &Loaded<Snapshot> {
        self.snapshots.get(name).unwrap_or(&Loaded::Absent)
    }

    /// Returns an instance file that the experiment names.
    pub(crate) fn instance(&self, name: &str) -> &Loaded<Instance> {
        self.instances.get(name).unwrap_or(&Loaded::Absent)
    }

    /// Returns the script that a job runs; none when there is no such script.
    pub(crate) fn script(&self, job: &Job) -> Option<&ScriptDescriptor> {
        script(self.library, job)
    }

    /// Returns the order of the stages.
    pub(crate) fn order(&self) -> Order {
        self.experiment.order.unwrap_or_else(|| placement::default_order(&self.placements))
    }
}

impl Stage<'_> {
    /// Returns how long the stage holds its load.
    pub(crate) fn duration(&self) -> Option<Setting<Span>> {
        self.setting("duration", |load| load.duration)
    }

    /// Returns the workload's name.
    pub(crate) fn workload(&self) -> Option<Setting<String>> {
        self.setting("workload", |load| load.workload.clone())
    }

    /// Returns how long clients take to start.
    pub(crate) fn ramp_up(&self) -> Option<Setting<Span>> {
        self.setting("rampUp", |load| load.ramp_up)
    }

    /// Returns how much of the beginning is left out.
    pub(crate) fn warm_up(&self) -> Option<Setting<Span>> {
        self.setting("warmUp", |load| load.warm_up)
    }

    /// Returns how long a client waits between iterations.
    pub(crate) fn think_time(&self) -> Option<Setting<Distribution>> {
        self.setting("thinkTime", |load| load.think_time)
    }

    /// Returns what a job's weight is a share of; none where the load model decides.
    pub(crate) fn mix(&self) -> Option<Setting<Mix>> {
        self.setting("mix", |load| load.mix)
    }

    /// Returns how long an op may take.
    pub(crate) fn op_timeout(&self) -> Option<Setting<Span>> {
        self.setting("opTimeout", |load| load.op_timeout)
    }

    /// Returns which packs are verified.
    pub(crate) fn verify(&self) -> Option<Setting<Verify>> {
        self.setting("verify", |load| load.verify)
    }

    /// Returns the version of HTTP.
    pub(crate) fn http(&self) -> Option<Setting<HttpVersion>> {
        self.setting("http", |load| load.http)
    }

    /// Returns how clients talk to the system.
    pub(crate) fn transport(&self) -> Transport {
        let usual = Transport::default();
        Transport {
            op_timeout: self.op_timeout().map_or(usual.op_timeout, |setting| setting.value),
            connections: self.setting("connections", |load| load.connections).map(|setting| setting.value),
            http: self.http().map_or(usual.http, |setting| setting.value),
            verify: self.verify().map_or(usual.verify, |setting| setting.value),
        }
    }

    /// Returns how often the stage is held.
    pub(crate) fn repeat(&self) -> u32 {
        self.spec.repeat.unwrap_or(1)
    }

    /// Returns the place of one of the stage's own keys.
    pub(crate) fn own(&self, key: &str) -> Place {
        Place::value(EXPERIMENT, pointer::join(&self.pointer, key))
    }

    /// Returns the place of the stage where one of the keys is missing.
    pub(crate) fn lacks(&self, keys: &'static [&'static str]) -> Place {
        Place::missing(EXPERIMENT, self.pointer.as_str(), keys)
    }

    fn setting<T>(&self, key: &str, pick: impl Fn(&Load) -> Option<T>) -> Option<Setting<T>> {
        let own = pick(&self.spec.load).map(|value| Setting { value, place: self.own(key) });
        own.or_else(|| {
            pick(self.top)
                .map(|value| Setting { value, place: Place::value(EXPERIMENT, pointer::join("", key)) })
        })
    }
}

impl<T> Loaded<T> {
    /// Returns the document's position and value, where it can be used.
    pub(crate) fn ready(&self) -> Option<(usize, &T)> {
        match self {
            Self::Ready { document, value } => Some((*document, value)),
            _ => None,
        }
    }
}

fn script<'a>(library: &'a dyn Library, job: &Job) -> Option<&'a ScriptDescriptor> {
    library.scripts().iter().find(|script| script.name == job.script_name())
}

fn stages(experiment: &Experiment) -> Vec<Stage<'_>> {
    let mut stages = Vec::new();
    for (thread, spec) in experiment.threads.iter().enumerate() {
        let list = format!("/threads/{thread}/stages");
        stages.extend(spec.stages.iter().enumerate().map(|(stage, spec)| Stage {
            thread,
            pointer: pointer::join(&list, stage),
            spec,
            top: &experiment.load,
        }));
    }
    stages
}

/// Takes documents from the library, in the order in which they are asked for.
struct Shelf<'s, 'a> {
    library: &'a dyn Library,
    documents: &'s mut Vec<Document<'a>>,
    report: &'s mut Report,
}

impl Shelf<'_, '_> {
    fn load<T: DeserializeOwned>(
        &mut self,
        kind: Kind,
        format: &Format,
        names: impl Iterator<Item = String>,
    ) -> BTreeMap<String, Loaded<T>> {
        let mut loaded = BTreeMap::new();
        for name in names {
            if let Entry::Vacant(place) = loaded.entry(name) {
                let document = self.take(kind, place.key(), format);
                place.insert(document);
            }
        }
        loaded
    }

    /// Prepares the jobs of all workloads; reads the files that their arguments name.
    fn prepare(
        &mut self,
        workloads: &BTreeMap<String, Loaded<Workload>>,
    ) -> BTreeMap<(usize, usize), PreparedJob> {
        let mut prepared = BTreeMap::new();
        for (document, workload) in workloads.values().filter_map(Loaded::ready) {
            for (position, job) in workload.0.iter().enumerate() {
                let Some(script) = script(self.library, job) else { continue };
                let beside = self.documents.get(document).map_or("", Document::file).to_owned();
                let at = JobPlace { document, job: position };
                let library = self.library;
                let mut read = |path: &str, is_json: bool| self.read(&beside, path, is_json);
                let job = arguments::prepare((at, job), script, library, &mut read);
                prepared.insert((document, position), job);
            }
        }
        prepared
    }

    /// Reads a file that an argument names in the given file.
    fn read(&mut self, beside: &str, path: &str, is_json: bool) -> Result<Content, String> {
        let (file, text) = self.library.file(beside, path)?;
        if !is_json {
            return Ok(Content::Text(text));
        }
        let position = self.documents.len();
        let (document, value) = Document::read(position, file, Cow::Owned(text), &format::JSON, self.report);
        self.documents.push(document);
        Ok(Content::Json(position, value))
    }

    fn take<T: DeserializeOwned>(&mut self, kind: Kind, name: &str, format: &Format) -> Loaded<T> {
        let found = match kind {
            Kind::Workload => self.library.workload(name),
            Kind::Snapshot => self.library.snapshot(name),
            Kind::Instance => self.library.instance(name),
            Kind::Experiment => None,
        };
        let Some((file, text)) = found else {
            return self.library.unreadable(kind, name).map_or(Loaded::Absent, Loaded::Unreadable);
        };
        let position = self.documents.len();
        let (document, value) = Document::read(position, file, Cow::Owned(text), format, self.report);
        self.documents.push(document);
        value.map_or(Loaded::Broken, |value| Loaded::Ready { document: position, value })
    }
}
