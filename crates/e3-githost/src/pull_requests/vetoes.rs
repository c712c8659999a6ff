//! What the repository's settings ask of a pull request before it is merged.

use serde::Deserialize;

use super::refusal::Veto;
use crate::failure::Failure;
use crate::state::Host;
use crate::store::{PullRequest, PullRequestPerson, Repository, Role, Status};

/// The settings that matter here, as `settings/pull-requests` keeps them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Rules {
    required_all_approvers: bool,
    required_all_tasks_complete: bool,
    required_approvers: usize,
    required_successful_builds: i64,
    pub(super) unapprove_on_update: bool,
}

/// Returns the repository's rules; none of them holds until they are set.
pub(super) async fn rules(host: &Host, repository: &Repository) -> Result<Rules, Failure> {
    let document = host.store.setting(repository, "pull-requests").await?;
    Ok(document.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

/// Returns the reasons not to merge the pull request.
pub(super) async fn vetoes(host: &Host, pull_request: &PullRequest) -> Result<Vec<Veto>, Failure> {
    let rules = rules(host, &pull_request.repository).await?;
    let mut vetoes = opinions(&rules, &pull_request.people);
    if rules.required_all_tasks_complete {
        let counts = host.store.blocker_counts(pull_request).await?;
        let open = counts.iter().find(|(state, _)| state == "OPEN").map_or(0, |(_, count)| *count);
        if open > 0 {
            let detail = format!("There are {open} tasks to do before this pull request can be merged.");
            vetoes.push(Veto { summary: "Not all tasks are complete.", detail });
        }
    }
    if rules.required_successful_builds > 0 {
        let counts = host.store.build_counts(std::slice::from_ref(&pull_request.from.commit)).await?;
        let of = |wanted: &dyn Fn(&str) -> bool| -> i64 {
            counts.iter().filter(|build| wanted(&build.state)).map(|build| build.count).sum()
        };
        let (good, other) = (of(&|state| state == "SUCCESSFUL"), of(&|state| state != "SUCCESSFUL"));
        let required = rules.required_successful_builds;
        if good < required || other > 0 {
            let detail = format!(
                "{required} builds must be successful and none otherwise; {good} are, and {other} are not."
            );
            vetoes.push(Veto { summary: "Not all required builds are successful.", detail });
        }
    }
    Ok(vetoes)
}

/// Returns the reasons that lie with those who should approve.
fn opinions(rules: &Rules, people: &[PullRequestPerson]) -> Vec<Veto> {
    let approves = |person: &&PullRequestPerson| person.status == Status::Approved;
    let approvals = people.iter().filter(approves).count();
    let mut vetoes = Vec::new();
    if approvals < rules.required_approvers {
        let detail = format!("{} people must approve; {approvals} do.", rules.required_approvers);
        vetoes.push(Veto { summary: "Not enough people approve.", detail });
    }
    let reviewers = people.iter().filter(|person| person.role == Role::Reviewer);
    let missing = reviewers.filter(|person| !approves(person)).count();
    if rules.required_all_approvers && missing > 0 {
        let detail = format!("All reviewers must approve; {missing} do not.");
        vetoes.push(Veto { summary: "Not all reviewers approve.", detail });
    }
    vetoes
}
