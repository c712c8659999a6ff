//! The pages: little more than that they are there, and for whom.

use super::exchange::{Exchange, Replied};
use super::world::World;

/// Answers a page or the form of one.
pub(super) fn answer(world: &mut World, exchange: &Exchange) -> Replied {
    if exchange.path() == "/status" {
        return Replied::json(200, &serde_json::json!({"state": "RUNNING"}));
    }
    let Some(user) = world.user(exchange) else {
        return Replied::found(format!("{}/login?next={}", exchange.base(), exchange.path()));
    };
    let below = exchange.path().strip_prefix("/projects/P/repos/r").unwrap_or_default();
    let number = below.strip_prefix("/pull-requests/").and_then(|rest| rest.split('/').next());
    let number = number.filter(|number| world.pull_request(number).is_some());
    match (exchange.method(), exchange.path(), below, number) {
        ("GET", "/dashboard" | "/projects" | "/projects/P/repos", ..) => {
            Replied::page(200, "<h1>Bitbucket</h1>")
        }
        ("GET", _, "/browse" | "/branches", _) => Replied::page(200, "<table id=\"files\"></table>"),
        ("GET", _, "/compare/diff", _) if are_branches(world, exchange, ["sourceBranch", "targetBranch"]) => {
            Replied::page(200, "<div class=\"diff\"></div>")
        }
        ("GET", _, "/pull-requests", _) => list(world, exchange),
        ("POST", _, "/pull-requests", _) if is_form(exchange) => create(world, exchange, &user),
        ("GET", _, _, Some(number)) if below.ends_with(number) => {
            Replied::found(format!("{}{}/overview", exchange.base(), exchange.path()))
        }
        ("GET", _, _, Some(_)) if below.ends_with("/overview") => Replied::page(200, "<h1>Overview</h1>"),
        _ => Replied::page(404, "<h1>Not found</h1>"),
    }
}

/// The list of pull requests, or the page on which one is written.
fn list(world: &World, exchange: &Exchange) -> Replied {
    if !exchange.has_parameter("create") {
        return Replied::page(200, "<div id=\"pull-requests-content\"></div>");
    }
    if !are_branches(world, exchange, ["sourceBranch", "targetBranch"]) {
        return Replied::page(404, "<h1>No such branch</h1>");
    }
    if exchange.family.has_creation_form() {
        let field = format!(
            "<form method=\"post\"><input type=\"hidden\" name=\"atl_token\" value=\"{TOKEN}\"></form>"
        );
        return Replied::page(200, &field);
    }
    Replied::page(200, "<div id=\"create\"></div>")
}

fn is_form(exchange: &Exchange) -> bool {
    exchange.family.has_creation_form()
        && exchange.has_parameter("create")
        && exchange.header("content-type") == "application/x-www-form-urlencoded"
}

/// Opens a pull request by the form. Source: the first E3 against 4.x.
fn create(world: &mut World, exchange: &Exchange, user: &str) -> Replied {
    let field = |name: &str| exchange.form_field(name);
    let (from, to) = (field("fromBranch"), field("toBranch"));
    let is_sound = field("atl_token") == TOKEN
        && !field("title").is_empty()
        && ["fromRepoId", "toRepoId"]
            .iter()
            .all(|name| field(name) == super::shapes::REPOSITORY_ID.to_string())
        && [&from, &to].iter().all(|branch| world.commit(branch).is_some());
    if !is_sound {
        return Replied::page(403, "<h1>XSRF check failed, or a field is wrong</h1>");
    }
    let opened = world.open(user, &field("title"), (&from, &to));
    Replied::found(format!("{}/projects/P/repos/r/pull-requests/{}", exchange.base(), opened.id))
}

fn are_branches(world: &World, exchange: &Exchange, parameters: [&str; 2]) -> bool {
    parameters.iter().all(|name| world.commit(&exchange.parameter(name)).is_some())
}

/// What the page hides for its form.
const TOKEN: &str = "b8a2f06c4f3e1d57";
