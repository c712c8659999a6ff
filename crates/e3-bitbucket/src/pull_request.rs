//! Pull requests, SSH keys and what else a dataset has beside projects, repositories and users.
//!
//! Whoever acts is the client's own user: an author creates, a reviewer comments, approves and merges.

use serde::Serialize;
use serde_json::json;

use crate::client::{Bitbucket, Call, Creation};
use crate::error::BitbucketError;
use crate::path;
use crate::resource::{
    Duplicate, Page, RestActivity, RestComment, RestPullRequest, RestSshKey, RestTag, ServerErrors,
};

/// A pull request that is to be; both branches are of the same repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewPullRequest<'a> {
    /// Its title.
    pub title: &'a str,
    /// Its description; may be empty.
    pub description: &'a str,
    /// The branch with the changes, as a full ref or its short name.
    pub from: &'a str,
    /// The branch that is to get them, as a full ref or its short name.
    pub to: &'a str,
    /// The names of those who shall review it; the author cannot be one.
    pub reviewers: &'a [&'a str],
}

/// Which pull requests a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullRequestFilter {
    /// Those not yet merged or declined.
    Open,
    /// Those merged.
    Merged,
    /// Those declined.
    Declined,
    /// All.
    All,
}

/// A permission for a project or repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProjectPermission {
    /// See and clone.
    Read,
    /// Push and merge too.
    Write,
}

impl Bitbucket {
    /// Registers a public key in OpenSSH's form for a user, or finds it registered for that user.
    ///
    /// # Errors
    /// When the server refuses, also because the key is another user's.
    pub async fn add_ssh_key(&mut self, user: &str, public_key: &str) -> Result<Creation, BitbucketError> {
        let call = Call::post_json(ssh_keys(user)?, &json!({"text": public_key}));
        let refused = match self.success(&call).await {
            Ok(_) => return Ok(Creation::Created),
            Err(error) if error.status() == Some(409) => error,
            Err(error) => return Err(error),
        };
        let known = self.ssh_keys(user).await?;
        if known.iter().any(|key| key.is(public_key)) { Ok(Creation::Existing) } else { Err(refused) }
    }

    /// Returns the keys of a user, in the server's order.
    ///
    /// # Errors
    /// When a page is refused or unreadable.
    pub async fn ssh_keys(&mut self, user: &str) -> Result<Vec<RestSshKey>, BitbucketError> {
        let first = ssh_keys(user)?;
        self.pages(|start, limit| format!("{first}&start={start}&limit={limit}")).await
    }

    /// Gives every user a permission for all of a project; twice is as good as once.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn permit_everyone(
        &mut self,
        key: &str,
        permission: ProjectPermission,
    ) -> Result<(), BitbucketError> {
        let name = match permission {
            ProjectPermission::Read => "PROJECT_READ",
            ProjectPermission::Write => "PROJECT_WRITE",
        };
        let target = format!("{}/permissions/{name}/all?allow=true", path::rest_project(key));
        self.success(&Call::post_json(target, &serde_json::Value::Null)).await.map(drop)
    }

    /// Returns the pull requests into a repository's branches, in the server's order.
    ///
    /// # Errors
    /// When a page is refused or unreadable.
    pub async fn pull_requests(
        &mut self,
        key: &str,
        slug: &str,
        state: PullRequestFilter,
    ) -> Result<Vec<RestPullRequest>, BitbucketError> {
        let state = match state {
            PullRequestFilter::Open => "OPEN",
            PullRequestFilter::Merged => "MERGED",
            PullRequestFilter::Declined => "DECLINED",
            PullRequestFilter::All => "ALL",
        };
        let list = pull_requests(key, slug);
        self.pages(|start, limit| format!("{list}?state={state}&start={start}&limit={limit}")).await
    }

    /// Returns a pull request as it is now.
    ///
    /// # Errors
    /// When the server refuses, also because there is none of this id.
    pub async fn pull_request(
        &mut self,
        key: &str,
        slug: &str,
        id: u64,
    ) -> Result<RestPullRequest, BitbucketError> {
        self.read(&Call::get(pull_request(key, slug, id))).await
    }

    /// Creates a pull request, or finds the open one between these branches.
    ///
    /// # Errors
    /// When the server refuses, also because there is nothing to merge.
    pub async fn create_pull_request(
        &mut self,
        key: &str,
        slug: &str,
        new: &NewPullRequest<'_>,
    ) -> Result<(RestPullRequest, Creation), BitbucketError> {
        let reference = |id: &str| json!({"id": id, "repository": {"slug": slug, "project": {"key": key}}});
        let reviewers: Vec<_> = new.reviewers.iter().map(|name| json!({"user": {"name": name}})).collect();
        let body = json!({
            "title": new.title,
            "description": new.description,
            "fromRef": reference(new.from),
            "toRef": reference(new.to),
            "reviewers": reviewers,
        });
        let call = Call::post_json(pull_requests(key, slug), &body);
        let response = self.answer(&call).await?;
        if response.status == 409
            && let Some(existing) = existing_pull_request(&response.body)
        {
            return Ok((existing, Creation::Existing));
        }
        Ok((call.parsed(&response)?, Creation::Created))
    }

    /// Adds a comment to a pull request, about no line of it in particular.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn comment(
        &mut self,
        key: &str,
        slug: &str,
        id: u64,
        text: &str,
    ) -> Result<RestComment, BitbucketError> {
        let target = format!("{}/comments", pull_request(key, slug, id));
        self.read(&Call::post_json(target, &json!({"text": text}))).await
    }

    /// Returns what happened to a pull request, newest first; comments are among it.
    ///
    /// # Errors
    /// When a page is refused or unreadable.
    pub async fn activities(
        &mut self,
        key: &str,
        slug: &str,
        id: u64,
    ) -> Result<Vec<RestActivity>, BitbucketError> {
        let list = format!("{}/activities", pull_request(key, slug, id));
        self.pages(|start, limit| format!("{list}?start={start}&limit={limit}")).await
    }

    /// Approves a pull request; its author cannot.
    ///
    /// # Errors
    /// When the server refuses, also because it is no longer open.
    pub async fn approve(&mut self, key: &str, slug: &str, id: u64) -> Result<(), BitbucketError> {
        let target = format!("{}/approve", pull_request(key, slug, id));
        self.success(&Call::post_json(target, &json!({}))).await.map(drop)
    }

    /// Merges a pull request that is at `version`, and returns what it became.
    ///
    /// # Errors
    /// When the server refuses: status 409 for another version, a conflict, a veto, or one that is no longer open.
    pub async fn merge(
        &mut self,
        key: &str,
        slug: &str,
        id: u64,
        version: u64,
    ) -> Result<RestPullRequest, BitbucketError> {
        let target = format!("{}/merge?version={version}", pull_request(key, slug, id));
        self.read(&Call::post_json(target, &json!({}))).await
    }

    /// Declines a pull request that is at `version`, and returns what it became.
    ///
    /// # Errors
    /// When the server refuses: status 409 for another version, or one that is no longer open.
    pub async fn decline(
        &mut self,
        key: &str,
        slug: &str,
        id: u64,
        version: u64,
    ) -> Result<RestPullRequest, BitbucketError> {
        let target = format!("{}/decline?version={version}", pull_request(key, slug, id));
        self.read(&Call::post_json(target, &json!({}))).await
    }

    /// Creates a tag at a commit, or finds one of this name: an annotated one if there is a message.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn create_tag(
        &mut self,
        key: &str,
        slug: &str,
        name: &str,
        start_point: &str,
        message: Option<&str>,
    ) -> Result<Creation, BitbucketError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct NewTag<'a> {
            name: &'a str,
            start_point: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            message: Option<&'a str>,
        }
        let target = format!("{}/tags", path::rest_repository(key, slug));
        let call = Call::post_json(target, &json!(NewTag { name, start_point, message }));
        match self.success(&call).await {
            Ok(_) => Ok(Creation::Created),
            Err(error) if error.says_it_exists() => Ok(Creation::Existing),
            Err(error) => Err(error),
        }
    }

    /// Returns all tags of a repository, in the server's order.
    ///
    /// # Errors
    /// When a page is refused or unreadable.
    pub async fn tags(&mut self, key: &str, slug: &str) -> Result<Vec<RestTag>, BitbucketError> {
        let list = format!("{}/tags", path::rest_repository(key, slug));
        self.pages(|start, limit| format!("{list}?start={start}&limit={limit}")).await
    }

    /// Returns whether every commit that `commit` leads to is also one that `branch` leads to.
    ///
    /// # Errors
    /// When the server refuses, also because it does not know one of them.
    pub async fn contains(
        &mut self,
        key: &str,
        slug: &str,
        branch: &str,
        commit: &str,
    ) -> Result<bool, BitbucketError> {
        let repository = path::rest_repository(key, slug);
        let query = serde_urlencoded::to_string([("from", commit), ("to", branch), ("limit", "1")])
            .map_err(|source| BitbucketError::Parameters { path: repository.clone(), source })?;
        let call = Call::get(format!("{repository}/compare/commits?{query}"));
        let page: Page<serde::de::IgnoredAny> = self.read(&call).await?;
        Ok(page.values.is_empty())
    }
}

/// Source: Bitbucket's answer to a second pull request between two branches, status 409, as recorded.
fn existing_pull_request(body: &[u8]) -> Option<RestPullRequest> {
    let errors: ServerErrors<Duplicate> = serde_json::from_slice(body).ok()?;
    errors.errors.into_iter().find_map(|error| error.existing_pull_request)
}

fn pull_requests(key: &str, slug: &str) -> String {
    format!("{}/pull-requests", path::rest_repository(key, slug))
}

fn pull_request(key: &str, slug: &str, id: u64) -> String {
    format!("{}/{id}", pull_requests(key, slug))
}

fn ssh_keys(user: &str) -> Result<String, BitbucketError> {
    let path = "/rest/ssh/1.0/keys";
    let query = serde_urlencoded::to_string([("user", user)])
        .map_err(|source| BitbucketError::Parameters { path: path.to_owned(), source })?;
    Ok(format!("{path}?{query}"))
}
