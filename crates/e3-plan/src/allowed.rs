//! What a schema allows, in words.

use serde_json::Value;

use crate::words;

/// Returns what the schema at a node allows, such as `a whole number from 1 to 64`.
pub(crate) fn in_words(schema: &Value, node: &Value) -> String {
    if let Some(target) = node.get("$ref").and_then(Value::as_str) {
        let definition = target.strip_prefix('#').and_then(|pointer| schema.pointer(pointer));
        return definition.map_or_else(String::new, |definition| in_words(schema, definition));
    }
    if let Some(branches) = node.get("anyOf").and_then(Value::as_array) {
        let named: Vec<String> = branches
            .iter()
            .map(|branch| in_words(schema, branch))
            .filter(|words| !words.is_empty())
            .collect();
        return named.join(", or ");
    }
    if let Some(branches) = node.get("oneOf").and_then(Value::as_array) {
        return one_of(branches);
    }
    match (node.get("pattern").and_then(Value::as_str), node.get("description").and_then(Value::as_str)) {
        (Some(pattern), _) if let Some(choices) = literal_choices(pattern) => words::choices(&choices),
        (Some(_), Some(description)) => lower_first(description.trim_end_matches('.')),
        _ => types(node),
    }
}

/// Returns the keys that an object of the schema may have.
pub(crate) fn keys(node: &Value) -> impl Iterator<Item = &str> {
    node.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key.as_str())
}

/// Returns the texts that a pattern such as `^(a|b)$` allows; none when it is not of that form.
pub(crate) fn literal_choices(pattern: &str) -> Option<Vec<&str>> {
    let inner = pattern.strip_prefix('^')?.strip_suffix('$')?;
    let inner = inner.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(inner);
    let plain = |choice: &&str| choice.chars().all(|c| c.is_ascii_alphanumeric() || "/-_".contains(c));
    let choices: Vec<&str> = inner.split('|').collect();
    choices.iter().all(plain).then_some(choices)
}

/// Returns the key by whose value the branches tell themselves apart, and its value in each.
pub(crate) fn tag(branches: &[Value]) -> Option<(&str, Vec<&str>)> {
    let tag_of = |branch: &'_ Value| {
        let properties = branch.get("properties")?.as_object()?;
        properties.iter().find(|(_, property)| property.get("const").is_some()).map(|(key, _)| key.clone())
    };
    let first = tag_of(branches.first()?)?;
    let (key, _) = branches.first()?.get("properties")?.as_object()?.get_key_value(&first)?;
    let values = branches.iter().map(|branch| branch.pointer(&format!("/properties/{key}/const"))?.as_str());
    Some((key.as_str(), values.collect::<Option<Vec<_>>>()?))
}

fn one_of(branches: &[Value]) -> String {
    if let Some((key, values)) = tag(branches) {
        return format!("an object whose {key:?} is {}", words::choices(&values));
    }
    let values: Vec<&str> = branches.iter().filter_map(|branch| branch.get("const")?.as_str()).collect();
    words::choices(&values)
}

fn types(node: &Value) -> String {
    let named: Vec<String> = match node.get("type") {
        Some(Value::String(name)) => vec![type_name(name, node)],
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(Value::as_str)
            .filter(|name| *name != "null")
            .map(|name| type_name(name, node))
            .collect(),
        _ => Vec::new(),
    };
    named.iter().filter(|name| !name.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" or ")
}

fn type_name(name: &str, node: &Value) -> String {
    match name {
        "integer" => format!("a whole number{}", range(node)),
        "number" => format!("a number{}", range(node)),
        "string" => "text".to_owned(),
        "boolean" => "true or false".to_owned(),
        "array" => "a list".to_owned(),
        "object" => object(node),
        _ => String::new(),
    }
}

/// Returns an object by the keys that it must have.
fn object(node: &Value) -> String {
    let required = node.get("required").and_then(Value::as_array).into_iter().flatten();
    let keys: Vec<String> = required.filter_map(Value::as_str).map(words::quoted).collect();
    if keys.is_empty() { "an object".to_owned() } else { format!("an object with {}", keys.join(" and ")) }
}

/// Returns whether a number may stand where the schema at a node is for.
pub(crate) fn takes_number(schema: &Value, node: &Value) -> bool {
    if let Some(target) = node.get("$ref").and_then(Value::as_str) {
        let definition = target.strip_prefix('#').and_then(|pointer| schema.pointer(pointer));
        return definition.is_some_and(|definition| takes_number(schema, definition));
    }
    let is_number = |name: &Value| matches!(name.as_str(), Some("number" | "integer"));
    match node.get("type") {
        Some(Value::Array(names)) => names.iter().any(is_number),
        Some(name) => is_number(name),
        None => {
            let branches = node.get("anyOf").and_then(Value::as_array).into_iter().flatten();
            branches.into_iter().any(|branch| takes_number(schema, branch))
        }
    }
}

fn range(node: &Value) -> String {
    let bound = |key: &str| node.get(key).and_then(Value::as_f64).map(words::decimal);
    match (bound("minimum"), bound("maximum")) {
        (Some(low), Some(high)) if low == high => format!(", {low}"),
        (Some(low), Some(high)) => format!(" from {low} to {high}"),
        (Some(low), None) => format!(", {low} or more"),
        (None, Some(high)) => format!(", {high} or less"),
        (None, None) => String::new(),
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::EXPERIMENT;

    #[test]
    fn knows_where_a_number_may_stand() {
        let schema = &EXPERIMENT.schema;
        for (pointer, expected) in [
            ("/$defs/ExperimentStage/properties/rate", true),
            ("/$defs/ExperimentStage/properties/clients", true),
            ("/$defs/InstanceSpec/properties/budget", true),
            ("/$defs/RateRamp/properties/from", true),
            ("/properties/order", false),
            ("/properties/description", false),
        ] {
            assert_eq!(takes_number(schema, schema.pointer(pointer).unwrap()), expected, "{pointer}");
        }
    }

    #[test]
    fn says_what_each_setting_may_be() {
        let schema = &EXPERIMENT.schema;
        for (pointer, expected) in [
            ("/$defs/InstanceSpec/properties/nodes", "a whole number from 1 to 64"),
            ("/$defs/InstanceSpec/properties/budget", "a number, 0 or more"),
            ("/$defs/InstanceSpec/properties/database", r#""sqlite" or "postgresql""#),
            ("/$defs/InstanceSpec/properties/properties", "a list"),
            ("/properties/order", r#""parallel" or "interleaved""#),
            ("/properties/format", r#""e3/experiment""#),
            ("/properties/version", "a whole number, 1"),
            (
                "/$defs/ExperimentStage/properties/rate",
                r#"a number from 0.000001 to 1000000, or an object with "from" and "to""#,
            ),
            ("/$defs/ExperimentStage/properties/arrival", r#""constant" or "poisson""#),
            ("/properties/http", r#""1.1" or "2""#),
            ("/properties/connections", r#""keepAlive" or "perOp""#),
            (
                "/properties/duration",
                r#"a span of time: milliseconds as a number, or text such as "250ms", "90s", "10m", "2h""#,
            ),
            (
                "/properties/thinkTime",
                r#"a span of time: milliseconds as a number, or text such as "250ms", "90s", "10m", "2h", or an object whose "distribution" is "constant", "exponential" or "log-normal""#,
            ),
        ] {
            assert_eq!(in_words(schema, schema.pointer(pointer).unwrap()), expected, "{pointer}");
        }
    }
}
