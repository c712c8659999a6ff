//! The pull requests of a dataset: opened, discussed, approved, merged and declined by its users.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use e3_bitbucket::{Bitbucket, BitbucketError, Creation, NewPullRequest, PullRequestFilter, RestPullRequest};
use e3_model::{Branch, Comment, PullRequest, PullRequestState};

use super::lanes::{self, Queue};
use super::{Part, Server, Tips};
use crate::{DatasetError, GeneratedRepository};

/// Creates the pull requests and takes them to their state; returns how many were not there before, and the branches
/// of the repositories in which something was merged.
pub(super) async fn create(parts: Vec<Part>, server: &Arc<Server>) -> Result<(usize, Tips), DatasetError> {
    let parts: Vec<Part> = parts.into_iter().filter(|part| !part.pull_requests.is_empty()).collect();
    let lanes_needed = LANES.min(parts.len());
    let parts = Queue::of(parts);
    let lanes = lanes::run(lanes_needed, || lane(parts.clone(), server.clone())).await?;
    let (mut created, mut tips) = (0, Tips::new());
    for (by_lane, tips_of_lane) in lanes {
        created += by_lane;
        tips.extend(tips_of_lane);
    }
    Ok((created, tips))
}

/// Takes one repository after another; the requests of one follow each other, so that their numbers do too.
async fn lane(parts: Arc<Queue<Part>>, server: Arc<Server>) -> Result<(usize, Tips), DatasetError> {
    let mut people = BTreeMap::new();
    let (mut created, mut tips) = (0, Tips::new());
    while let Some(part) = parts.next() {
        let mut work = Work { server: &server, repository: &part.generated, people: &mut people };
        let known = work.known().await?;
        for wanted in &part.pull_requests {
            created += work.one(wanted, &known).await?;
        }
        if part.pull_requests.iter().any(|request| request.state == PullRequestState::Merged) {
            let GeneratedRepository { project, slug, .. } = &part.generated;
            tips.insert((project.clone(), slug.clone()), work.branches().await?);
        }
    }
    Ok((created, tips))
}

/// The pull requests of one repository.
struct Work<'a> {
    server: &'a Server,
    repository: &'a GeneratedRepository,
    /// The connections that this lane has opened, each its user's.
    people: &'a mut BTreeMap<String, Bitbucket>,
}

impl Work<'_> {
    /// Returns the requests that are there, in whatever state.
    async fn known(&self) -> Result<Vec<RestPullRequest>, DatasetError> {
        let GeneratedRepository { project, slug, .. } = self.repository;
        let known = self.server.admin().pull_requests(project, slug, PullRequestFilter::All).await;
        self.server.done(known, || format!("list the pull requests of {project}/{slug}"))
    }

    async fn branches(&self) -> Result<Vec<Branch>, DatasetError> {
        let GeneratedRepository { project, slug, .. } = self.repository;
        let branches = self.server.admin().branches(project, slug).await;
        self.server.done(branches, || format!("list the branches of {project}/{slug}"))
    }

    /// Does what is left to do for one request, and returns 1 if it was not there before.
    async fn one(&mut self, wanted: &PullRequest, known: &[RestPullRequest]) -> Result<usize, DatasetError> {
        let found = known.iter().find(|found| {
            found.title == wanted.title
                && found.from_ref.id == full(&wanted.from)
                && found.to_ref.id == full(&wanted.to)
        });
        let (request, creation) = match found {
            // Whatever has become of it, the dataset has no more to do with it.
            Some(found) if found.state != OPEN => return Ok(0),
            Some(found) => (found.clone(), Creation::Existing),
            None => self.open(wanted).await?,
        };
        self.discuss(wanted, request.id, creation).await?;
        self.close(wanted, request).await?;
        Ok(usize::from(creation == Creation::Created))
    }

    async fn open(&mut self, wanted: &PullRequest) -> Result<(RestPullRequest, Creation), DatasetError> {
        let GeneratedRepository { project, slug, .. } = self.repository;
        let reviewers: Vec<&str> = wanted.reviewers.iter().map(String::as_str).collect();
        let new = NewPullRequest {
            title: &wanted.title,
            description: &wanted.description,
            from: &full(&wanted.from),
            to: &full(&wanted.to),
            reviewers: &reviewers,
        };
        let opened = self.person(&wanted.author)?.create_pull_request(project, slug, &new).await;
        self.done(opened, "open", wanted)
    }

    /// Says what was not said yet; comments come before the request is closed, so a closed one has them all.
    async fn discuss(
        &mut self,
        wanted: &PullRequest,
        id: u64,
        creation: Creation,
    ) -> Result<(), DatasetError> {
        let GeneratedRepository { project, slug, .. } = self.repository;
        let mut said = BTreeSet::new();
        if creation == Creation::Existing && !wanted.comments.is_empty() {
            let activities = self.person(&wanted.author)?.activities(project, slug, id).await;
            let activities = self.done(activities, "read", wanted)?;
            said.extend(activities.into_iter().filter_map(|activity| Some(activity.comment?.text)));
        }
        for Comment { author, text } in wanted.comments.iter().filter(|comment| !said.contains(&comment.text))
        {
            let commented = self.person(author)?.comment(project, slug, id, text).await;
            self.done(commented, "comment on", wanted)?;
        }
        Ok(())
    }

    async fn close(&mut self, wanted: &PullRequest, request: RestPullRequest) -> Result<(), DatasetError> {
        let GeneratedRepository { project, slug, .. } = self.repository;
        let reviewer = wanted.reviewers.first();
        if wanted.state == PullRequestState::Merged
            && let Some(reviewer) = reviewer
        {
            let approved = self.person(reviewer)?.approve(project, slug, request.id).await;
            self.done(approved, "approve", wanted)?;
        }
        let (person, act) = match wanted.state {
            PullRequestState::Open => return Ok(()),
            PullRequestState::Merged => (reviewer.unwrap_or(&wanted.author), "merge"),
            PullRequestState::Declined => (&wanted.author, "decline"),
        };
        let (id, mut version) = (request.id, request.version);
        for attempt in 1.. {
            let person = self.person(person)?;
            let closed = match wanted.state {
                PullRequestState::Merged => person.merge(project, slug, id, version).await,
                _ => person.decline(project, slug, id, version).await,
            };
            let Err(error) = closed else { break };
            if error.status() != Some(409) || attempt == ATTEMPTS {
                return self.done(Err(error), act, wanted);
            }
            let now = person.pull_request(project, slug, id).await;
            let now = self.done(now, "read", wanted)?;
            // An answer that was lost on its way, or the same request of a load that was given up.
            if now.state != OPEN {
                break;
            }
            if now.version == version && !says_retry(&error) {
                return self.done(Err(error), act, wanted);
            }
            version = now.version;
        }
        Ok(())
    }

    /// Returns the connection of a user.
    fn person(&mut self, name: &str) -> Result<&mut Bitbucket, DatasetError> {
        if !self.people.contains_key(name) {
            self.people.insert(name.to_owned(), self.server.client(name)?);
        }
        self.people.get_mut(name).ok_or_else(|| DatasetError::Password { user: name.to_owned() })
    }

    fn done<T>(
        &self,
        done: Result<T, BitbucketError>,
        act: &str,
        wanted: &PullRequest,
    ) -> Result<T, DatasetError> {
        let GeneratedRepository { project, slug, .. } = self.repository;
        self.server.done(done, || format!("{act} pull request {:?} of {project}/{slug}", wanted.title))
    }
}

/// Returns whether the target moved while the server merged; it asks to try again.
///
/// Source: Bitbucket's "New changes were pushed to main in A/b while the merge was being performed", as recorded.
fn says_retry(error: &BitbucketError) -> bool {
    let BitbucketError::Refused { messages, .. } = error else { return false };
    let is_merge = |class: &str| class.rsplit('.').next() == Some("MergeException");
    messages.iter().any(|message| message.exception.as_deref().is_some_and(is_merge))
}

fn full(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

const OPEN: &str = "OPEN";
/// How often a request may turn out to have changed since it was read.
const ATTEMPTS: u32 = 5;
const LANES: usize = 4;
