//! The interface's own description, OpenAPI 3.0.3, at `/rest/openapi.json` for everyone.
//!
//! Kept by hand as tables of operations, one file a subject; what holds for all of them (errors, pages, paths) is added
//! here. The test below holds the tables against the routes that are served, both ways. Every path is also served with
//! `1.0` in the place of `latest`.

mod faults;
mod history;
mod operation;
mod people;
mod projects;
mod pull_requests;
mod schemas;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::Router;
use axum::routing::get;
use http::header;
use serde_json::{Map, Value, json};

use self::operation::{Body, Operation, Query};
use crate::state::App;

pub(super) fn routes() -> Router<App> {
    let answer = async || ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str());
    Router::new().route("/openapi.json", get(answer))
}

static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_string());

/// All operations, by subject.
const TABLES: &[&[Operation]] =
    &[projects::TABLE, history::TABLE, pull_requests::TABLE, people::TABLE, faults::TABLE];

fn document() -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in TABLES.iter().copied().flatten() {
        let path = paths.entry(operation.path).or_default();
        path.insert(operation.method.to_owned(), described(operation));
    }
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "githost",
            "description": "The part of Bitbucket Data Center's REST interface that githost serves. Every path is also \
                            served with 1.0 in the place of latest.",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "servers": [{"url": "/rest"}],
        "security": [{"basic": []}, {"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": crate::auth::SESSION_COOKIE},
            },
        },
    })
}

fn described(operation: &Operation) -> Value {
    let mut described = json!({
        "operationId": format!("{} {}", operation.method, operation.path),
        "summary": operation.summary,
        "parameters": parameters(operation),
        "responses": responses(operation),
    });
    if let Some(name) = operation.body
        && let Some(members) = described.as_object_mut()
    {
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        let body = json!({"required": false, "content": {"application/json": {"schema": schema}}});
        members.insert("requestBody".to_owned(), body);
    }
    if operation.is_public
        && let Some(members) = described.as_object_mut()
    {
        members.insert("security".to_owned(), json!([]));
    }
    described
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let names = operation.path.split(['{', '}']).skip(1).step_by(2);
    let in_path = names.map(|name| {
        json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}})
    });
    let paged = matches!(operation.answer, Body::Page(_) | Body::Paged(_));
    let of_pages: &[Query] = if paged { PAGING } else { &[] };
    let in_query = operation.query.iter().chain(of_pages).map(|query| {
        json!({"name": query.name, "in": "query", "required": query.is_required, "schema": query.schema()})
    });
    in_path.chain(in_query).collect()
}

const PAGING: &[Query] = &[Query::number("start"), Query::number("limit")];

fn responses(operation: &Operation) -> Value {
    let mut responses = Map::new();
    let answer = |body: Body| match body.schema() {
        Some(schema) => {
            json!({"description": "The answer.", "content": {"application/json;charset=UTF-8": {"schema": schema}}})
        }
        None if body == Body::Raw => {
            json!({"description": "The file.", "content": {"text/plain;charset=UTF-8": {"schema": {"type": "string"}}}})
        }
        None => json!({"description": "There is nothing to say."}),
    };
    responses.insert(operation.status.to_string(), answer(operation.answer));
    for status in operation.also {
        responses.insert(status.to_string(), answer(Body::Nothing));
    }
    let mut failure = |status: u16, why: &str| {
        let schema = json!({"$ref": "#/components/schemas/Errors"});
        let content = json!({"application/json;charset=UTF-8": {"schema": schema}});
        responses.insert(status.to_string(), json!({"description": why, "content": content}));
    };
    if !operation.is_public {
        failure(401, "Nobody who may.");
    }
    if operation.path.contains('{') || operation.names_something() {
        failure(404, "What is named is not there.");
    }
    let writes = operation.method != "get";
    if writes || operation.has_query() {
        failure(400, "Something in the request is not acceptable.");
    }
    if writes {
        failure(403, "The request comes from another site.");
    }
    if operation.body.is_some() {
        failure(413, "The body is too large.");
        failure(415, "The body is not application/json.");
    }
    for status in operation.failures {
        failure(*status, "What is asked for does not fit what is there.");
    }
    failure(503, "The server is busy.");
    responses.insert("406".to_owned(), json!({"description": "The client takes no such answer."}));
    Value::Object(responses)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Reads what axum's router says of itself: the routes by their numbers, then the paths of the numbers.
    fn served(router: &Router<App>) -> BTreeSet<String> {
        let text = format!("{router:?}");
        let methods = ["get", "put", "post", "delete"];
        let mut found = BTreeSet::new();
        let (routes, paths) =
            text.split_once("node: Node { paths: {").expect("axum's router lists its paths");
        for entry in paths.split("RouteId(").skip(1) {
            let Some((number, rest)) = entry.split_once("): \"") else { continue };
            let Some((path, _)) = rest.split_once('"') else { continue };
            let Some((_, route)) = routes.split_once(&format!("RouteId({number}): ")) else { continue };
            let route = route.split("RouteId(").next().unwrap_or(route);
            for method in methods {
                if route.contains(&format!(" {method}: BoxedHandler"))
                    || route.contains(&format!(" {method}: Route"))
                {
                    found.insert(format!("{method} {}", path.replace("{*", "{")));
                }
            }
        }
        found
    }

    /// The answer to paths that lead nowhere is a route to axum, too, by a number of another list, so with any method.
    fn is_fallback(path: &str) -> bool {
        path.ends_with(" /") || path.contains("axum_fallback")
    }

    #[test]
    fn every_route_is_described_and_every_description_is_served() {
        let served = served(&crate::rest::routes());
        let alias = |path: &str| path.contains("/1.0");
        let latest: BTreeSet<&str> =
            served.iter().map(String::as_str).filter(|path| !alias(path) && !is_fallback(path)).collect();
        assert!(latest.len() > 100, "axum's router no longer tells its routes: {latest:?}");
        let described: Vec<String> = TABLES
            .iter()
            .copied()
            .flatten()
            .map(|operation| format!("{} {}", operation.method, operation.path))
            .collect();
        let unique: BTreeSet<&str> = described.iter().map(String::as_str).collect();
        assert_eq!(unique.len(), described.len(), "none is described twice");
        let missing: Vec<_> = latest.difference(&unique).collect();
        let gone: Vec<_> = unique.difference(&latest).collect();
        assert!(missing.is_empty() && gone.is_empty(), "not described: {missing:#?}\nnot served: {gone:#?}");
        for path in latest.iter().filter(|path| path.contains("/latest/")) {
            assert!(
                served.contains(&path.replacen("/latest/", "/1.0/", 1)),
                "{path} is served by one name only"
            );
        }
    }

    #[test]
    fn the_document_refers_to_nothing_that_it_does_not_have() {
        let text = document().to_string();
        let schemas = schemas::all();
        for rest in text.split("#/components/schemas/").skip(1) {
            let name = rest.split('"').next().unwrap();
            assert!(schemas.get(name).is_some(), "{name}");
        }
    }
}
