//! What a plan is made from: the experiment's text, and what it may name.

use e3_model::{ArgumentFault, Arguments, Kind, OpDescriptor, ScriptDescriptor};

/// The text of a document, and what findings call its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'a> {
    /// The file as the user may open it.
    pub file: &'a str,
    /// The text.
    pub text: &'a str,
}

/// The documents and scripts that an experiment may name.
pub trait Library {
    /// Returns the file and the text of a workload; none when there is none of that name.
    fn workload(&self, name: &str) -> Option<(String, String)>;

    /// Returns the file and the text of a snapshot; none when there is none of that name.
    fn snapshot(&self, name: &str) -> Option<(String, String)>;

    /// Returns the file and the text of an instance file; none when there is none of that name.
    fn instance(&self, name: &str) -> Option<(String, String)>;

    /// Returns every name of that kind, for "did you mean".
    fn names(&self, kind: Kind) -> Vec<String>;

    /// Returns every script that can run.
    fn scripts(&self) -> &[ScriptDescriptor];

    /// Returns the ops that a script records when it is told this; the descriptor's, unless they depend on the arguments.
    ///
    /// # Errors
    /// Everything that the script cannot use of its arguments.
    fn ops(
        &self,
        script: &ScriptDescriptor,
        _arguments: &Arguments,
    ) -> Result<Vec<OpDescriptor>, Vec<ArgumentFault>> {
        Ok(script.ops.clone())
    }

    /// Returns the file and the text of what an argument names, by a path that is relative to the file it stands in.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn file(&self, _beside: &str, _path: &str) -> Result<(String, String), String> {
        Err("there are no files here".to_owned())
    }

    /// Returns why a document that does exist could not be returned, such as that it is no text; none when it is not
    /// there or can be read.
    fn unreadable(&self, _kind: Kind, _name: &str) -> Option<String> {
        None
    }
}
