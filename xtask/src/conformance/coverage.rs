//! Whether every operation that githost says it serves, and that the interface's description has, is a row.

use std::collections::BTreeSet;

use serde_json::Value;

use super::operation::{Described, Operation};

/// Returns the operations of both documents that no row holds against the description, as `METHOD /path`.
///
/// An operation that recordings or the facts about the interface prove to be described wrongly needs a row all the same.
pub(super) fn without_row(own: &Value, described: &Value, rows: &[&[Operation]]) -> Vec<String> {
    let described = operations(described);
    let rows: BTreeSet<String> = rows
        .iter()
        .copied()
        .flatten()
        .filter(|row| !matches!(row.described, Described::Not))
        .map(|row| shown(row.method, row.path))
        .collect();
    operations(own).into_iter().filter(|one| described.contains(one) && !rows.contains(one)).collect()
}

fn operations(document: &Value) -> BTreeSet<String> {
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    paths
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().into_iter().flatten();
            methods.map(|(method, _)| shown(method, path)).collect::<Vec<_>>()
        })
        .collect()
}

/// Names of parameters differ, and some paths are described without the slash before one.
fn shown(method: &str, path: &str) -> String {
    let mut shown = format!("{} ", method.to_ascii_uppercase());
    for (number, part) in path.split(['{', '}']).enumerate() {
        if number % 2 == 0 {
            shown.push_str(part);
        } else {
            let slash = if shown.ends_with('/') { "" } else { "/" };
            shown.push_str(&format!("{slash}{{}}"));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conformance::operation::{get, post};

    #[test]
    fn what_is_served_and_described_needs_a_row() {
        let own = json!({"paths": {
            "/a/{key}": {"get": {}, "put": {}}, "/b/diff/{path}": {"get": {}}, "/own": {"get": {}}, "/c": {"post": {}},
        }});
        let described = json!({"paths": {
            "/a/{projectKey}": {"get": {}, "put": {}, "delete": {}}, "/b/diff{path}": {"get": {}}, "/c": {"post": {}},
        }});
        const ROWS: &[Operation] =
            &[get("/a/{x}"), Operation { described: Described::Not, ..post("/c", "") }];
        let missing = without_row(&own, &described, &[ROWS]);
        assert_eq!(missing, ["GET /b/diff/{}", "POST /c", "PUT /a/{}"]);
        const MORE: &[Operation] =
            &[get("/b/diff{p}"), post("/c", ""), Operation { method: "PUT", ..get("/a/{x}") }];
        assert!(without_row(&own, &described, &[ROWS, MORE]).is_empty());
    }
}
