//! The bodies, member by member as recordings and descriptions have them.

use serde_json::{Value, json};

use super::ReplayFamily;
use super::exchange::Exchange;
use super::world::{PullRequest, World};

/// The repository's number.
pub(super) const REPOSITORY_ID: u64 = 42;

/// Source: recorded, `nextPageStart` only where there is a next page.
pub(super) fn page(values: &[Value]) -> Value {
    json!({"size": values.len(), "limit": 25, "isLastPage": true, "values": values, "start": 0})
}

pub(super) fn properties(family: ReplayFamily) -> Value {
    json!({
        "version": family.version(), "buildNumber": family.build_number(),
        "buildDate": "1616539597394", "displayName": "Bitbucket",
    })
}

fn own(exchange: &Exchange, path: &str) -> Value {
    json!({"self": [{"href": format!("{}{path}", exchange.base())}]})
}

pub(super) fn project(exchange: &Exchange) -> Value {
    json!({
        "key": "P", "id": 7, "name": "Project", "description": "What the tests work on", "public": false,
        "type": "NORMAL", "links": own(exchange, "/projects/P"),
    })
}

/// Source: `hierarchyId` since 5.0, `archived` since 8.0.
pub(super) fn repository(exchange: &Exchange) -> Value {
    let mut links = own(exchange, "/projects/P/repos/r/browse");
    if let Some(links) = links.as_object_mut() {
        let http = json!({"href": format!("{}/scm/p/r.git", exchange.base()), "name": "http"});
        links.insert("clone".to_owned(), json!([http]));
    }
    let mut repository = json!({
        "slug": "r", "id": REPOSITORY_ID, "name": "r", "scmId": "git", "state": "AVAILABLE",
        "statusMessage": "Available", "forkable": true, "project": project(exchange), "public": false,
        "links": links,
    });
    if let Some(members) = repository.as_object_mut() {
        if exchange.family >= ReplayFamily::Seven {
            members.insert("hierarchyId".to_owned(), json!("0f1e2d3c4b5a69788796"));
        }
        if exchange.family >= ReplayFamily::Eight {
            members.insert("archived".to_owned(), json!(false));
        }
    }
    repository
}

pub(super) fn user(exchange: &Exchange, name: &str) -> Value {
    let id = if name == "admin" { 1 } else { 2 };
    json!({
        "name": name, "emailAddress": format!("{name}@example.com"), "id": id, "displayName": name, "active": true,
        "slug": name, "type": "NORMAL", "links": own(exchange, &format!("/users/{name}")),
    })
}

/// Source: `latestChangeset` is still sent by 8.19.
pub(super) fn branch(name: &str, commit: &str) -> Value {
    json!({
        "id": name, "displayId": short(name), "type": "BRANCH", "latestCommit": commit,
        "latestChangeset": commit, "isDefault": name == "refs/heads/main",
    })
}

pub(super) fn minimal_ref(name: &str) -> Value {
    json!({"id": name, "displayId": short(name), "type": "BRANCH"})
}

pub(super) fn short(name: &str) -> &str {
    name.strip_prefix("refs/heads/").unwrap_or(name)
}

/// Source: `draft` since 9.4 at the latest.
pub(super) fn pull_request(world: &World, exchange: &Exchange, of: &PullRequest) -> Value {
    let end = |name: &str, commit: &str| json!({"id": name, "displayId": short(name), "latestCommit": commit, "repository": repository(exchange)});
    let target = world.commit(&of.to).unwrap_or_default();
    let is_open = of.state == "OPEN";
    let mut shape = json!({
        "id": of.id, "version": of.version, "title": of.title, "description": "Changes some files.",
        "state": of.state, "open": is_open, "closed": !is_open, "createdDate": MADE, "updatedDate": MADE,
        "fromRef": end(&of.from, &of.source), "toRef": end(&of.to, &target), "locked": false,
        "author": {"user": user(exchange, &of.author), "role": "AUTHOR", "approved": false, "status": "UNAPPROVED"},
        "reviewers": [], "participants": [],
        "links": own(exchange, &format!("/projects/P/repos/r/pull-requests/{}", of.id)),
    });
    let Some(members) = shape.as_object_mut() else { return shape };
    if !is_open {
        members.insert("closedDate".to_owned(), json!(MADE));
    }
    if of.state == "MERGED" {
        let commit = json!({"displayId": of.source.get(..11), "id": of.source});
        members.insert("properties".to_owned(), json!({"mergeCommit": commit}));
    }
    if exchange.family >= ReplayFamily::Nine {
        members.insert("draft".to_owned(), json!(false));
    }
    shape
}

/// Source: the recorded changes of a pull request; `type` says what happened, `nodeType` to what.
pub(super) fn change(exchange: &Exchange, file: &str) -> Value {
    json!({
        "contentId": "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        "fromContentId": "0000000000000000000000000000000000000000",
        "path": path(file), "executable": false, "percentUnchanged": -1, "type": "ADD", "nodeType": "FILE",
        "srcExecutable": false, "links": own(exchange, &format!("/projects/P/repos/r/browse/{file}")),
        "properties": {"gitChangeType": "ADD"},
    })
}

fn path(file: &str) -> Value {
    let components: Vec<_> = file.split('/').collect();
    let (name, parents) = components.split_last().map_or(("", &[][..]), |(name, parents)| (*name, parents));
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    json!({
        "components": components, "parent": parents.join("/"), "name": name, "extension": extension,
        "toString": file,
    })
}

/// Source: the recorded difference of a pull request's file.
pub(super) fn diff(file: &str, from: &str, to: &str) -> Value {
    let line = json!({"source": 0, "destination": 1, "line": "a line", "truncated": false});
    let segment = json!({"type": "ADDED", "lines": [line], "truncated": false});
    let hunk = json!({
        "sourceLine": 0, "sourceSpan": 0, "destinationLine": 1, "destinationSpan": 1, "segments": [segment],
        "truncated": false,
    });
    let diff = json!({"source": null, "destination": path(file), "hunks": [hunk], "truncated": false});
    json!({
        "fromHash": to, "toHash": from, "contextLines": 10, "whitespace": "SHOW", "diffs": [diff],
        "truncated": false,
    })
}

/// Source: a recorded commit whose author is no user.
pub(super) fn commit(id: &str) -> Value {
    let author = json!({"name": "E3", "emailAddress": "e3@example.com"});
    json!({
        "id": id, "displayId": id.get(..11), "author": author, "authorTimestamp": MADE, "committer": author,
        "committerTimestamp": MADE, "message": "Change files", "parents": [],
    })
}

/// When everything happened, in milliseconds since 1970.
pub(super) const MADE: u64 = 1_700_000_000_000;
