//! `e3`, `faults`: the switch by which a node is disturbed on purpose; E3's own, not Bitbucket's; for administrators.
//!
//! It speaks of the one node that is asked, so a front does not pass it on. A node that is started again has no faults.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use e3_model::Fault;
use http::{HeaderMap, StatusCode};

use super::exchange::{MayWrite, Write};
use crate::auth::Admin;
use crate::failure::Failure;
use crate::faults::FRONT;
use crate::state::App;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/faults", get(list).put(switch).delete(clear))
}

async fn list(State(host): State<App>, _: Admin, headers: HeaderMap) -> Result<Json<Vec<Fault>>, Failure> {
    check_directness(&headers)?;
    Ok(Json(host.faults.list()))
}

async fn switch(
    State(host): State<App>,
    _: Admin,
    headers: HeaderMap,
    Write(faults): Write<Vec<Fault>>,
) -> Result<Json<Vec<Fault>>, Failure> {
    check_directness(&headers)?;
    if faults.len() > Fault::MOST {
        return Err(Failure::bad_request(format!("There may be {} faults at a time.", Fault::MOST)));
    }
    host.faults.switch(faults).map_err(|(position, problem)| {
        let key = if problem.key.is_empty() { String::new() } else { format!("/{}", problem.key) };
        Failure::bad_request(format!("/{position}{key}: {}.", problem.message))
    })?;
    let faults = host.faults.list();
    tracing::info!(faults = faults.len(), "disturbed by these and no others");
    Ok(Json(faults))
}

async fn clear(
    State(host): State<App>,
    _: Admin,
    _: MayWrite,
    headers: HeaderMap,
) -> Result<StatusCode, Failure> {
    check_directness(&headers)?;
    host.faults.switch(Vec::new()).map_err(|(_, problem)| Failure::bad_request(problem.message))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Through a front, any node could be meant, and only one of several would be disturbed.
fn check_directness(headers: &HeaderMap) -> Result<(), Failure> {
    if !headers.contains_key(FRONT) {
        return Ok(());
    }
    let message = "Every node has faults of its own: ask each at its own address, not the front.";
    Err(Failure { status: StatusCode::MISDIRECTED_REQUEST, ..Failure::bad_request(message) })
}
