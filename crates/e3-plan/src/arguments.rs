//! What a job tells its script: names and forms, files replaced by their content, and what the script says of it.

use std::collections::BTreeMap;

use e3_model::{ArgumentFault, ArgumentForm, Arguments, Job, OpDescriptor, ScriptDescriptor};
use serde_json::Value;

use crate::library::Library;
use crate::report::Place;
use crate::{pointer, words};

/// A job whose arguments are as its script gets them.
#[derive(Debug, Default)]
pub(crate) struct PreparedJob {
    /// The arguments; files are replaced by their content.
    pub(crate) arguments: Arguments,
    /// The ops that it records.
    pub(crate) ops: Vec<OpDescriptor>,
    /// What is wrong with the arguments, and where.
    pub(crate) faults: Vec<(Place, ArgumentFault)>,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JobPlace {
    /// The workload's position among the documents.
    pub(crate) document: usize,
    /// The job's position in it.
    pub(crate) job: usize,
}

/// What a file that an argument names holds.
pub(crate) enum Content {
    /// Text.
    Text(String),
    /// JSON, with the position of its document; none where findings already say what is wrong with it.
    Json(usize, Option<Value>),
}

/// Reads a file by its path, as JSON if that is asked for.
pub(crate) type ReadFile<'r> = dyn FnMut(&str, bool) -> Result<Content, String> + 'r;

/// Returns a job as its script gets it.
pub(crate) fn prepare(
    (at, job): (JobPlace, &Job),
    script: &ScriptDescriptor,
    library: &dyn Library,
    read: &mut ReadFile<'_>,
) -> PreparedJob {
    let mut preparation = Preparation {
        at,
        given: &job.arguments,
        job: PreparedJob::default(),
        origins: BTreeMap::new(),
        broken: false,
    };
    for (name, value) in &job.arguments {
        match script.arguments.iter().find(|known| known.name == *name) {
            Some(known) => preparation.take(name, value, known.form, read),
            None if script.other_arguments.is_some() => {
                preparation.take(name, value, ArgumentForm::Text, read);
            }
            None => preparation.unknown(name, script),
        }
    }
    for required in script.arguments.iter().filter(|argument| argument.required) {
        if !job.arguments.contains_key(&required.name) {
            let summary = required.summary.trim_end_matches('.');
            let message = format!("{} lacks its argument {:?}", script.name, required.name);
            let fault = ArgumentFault::new("", message).hint(format!("{:?} is: {summary}", required.name));
            let place = Place::value(at.document, format!("/{}/arguments", at.job));
            preparation.job.faults.push((place, fault));
        }
    }
    preparation.ask(script, library)
}

struct Preparation<'a> {
    at: JobPlace,
    given: &'a Arguments,
    job: PreparedJob,
    /// Where an argument's value came from, if that is not where it is named: a document and a pointer in it.
    origins: BTreeMap<String, (usize, String)>,
    broken: bool,
}

impl Preparation<'_> {
    fn take(&mut self, name: &str, value: &Value, form: ArgumentForm, read: &mut ReadFile<'_>) {
        match (form, value) {
            (ArgumentForm::Json, _) => self.keep(name, value.clone()),
            (ArgumentForm::Text, _) if is_text(value) => self.keep(name, value.clone()),
            (ArgumentForm::Texts, Value::Array(entries)) if entries.iter().all(is_text) => {
                self.keep(name, value.clone());
            }
            (ArgumentForm::Texts, _) if is_text(value) => self.keep(name, value.clone()),
            (ArgumentForm::File, Value::String(path)) => self.read_text(name, path, read),
            (ArgumentForm::JsonOrFile, Value::String(path)) => self.read_json(name, path, read),
            (ArgumentForm::JsonOrFile, Value::Array(_) | Value::Object(_)) => self.keep(name, value.clone()),
            _ => {
                let allowed = match form {
                    ArgumentForm::Text => "a text",
                    ArgumentForm::Texts => "a text or a list of texts",
                    ArgumentForm::Json => "a text or JSON",
                    ArgumentForm::File => "the path of a file",
                    ArgumentForm::JsonOrFile => "JSON or the path of a file that holds it",
                };
                let message = format!(
                    "the argument {} is {}; it must be {allowed}",
                    words::quoted(name),
                    words::shown(value)
                );
                self.fault(name, ArgumentFault::new("", message));
            }
        }
    }

    fn keep(&mut self, name: &str, value: Value) {
        self.job.arguments.insert(name.to_owned(), value);
    }

    fn read_text(&mut self, name: &str, path: &str, read: &mut ReadFile<'_>) {
        let meant = name.strip_suffix("_file").unwrap_or(name);
        if meant != name && self.given.contains_key(meant) {
            let message = format!("both {meant:?} and {name:?} are given");
            return self.fault(name, ArgumentFault::new("", message).hint("keep one of them"));
        }
        match read(path, false) {
            Ok(Content::Text(text)) => {
                self.origins.insert(meant.to_owned(), (self.at.document, self.pointer(name)));
                self.keep(meant, Value::String(text));
            }
            Ok(Content::Json(..)) => {}
            Err(reason) => self.unreadable(name, path, &reason),
        }
    }

    fn read_json(&mut self, name: &str, path: &str, read: &mut ReadFile<'_>) {
        match read(path, true) {
            Ok(Content::Json(document, Some(value))) => {
                self.origins.insert(name.to_owned(), (document, String::new()));
                self.keep(name, value);
            }
            Ok(Content::Json(_, None) | Content::Text(_)) => self.broken = true,
            Err(reason) => self.unreadable(name, path, &reason),
        }
    }

    fn unreadable(&mut self, name: &str, path: &str, reason: &str) {
        let message = format!("the file {} cannot be read: {reason}", words::quoted(path));
        let hint =
            "a path is relative to the file that names it, or on the command line to the current directory";
        self.fault(name, ArgumentFault::new("", message).hint(hint));
    }

    fn unknown(&mut self, name: &str, script: &ScriptDescriptor) {
        let message = format!("{} takes no argument {}", script.name, words::quoted(name));
        let fault = ArgumentFault::new("", message);
        let fault = if script.arguments.is_empty() {
            fault.hint("it takes none at all")
        } else {
            fault.among(name, script.arguments.iter().map(|argument| argument.name.as_str()))
        };
        self.job.faults.push((Place::key(self.at.document, self.pointer(name)), fault));
    }

    fn fault(&mut self, name: &str, fault: ArgumentFault) {
        self.job.faults.push((Place::value(self.at.document, self.pointer(name)), fault));
    }

    fn pointer(&self, name: &str) -> String {
        pointer::join(&format!("/{}/arguments", self.at.job), name)
    }

    /// Asks the script for its ops, unless it cannot know them.
    fn ask(mut self, script: &ScriptDescriptor, library: &dyn Library) -> PreparedJob {
        if self.broken || !self.job.faults.is_empty() {
            return self.job;
        }
        match library.ops(script, &self.job.arguments) {
            Ok(ops) => self.job.ops = ops,
            Err(faults) => {
                let placed = faults.into_iter().map(|fault| (self.place(&fault.pointer), fault));
                self.job.faults = placed.collect();
            }
        }
        self.job
    }

    /// Returns the place of a value in the arguments, which may be in a file of its own.
    fn place(&self, at: &str) -> Place {
        let name = pointer::tokens(at).next().unwrap_or_default();
        let within = at.get(pointer::join("", &name).len()..).unwrap_or_default();
        match self.origins.get(&name) {
            Some((document, base)) => Place::value(*document, format!("{base}{within}")),
            None => Place::value(self.at.document, format!("{}{within}", self.pointer(&name))),
        }
    }
}

fn is_text(value: &Value) -> bool {
    value.is_string() || value.is_number() || value.is_boolean()
}
