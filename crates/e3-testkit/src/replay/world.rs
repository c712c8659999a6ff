//! What a replay server knows: sessions, one repository, pull requests.

use std::collections::BTreeMap;
use std::path::Path;

use super::ReplayFamily;
use super::exchange::Exchange;
use crate::{Git, Shape, create_repository};

/// The state of a replay server.
pub(super) struct World {
    pub(super) git: Git,
    sessions: BTreeMap<String, String>,
    pub(super) pull_requests: Vec<PullRequest>,
    opened: usize,
}

/// A pull request; its number is its place, counted from 1.
#[derive(Debug, Clone)]
pub(super) struct PullRequest {
    pub(super) id: usize,
    pub(super) version: u64,
    pub(super) title: String,
    pub(super) state: &'static str,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) author: String,
    /// The commit at the source when the request ended, for its branch may go.
    pub(super) source: String,
}

impl World {
    /// Makes the repository and one open pull request.
    pub(super) fn make(root: &Path, _: ReplayFamily) -> Self {
        let path = root.join(REPOSITORY);
        create_repository(&path, 7, &Shape { commits: 8, ..Shape::seeded(8) });
        let git = Git::new(&path);
        git.run(&["config", "http.receivepack", "true"]);
        git.run(&["config", "uploadpack.allowFilter", "true"]);
        git.run(&["symbolic-ref", "HEAD", "refs/heads/main"]);
        git.run(&["update-ref", "refs/heads/release", "main~1"]);
        git.run(&["update-ref", "refs/heads/topic", "main"]);
        let mut world = Self { git, sessions: BTreeMap::new(), pull_requests: Vec::new(), opened: 0 };
        world.open("ada", "A topic", ("refs/heads/topic", "refs/heads/release"));
        world
    }

    /// Opens a pull request and returns it.
    pub(super) fn open(&mut self, author: &str, title: &str, (from, to): (&str, &str)) -> PullRequest {
        let opened = PullRequest {
            id: self.pull_requests.len() + 1,
            version: 0,
            title: title.to_owned(),
            state: "OPEN",
            from: from.to_owned(),
            to: to.to_owned(),
            author: author.to_owned(),
            source: self.commit(from).unwrap_or_default(),
        };
        self.pull_requests.push(opened.clone());
        opened
    }

    pub(super) fn pull_request(&mut self, id: &str) -> Option<&mut PullRequest> {
        self.pull_requests.iter_mut().find(|known| known.id.to_string() == id)
    }

    /// Begins a session and returns its token.
    pub(super) fn log_in(&mut self, user: &str) -> String {
        self.opened += 1;
        let token = format!("session-{}", self.opened);
        self.sessions.insert(token.clone(), user.to_owned());
        token
    }

    /// Ends the session that the request came with.
    pub(super) fn log_out(&mut self, exchange: &Exchange) {
        for (name, value) in exchange.cookies() {
            if name == exchange.family.session_cookie() {
                self.sessions.remove(&value);
            }
        }
    }

    /// Returns who is logged in.
    pub(super) fn user(&self, exchange: &Exchange) -> Option<String> {
        let cookies = exchange.cookies();
        let (_, token) = cookies.iter().find(|(name, _)| name == exchange.family.session_cookie())?;
        self.sessions.get(token).cloned()
    }

    /// Returns the branches as full refs with their commits.
    pub(super) fn branches(&self) -> Vec<(String, String)> {
        let listed = self.git.run(&["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads"]);
        listed
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, commit)| (name.to_owned(), commit.to_owned()))
            .collect()
    }

    /// Returns the commit of a branch; none if it is gone.
    pub(super) fn commit(&self, reference: &str) -> Option<String> {
        self.branches().into_iter().find(|(name, _)| name == reference).map(|(_, commit)| commit)
    }

    /// Returns the files that differ between two commits or refs.
    pub(super) fn changed(&self, from: &str, to: &str) -> Vec<String> {
        let listed = self.git.run(&["diff", "--name-only", &format!("{to}...{from}")]);
        listed.lines().map(str::to_owned).collect()
    }

    pub(super) fn delete_branch(&self, reference: &str) {
        self.git.run(&["update-ref", "-d", reference]);
    }
}

/// Where the repository lies below the server's directory.
pub(super) const REPOSITORY: &str = "scm/P/r.git";
