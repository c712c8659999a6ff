//! Which pull requests a query asks for.

use crate::failure::Failure;
use crate::rest::page::parameter;
use crate::store::{Direction, Order, PartWanted, PullRequestFilter, PullRequestState, Role, Status};

/// Reads `state`, `order`, `direction`, `at`, `filterText` and the numbered participants.
///
/// Source: the interface's description, with its defaults.
pub(super) fn filter(query: Option<&str>) -> Result<PullRequestFilter, Failure> {
    let given = |name: &str| parameter(query, name).filter(|text| !text.is_empty());
    let state = state(given("state").as_deref())?;
    let order = order(given("order").as_deref())?;
    let direction = match given("direction") {
        None => Direction::Incoming,
        Some(word) if word.eq_ignore_ascii_case("INCOMING") => Direction::Incoming,
        Some(word) if word.eq_ignore_ascii_case("OUTGOING") => Direction::Outgoing,
        Some(_) => return Err(Failure::invalid("direction", "direction is one of INCOMING and OUTGOING.")),
    };
    let at = given("at").map(|name| match name.strip_prefix("refs/") {
        Some(_) => (direction, name),
        None => (direction, format!("refs/heads/{name}")),
    });
    let mut people = Vec::new();
    for number in 1..=MOST_PEOPLE {
        let Some(name) = given(&format!("username.{number}")) else { break };
        let role = match given(&format!("role.{number}")) {
            Some(word) => Some(
                Role::parse(&word)
                    .ok_or_else(|| Failure::invalid("role", "role is AUTHOR, REVIEWER or PARTICIPANT."))?,
            ),
            None => None,
        };
        let status = match given(&format!("approved.{number}")).as_deref() {
            Some("true") => Some(Status::Approved),
            Some(_) => Some(Status::Unapproved),
            None => None,
        };
        people.push(PartWanted { name, role, status });
    }
    let text = given("filterText").unwrap_or_default();
    Ok(PullRequestFilter { state, order, at, text, people })
}

/// Returns the wanted state; `ALL` is none, nothing is `OPEN`.
pub(super) fn state(word: Option<&str>) -> Result<Option<PullRequestState>, Failure> {
    match word {
        None => Ok(Some(PullRequestState::Open)),
        Some(word) if word.eq_ignore_ascii_case("ALL") => Ok(None),
        Some(word) => PullRequestState::parse(word)
            .map(Some)
            .ok_or_else(|| Failure::invalid("state", "state is one of OPEN, DECLINED, MERGED and ALL.")),
    }
}

fn order(word: Option<&str>) -> Result<Order, Failure> {
    match word.map(str::to_ascii_uppercase).as_deref() {
        None | Some("NEWEST" | "PARTICIPANT_STATUS") => Ok(Order::Newest),
        Some("OLDEST") => Ok(Order::Oldest),
        Some("CLOSED_DATE") => Ok(Order::ClosedDate),
        Some(_) => Err(Failure::invalid("order", "order is one of NEWEST and OLDEST.")),
    }
}

/// Source: the interface's description, "up to 10".
const MOST_PEOPLE: u32 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_have_defaults_and_either_case() {
        let found = filter(None).unwrap();
        assert_eq!((found.state, found.order), (Some(PullRequestState::Open), Order::Newest));
        assert!(found.at.is_none() && found.people.is_empty());
        let query = "state=all&order=oldest&direction=OUTGOING&at=feature/x&filterText=a%20b&username.1=Ada&role.1=reviewer\
                     &approved.1=true&username.2=bob&username.4=eve";
        let found = filter(Some(query)).unwrap();
        assert_eq!((found.state, found.order, found.text.as_str()), (None, Order::Oldest, "a b"));
        assert_eq!(found.at, Some((Direction::Outgoing, "refs/heads/feature/x".to_owned())));
        assert_eq!(found.people.len(), 2, "they are numbered without gaps");
        assert_eq!(
            (found.people[0].role, found.people[0].status),
            (Some(Role::Reviewer), Some(Status::Approved))
        );
        for bad in ["state=x", "order=x", "direction=x", "username.1=a&role.1=x"] {
            assert!(filter(Some(bad)).is_err(), "{bad}");
        }
    }
}
