//! What scripts read out of REST's pages.

use e3_workload::ClientContext;
use serde_json::Value;

use crate::setting::draw_among;

/// Draws one value of a REST page and returns that text field of it; none when the page is empty.
pub(crate) fn draw_text(page: &Value, field: &str, context: &mut ClientContext) -> Option<String> {
    draw(page, context)?.get(field)?.as_str().map(str::to_owned)
}

/// Draws one value of a REST page and returns that number of it; none when the page is empty.
pub(crate) fn draw_number(page: &Value, field: &str, context: &mut ClientContext) -> Option<u64> {
    draw(page, context)?.get(field)?.as_u64()
}

fn draw<'a>(page: &'a Value, context: &mut ClientContext) -> Option<&'a Value> {
    draw_among(page.get("values")?.as_array()?, context)
}

/// Returns the paths of the files in a page of changes.
///
/// Source: `nodeType` says what a change is about; `type`, which the first E3 read, says what happened to it.
pub(crate) fn changed_files(page: &Value) -> Vec<String> {
    let changes = page.get("values").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_file = |change: &&Value| change.get("nodeType").is_none_or(|kind| kind == "FILE");
    let path = |change: &Value| change.get("path")?.get("toString")?.as_str().map(str::to_owned);
    changes.iter().filter(is_file).filter_map(path).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn files_are_told_by_their_node_type() {
        let change =
            |path: &str, node: &str| json!({"path": {"toString": path}, "type": "ADD", "nodeType": node});
        let page = json!({"values": [change("a/b.txt", "FILE"), change("lib", "SUBMODULE"), {"path": {}}]});
        assert_eq!(changed_files(&page), ["a/b.txt"]);
        assert_eq!(changed_files(&json!({})), Vec::<String>::new());
    }
}
