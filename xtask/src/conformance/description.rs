//! The interface's OpenAPI description: what it says of an operation's answer, and where recordings prove it wrong.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::{Map, Value, json};

use super::difference::{Difference, below, ends_as};
use super::operation::{Described, Operation};

/// The description, made strict: a member that it does not name is a difference.
pub(super) struct Description {
    document: Value,
}

/// What the description says of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Saying {
    /// The operation does not have this status.
    OtherStatus,
    /// Nothing about a body.
    Nothing,
    /// This schema.
    Schema(Value),
}

impl Description {
    /// Reads the description.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(file: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Self::new(serde_json::from_str(&text).with_context(|| format!("{} is no JSON", file.display()))?))
    }

    /// Takes the description's document.
    pub(super) fn new(mut document: Value) -> Self {
        let schemas = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
        for schema in schemas.into_iter().flat_map(|schemas| schemas.values_mut()) {
            make_strict(schema);
        }
        Self { document }
    }

    /// Returns the document.
    pub(super) fn document(&self) -> &Value {
        &self.document
    }

    /// Returns what is said of an operation's answer with this status.
    ///
    /// # Errors
    /// When the operation, or the schema that the row names, is not described.
    pub(super) fn says(&self, operation: &Operation, status: u16) -> Result<Saying> {
        let mut schema = match operation.described {
            Described::Not | Described::Wrongly(_) => return Ok(Saying::Nothing),
            Described::PageOf(name) => page_of(name),
            Described::There => {
                let method = operation.method.to_ascii_lowercase();
                let paths = self.document.get("paths").and_then(|paths| paths.get(operation.path));
                let responses = paths.and_then(|path| path.get(&method)?.get("responses"));
                let Some(responses) = responses else {
                    bail!("{} {} is not described; say so in its row", operation.method, operation.path);
                };
                let response = responses.get(status.to_string()).or_else(|| responses.get("default"));
                let Some(response) = response else { return Ok(Saying::OtherStatus) };
                let contents = response.get("content").and_then(Value::as_object);
                let content = contents
                    .and_then(|all| all.iter().find(|(kind, _)| kind.starts_with("application/json")));
                match content.and_then(|(_, content)| content.get("schema")) {
                    Some(schema) => schema.clone(),
                    None => return Ok(Saying::Nothing),
                }
            }
        };
        make_strict(&mut schema);
        Ok(Saying::Schema(schema))
    }

    /// Returns where an answer differs from a schema, except where recordings prove the description wrong.
    ///
    /// # Errors
    /// When the schema is none.
    pub(super) fn differences(&self, schema: &Value, answer: &Value) -> Result<Vec<Difference>> {
        let mut root = schema.as_object().cloned().unwrap_or_default();
        root.insert("components".to_owned(), self.document.get("components").cloned().unwrap_or_default());
        let validator =
            jsonschema::validator_for(&Value::Object(root)).map_err(|error| anyhow::anyhow!("{error}"))?;
        let mut found = Vec::new();
        for error in validator.iter_errors(answer) {
            let at = error.instance_path().as_str();
            match error.kind() {
                Kind::AdditionalProperties { unexpected } => {
                    let unnamed = unexpected.iter().map(|name| below(at, name));
                    let unnamed = unnamed.filter(|pointer| !is_proven(pointer, Proof::Named));
                    found
                        .extend(unnamed.map(|pointer| Difference::new(pointer, "is not in the description")));
                }
                Kind::Type { .. } if error.instance().is_null() && is_proven(at, Proof::Null) => {}
                _ => found.push(Difference::new(at, format!("{error}, by the description"))),
            }
        }
        Ok(found)
    }
}

/// What recordings have that the description does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// A member of this name.
    Named,
    /// Null as well.
    Null,
}

/// Where recordings prove the description wrong, by the end of the pointer.
const PROVEN: &[(&str, Proof)] = &[
    // Errors that are about nothing in particular, or that no exception caused, say so with null.
    ("errors/*/context", Proof::Null),
    ("errors/*/exceptionName", Proof::Null),
    // A branch: described is `default`.
    ("isDefault", Proof::Named),
    // A path: described are its parts only.
    ("path/toString", Proof::Named),
    // Whether a pull request can be merged: described are the reasons only.
    ("canMerge", Proof::Named),
    // The parents of a single commit are all of their commits: described are their ids.
    ("parents/*/author", Proof::Named),
    ("parents/*/authorTimestamp", Proof::Named),
    ("parents/*/committer", Proof::Named),
    ("parents/*/committerTimestamp", Proof::Named),
    ("parents/*/message", Proof::Named),
    ("parents/*/parents", Proof::Named),
    // A pull request: described are reviewers and participants only.
    ("author", Proof::Named),
    ("properties", Proof::Named),
    // A commit's people: described are name and address only, recorded are users.
    ("author/active", Proof::Named),
    ("author/displayName", Proof::Named),
    ("author/id", Proof::Named),
    ("author/links", Proof::Named),
    ("author/slug", Proof::Named),
    ("author/type", Proof::Named),
    ("committer/active", Proof::Named),
    ("committer/displayName", Proof::Named),
    ("committer/id", Proof::Named),
    ("committer/links", Proof::Named),
    ("committer/slug", Proof::Named),
    ("committer/type", Proof::Named),
    // What an error says about a pull request: described are errors in general.
    ("errors/*/existingPullRequest", Proof::Named),
    ("errors/*/pullRequest", Proof::Named),
    ("errors/*/currentVersion", Proof::Named),
    ("errors/*/expectedVersion", Proof::Named),
    ("errors/*/conflicted", Proof::Named),
    ("errors/*/vetoes", Proof::Named),
    // A matcher of default reviewers, what builds say of a commit, settings, who may do what.
    ("sourceRefMatcher/active", Proof::Named),
    ("targetRefMatcher/active", Proof::Named),
    ("dateAdded", Proof::Named),
    ("unapproveOnUpdate", Proof::Named),
    ("values/*/user", Proof::Named),
    // A comment: described is what it says only.
    ("permittedOperations", Proof::Named),
    ("tasks", Proof::Named),
    // What happened to a pull request: described are the kind, the time and the user only.
    ("values/*/comment", Proof::Named),
    ("values/*/commentAction", Proof::Named),
    ("values/*/commentAnchor", Proof::Named),
    ("values/*/addedReviewers", Proof::Named),
    ("values/*/removedReviewers", Proof::Named),
];

fn is_proven(pointer: &str, proof: Proof) -> bool {
    PROVEN.iter().any(|(tail, proven)| *proven == proof && ends_as(pointer, tail))
}

/// Forbids members that a schema does not name, as far as it names any.
fn make_strict(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    let named = schema.get("properties").and_then(Value::as_object).is_some_and(|named| !named.is_empty());
    if named && !schema.contains_key("additionalProperties") {
        schema.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    let named = schema.get_mut("properties").and_then(Value::as_object_mut);
    named.into_iter().flat_map(Map::values_mut).for_each(make_strict);
    schema.get_mut("items").into_iter().for_each(make_strict);
}

/// Source: the shape that the description gives to every page.
fn page_of(name: &str) -> Value {
    json!({"type": "object", "required": ["isLastPage", "limit", "size", "start", "values"], "properties": {
        "isLastPage": {"type": "boolean"},
        "limit": {"type": "number"},
        "nextPageStart": {"type": "integer"},
        "size": {"type": "number"},
        "start": {"type": "integer"},
        "values": {"type": "array", "items": {"$ref": format!("#/components/schemas/{name}")}},
    }})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::operation::{delete, get};

    fn description() -> Description {
        Description::new(json!({
            "components": {"schemas": {
                "Branch": {"properties": {
                    "id": {"type": "string"},
                    "type": {"type": "string", "enum": ["BRANCH", "TAG"]},
                    "metadata": {"type": "object", "properties": {}}
                }},
                "Error": {"properties": {"context": {"type": "string"}, "message": {"type": "string"}}}
            }},
            "paths": {"/branch": {"get": {"responses": {
                "200": {"content": {"application/json;charset=UTF-8": {"schema": {"$ref": "#/components/schemas/Branch"}}}},
                "204": {"description": "none"},
                "404": {"content": {"application/json": {"schema": {"type": "object", "properties":
                    {"errors": {"type": "array", "items": {"$ref": "#/components/schemas/Error"}}}}}}}
            }}}}
        }))
    }

    fn differences(status: u16, answer: &Value) -> Vec<String> {
        let description = description();
        let Saying::Schema(schema) = description.says(&get("/branch"), status).unwrap() else { panic!() };
        let found = description.differences(&schema, answer).unwrap();
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn answers_are_held_against_the_schema() {
        assert!(differences(200, &json!({"id": "a", "type": "TAG", "metadata": {"any": 1}})).is_empty());
        assert_eq!(differences(200, &json!({"id": "a", "extra": 1})), ["/extra: is not in the description"]);
        assert_eq!(differences(200, &json!({"id": 1})).len(), 1);
        assert_eq!(differences(200, &json!({"type": "NOTE"})).len(), 1);
    }

    #[test]
    fn recordings_prove_the_description_wrong() {
        assert!(differences(200, &json!({"isDefault": true})).is_empty());
        assert!(differences(404, &json!({"errors": [{"context": null, "message": "m"}]})).is_empty());
        assert_eq!(differences(404, &json!({"errors": [{"message": null}]})).len(), 1);
    }

    #[test]
    fn says_nothing_of_what_it_does_not_describe() {
        let description = description();
        let says = |operation: &Operation, status| description.says(operation, status);
        assert_eq!(says(&get("/branch"), 204).unwrap(), Saying::Nothing);
        assert_eq!(says(&get("/branch"), 500).unwrap(), Saying::OtherStatus);
        assert!(says(&delete("/branch"), 204).is_err(), "no such method");
        assert_eq!(
            says(&Operation { described: Described::Not, ..get("/other") }, 200).unwrap(),
            Saying::Nothing
        );
        let page = Operation { described: Described::PageOf("Branch"), ..get("/other") };
        let Saying::Schema(schema) = says(&page, 200).unwrap() else { panic!() };
        let answer = json!({"isLastPage": true, "limit": 1, "size": 1, "start": 0, "values": [{"x": 1}]});
        assert_eq!(description.differences(&schema, &answer).unwrap().len(), 1);
    }
}
