//! A server's word on itself.

use std::time::Duration;

use e3_http::{BaseUrl, HttpError, HttpSession, Request};
use e3_provider::chain;
use serde::Deserialize;
use tokio::time::timeout;

/// Asks `GET /status` once, for at most five seconds; returns the state, or why there is none.
///
/// Source: Bitbucket's `/status`, which answers `{"state": "RUNNING"}` with 200 when it serves.
pub(crate) async fn state_of(url: &str) -> Result<String, String> {
    match timeout(BOUND, ask(url)).await {
        Ok(Ok((200, body))) => match serde_json::from_str::<Status>(&body) {
            Ok(status) => Ok(status.state),
            Err(_) => Err(format!("an answer without a state: {:?}", shortened(&body))),
        },
        Ok(Ok((status, body))) => Err(format!("HTTP status {status}: {:?}", shortened(&body))),
        Ok(Err(error)) => Err(chain(&error)),
        Err(_) => Err(format!("no answer within {} s", BOUND.as_secs())),
    }
}

#[derive(Deserialize)]
struct Status {
    state: String,
}

async fn ask(url: &str) -> Result<(u16, String), HttpError> {
    let mut session = HttpSession::new(BaseUrl::parse(url)?);
    let response = session.send(Request::get("/status").max_body(LARGEST_ANSWER)).await?;
    Ok((response.status, response.text()?))
}

fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

const BOUND: Duration = Duration::from_secs(5);
const LARGEST_ANSWER: usize = 64 * 1024;
