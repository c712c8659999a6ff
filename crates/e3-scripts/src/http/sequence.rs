//! `http.Sequence`: several requests in order, each an op, with values read from one answer for the next request.

use std::collections::BTreeSet;
use std::sync::Arc;

use e3_model::{ArgumentFault, ArgumentForm, Arguments, OpDescriptor, Protocol, ScriptDescriptor};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting};
use serde_json::{Map, Value};

use super::player::Player;
use super::shared::{Shared, Steps};
use super::step::Step;
use super::variables::BUILT_IN;

/// Sends several requests in order, over one connection and with the cookies that the server sets.
#[derive(Debug, Default)]
pub(crate) struct Sequence(Shared);

const NAME: &str = "http.Sequence";
/// The arguments that are no variables.
const SETTINGS: [&str; 3] = ["steps", "timeout", "auth"];
const STEP_KEYS: [&str; 7] = ["name", "method", "path", "headers", "body", "expect", "extract"];
/// More than anybody writes, and few enough for a sample to name.
const MOST_STEPS: usize = 1_000;

impl Script for Sequence {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            NAME,
            "Sends several requests in order to any HTTP server, over one connection and with the cookies that the server \
             sets; values from one answer can be used in the next requests.",
            Protocol::Http,
            &[("STEP", "each step under its own name: from sending, or connecting, until the body's last byte")],
        )
        .required_argument(
            "steps",
            ArgumentForm::JsonOrFile,
            "The steps in order, each an object with a \"name\" and, as it needs them, \"method\", \"path\", \"headers\", \
             \"body\", \"expect\" and \"extract\"; or the path of a file that holds them.",
        )
        .argument("timeout", ArgumentForm::Text, None, "How long one step may take, such as \"2s\"; it has failed then.")
        .argument("auth", ArgumentForm::Text, None, "\"basic\" sends a user's name and password with every request, \"none\" does not; left out, they are sent where there is a user.")
        .with_other_arguments("A variable for the steps: {{NAME}} in a path, a header or a body becomes the argument's value.")
    }

    fn ops(&self, arguments: &Arguments) -> Result<Vec<OpDescriptor>, Vec<ArgumentFault>> {
        let op = |step: &Step| OpDescriptor {
            name: step.name.clone(),
            summary: format!("{}, from sending, or connecting, until the body's last byte", step.title()),
        };
        steps(arguments).map(|steps| steps.steps.iter().map(op).collect())
    }

    fn client(
        &self,
        setting: &Arc<Setting>,
        context: &mut ClientContext,
    ) -> Result<Box<dyn ScriptClient>, ScriptError> {
        Ok(Box::new(Player::open(NAME, setting, context, |arguments| self.0.steps(arguments, steps))?))
    }
}

fn steps(arguments: &Arguments) -> Result<Steps, Vec<ArgumentFault>> {
    let mut faults = Vec::new();
    let mut steps = Steps::default();
    steps.read_settings(arguments, &mut faults);
    let given = arguments.iter().filter(|(name, _)| !SETTINGS.contains(&name.as_str()));
    steps.variables = given.map(|(name, value)| (name.clone(), value.clone())).collect();
    let listed = arguments.get("steps").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if listed.is_empty() || listed.len() > MOST_STEPS {
        let message = format!("\"steps\" is a list of 1 to {MOST_STEPS} steps");
        faults.push(ArgumentFault::new("/steps", message).hint(EXAMPLE));
        return Err(faults);
    }
    let mut known = Known::of(&steps);
    for (position, written) in listed.iter().enumerate() {
        steps.steps.extend(step(written, &format!("/steps/{position}"), &mut known, &mut faults));
    }
    // While steps cannot be read, which variables they use is not known.
    if faults.is_empty() {
        for name in steps.variables.keys().filter(|name| !known.used.contains(*name)) {
            let message =
                format!("{NAME} takes no argument {name:?}, and no step has a variable {{{{{name}}}}}");
            let choices: Vec<String> =
                SETTINGS.iter().map(|name| (*name).to_owned()).chain(known.missing.iter().cloned()).collect();
            faults.push(ArgumentFault::new(format!("/{}", escaped(name)), message).among(name, choices));
        }
    }
    if faults.is_empty() { Ok(steps) } else { Err(faults) }
}

/// What is known of variables and names while the steps are read.
struct Known {
    variables: BTreeSet<String>,
    used: BTreeSet<String>,
    missing: BTreeSet<String>,
    names: BTreeSet<String>,
}

impl Known {
    fn of(steps: &Steps) -> Self {
        let built_in = BUILT_IN.iter().map(|name| (*name).to_owned());
        let (used, missing, names) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Self { variables: built_in.chain(steps.variables.keys().cloned()).collect(), used, missing, names }
    }
}

fn step(written: &Value, at: &str, known: &mut Known, faults: &mut Vec<ArgumentFault>) -> Option<Step> {
    let Some(keys) = written.as_object() else {
        faults.push(ArgumentFault::new(at, "a step is an object").hint(EXAMPLE));
        return None;
    };
    for key in keys.keys().filter(|key| !STEP_KEYS.contains(&key.as_str())) {
        let message = format!("the key {key:?} is not known in a step");
        faults.push(ArgumentFault::new(format!("{at}/{}", escaped(key)), message).among(key, STEP_KEYS));
    }
    let name = name(keys, at, known, faults);
    let mut step = Step::parse(&name, keys, at, faults);
    for (pointer, name) in step.names(at) {
        if !known.variables.contains(&name) {
            let message = format!("{{{{{name}}}}} is neither an argument nor extracted by an earlier step");
            faults.push(ArgumentFault::new(pointer, message).among(&name, known.variables.iter().cloned()));
            known.missing.insert(name.clone());
        }
        known.used.insert(name);
    }
    // What a step extracts is there for those after it.
    step.extract = extract(keys, at, faults);
    known.variables.extend(step.extract.iter().map(|(variable, _)| variable.clone()));
    Some(step)
}

fn name(keys: &Map<String, Value>, at: &str, known: &mut Known, faults: &mut Vec<ArgumentFault>) -> String {
    let Some(name) = keys.get("name") else {
        faults.push(
            ArgumentFault::new(at, "the step has no \"name\"")
                .hint("its op has that name in every table and chart"),
        );
        return String::new();
    };
    let name = name.as_str().unwrap_or_default().trim();
    let mut wrong = |message: String| faults.push(ArgumentFault::new(format!("{at}/name"), message));
    if name.is_empty()
        || name.chars().count() > LONGEST_NAME
        || name.chars().any(|c| c.is_control() || "()".contains(c))
    {
        wrong(format!("a step's name is a text of 1 to {LONGEST_NAME} characters without parentheses"));
    } else if !known.names.insert(name.to_owned()) {
        wrong(format!("two steps are called {name:?}"));
    }
    name.to_owned()
}

fn extract(keys: &Map<String, Value>, at: &str, faults: &mut Vec<ArgumentFault>) -> Vec<(String, String)> {
    let Some(extract) = keys.get("extract") else { return Vec::new() };
    let Some(extract) = extract.as_object() else {
        let message = "\"extract\" is an object of variables and the JSON pointers of their values";
        faults.push(
            ArgumentFault::new(format!("{at}/extract"), message).hint("such as {\"id\": \"/values/0/id\"}"),
        );
        return Vec::new();
    };
    let mut pointers = Vec::new();
    for (variable, pointer) in extract {
        let mut wrong = |message: String| {
            faults.push(ArgumentFault::new(format!("{at}/extract/{}", escaped(variable)), message));
        };
        if variable.is_empty() || !variable.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c)) {
            wrong(format!("{variable:?} is no variable's name: letters, digits, \"_\", \"-\" and \".\" are"));
        } else if BUILT_IN.contains(&variable.as_str()) {
            wrong(format!("{{{{{variable}}}}} has its value from e3 already"));
        }
        match pointer.as_str() {
            Some(pointer) if pointer.is_empty() || pointer.starts_with('/') => {
                pointers.push((variable.clone(), pointer.to_owned()));
            }
            _ => wrong(format!(
                "{pointer} is no JSON pointer: it begins with a slash, such as \"/values/0/id\""
            )),
        }
    }
    pointers
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

const LONGEST_NAME: usize = 60;
const EXAMPLE: &str = "such as [{\"name\": \"List\", \"path\": \"/users\", \"extract\": {\"id\": \"/0/id\"}}, {\"name\": \"View\", \"path\": \"/users/{{id}}\"}]";
