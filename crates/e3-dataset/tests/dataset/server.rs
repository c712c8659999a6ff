//! The embedded server that tests load datasets into.

use std::collections::BTreeMap;
use std::process::Command;

use e3_bitbucket::{Bitbucket, PullRequestFilter};
use e3_dataset::{Dataset, Target};
use e3_git::SshKey;
use e3_githost::ServeOptions;
use e3_http::BaseUrl;
use e3_model::Secret;
use tokio::sync::oneshot;

/// An embedded server that ends with the test.
pub(crate) struct Server {
    pub(crate) target: Target,
    stop: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
    _home: tempfile::TempDir,
}

impl Server {
    pub(crate) async fn start(dataset: &Dataset) -> Self {
        let home = tempfile::tempdir().unwrap();
        let admin_password = Secret::new("correct horse");
        let options = ServeOptions {
            home: home.path().join("githost"),
            http: ([127, 0, 0, 1], 0).into(),
            ssh: None,
            admin_password: admin_password.clone(),
            database: None,
            node: "1".to_owned(),
            properties: BTreeMap::new(),
        };
        let (tell, ready) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let on_ready = |ready: &e3_githost::Ready| tell.send(ready.http.clone()).unwrap();
            let shutdown = async { drop(stopped.await) };
            e3_githost::serve(options, on_ready, shutdown).await.unwrap();
        });
        let url = ready.await.unwrap();
        let users = dataset.snapshot.users.iter().map(|user| user.username.clone());
        let target = Target {
            url,
            admin: "admin".to_owned(),
            admin_password,
            users: users.clone().map(|name| (name.clone(), Secret::new(format!("pass {name}")))).collect(),
            public_keys: users.map(|name| (name, SshKey::generate().unwrap().public())).collect(),
        };
        Self { target, stop: Some(stop), task, _home: home }
    }

    /// Returns the administrator's client.
    pub(crate) fn admin(&self) -> Bitbucket {
        let base = BaseUrl::parse(&self.target.url).unwrap();
        Bitbucket::new(base, &self.target.admin, &self.target.admin_password)
    }

    /// Returns the repository's URL for git as `user`.
    pub(crate) fn clone_url(&self, project: &str, slug: &str, user: &str, password: &Secret) -> String {
        let password = password.expose().replace(' ', "%20");
        let url = self.target.url.replace("http://", &format!("http://{user}:{password}@"));
        format!("{url}/scm/{project}/{slug}.git")
    }

    /// Returns what `git ls-remote` prints when `user` asks.
    pub(crate) fn ls_remote(&self, project: &str, slug: &str, user: &str, password: &Secret) -> String {
        let output = Command::new("git")
            .args(["ls-remote", &self.clone_url(project, slug, user, password)])
            .env("GIT_TERMINAL_PROMPT", "0")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Returns all that a load puts there, without what differs between two loads: numbers, times and merge commits.
    pub(crate) async fn picture(&self, dataset: &Dataset) -> BTreeMap<String, Vec<String>> {
        let mut admin = self.admin();
        let mut picture = BTreeMap::new();
        let users = admin.users().await.unwrap();
        picture.insert("users".to_owned(), sorted(users.iter().map(|user| user.name.clone())));
        for user in &dataset.snapshot.users {
            let keys = admin.ssh_keys(&user.username).await.unwrap();
            let ours = keys.iter().map(|key| key.is(&self.target.public_keys[&user.username]).to_string());
            picture.insert(format!("keys of {}", user.username), ours.collect());
        }
        for (project, described) in dataset.snapshot.repositories() {
            let slug = &described.name;
            let branches = admin.branches(project, slug).await.unwrap();
            let tips = branches.iter().map(|branch| {
                // The main line is where merges go.
                let tip = if branch.is_default { "moved" } else { branch.latest_commit.as_str() };
                format!("{} {tip}", branch.id)
            });
            let mut lines = sorted(tips);
            let tags = admin.tags(project, slug).await.unwrap();
            lines.extend(sorted(tags.iter().map(|tag| format!("{} {}", tag.id, tag.latest_commit))));
            let requests = admin.pull_requests(project, slug, PullRequestFilter::All).await.unwrap();
            let mut described = Vec::new();
            for request in requests {
                let activities = admin.activities(project, slug, request.id).await.unwrap();
                let said = activities.into_iter().filter_map(|activity| activity.comment);
                let said = sorted(said.map(|comment| {
                    format!(
                        "{}: {}",
                        comment.author.map(|author| author.name).unwrap_or_default(),
                        comment.text
                    )
                }));
                let author = request.author.map(|author| author.user.name).unwrap_or_default();
                let reviewers =
                    request.reviewers.iter().map(|one| format!("{} {}", one.user.name, one.approved));
                let reviewers = sorted(reviewers);
                let (state, title, from) = (request.state, request.title, request.from_ref.display_id);
                described
                    .push(format!("{state} {title} by {author} for {reviewers:?} from {from}: {said:?}"));
            }
            described.sort();
            lines.extend(described);
            picture.insert(format!("{project}/{slug}"), lines);
        }
        picture
    }

    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        self.task.await.unwrap();
    }
}

fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}
