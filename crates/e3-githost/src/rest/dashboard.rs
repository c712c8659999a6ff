//! `dashboard`: the user's pull requests, and branches that the user might want to propose.

use axum::extract::{RawQuery, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::{Value, json};

use super::Base;
use super::page::{Page, Paged, parameter};
use super::pull_requests::{Shape, minimal_ref};
use super::shapes::Repository;
use crate::auth::Known;
use crate::clock::now_ms;
use crate::failure::Failure;
use crate::names::UserName;
use crate::pull_requests::{self, Suggestion};
use crate::state::App;
use crate::store::{Order, Part, PullRequestState, PullRequestsOfUser, Role, Status};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/dashboard/pull-requests", get(list))
        .route("/dashboard/pull-request-suggestions", get(suggestions))
}

/// Lists the pull requests in which a user has a part: the one who asks, or for administrators any.
async fn list(
    State(host): State<App>,
    Known(account): Known,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Page<Shape>>, Failure> {
    let given = |name: &str| parameter(query.as_deref(), name).filter(|text| !text.is_empty());
    let user = match given("user") {
        Some(name) if !name.eq_ignore_ascii_case(&account.user.name) => {
            if !account.user.admin {
                return Err(Failure::not_permitted());
            }
            let found = match UserName::parse(&name) {
                Some(parsed) => host.store.user(&parsed).await?,
                None => None,
            };
            found.ok_or_else(|| Failure::no_user(&name))?
        }
        _ => account.user.clone(),
    };
    let wrong =
        |name: &'static str| move || Failure::invalid(name, format!("This is no {name} that is known."));
    let state = given("state").map(|word| PullRequestState::parse(&word).ok_or_else(wrong("state")));
    let role = given("role").map(|word| Role::parse(&word).ok_or_else(wrong("role")));
    let words = given("participantStatus").unwrap_or_default();
    let words = words.split(',').map(str::trim).filter(|word| !word.is_empty());
    let statuses: Vec<Status> = words
        .map(|word| Status::parse(word).ok_or_else(wrong("participantStatus")))
        .collect::<Result<_, _>>()?;
    let order = match given("order").map(|word| word.to_ascii_uppercase()).as_deref() {
        None | Some("NEWEST" | "PARTICIPANT_STATUS") => Order::Newest,
        Some("OLDEST") => Order::Oldest,
        Some("CLOSED_DATE") => Order::ClosedDate,
        Some(_) => return Err(wrong("order")()),
    };
    let closed_since =
        given("closedSince").map(|text| text.parse::<u32>().map_err(|_| wrong("closedSince")()));
    let closed_since = closed_since.transpose()?;
    let wanted = PullRequestsOfUser {
        state: state.transpose()?,
        role: role.transpose()?,
        statuses: &statuses,
        closed_since_ms: closed_since
            .map(|seconds| now_ms().saturating_sub(i64::from(seconds).saturating_mul(1000))),
        order,
    };
    let part = pull_requests::list_of_user(&host, &user, wanted, window).await?;
    Ok(Json(Page::new(part, window, |row| Shape::new(row, &base))))
}

/// Source: the interface's description, its spelling of `changeTme` included.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Suggested {
    change_tme: i64,
    ref_change: Value,
    repository: Repository,
    from_ref: Value,
    to_ref: Value,
}

/// Suggests branches that the user pushed lately. Source: a page in shape, but there is only the first.
async fn suggestions(
    State(host): State<App>,
    Known(account): Known,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Page<Suggested>>, Failure> {
    let since = parameter(query.as_deref(), "changesSince").filter(|text| !text.is_empty());
    let seconds = match since {
        Some(text) => text.parse().map_err(|_| {
            Failure::invalid("changesSince", "changesSince must be a whole number, not negative.")
        })?,
        None => TWO_DAYS,
    };
    let rows = pull_requests::suggestions(&host, &account.user, seconds, window.limit).await?;
    let part = Part { rows, more: false };
    Ok(Json(Page::new(part, window, |row| Suggested::new(row, &base))))
}

impl Suggested {
    fn new(row: Suggestion, base: &Base) -> Self {
        let Suggestion { repository, from, before, to, pushed_ms } = row;
        let kind = if before.is_some() { "UPDATE" } else { "ADD" };
        let before = before.unwrap_or_else(|| "0".repeat(40));
        let reference = minimal_ref(&from.name);
        Self {
            change_tme: pushed_ms,
            ref_change: json!({
                "ref": reference, "refId": from.name, "fromHash": before, "toHash": from.commit, "type": kind
            }),
            repository: Repository::new(repository, base),
            from_ref: reference,
            to_ref: minimal_ref(&to),
        }
    }
}

/// Source: the interface's default.
const TWO_DAYS: u32 = 172_800;
