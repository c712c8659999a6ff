//! Fields in words: what a piece of a JSON Schema (draft 2020-12) says, as a row or a phrase of Markdown.

use e3_model::quantity;
use serde_json::{Map, Value};

/// Returns what a schema's description says, on one line; a full stop of its own when there is none.
pub(super) fn sentence(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect::<Vec<_>>().join(" ")
}

/// Returns a text so that it stays within the cell of a table.
pub(super) fn cell(text: impl AsRef<str>) -> String {
    text.as_ref().replace('|', "\\|").replace('\n', " ")
}

/// Returns the anchor of a type's section.
pub(super) fn anchor(name: &str) -> String {
    name.to_lowercase()
}

/// Returns an object's fields as a table, the required ones first, else by name.
pub(super) fn object(schema: &Value) -> String {
    let none = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let required: Vec<&str> = match schema.get("required").and_then(Value::as_array) {
        Some(names) => names.iter().filter_map(Value::as_str).collect(),
        None => Vec::new(),
    };
    let is_required = |name: &str| required.contains(&name);
    let (first, rest): (Vec<_>, Vec<_>) = properties.iter().partition(|(name, _)| is_required(name));
    let rows = first.into_iter().chain(rest).map(|(name, field)| {
        let mark = if is_required(name) { " (required)" } else { "" };
        format!("| `{name}`{mark} | {} | {} |\n", cell(type_of(field)), cell(meaning(field)))
    });
    let mut table = format!("| field | type | meaning |\n|---|---|---|\n{}", rows.collect::<String>());
    if schema.get("additionalProperties").and_then(Value::as_bool) == Some(true) {
        table.push_str("\nOther fields are kept as they are.\n");
    }
    table
}

/// Returns what a field means, with its range and its default.
fn meaning(field: &Value) -> String {
    let mut words = vec![sentence(field)];
    words.extend(range(field));
    if let Some(default) = field.get("default").filter(|value| is_telling(value)) {
        words.push(format!("Default: `{default}`."));
    }
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

/// Returns whether a default says more than that nothing is there.
fn is_telling(value: &Value) -> bool {
    match value {
        Value::Null | Value::Object(_) => false,
        Value::Array(values) => !values.is_empty(),
        Value::String(text) => !text.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Returns what values are allowed, in a sentence; none when all of the type are.
fn range(field: &Value) -> Option<String> {
    let number = |key: &str| field.get(key).and_then(Value::as_f64);
    let between = |low: &str, high: &str, unit: &str| match (number(low), number(high)) {
        (Some(low), Some(high)) if low == high => Some(format!("{}{unit}", shown(low))),
        (Some(low), Some(high)) => Some(format!("{} to {}{unit}", shown(low), shown(high))),
        (Some(low), None) if low > 0.0 || unit.is_empty() => Some(format!("{} or more{unit}", shown(low))),
        (None, Some(high)) => Some(format!("at most {}{unit}", shown(high))),
        _ => None,
    };
    let allowed = [
        between("minimum", "maximum", ""),
        between("minLength", "maxLength", " characters"),
        between("minItems", "maxItems", " entries"),
        field.get("pattern").and_then(Value::as_str).map(|pattern| format!("text that matches `{pattern}`")),
    ];
    let allowed: Vec<String> = allowed.into_iter().flatten().collect();
    (!allowed.is_empty()).then(|| format!("Allowed: {}.", allowed.join("; ")))
}

/// Returns a bound in full.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole and within the range of u64"
)]
fn shown(bound: f64) -> String {
    if bound.fract() == 0.0 && (0.0..9e15).contains(&bound) {
        quantity::count(bound as u64)
    } else {
        bound.to_string()
    }
}

/// Returns a schema's type as a phrase, with a link where the type has a section of its own.
pub(super) fn type_of(schema: &Value) -> String {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        return format!("[{name}](#{})", anchor(name));
    }
    if let Some(word) = schema.get("const") {
        return format!("`{word}`");
    }
    if let Some(forms) = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array) {
        let names = forms.iter().filter(|form| form.get("type").and_then(Value::as_str) != Some("null"));
        return names.map(type_of).collect::<Vec<_>>().join(" or ");
    }
    match schema.get("type") {
        Some(Value::String(name)) => plain(name, schema),
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            names.map(|name| plain(name, schema)).collect::<Vec<_>>().join(" or ")
        }
        _ => "any value".to_owned(),
    }
}

fn plain(name: &str, schema: &Value) -> String {
    match name {
        "string" => "text".to_owned(),
        "integer" => "whole number".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        "array" => format!("list of {}", schema.get("items").map_or_else(|| "any value".to_owned(), type_of)),
        "object" => match schema.get("additionalProperties") {
            Some(value @ Value::Object(_)) => format!("object: name to {}", type_of(value)),
            _ => "object".to_owned(),
        },
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_are_phrases() {
        for (schema, phrase) in [
            (json!({"type": "string"}), "text"),
            (json!({"type": ["integer", "null"]}), "whole number"),
            (json!({"type": ["integer", "string"]}), "whole number or text"),
            (json!({"type": "array", "items": {"$ref": "#/$defs/Job"}}), "list of [Job](#job)"),
            (json!({"anyOf": [{"$ref": "#/$defs/Span"}, {"type": "null"}]}), "[Span](#span)"),
            (
                json!({"type": "object", "additionalProperties": {"type": "integer"}}),
                "object: name to whole number",
            ),
            (json!({"type": "object", "additionalProperties": true}), "object"),
            (json!({"const": "local", "type": "string"}), "`\"local\"`"),
            (json!({"description": "Whatever."}), "any value"),
        ] {
            assert_eq!(type_of(&schema), phrase, "{schema}");
        }
    }

    #[test]
    fn ranges_and_defaults_are_sentences() {
        for (field, words) in [
            (
                json!({"description": "How many.", "minimum": 1, "maximum": 1_000_000}),
                "How many. Allowed: 1 to 1,000,000.",
            ),
            (json!({"description": "How much.", "minimum": 0.0}), "How much. Allowed: 0 or more."),
            (
                json!({"description": "Rare.", "minimum": 0.000_001, "maximum": 1.5}),
                "Rare. Allowed: 0.000001 to 1.5.",
            ),
            (
                json!({"description": "Name.", "minLength": 1, "maxLength": 200}),
                "Name. Allowed: 1 to 200 characters.",
            ),
            (json!({"description": "Version.", "minimum": 1, "maximum": 1}), "Version. Allowed: 1."),
            (json!({"description": "Weight.", "default": 0.5}), "Weight. Default: `0.5`."),
            (json!({"description": "Nothing.", "default": null}), "Nothing."),
            (json!({"description": "Empty.", "default": []}), "Empty."),
        ] {
            assert_eq!(meaning(&field), words);
        }
    }

    #[test]
    fn an_open_object_says_so() {
        let table = object(
            &json!({"properties": {"b": {"type": "string"}, "a": {"type": "string", "description": "x | y"}},
            "required": ["b"], "additionalProperties": true}),
        );
        assert_eq!(
            table,
            "| field | type | meaning |\n|---|---|---|\n| `b` (required) | text |  |\n| `a` | text | x \\| y |\n\nOther fields are kept as they are.\n"
        );
    }
}
