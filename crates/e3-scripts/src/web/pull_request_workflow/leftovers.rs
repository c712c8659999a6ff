//! What a workflow that ended early may have left: its branch, and its open pull request.

use e3_bitbucket::{Bitbucket, BitbucketError, PullRequestFilter};
use e3_git::{Remote, RepositoryPath};
use e3_http::{BaseUrl, HttpWay};
use e3_model::with_causes;
use e3_workload::Account;

use super::branch::Branch;
use crate::scm::removal::remove_branches;

/// The branches that are not known to be merged and gone.
pub(super) struct Leftovers {
    base: BaseUrl,
    way: HttpWay,
    account: Account,
    remote: Remote,
    branches: Vec<Branch>,
}

impl Leftovers {
    pub(super) fn new((base, way): (BaseUrl, HttpWay), account: Account, remote: Remote) -> Self {
        Self { base, way, account, remote, branches: Vec::new() }
    }

    /// Notes a branch that is about to be pushed.
    pub(super) fn expect(&mut self, branch: &Branch) {
        self.branches.push(branch.clone());
    }

    /// Notes that the branch's push was reported.
    pub(super) fn arrived(&mut self, branch: &Branch) {
        for known in self.branches.iter_mut().filter(|known| known.is(branch)) {
            known.commit.clone_from(&branch.commit);
        }
    }

    /// Strikes out a branch that is gone, and whose pull request is merged or declined.
    pub(super) fn forget(&mut self, branch: &Branch) {
        self.branches.retain(|known| !known.is(branch));
    }

    /// Declines what is open and deletes what is there; the branches that it could not clean stay noted.
    ///
    /// # Errors
    /// With what is left, and why.
    pub(super) async fn remove(&mut self) -> Result<(), String> {
        let bitbucket = Bitbucket::new(self.base.clone(), &self.account.name, &self.account.password);
        let mut bitbucket = bitbucket.with_way(&self.way);
        let (mut left, mut problems) = (Vec::new(), Vec::new());
        for branch in std::mem::take(&mut self.branches) {
            if let Err(problem) = clean(&mut bitbucket, &self.remote, &branch).await {
                problems.push(format!("{} of {}/{}: {problem}", branch.name, branch.project, branch.slug));
                left.push(branch);
            }
        }
        self.branches = left;
        if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
    }
}

async fn clean(bitbucket: &mut Bitbucket, remote: &Remote, branch: &Branch) -> Result<(), String> {
    decline(bitbucket, branch).await.map_err(|error| with_causes(&error))?;
    let repository = RepositoryPath::new(&branch.project, &branch.slug);
    let name = branch.name.as_str();
    // Without a report, the push may still be under way in the server.
    let unreported: &[&str] = if branch.commit.is_empty() { &[name] } else { &[] };
    remove_branches(remote, &repository, &[name], unreported).await.map_err(|error| with_causes(&error))?;
    // A creation that was cut off may have been carried out only now; without the branch no other one can be.
    decline(bitbucket, branch).await.map_err(|error| with_causes(&error))
}

/// Declines the open pull requests from a branch; one that changes meanwhile is looked at again.
async fn decline(bitbucket: &mut Bitbucket, branch: &Branch) -> Result<(), BitbucketError> {
    let (key, slug) = (&branch.project, &branch.slug);
    let mut attempt = 1;
    loop {
        let mut stale = None;
        for open in bitbucket.pull_requests(key, slug, PullRequestFilter::Open).await? {
            if open.from_ref.id == branch.from() {
                match bitbucket.decline(key, slug, open.id, open.version).await {
                    Err(error) if error.status() == Some(409) => stale = Some(error),
                    declined => drop(declined?),
                }
            }
        }
        match stale {
            Some(_) if attempt < ATTEMPTS => attempt += 1,
            Some(error) => return Err(error),
            None => return Ok(()),
        }
    }
}

/// How often a pull request that changes meanwhile is declined.
const ATTEMPTS: u32 = 3;
