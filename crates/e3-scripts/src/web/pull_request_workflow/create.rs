//! The opening of the pull request: by REST, or before 5.0 by its page's form.

use e3_bitbucket::{CreationWay, path};
use e3_http::Response;
use e3_workload::Stopped;
use serde_json::json;

use super::body::{Workflow, number};
use super::branch::Branch;
use super::ops::*;
use crate::web::ask::Ask;
use crate::web::browser::leads_on;
use crate::web::steps::Steps;

impl Workflow {
    /// Opens the pull request and its page; returns its number. `repository` is the repository's.
    pub(super) async fn create(
        &mut self,
        steps: &mut Steps<'_>,
        branch: &Branch,
        repository: u64,
    ) -> Result<u64, Stopped> {
        let (key, slug) = (&branch.project, &branch.slug);
        let id = match self.dialect.creation() {
            CreationWay::Rest => by_rest(steps, branch).await?,
            CreationWay::Form => by_form(steps, branch, repository).await?,
        };
        let page = Ask::page(path::pull_request_page(key, slug, id)).accepting(&[200, 302]);
        steps.ask(PULL_REQUEST, page, leads_on).await?;
        steps.page(OVERVIEW, path::pull_request_overview_page(key, slug, id)).await?;
        steps.rest(MERGEABILITY, path::rest_pull_request_mergeability(key, slug, id)).await?;
        steps.rest(ISSUES, path::pull_request_issues(key, slug, id)).await?;
        steps.rest(SETTINGS, path::rest_pull_request_settings(key, slug)).await?;
        Ok(id)
    }
}

async fn by_rest(steps: &mut Steps<'_>, branch: &Branch) -> Result<u64, Stopped> {
    let (key, slug, from, to) = (&branch.project, &branch.slug, &branch.from(), &branch.to());
    steps.page(CREATE_PAGE, path::pull_request_create_page(key, slug, from, to)).await?;
    let end = |id: &str| json!({"id": id, "repository": {"slug": slug, "project": {"key": key}}});
    let body = json!({
        "title": title(branch),
        "description": DESCRIPTION,
        "fromRef": end(from),
        "toRef": end(to),
        "reviewers": [],
    });
    let create = Ask::post(path::rest_create_pull_request(key, slug), body).accepting(&[201]);
    steps.ask(CREATE_PULL_REQUEST, create, |answer| number(answer, "id")).await
}

/// Posts the form with the token that is hidden in its page.
///
/// Source: the first E3 against 4.x, field by field.
async fn by_form(steps: &mut Steps<'_>, branch: &Branch, repository: u64) -> Result<u64, Stopped> {
    let (key, slug, from, to) = (&branch.project, &branch.slug, branch.from(), branch.to());
    let page = Ask::page(path::pull_request_create_page(key, slug, &from, &to));
    let token = steps.ask(CREATE_PAGE, page, token).await?;
    let fields = vec![
        ("fromBranch", from),
        ("toBranch", to),
        ("title", title(branch)),
        ("description", DESCRIPTION.to_owned()),
        ("reviewers", String::new()),
        ("atl_token", token),
        ("fromRepoId", repository.to_string()),
        ("toRepoId", repository.to_string()),
    ];
    let create = Ask::form(path::pull_request_create_form(key, slug), fields).accepting(&[200, 302]);
    steps.ask(CREATE_PULL_REQUEST, create, created).await
}

fn token(page: &Response) -> Result<String, String> {
    let text = page.text().map_err(|error| format!("with a page that cannot be read: {error}"))?;
    hidden(&text, "atl_token").ok_or_else(|| "without the hidden field \"atl_token\"".to_owned())
}

/// Returns the value of an input of that name in a page, whatever the order of its attributes.
fn hidden(page: &str, name: &str) -> Option<String> {
    let inputs = page.split("<input").skip(1).filter_map(|rest| rest.split('>').next());
    let attribute = |input: &str, wanted: &str| {
        let (_, rest) = input.split_once(&format!(" {wanted}="))?;
        let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''))?;
        rest.get(1..)?.split(quote).next().map(str::to_owned)
    };
    inputs
        .filter(|input| attribute(input, "name").as_deref() == Some(name))
        .find_map(|input| attribute(input, "value"))
}

/// Returns the number of the pull request that the form leads to.
fn created(answer: &Response) -> Result<u64, String> {
    if answer.status == 200 {
        let text = answer.text().unwrap_or_default();
        let nothing = text.contains("is already up-to-date with branch");
        let why = if nothing { "as there is nothing to merge" } else { "with the form once more" };
        return Err(why.to_owned());
    }
    let location = answer.header("location").unwrap_or_default();
    let id = location.split_once("/pull-requests/").map(|(_, rest)| rest.split(['/', '?']).next());
    id.flatten()
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| format!("and leads to {location:?}, which is no pull request"))
}

fn title(branch: &Branch) -> String {
    format!("Merge {}", branch.name)
}

const DESCRIPTION: &str = "Changes some files.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_whatever_the_order_of_attributes() {
        let cases = [
            (r#"<form><input type="hidden" name="atl_token" value="abc"></form>"#, Some("abc")),
            (r#"<input value='x1' name='atl_token'/>"#, Some("x1")),
            (r#"<input name="other" value="1"><input name="atl_token" value="2">"#, Some("2")),
            (r#"<input name="atl_token">"#, None),
            (r#"<meta name="atl_token" value="no input">"#, None),
            ("", None),
        ];
        for (page, expected) in cases {
            assert_eq!(hidden(page, "atl_token").as_deref(), expected, "{page}");
        }
    }
}
