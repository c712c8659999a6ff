//! What is known of a script before it runs, and what it may be told.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A script as a plan sees it: its name, its ops, and what it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScriptDescriptor {
    /// The name, as workloads write it: `scm.GitCloneOverHttp`.
    pub name: String,
    /// What a client of this script does, in one sentence.
    pub summary: String,
    /// The ops it records, in the order in which it first does them; never empty.
    pub ops: Vec<OpDescriptor>,
    /// The protocol it speaks.
    pub protocol: Protocol,
    /// The arguments it takes, in the order in which a person should read them; none for most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<ArgumentDescriptor>,
    /// What arguments of any other name are for, as a sentence; none when there may be no others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_arguments: Option<String>,
    /// What it needs of the snapshot and the system under test, in the order of [`Need`]; none for most of HTTP's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Need>,
}

/// What a script cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// A user that can log in with a password.
    HttpUser,
    /// A user with a private SSH key.
    SshKey,
    /// The administrator's password.
    Admin,
    /// A repository that can be drawn.
    Repository,
    /// A repository that can be drawn, whose default branch is known, and to which the script's users may push.
    WritableRepository,
}

/// What a job tells its script, by name: text, or JSON where the argument's form says so.
pub type Arguments = BTreeMap<String, serde_json::Value>;

/// An argument that a script takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArgumentDescriptor {
    /// The name.
    pub name: String,
    /// What it is, as a sentence.
    pub summary: String,
    /// What it may look like.
    pub form: ArgumentForm,
    /// Whether the script cannot do without it.
    pub required: bool,
    /// What holds when it is left out, as one would write it; none when nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// What an argument may look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ArgumentForm {
    /// A text; a number or a truth value stands for its text.
    Text,
    /// One text, or a list of them.
    Texts,
    /// A text, or any JSON.
    Json,
    /// The path of a file; the plan holds its text instead, as the argument whose name lacks the final `_file`.
    File,
    /// JSON, or the path of a file that holds it; the plan holds the JSON.
    JsonOrFile,
}

/// What a script has to say against its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgumentFault {
    /// The value in question, as a JSON pointer into the arguments, such as `/steps/2/path`.
    pub pointer: String,
    /// What was found and what is allowed, as one sentence.
    pub message: String,
    /// What to do about it, unless that follows from the choices.
    pub hint: Option<String>,
    /// What was written, where it is none of the choices.
    pub typed: String,
    /// What could have been written instead; none when that cannot be listed.
    pub choices: Vec<String>,
}

impl ArgumentFault {
    /// Returns a fault without a hint.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            message: message.into(),
            hint: None,
            typed: String::new(),
            choices: Vec::new(),
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what was written and what could have been written instead, for "did you mean".
    #[must_use]
    pub fn among<S: Into<String>>(mut self, typed: &str, choices: impl IntoIterator<Item = S>) -> Self {
        typed.clone_into(&mut self.typed);
        self.choices = choices.into_iter().map(Into::into).collect();
        self
    }
}

/// An op: one timed, user-meaningful act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpDescriptor {
    /// The op's name, unique within its script.
    pub name: String,
    /// What is timed: from where to where.
    pub summary: String,
}

/// The protocol that a script speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Git over smart HTTP.
    GitHttp,
    /// Git over SSH.
    GitSsh,
    /// Pages and REST over HTTP.
    Http,
}

impl ScriptDescriptor {
    /// Returns a descriptor from its parts; each op is a name and its summary.
    pub fn new(name: &str, summary: &str, protocol: Protocol, ops: &[(&str, &str)]) -> Self {
        Self {
            name: name.to_owned(),
            summary: summary.to_owned(),
            ops: ops
                .iter()
                .map(|(name, summary)| OpDescriptor {
                    name: (*name).to_owned(),
                    summary: (*summary).to_owned(),
                })
                .collect(),
            protocol,
            arguments: Vec::new(),
            other_arguments: None,
            needs: Vec::new(),
        }
    }

    /// Says what the script cannot do without.
    #[must_use]
    pub fn needing(mut self, needs: &[Need]) -> Self {
        self.needs = needs.to_vec();
        self.needs.sort_unstable();
        self
    }

    /// Adds an argument that may be left out; its default is as one would write it.
    #[must_use]
    pub fn argument(mut self, name: &str, form: ArgumentForm, default: Option<&str>, summary: &str) -> Self {
        self.arguments.push(ArgumentDescriptor {
            name: name.to_owned(),
            summary: summary.to_owned(),
            form,
            required: false,
            default: default.map(str::to_owned),
        });
        self
    }

    /// Adds an argument that the script cannot do without.
    #[must_use]
    pub fn required_argument(mut self, name: &str, form: ArgumentForm, summary: &str) -> Self {
        self.arguments.push(ArgumentDescriptor {
            name: name.to_owned(),
            summary: summary.to_owned(),
            form,
            required: true,
            default: None,
        });
        self
    }

    /// Allows arguments of any other name, and says what they are for.
    #[must_use]
    pub fn with_other_arguments(mut self, summary: &str) -> Self {
        self.other_arguments = Some(summary.to_owned());
        self
    }
}
