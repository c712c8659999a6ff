//! `settings/pull-requests` of a repository: what is sent is kept, and what was never sent has its default.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::allowed::OwnRepository;
use super::exchange::{OfRepository, Write};
use crate::failure::Failure;
use crate::state::{App, Host};
use crate::store::Repository;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/projects/{key}/repos/{slug}/settings/pull-requests", get(read).post(write))
}

async fn read(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
) -> Result<Json<Value>, Failure> {
    stored(&host, &repository).await.map(|settings| Json(settings.shape()))
}

async fn write(
    State(host): State<App>,
    OwnRepository(repository): OwnRepository,
    Write(wish): Write<Map<String, Value>>,
) -> Result<Json<Value>, Failure> {
    let mut settings = stored(&host, &repository).await?;
    settings.change(&wish)?;
    host.store.set_setting(&repository, NAME, &settings.document()).await?;
    Ok(Json(settings.shape()))
}

/// What merges of a repository have to meet.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Settings {
    required_all_approvers: bool,
    required_all_tasks_complete: bool,
    required_approvers: u32,
    required_successful_builds: u32,
    unapprove_on_update: bool,
    strategy: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            required_all_approvers: false,
            required_all_tasks_complete: false,
            required_approvers: 0,
            required_successful_builds: 0,
            unapprove_on_update: false,
            strategy: "no-ff".to_owned(),
        }
    }
}

impl Settings {
    fn change(&mut self, wish: &Map<String, Value>) -> Result<(), Failure> {
        for (name, place) in [
            ("requiredAllApprovers", &mut self.required_all_approvers),
            ("requiredAllTasksComplete", &mut self.required_all_tasks_complete),
            ("unapproveOnUpdate", &mut self.unapprove_on_update),
        ] {
            match wish.get(name) {
                None | Some(Value::Null) => {}
                Some(Value::Bool(value)) => *place = *value,
                Some(_) => return Err(Failure::bad_request(format!("{name} is true or false."))),
            }
        }
        for (name, place) in [
            ("requiredApprovers", &mut self.required_approvers),
            ("requiredSuccessfulBuilds", &mut self.required_successful_builds),
        ] {
            // Source: the description has an object, real servers take and send a number.
            let value = wish.get(name).map(|value| value.get("count").unwrap_or(value));
            let number = match value {
                None | Some(Value::Null) => continue,
                Some(Value::String(text)) => text.parse().ok(),
                Some(value) => value.as_u64(),
            };
            let number = number.filter(|number| *number <= 100).and_then(|number| u32::try_from(number).ok());
            *place =
                number.ok_or_else(|| Failure::bad_request(format!("{name} is a number from 0 to 100.")))?;
        }
        if let Some(strategy) =
            wish.get("mergeConfig").and_then(|config| config.pointer("/defaultStrategy/id"))
        {
            let known = strategy.as_str().filter(|id| *id == "no-ff");
            let known = known.ok_or_else(|| Failure::bad_request("Only the strategy no-ff is served."))?;
            known.clone_into(&mut self.strategy);
        }
        Ok(())
    }

    fn document(&self) -> String {
        json!({
            "requiredAllApprovers": self.required_all_approvers,
            "requiredAllTasksComplete": self.required_all_tasks_complete,
            "requiredApprovers": self.required_approvers,
            "requiredSuccessfulBuilds": self.required_successful_builds,
            "unapproveOnUpdate": self.unapprove_on_update,
            "strategy": self.strategy,
        })
        .to_string()
    }

    /// Source: recorded, but for the strategies that are not served.
    fn shape(&self) -> Value {
        let strategy = json!({
            "description": "Always create a new merge commit and update the target branch to it, even if the source \
                            branch is already up to date with the target branch.",
            "enabled": true,
            "flag": "--no-ff",
            "id": self.strategy,
            "name": "Merge commit",
        });
        json!({
            "mergeConfig": {"defaultStrategy": strategy, "strategies": [strategy], "type": "REPOSITORY"},
            "requiredAllApprovers": self.required_all_approvers,
            "requiredAllTasksComplete": self.required_all_tasks_complete,
            "requiredApprovers": self.required_approvers,
            "requiredSuccessfulBuilds": self.required_successful_builds,
            "unapproveOnUpdate": self.unapprove_on_update,
        })
    }
}

async fn stored(host: &Host, repository: &Repository) -> Result<Settings, Failure> {
    let document = host.store.setting(repository, NAME).await?;
    Ok(document.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

const NAME: &str = "pull-requests";
