//! REST: who may ask, and the resources beside pull requests.

use serde_json::{Value, json};

use super::exchange::{Exchange, Replied, error};
use super::world::World;
use super::{ReplayFamily, pull_requests, shapes};

/// Answers a call below `/rest`.
pub(super) fn answer(world: &mut World, exchange: &Exchange) -> Replied {
    let segments: Vec<_> = exchange.path().trim_start_matches("/rest/").split('/').collect();
    let [service, "1.0" | "latest", segments @ ..] = segments.as_slice() else { return no_resource() };
    if !exchange.family.has_service(service) {
        return no_resource();
    }
    if (*service, segments) == ("api", &["application-properties"][..]) {
        // Source: described as answered without authentication.
        return Replied::json(200, &shapes::properties(exchange.family));
    }
    if !exchange.header("accept").contains("json") && !exchange.header("accept").contains("*/*") {
        return Replied { status: 406, headers: Vec::new(), body: String::new() };
    }
    let Some(user) = world.user(exchange).or_else(|| basic(exchange)) else {
        let exception = "AuthorisationException";
        return Replied::json(401, &error("You are not permitted to access this resource", exception));
    };
    let is_json = exchange.header("content-type").starts_with("application/json");
    if exchange.is_write()
        && exchange.family.checks_token()
        && !is_json
        && exchange.header("x-atlassian-token") != "no-check"
    {
        return Replied::json(403, &error("XSRF check failed", ""));
    }
    let found = match *service {
        "api" => api(world, exchange, &user, segments),
        "audit" | "auditing" if user != "admin" => Some(Replied::json(
            401,
            &error("You are not permitted to access this resource", "AuthorisationException"),
        )),
        "audit" => (segments == ["projects", "P", "repos", "r", "events"]).then(repository_events),
        "auditing" => (segments == ["events"]).then(|| events(exchange)),
        "branch-utils" => branch_utils(world, exchange, segments),
        "build-status" => build_status(exchange, segments),
        "default-reviewers" => default_reviewers(world, exchange, segments),
        _ => pull_requests::of_page(world, exchange, service, segments),
    };
    found.unwrap_or_else(no_resource)
}

/// Returns who says so by Basic authentication.
fn basic(exchange: &Exchange) -> Option<String> {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let credentials = exchange.header("authorization").strip_prefix("Basic ")?;
    let text = String::from_utf8(BASE64_STANDARD.decode(credentials).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    (password == "secret").then(|| name.to_owned())
}

/// Source: recorded; an unknown route names no exception.
fn no_resource() -> Replied {
    Replied::json(404, &error("There is no such resource", ""))
}

fn ok(body: &Value) -> Option<Replied> {
    Some(Replied::json(200, body))
}

fn api(world: &mut World, exchange: &Exchange, user: &str, segments: &[&str]) -> Option<Replied> {
    match (exchange.method(), segments) {
        ("GET", ["projects"]) => ok(&shapes::page(&[shapes::project(exchange)])),
        ("GET", ["projects", "P"]) => ok(&shapes::project(exchange)),
        ("GET", ["projects", "P", "repos"] | ["profile", "recent", "repos"]) => {
            ok(&shapes::page(&[shapes::repository(exchange)]))
        }
        ("GET", ["users"]) => {
            let users = ["admin", "ada"].map(|name| shapes::user(exchange, name));
            ok(&shapes::page(&users))
        }
        ("GET", ["inbox", "pull-requests", "count"]) => ok(&json!({"count": 1})),
        ("GET", ["dashboard", "pull-request-suggestions"]) => ok(&shapes::page(&[])),
        (method, ["projects", "P", "repos", "r", below @ ..]) => repository(world, exchange, method, below)
            .or_else(|| pull_requests::answer(world, exchange, user, below)),
        _ => None,
    }
}

fn repository(world: &World, exchange: &Exchange, method: &str, below: &[&str]) -> Option<Replied> {
    if method != "GET" {
        return None;
    }
    match below {
        [] => ok(&shapes::repository(exchange)),
        ["branches"] => {
            let wanted = exchange.parameter("filterText");
            let branches =
                world.branches().into_iter().filter(|(name, _)| shapes::short(name).contains(&wanted));
            let values: Vec<_> = branches.map(|(name, commit)| shapes::branch(&name, &commit)).collect();
            ok(&shapes::page(&values))
        }
        ["branches", "default"] => ok(&shapes::branch(MAIN, &world.commit(MAIN).unwrap_or_default())),
        ["default-branch"] if exchange.family.names_default_branch() => ok(&shapes::minimal_ref(MAIN)),
        ["settings", "pull-requests"] => ok(&settings(exchange.family)),
        ["compare", what, ..] => {
            let (from, to) = (exchange.parameter("from"), exchange.parameter("to"));
            let (source, target) = (world.commit(&from)?, world.commit(&to)?);
            match *what {
                "changes" => {
                    let changed = world.changed(&from, &to);
                    let values: Vec<_> = changed.iter().map(|file| shapes::change(exchange, file)).collect();
                    ok(&shapes::page(&values))
                }
                "commits" => ok(&shapes::page(&[shapes::commit(&source)])),
                "diff" => {
                    let file = below.get(2..).unwrap_or_default().join("/");
                    let is_changed = world.changed(&from, &to).contains(&file);
                    is_changed.then(|| Replied::json(200, &shapes::diff(&file, &source, &target)))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Source: recorded as numbers and truths; the description of 9.4 has an object where servers send a number.
fn settings(family: ReplayFamily) -> Value {
    let strategy = json!({
        "description": "Always create a merge commit", "enabled": true, "flag": "--no-ff", "id": "no-ff",
        "name": "Merge commit",
    });
    let mut settings = json!({
        "requiredAllApprovers": false, "requiredAllTasksComplete": false, "requiredApprovers": 0,
        "requiredSuccessfulBuilds": 0,
        "mergeConfig": {
            "defaultStrategy": strategy, "strategies": [strategy], "type": "DEFAULT",
        },
    });
    if family >= ReplayFamily::Seven
        && let Some(members) = settings.as_object_mut()
    {
        members.insert("unapproveOnUpdate".to_owned(), json!(false));
    }
    settings
}

/// Source: the recorded reviewers are a plain list of users, of which there are none here.
fn default_reviewers(world: &World, exchange: &Exchange, segments: &[&str]) -> Option<Replied> {
    let ["projects", "P", "repos", "r", "reviewers"] = segments else { return None };
    let known = ["sourceRefId", "targetRefId"].map(|name| world.commit(&exchange.parameter(name)).is_some());
    known.iter().all(|known| *known).then(|| Replied::json(200, &json!([])))
}

/// Source: older servers give only the first three.
fn build_status(exchange: &Exchange, segments: &[&str]) -> Option<Replied> {
    let ["commits", "stats", commit] = segments else { return None };
    let older = json!({"successful": 0, "inProgress": 0, "failed": 0});
    let newer = json!({"successful": 0, "inProgress": 0, "failed": 0, "cancelled": 0, "unknown": 0});
    let stats = if exchange.family < ReplayFamily::Eight { older } else { newer };
    (commit.len() == 40).then(|| Replied::json(200, &stats))
}

fn branch_utils(world: &World, exchange: &Exchange, segments: &[&str]) -> Option<Replied> {
    match (exchange.method(), segments) {
        ("GET", ["projects", "P", "repos", "r", "automerge", "path"])
            if exchange.family.tells_automerge() =>
        {
            ok(&json!({"path": []}))
        }
        ("DELETE", ["projects", "P", "repos", "r", "branches"]) => {
            let sent = exchange.sent();
            let name = sent.get("name").and_then(Value::as_str)?;
            if sent.get("dryRun") != Some(&json!(true)) {
                world.delete_branch(name);
            }
            Some(Replied::nothing())
        }
        _ => None,
    }
}

/// Source: the members of an entry of 7.x's audit log.
fn repository_events() -> Replied {
    let event = json!({"action": "RepositoryCreatedEvent", "timestamp": shapes::MADE});
    Replied::json(200, &shapes::page(&[event]))
}

/// Source: an audit log that Bitbucket 7.18 wrote, and the description of the interface that Atlassian's products share.
fn events(exchange: &Exchange) -> Replied {
    let event = json!({
        "timestamp": "2023-11-14T22:13:20.000Z",
        "author": {
            "name": "admin", "type": "NORMAL", "id": "1", "uri": format!("{}/users/admin", exchange.base()),
            "avatarUri": "",
        },
        "type": {
            "categoryI18nKey": "bitbucket.service.audit.category.repositories", "category": "Repositories",
            "actionI18nKey": "bitbucket.service.repository.audit.action.repositorycreated",
            "action": "Repository created",
        },
        "affectedObjects": [], "changedValues": [], "source": "127.0.0.1", "system": exchange.base(),
        "node": "00000000-0000-0000-0000-000000000001", "method": "Browser", "extraAttributes": [],
    });
    let paging = json!({"lastPage": true, "size": 1});
    Replied::json(200, &json!({"pagingInfo": paging, "entities": [event]}))
}

const MAIN: &str = "refs/heads/main";
