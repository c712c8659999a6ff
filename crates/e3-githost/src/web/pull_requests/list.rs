//! A repository's pull requests, by state.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use minijinja::Value;
use serde::{Deserialize, Serialize};

use super::super::answer;
use super::super::filters::segment;
use super::super::pager::{pager, window_of};
use super::super::pages::Frame;
use super::super::projects::asks_to_create;
use super::super::repositories::{RepositoryPage, Tab};
use super::super::rows::{PullRequestRow, home_of};
use super::create;
use crate::failure::Failure;
use crate::pull_requests;
use crate::state::{App, Host};
use crate::store::{Direction, Order, PullRequestFilter, PullRequestState as Stage};

/// Source: the names of Bitbucket's page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Query {
    state: String,
    order: String,
    /// The full name of the target branch.
    at: String,
}

#[derive(Serialize)]
struct Content {
    home: String,
    tabs: Vec<TabRow>,
    state_words: &'static str,
    pull_requests: Vec<PullRequestRow>,
    pager: Value,
}

#[derive(Serialize)]
struct TabRow {
    name: &'static str,
    state: &'static str,
    here: bool,
}

pub(super) async fn list(
    State(host): State<App>,
    page: RepositoryPage,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let shown = if asks_to_create(&query) {
        create::form(&host, &page, &query).await
    } else {
        show(&host, &page, &query).await
    };
    answer(&host, &page.account, shown)
}

async fn show(host: &Host, page: &RepositoryPage, text: &str) -> Result<Response, Failure> {
    let (window, query) = (window_of(text), serde_urlencoded::from_str::<Query>(text).unwrap_or_default());
    let state = if query.state.eq_ignore_ascii_case("ALL") {
        None
    } else {
        Some(Stage::parse(&query.state).unwrap_or(Stage::Open))
    };
    let filter = PullRequestFilter {
        state,
        order: if query.order.eq_ignore_ascii_case("oldest") { Order::Oldest } else { Order::Newest },
        at: (!query.at.is_empty()).then(|| (Direction::Incoming, query.at.clone())),
        ..PullRequestFilter::default()
    };
    let part = pull_requests::list(host, &page.repository, &filter, window).await?;
    let home = home_of(&page.repository);
    let mut address = format!("{home}/pull-requests?state={}", state.map_or("ALL", Stage::word));
    for (name, value) in [("order", &query.order), ("at", &query.at)] {
        if !value.is_empty() {
            address.push_str(&format!("&{name}={}", segment(value)));
        }
    }
    let content = Content {
        tabs: TABS
            .map(|(of, name)| TabRow { name, state: of.map_or("ALL", Stage::word), here: of == state })
            .into(),
        state_words: match state {
            Some(Stage::Open) => "open ",
            Some(Stage::Merged) => "merged ",
            Some(Stage::Declined) => "declined ",
            None => "",
        },
        pull_requests: part.rows.iter().map(PullRequestRow::from).collect(),
        pager: pager(&address, window, part.more),
        home,
    };
    let title = format!("Pull requests of {}", page.repository.name);
    let frames = [Frame::new("pull_requests.html", content), page.frame(Tab::PullRequests)];
    host.pages.framed(Some(&page.account), &title, &frames)
}

const TABS: [(Option<Stage>, &str); 4] = [
    (Some(Stage::Open), "Open"),
    (Some(Stage::Merged), "Merged"),
    (Some(Stage::Declined), "Declined"),
    (None, "All"),
];
