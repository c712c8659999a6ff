//! One page a document: its fields, and those of everything within it, as its schema has them.

use std::collections::{BTreeSet, VecDeque};

use serde_json::Value;

use super::fields::{cell, object, sentence, type_of};
use super::pages::Generated;

/// Returns the generated part of every document's page, by page.
pub(super) fn pages() -> Generated {
    e3_model::schemas().iter().map(|(name, schema)| (format!("documents/{name}.md"), part(schema))).collect()
}

/// Returns the document's own fields, then one section for each type in it, in the order in which they are met: first
/// those with fields of their own, then plain values.
fn part(schema: &Value) -> String {
    let mut seen = BTreeSet::new();
    let mut waiting: VecDeque<String> = references(schema).into();
    let (mut objects, mut values) = (String::new(), String::new());
    while let Some(name) = waiting.pop_front() {
        let Some(definition) = schema.pointer(&format!("/$defs/{name}")) else { continue };
        if seen.insert(name.clone()) {
            let sections = if definition.get("properties").is_some() { &mut objects } else { &mut values };
            sections.push_str(&format!("\n## {name}\n\n{}\n\n{}", sentence(definition), body(definition)));
            waiting.extend(references(definition));
        }
    }
    format!("## Fields\n\n{}\n\n{}{objects}{values}", sentence(schema), body(schema))
}

/// Returns what a type consists of: fields, one of several forms, or a plain value.
fn body(schema: &Value) -> String {
    if schema.get("properties").is_some() {
        return object(schema);
    }
    if let Some(forms) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) {
        return self::forms(forms);
    }
    format!("It is {}.\n", type_of(schema))
}

/// Returns the forms that a type can take: words, other types, or objects.
fn forms(forms: &[Value]) -> String {
    if forms.iter().all(|form| form.get("properties").is_none()) {
        let rows = forms.iter().map(|form| format!("| {} | {} |\n", type_of(form), cell(sentence(form))));
        return format!("| value | meaning |\n|---|---|\n{}", rows.collect::<String>());
    }
    let form = |form: &Value| format!("{}\n\n{}\n", sentence(form), object(form));
    format!("It takes one of these forms.\n\n{}", forms.iter().map(form).collect::<String>())
}

/// Returns the names of the types that a schema refers to, in order, without those within its definitions.
fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(map) => {
            let own = map.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/"));
            let inner =
                map.iter().filter(|(key, _)| *key != "$defs").flat_map(|(_, value)| references(value));
            own.map(str::to_owned).into_iter().chain(inner).collect()
        }
        Value::Array(values) => values.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_follow_in_the_order_in_which_they_are_met() {
        let schema = json!({
            "description": "A plan.", "type": "object", "required": ["order"],
            "properties": {"order": {"$ref": "#/$defs/Order", "description": "How."}, "size": {"type": "integer", "minimum": 1}},
            "$defs": {
                "Order": {"description": "An order.", "oneOf": [{"const": "parallel", "description": "At once."}, {"$ref": "#/$defs/Turn", "description": "In turn."}]},
                "Turn": {"description": "A turn.", "type": "object", "properties": {"of": {"type": "string"}}},
                "Unused": {"type": "string"}
            }
        });
        let part = part(&schema);
        assert!(part.starts_with("## Fields\n\nA plan.\n\n| field | type | meaning |\n"), "{part}");
        assert!(part.contains("| `order` (required) | [Order](#order) | How. |\n"), "{part}");
        assert!(part.contains("\n## Order\n\nAn order.\n\n| value | meaning |\n|---|---|\n| `\"parallel\"` | At once. |\n| [Turn](#turn) | In turn. |\n"), "{part}");
        let place = |section: &str| part.find(section).unwrap();
        assert!(
            place("## Turn\n\nA turn.\n\n| field |") < place("## Order"),
            "what has fields comes first: {part}"
        );
        assert!(!part.contains("Unused"), "{part}");
    }
}
