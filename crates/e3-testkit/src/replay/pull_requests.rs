//! Pull requests by REST, and what their pages call beside it.

use serde_json::{Value, json};

use super::exchange::{Exchange, Replied, error};
use super::shapes;
use super::world::{PullRequest, World};

/// Answers a call below a repository that is about pull requests; none for what is not there.
pub(super) fn answer(world: &mut World, exchange: &Exchange, user: &str, below: &[&str]) -> Option<Replied> {
    let ["pull-requests", below @ ..] = below else { return None };
    match (exchange.method(), below) {
        ("GET", []) => {
            let open: Vec<_> =
                world.pull_requests.iter().filter(|known| known.state == "OPEN").cloned().collect();
            let shapes: Vec<_> = open.iter().map(|of| shapes::pull_request(world, exchange, of)).collect();
            Some(Replied::json(200, &shapes::page(&shapes)))
        }
        ("POST", []) => create(world, exchange, user),
        (method, [id, below @ ..]) => {
            let of = world.pull_request(id)?.clone();
            match (method, below) {
                ("GET", []) => Some(Replied::json(200, &shapes::pull_request(world, exchange, &of))),
                ("GET", ["merge"]) => {
                    let can = json!({
                        "canMerge": true, "conflicted": false, "outcome": "CLEAN", "vetoes": [],
                    });
                    Some(Replied::json(200, &can))
                }
                ("POST", ["merge"]) => Some(end(world, exchange, &of, ("MERGED", 2))),
                ("POST", ["decline"]) => Some(end(world, exchange, &of, ("DECLINED", 1))),
                ("GET", ["changes"]) => Some(changes(world, exchange, &of)),
                ("GET", ["diff", file @ ..]) => {
                    let (file, target) = (file.join("/"), world.commit(&of.to)?);
                    let is_changed = world.changed(&of.source, &of.to).contains(&file);
                    is_changed.then(|| Replied::json(200, &shapes::diff(&file, &of.source, &target)))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Source: recorded, status 201 and the new one's address.
fn create(world: &mut World, exchange: &Exchange, user: &str) -> Option<Replied> {
    let sent = exchange.sent();
    let text = |pointer: &str| sent.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (from, to) = (text("/fromRef/id"), text("/toRef/id"));
    let is_here = ["/fromRef/repository/slug", "/toRef/repository/slug"].iter().all(|slug| text(slug) == "r");
    let are_there = world.commit(&from).is_some() && world.commit(&to).is_some();
    if !is_here || !are_there {
        return None;
    }
    let opened = world.open(user, &text("/title"), (&from, &to));
    let location = format!("{}/rest/api/1.0/projects/P/repos/r/pull-requests/{}", exchange.base(), opened.id);
    let body = shapes::pull_request(world, exchange, &opened);
    Some(Replied::json(201, &body).with("location", location))
}

/// Source: recorded; a merge counts two versions on, a decline one.
fn end(
    world: &mut World,
    exchange: &Exchange,
    of: &PullRequest,
    (state, versions): (&'static str, u64),
) -> Replied {
    if exchange.parameter("version") != of.version.to_string() {
        let message = "You are attempting to modify a pull request based on out-of-date information.";
        return Replied::json(409, &error(message, "pull.PullRequestOutOfDateException"));
    }
    if of.state != "OPEN" {
        return Replied::json(409, &error("It is not open.", "pull.IllegalPullRequestStateException"));
    }
    let ended = PullRequest { state, version: of.version + versions, ..of.clone() };
    if let Some(known) = world.pull_request(&of.id.to_string()) {
        *known = ended.clone();
    }
    Replied::json(200, &shapes::pull_request(world, exchange, &ended))
}

fn changes(world: &World, exchange: &Exchange, of: &PullRequest) -> Replied {
    let changed = world.changed(&of.source, &of.to);
    let values: Vec<_> = changed.iter().map(|file| shapes::change(exchange, file)).collect();
    let mut page = shapes::page(&values);
    if let Some(members) = page.as_object_mut() {
        members.insert("fromHash".to_owned(), world.commit(&of.to).unwrap_or_default().into());
        members.insert("toHash".to_owned(), of.source.clone().into());
    }
    Replied::json(200, &page)
}

/// Answers what a pull request's page calls beside the published interface.
pub(super) fn of_page(
    world: &mut World,
    exchange: &Exchange,
    service: &str,
    segments: &[&str],
) -> Option<Replied> {
    let ["projects", "P", "repos", "r", "pull-requests", id, below @ ..] = segments else { return None };
    let of = world.pull_request(id)?.clone();
    match (service, exchange.method(), below) {
        ("jira", "GET", ["issues"]) => Some(Replied::json(200, &json!([]))),
        // Source: Atlassian's knowledge base; a dry run only says whether it could be done.
        ("pull-request-source-branch-deletion", "POST", []) => {
            if exchange.parameter("dryRun") == "false" && of.state == "MERGED" {
                world.delete_branch(&of.from);
            }
            Some(Replied::nothing())
        }
        // Source: the parameters and the body that several clients send; the answers are ours.
        ("pull-request-cleanup", "GET", [])
            if exchange.parameter("deleteSourceRef") == "true"
                && exchange.has_parameter("retargetDependents") =>
        {
            Some(Replied::json(200, &json!({"canDeleteSourceRef": true})))
        }
        ("pull-request-cleanup", "POST", []) => {
            let wants = exchange.sent().get("deleteSourceRef") == Some(&json!(true));
            if !wants || of.state != "MERGED" {
                return Some(Replied::json(409, &error("There is nothing to tidy up.", "")));
            }
            world.delete_branch(&of.from);
            Some(Replied::nothing())
        }
        _ => None,
    }
}
