//! What every script must satisfy before it may enter the catalogue.

use std::collections::BTreeSet;

use e3_model::{ArgumentForm, ScriptDescriptor};

const ROOMS: [&str; 5] = ["scm.", "rest.", "web.", "persona.", "http."];

/// Returns what is wrong with a descriptor, one sentence each; empty when it conforms.
pub fn check_descriptor(descriptor: &ScriptDescriptor) -> Vec<String> {
    let mut faults = Vec::new();
    let name = &descriptor.name;
    if !ROOMS.iter().any(|room| name.strip_prefix(room).is_some_and(|rest| !rest.is_empty())) {
        faults.push(format!("{name}: the name must begin with one of {ROOMS:?}"));
    }
    if descriptor.summary.trim().is_empty() {
        faults.push(format!("{name}: it has no summary"));
    }
    if descriptor.ops.is_empty() {
        faults.push(format!("{name}: it records no op"));
    }
    if descriptor.ops.len() > usize::from(u16::MAX) {
        faults.push(format!("{name}: it has more ops than a sample can name"));
    }
    let mut seen = BTreeSet::new();
    for op in &descriptor.ops {
        if !seen.insert(&op.name) {
            faults.push(format!("{name}: the op {} is there twice", op.name));
        }
        if op.name.trim().is_empty() || op.summary.trim().is_empty() {
            faults.push(format!("{name}: the op {:?} lacks its name or its summary", op.name));
        }
    }
    let mut seen = BTreeSet::new();
    for argument in &descriptor.arguments {
        let (argument_name, form) = (&argument.name, argument.form);
        if !seen.insert(argument_name) {
            faults.push(format!("{name}: the argument {argument_name} is there twice"));
        }
        if argument_name.trim().is_empty() || argument.summary.trim().is_empty() {
            faults.push(format!("{name}: the argument {argument_name:?} lacks its name or its summary"));
        }
        if (form == ArgumentForm::File) != argument_name.ends_with("_file") {
            faults.push(format!("{name}: arguments that name files end with _file, but {argument_name}"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use e3_model::Protocol;

    use super::*;

    #[test]
    fn names_each_fault() {
        let good = ScriptDescriptor::new(
            "web.Status",
            "Asks for the status.",
            Protocol::Http,
            &[("Status", "one GET")],
        );
        assert_eq!(check_descriptor(&good), Vec::<String>::new());
        let bad = ScriptDescriptor::new("Status", "", Protocol::Http, &[("a", "x"), ("a", "x"), ("", "")]);
        assert_eq!(check_descriptor(&bad).len(), 4);
        let odd = good
            .clone()
            .argument("body_file", ArgumentForm::Text, None, "The body.")
            .required_argument("body", ArgumentForm::File, " ")
            .argument("body", ArgumentForm::File, None, "The body.");
        assert_eq!(check_descriptor(&odd).len(), 5, "{:?}", check_descriptor(&odd));
        let empty = ScriptDescriptor::new("web.Nothing", "Does nothing.", Protocol::Http, &[]);
        assert_eq!(check_descriptor(&empty), ["web.Nothing: it records no op"]);
    }
}
