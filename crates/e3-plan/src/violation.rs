//! What a schema does not allow in a value, in words of our own.

use std::collections::BTreeSet;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;

use crate::format::Format;
use crate::{allowed, long_span, pointer, words};

/// One thing that the schema does not allow.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The rule's name, as findings carry it.
    pub(crate) rule: &'static str,
    /// The value.
    pub(crate) pointer: String,
    /// Whether its key is meant, not the value.
    pub(crate) is_key: bool,
    /// What was found, and what is allowed.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// The member that was probably meant by an unknown key.
    pub(crate) meant: Option<String>,
    /// The member that is missing.
    lacks: Option<String>,
}

impl Violation {
    /// Returns a violation by a value, without a hint.
    pub(crate) fn of(rule: &'static str, pointer: &str, message: String) -> Self {
        Self {
            rule,
            pointer: pointer.to_owned(),
            is_key: false,
            message,
            hint: None,
            meant: None,
            lacks: None,
        }
    }
}

/// Returns what the format's schema does not allow in the value, and how many more such things there are.
pub(crate) fn all(format: &Format, value: &Value) -> (Vec<Violation>, usize) {
    let mut violations = Vec::new();
    let mut more = 0;
    for error in format.validator.iter_errors(value) {
        if violations.len() < MOST {
            more += explain(&format.schema, &error, &mut violations);
        } else {
            more += 1;
        }
    }
    long_span::report(value, "", &mut violations);
    drop_what_was_meant(&mut violations);
    more += violations.len().saturating_sub(MOST);
    violations.truncate(MOST);
    (violations, more)
}

/// Adds what an error says, and returns how much of it is not worth words.
fn explain(schema: &Value, error: &ValidationError<'_>, violations: &mut Vec<Violation>) -> usize {
    let at = error.instance_path().as_str();
    match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            violations.extend(unexpected.iter().take(MOST).map(|key| unknown_key(schema, error, at, key)));
            return unexpected.len().saturating_sub(MOST);
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            branches(schema, error, context, violations);
        }
        Kind::Required { property } => {
            let key = property.as_str().unwrap_or_default();
            let message = format!("{} lacks the key {}", subject(at), words::quoted(key));
            let lacks = Some(pointer::join(at, key));
            violations.push(Violation { lacks, ..Violation::of("missing-key", at, message) });
        }
        _ => violations.push(simple(schema, error, at)),
    }
    0
}

fn simple(schema: &Value, error: &ValidationError<'_>, at: &str) -> Violation {
    let found = found(error);
    let subject = subject(at);
    let allowed = || allowed::in_words(schema, schema_node(schema, error));
    let (rule, message) = match error.kind() {
        Kind::Type { .. } => ("wrong-type", format!("{subject} is {found}; it must be {}", allowed())),
        Kind::Minimum { .. }
        | Kind::Maximum { .. }
        | Kind::ExclusiveMinimum { .. }
        | Kind::ExclusiveMaximum { .. } => {
            ("out-of-range", format!("{subject} is {found}; it must be {}", allowed()))
        }
        Kind::Pattern { .. } | Kind::Enum { .. } | Kind::Constant { .. } => {
            ("not-allowed", format!("{subject} is {found}; it must be {}", allowed()))
        }
        Kind::MinItems { limit } => (
            "too-few",
            format!("{subject} holds too few entries: it needs {}", words::counted(*limit, "entry")),
        ),
        Kind::MaxItems { limit } => ("too-many", format!("{subject} holds more than {limit} entries")),
        Kind::MinLength { .. } => ("out-of-range", format!("{subject} is an empty text")),
        Kind::MaxLength { limit } => ("out-of-range", format!("{subject} is longer than {limit} characters")),
        _ => ("not-allowed", format!("{subject} is {found}, which is not allowed here")),
    };
    let mut simple = Violation::of(rule, at, message);
    if matches!(error.kind(), Kind::Pattern { pattern } if allowed::literal_choices(pattern).is_some()) {
        simple.hint = meant_choice(schema, error);
    } else if matches!(error.kind(), Kind::Type { .. }) {
        simple.hint = unquoted_number(schema, error);
    }
    simple
}

/// Explains why no branch of several fits: by the one that the author most likely meant.
fn branches(
    schema: &Value,
    error: &ValidationError<'_>,
    context: &[Vec<ValidationError<'static>>],
    violations: &mut Vec<Violation>,
) {
    let at = error.instance_path().as_str();
    let fitting: Vec<&Vec<ValidationError<'static>>> =
        context.iter().filter(|branch| !branch.iter().any(|inner| is_of_another_type(inner, at))).collect();
    let node = schema_node(schema, error);
    let tag = node.get("oneOf").and_then(Value::as_array).and_then(|branches| allowed::tag(branches));
    if let (Some((key, values)), false) = (tag, fitting.is_empty()) {
        return tagged(schema, error, (key, &values), &fitting, violations);
    }
    if let [branch] = fitting.as_slice() {
        for inner in *branch {
            explain(schema, inner, violations);
        }
        return;
    }
    let found = found(error);
    let rule = if fitting.is_empty() { "wrong-type" } else { "not-allowed" };
    let message = format!("{} is {found}; it must be {}", subject(at), allowed::in_words(schema, node));
    let hint = meant_choice(schema, error).or_else(|| unquoted_number(schema, error));
    violations.push(Violation { hint, ..Violation::of(rule, at, message) });
}

/// Returns whether the error says that the value at a place is of a wrong type altogether.
fn is_of_another_type(error: &ValidationError<'_>, at: &str) -> bool {
    error.instance_path().as_str() == at
        && match error.kind() {
            Kind::Type { .. } => true,
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                context.iter().all(|branch| branch.iter().any(|inner| is_of_another_type(inner, at)))
            }
            _ => false,
        }
}

/// Explains an object whose shape depends on the value of one of its keys.
fn tagged(
    schema: &Value,
    error: &ValidationError<'_>,
    (key, values): (&str, &[&str]),
    fitting: &[&Vec<ValidationError<'static>>],
    violations: &mut Vec<Violation>,
) {
    let at = error.instance_path().as_str();
    let allowed = words::choices(values);
    let Some(tag) = error.instance().get(key) else {
        let message = format!("{} lacks the key {key:?}, which must be {allowed}", subject(at));
        return violations.push(Violation::of("missing-key", at, message));
    };
    let tag_pointer = pointer::join(at, key);
    // The branch of a known tag is the one that has no quarrel with it.
    let is_known = tag.as_str().is_some_and(|text| values.contains(&text));
    let agrees = |branch: &&&Vec<ValidationError<'_>>| {
        branch.iter().all(|inner| inner.instance_path().as_str() != tag_pointer)
    };
    let branch = fitting.iter().find(agrees).filter(|_| is_known);
    if let Some(branch) = branch {
        for inner in *branch {
            explain(schema, inner, violations);
        }
        return;
    }
    let message = format!("{} is {}; it must be {allowed}", subject(&tag_pointer), words::shown(tag));
    let hint =
        tag.as_str().and_then(|text| words::meant(text, values.iter().copied())).map(words::did_you_mean);
    let rule = if tag.is_string() { "not-allowed" } else { "wrong-type" };
    violations.push(Violation { hint, ..Violation::of(rule, &tag_pointer, message) });
}

fn unknown_key(schema: &Value, error: &ValidationError<'_>, at: &str, key: &str) -> Violation {
    let known: Vec<&str> = allowed::keys(schema_node(schema, error)).collect();
    let meant = words::meant(key, known.iter().copied());
    let hint = meant.map_or_else(|| format!("known keys are {}", known.join(", ")), words::did_you_mean);
    Violation {
        rule: "unknown-key",
        pointer: pointer::join(at, key),
        is_key: true,
        message: format!("the key {} is not known in {}", words::quoted(key), container(at)),
        hint: Some(hint),
        meant: meant
            .filter(|meant| error.instance().get(*meant).is_none())
            .map(|meant| pointer::join(at, meant)),
        lacks: None,
    }
}

/// Leaves out that a key is missing where an unknown key was probably meant to be it.
fn drop_what_was_meant(violations: &mut Vec<Violation>) {
    let meant: BTreeSet<String> = violations.iter().filter_map(|violation| violation.meant.clone()).collect();
    violations.retain(|violation| violation.lacks.as_ref().is_none_or(|lacks| !meant.contains(lacks)));
}

/// Returns what was found, without showing what may be a secret of the wrong type.
fn found(error: &ValidationError<'_>) -> String {
    let at = error.instance_path().as_str();
    if SECRET.iter().any(|word| at.contains(word)) {
        "of another type".to_owned()
    } else {
        words::shown(error.instance())
    }
}

/// Returns the hint that names the choice which a text, or a number such as 1.1, was probably meant to be.
fn meant_choice(schema: &Value, error: &ValidationError<'_>) -> Option<String> {
    let mut choices = Vec::new();
    literal_texts(schema, schema_node(schema, error), &mut choices);
    let meant = match error.instance().as_ref() {
        Value::String(typed) => words::meant(typed, choices),
        Value::Number(number) => choices.into_iter().find(|choice| *choice == number.to_string()),
        _ => None,
    };
    meant.map(words::did_you_mean)
}

/// Returns the hint that a number needs no quotation marks.
fn unquoted_number(schema: &Value, error: &ValidationError<'_>) -> Option<String> {
    let typed = error.instance().as_str()?.trim();
    let is_number = typed.len() <= 24 && typed.parse::<f64>().is_ok_and(f64::is_finite);
    (is_number && allowed::takes_number(schema, schema_node(schema, error)))
        .then(|| format!("write the number without quotation marks: {typed}"))
}

fn literal_texts<'a>(schema: &'a Value, node: &'a Value, choices: &mut Vec<&'a str>) {
    choices.extend(node.get("const").and_then(Value::as_str));
    choices.extend(
        node.get("pattern").and_then(Value::as_str).and_then(allowed::literal_choices).into_iter().flatten(),
    );
    let target = node.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
    if let Some(definition) = target.and_then(|pointer| schema.pointer(pointer)) {
        literal_texts(schema, definition, choices);
    }
    for branches in ["anyOf", "oneOf"].iter().filter_map(|key| node.get(key)?.as_array()) {
        branches.iter().for_each(|branch| literal_texts(schema, branch, choices));
    }
}

/// Returns the schema that holds the keyword which the value violates.
fn schema_node<'a>(schema: &'a Value, error: &ValidationError<'_>) -> &'a Value {
    let keyword = error.schema_path().as_str();
    let parent = keyword.rsplit_once('/').map_or("", |(parent, _)| parent);
    schema.pointer(parent).unwrap_or(&Value::Null)
}

/// Returns what a message calls the value: its key, or its number in a list.
fn subject(at: &str) -> String {
    let Some((parent, token)) = pointer::split(at) else { return "the document".to_owned() };
    match token.parse::<u64>() {
        Ok(index) => match pointer::split(parent) {
            Some((_, list)) => format!("entry {} of {}", index.saturating_add(1), words::quoted(&list)),
            None => format!("entry {}", index.saturating_add(1)),
        },
        Err(_) => words::quoted(&token),
    }
}

fn container(at: &str) -> String {
    if at.is_empty() { "this document".to_owned() } else { subject(at) }
}

/// What the keys of secrets contain.
const SECRET: &[&str] = &["password", "private_key"];
/// How many violations are put into words; far more than are ever shown.
pub(crate) const MOST: usize = 5_000;
