//! Switching the faults of githost nodes: each has a switch of its own, and all of a system are set alike.

use std::time::Duration;

use e3_http::{BaseUrl, HttpError, HttpSession, Request, Response};
use e3_model::{Fault, Secret};
use e3_provider::{ProviderError, chain};
use futures_util::future::join_all;
use serde::Deserialize;
use tokio::time::timeout;

/// The switch of one githost node, by which it is disturbed on purpose.
pub struct FaultSwitch {
    node: String,
    session: HttpSession,
}

impl FaultSwitch {
    /// Returns the switch of the node at this base URL, for an administrator; nothing is asked yet.
    ///
    /// # Errors
    /// When the URL is none.
    pub fn of(node: &str, url: &str, admin: &str, password: &Secret) -> Result<Self, ProviderError> {
        let base = BaseUrl::parse(url).map_err(|error| failed(node, chain(&error)))?;
        Ok(Self { node: node.to_owned(), session: HttpSession::new(base).with_basic(admin, password) })
    }

    /// Returns the node's faults.
    ///
    /// # Errors
    /// When the node does not say.
    pub async fn list(&mut self) -> Result<Vec<Fault>, ProviderError> {
        let answer = self.ask(Request::get(PATH)).await?;
        answer.text().ok().and_then(|text| serde_json::from_str(&text).ok()).ok_or_else(|| {
            failed(&self.node, "it answers with something that is no list of faults".to_owned())
        })
    }

    /// Disturbs the node by these faults and no others, from what begins after this returns.
    ///
    /// # Errors
    /// When the node refuses or does not answer.
    pub async fn set(&mut self, faults: &[Fault]) -> Result<(), ProviderError> {
        let body = serde_json::to_vec(faults).map_err(|error| failed(&self.node, error.to_string()))?;
        self.ask(Request::put(PATH, body).header("content-type", "application/json")).await.map(drop)
    }

    /// Disturbs all of these nodes alike, or none of them.
    ///
    /// # Errors
    /// With the first that refuses; the others are left without any fault, as far as they answer.
    pub async fn set_all(switches: &mut [Self], faults: &[Fault]) -> Result<(), ProviderError> {
        let set = join_all(switches.iter_mut().map(|switch| switch.set(faults))).await;
        let refused = set.into_iter().find_map(Result::err);
        if refused.is_some() && !faults.is_empty() {
            join_all(switches.iter_mut().map(|switch| switch.set(&[]))).await;
        }
        refused.map_or(Ok(()), Err)
    }

    async fn ask(&mut self, request: Request) -> Result<Response, ProviderError> {
        let asked = self.session.send(request.max_body(LARGEST_ANSWER));
        let reason = match timeout(BOUND, asked).await {
            Ok(Ok(answer)) if answer.status == 200 => return Ok(answer),
            Ok(Ok(answer)) => refusal(&answer),
            Ok(Err(error)) => unheard(&error),
            Err(_) => format!("no answer within {} s", BOUND.as_secs()),
        };
        Err(failed(&self.node, reason))
    }
}

fn failed(node: &str, reason: String) -> ProviderError {
    ProviderError::Disturb { node: node.to_owned(), reason }
}

fn unheard(error: &HttpError) -> String {
    chain(error)
}

/// Returns why a node refused, in its own words. Source: Bitbucket's error body.
fn refusal(answer: &Response) -> String {
    let text = answer.text().unwrap_or_default();
    let said =
        serde_json::from_str::<Refusal>(&text).ok().and_then(|refusal| refusal.errors.into_iter().next());
    match said {
        Some(said) => format!("HTTP status {}, {}", answer.status, said.message),
        None => format!("HTTP status {}; is it a githost of this version of e3?", answer.status),
    }
}

#[derive(Deserialize)]
struct Refusal {
    errors: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    message: String,
}

/// Source: githost's `rest/faults.rs`.
const PATH: &str = "/rest/e3/1.0/faults";
/// A password that was not checked lately takes a moment on a busy node.
const BOUND: Duration = Duration::from_secs(10);
const LARGEST_ANSWER: usize = 256 * 1024;
