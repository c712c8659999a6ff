//! Login and logout, in the way of each family.

use serde_json::json;

use super::exchange::{Exchange, Replied};
use super::world::World;

/// Answers what belongs to login and logout; none for anything else.
pub(super) fn answer(world: &mut World, exchange: &Exchange) -> Option<Replied> {
    let by_call = exchange.family.logs_in_by_call();
    match (exchange.method(), exchange.path()) {
        ("GET", "/login") => Some(Replied::page(200, if by_call { TWO_STEPS } else { FORM })),
        ("POST", "/j_atl_security_check") if !by_call => Some(form(world, exchange)),
        ("POST", "/rest/tsv/1.0/authenticate" | "/rest/tsv/latest/authenticate") if by_call => {
            Some(call(world, exchange))
        }
        ("GET" | "POST", "/j_atl_security_logout") => {
            world.log_out(exchange);
            Some(Replied::found(format!("{}/login", exchange.base())))
        }
        _ => None,
    }
}

/// Source: 302 to where the user came from, or back to the page; the session's cookie comes with the former.
fn form(world: &mut World, exchange: &Exchange) -> Replied {
    let (name, password) = (exchange.form_field("j_username"), exchange.form_field("j_password"));
    if !may_log_in(&name, &password) {
        return Replied::found(format!("{}/login", exchange.base()));
    }
    let session = session(world, exchange, &name);
    Replied::found(format!("{}/dashboard", exchange.base())).with("set-cookie", session)
}

/// Source: the described answers 200, 401 and 412 of 9.4.
fn call(world: &mut World, exchange: &Exchange) -> Replied {
    let sent = exchange.sent();
    let text = |field: &str| sent.get(field).and_then(serde_json::Value::as_str).unwrap_or_default();
    let (name, password) = (text("username"), text("password"));
    if name == "second-factor" {
        let next = json!({"conversationId": "c1", "nextLoginStep": "TOTP_CODE_VERIFICATION"});
        return Replied::json(412, &next);
    }
    if !may_log_in(name, password) {
        let refused =
            json!({"message": "Invalid username or password.", "captchaRequired": name == "captcha"});
        return Replied::json(401, &refused);
    }
    let session = session(world, exchange, name);
    Replied::json(200, &json!({"next": format!("{}/dashboard", exchange.base())})).with("set-cookie", session)
}

fn session(world: &mut World, exchange: &Exchange, name: &str) -> String {
    let token = world.log_in(name);
    format!("{}={token}; Path={}; HttpOnly", exchange.family.session_cookie(), super::CONTEXT)
}

fn may_log_in(name: &str, password: &str) -> bool {
    matches!(name, "ada" | "admin") && password == "secret"
}

/// Source: the elements that Atlassian's performance toolkit looks for, up to 8.x.
const FORM: &str = "<form method=\"post\" action=\"/bitbucket/j_atl_security_check\">\
    <input type=\"text\" id=\"j_username\" name=\"j_username\"><input type=\"password\" id=\"j_password\" name=\"j_password\">\
    <input type=\"submit\" id=\"submit\" value=\"Log in\"></form>";
/// Source: the same, from 9.x.
const TWO_STEPS: &str = "<div id=\"login-page\"><input id=\"username-field\"><input id=\"password-field\" type=\"password\">\
    <button id=\"login-button\">Log in</button></div>";
