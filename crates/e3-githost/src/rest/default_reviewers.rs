//! `default-reviewers`: whom to ask for a review, by conditions on the branches.

mod matcher;

use std::collections::{BTreeMap, HashMap};

use axum::extract::{RawQuery, State};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::matcher::{Matcher, checked, matches, shape};
use super::Base;
use super::allowed::{OwnProject, OwnRepository};
use super::exchange::{MayWrite, Named, OfProject, OfRepository, Write};
use super::page::{parameter, required};
use super::shapes::User;
use super::users::find;
use crate::failure::Failure;
use crate::state::{App, Host};
use crate::store::{self, ConditionReviewer, NewCondition, Of};

/// The routes below `/rest/default-reviewers`.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/projects/{key}/conditions", get(of_project))
        .route("/projects/{key}/condition", post(create_in_project))
        .route("/projects/{key}/condition/{id}", put(change_in_project).delete(delete_in_project))
        .route("/projects/{key}/repos/{slug}/conditions", get(of_repository))
        .route("/projects/{key}/repos/{slug}/condition", post(create))
        .route("/projects/{key}/repos/{slug}/condition/{id}", put(change).delete(delete))
        .route("/projects/{key}/repos/{slug}/reviewers", get(reviewers))
}

/// Source: recorded.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    id: i64,
    scope: Scope,
    source_ref_matcher: Value,
    target_ref_matcher: Value,
    reviewers: Vec<User>,
    required_approvals: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Scope {
    #[serde(rename = "type")]
    kind: &'static str,
    resource_id: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wish {
    source_matcher: Option<Matcher>,
    target_matcher: Option<Matcher>,
    reviewers: Vec<Reviewer>,
    required_approvals: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reviewer {
    name: Option<String>,
    id: Option<i64>,
    slug: Option<String>,
}

async fn of_project(
    State(host): State<App>,
    OfProject(project): OfProject,
    base: Base,
) -> Result<Json<Vec<Condition>>, Failure> {
    list(&host, Of::Project(&project), &base).await.map(Json)
}

async fn of_repository(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    base: Base,
) -> Result<Json<Vec<Condition>>, Failure> {
    list(&host, Of::Repository(&repository), &base).await.map(Json)
}

async fn create_in_project(
    State(host): State<App>,
    OwnProject(project): OwnProject,
    base: Base,
    Write(wish): Write<Wish>,
) -> Result<Json<Condition>, Failure> {
    set(&host, Of::Project(&project), (None, wish), &base).await.map(Json)
}

async fn change_in_project(
    State(host): State<App>,
    OwnProject(project): OwnProject,
    named: Named,
    base: Base,
    Write(wish): Write<Wish>,
) -> Result<Json<Condition>, Failure> {
    set(&host, Of::Project(&project), (Some(named.one("id")), wish), &base).await.map(Json)
}

async fn delete_in_project(
    State(host): State<App>,
    OwnProject(project): OwnProject,
    _: MayWrite,
    named: Named,
) -> Result<StatusCode, Failure> {
    remove(&host, Of::Project(&project), named.one("id")).await
}

async fn create(
    State(host): State<App>,
    OwnRepository(repository): OwnRepository,
    base: Base,
    Write(wish): Write<Wish>,
) -> Result<Json<Condition>, Failure> {
    set(&host, Of::Repository(&repository), (None, wish), &base).await.map(Json)
}

async fn change(
    State(host): State<App>,
    OwnRepository(repository): OwnRepository,
    named: Named,
    base: Base,
    Write(wish): Write<Wish>,
) -> Result<Json<Condition>, Failure> {
    set(&host, Of::Repository(&repository), (Some(named.one("id")), wish), &base).await.map(Json)
}

async fn delete(
    State(host): State<App>,
    OwnRepository(repository): OwnRepository,
    _: MayWrite,
    named: Named,
) -> Result<StatusCode, Failure> {
    remove(&host, Of::Repository(&repository), named.one("id")).await
}

/// Source: recorded from a real server as a plain list of users, whatever the description says.
async fn reviewers(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Vec<User>>, Failure> {
    let (source, target) =
        (required(query.as_deref(), "sourceRefId")?, required(query.as_deref(), "targetRefId")?);
    for name in ["sourceRepoId", "targetRepoId"] {
        let id = parameter(query.as_deref(), name).filter(|id| !id.is_empty());
        if id.is_some_and(|id| id.parse() != Ok(repository.id)) {
            return Err(Failure::invalid(name, "Both branches have to be in this repository."));
        }
    }
    let (conditions, reviewers) = host.store.conditions(Of::Repository(&repository)).await?;
    let matching: Vec<i64> = conditions
        .iter()
        .filter(|row| matches(&row.source_matcher, &source) && matches(&row.target_matcher, &target))
        .map(|row| row.id)
        .collect();
    // Once each, by name.
    let users: BTreeMap<String, store::User> = reviewers
        .into_iter()
        .filter(|reviewer| matching.contains(&reviewer.condition_id))
        .map(|reviewer| (reviewer.user.name.clone(), reviewer.user))
        .collect();
    Ok(Json(users.into_values().map(|user| User::new(user, &base)).collect()))
}

async fn list(host: &Host, of: Of<'_>, base: &Base) -> Result<Vec<Condition>, Failure> {
    let (conditions, reviewers) = host.store.conditions(of).await?;
    let mut by_condition: HashMap<i64, Vec<User>> = HashMap::new();
    for ConditionReviewer { condition_id, user } in reviewers {
        by_condition.entry(condition_id).or_default().push(User::new(user, base));
    }
    let shape = |row: store::Condition| {
        let reviewers = by_condition.remove(&row.id).unwrap_or_default();
        Condition::new(&row, reviewers)
    };
    Ok(conditions.into_iter().map(shape).collect())
}

async fn set(
    host: &Host,
    of: Of<'_>,
    (id, wish): (Option<&str>, Wish),
    base: &Base,
) -> Result<Condition, Failure> {
    let id = match id {
        Some(text) => Some(text.parse().map_err(|_| no_condition(text))?),
        None => None,
    };
    let new = wish.check(host).await?;
    let written = host.store.put_condition(of, id, &new).await?;
    let written = written.ok_or_else(|| no_condition(&id.unwrap_or_default().to_string()))?;
    let all = list(host, of, base).await?;
    all.into_iter().find(|row| row.id == written).ok_or_else(|| no_condition(&written.to_string()))
}

async fn remove(host: &Host, of: Of<'_>, id: &str) -> Result<StatusCode, Failure> {
    let parsed = id.parse().map_err(|_| no_condition(id))?;
    let deleted = host.store.delete_condition(of, parsed).await?;
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(no_condition(id)) }
}

impl Condition {
    fn new(row: &store::Condition, reviewers: Vec<User>) -> Self {
        let (kind, resource_id) = match row.repository_id {
            Some(id) => ("REPOSITORY", id),
            None => ("PROJECT", row.project_id.unwrap_or_default()),
        };
        Self {
            id: row.id,
            scope: Scope { kind, resource_id },
            source_ref_matcher: shape(&row.source_matcher),
            target_ref_matcher: shape(&row.target_matcher),
            reviewers,
            required_approvals: row.required_approvals,
        }
    }
}

impl Wish {
    async fn check(self, host: &Host) -> Result<NewCondition, Failure> {
        let source = checked(self.source_matcher, "sourceMatcher")?;
        let target = checked(self.target_matcher, "targetMatcher")?;
        if self.reviewers.is_empty() || self.reviewers.len() > MOST_REVIEWERS {
            return Err(Failure::invalid("reviewers", "A condition has 1 to 100 reviewers."));
        }
        let mut reviewers = Vec::new();
        for reviewer in self.reviewers {
            let id = match (reviewer.id, reviewer.slug.or(reviewer.name)) {
                (_, Some(name)) => find(host, &name).await?.id,
                (Some(id), None) => {
                    host.store.user_by_id(id).await?.ok_or_else(|| Failure::no_user(&id.to_string()))?.id
                }
                (None, None) => return Err(Failure::invalid("reviewers", "A reviewer has an id or a name.")),
            };
            reviewers.push(id);
        }
        let required_approvals = self.required_approvals;
        if !(0..=100).contains(&required_approvals) {
            return Err(Failure::invalid(
                "requiredApprovals",
                "requiredApprovals is a number from 0 to 100.",
            ));
        }
        Ok(NewCondition { source_matcher: source, target_matcher: target, required_approvals, reviewers })
    }
}

fn no_condition(id: &str) -> Failure {
    Failure::no_entity(format!("There is no condition with ID {id}"))
}

const MOST_REVIEWERS: usize = 100;
