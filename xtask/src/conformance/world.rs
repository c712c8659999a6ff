//! What the rows find on the server: a project, repositories with and without branches, users; and who asks for it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e3_bitbucket::Bitbucket;
use e3_http::{HttpSession, Request};
use e3_model::Secret;
use http::Method;
use tokio::process::Command;
use tokio::time::timeout;

use super::judge::Answer;
use super::operation::{Operation, Who};
use super::server::{Server, new_password};

/// The clients of the server, one for each that may ask.
pub(super) struct World {
    admin: HttpSession,
    member: HttpSession,
    nobody: HttpSession,
    impostor: HttpSession,
}

/// The names that a row's path may hold, and what they stand for.
pub(super) const NAMES: &[(&str, &str)] = &[
    ("projectKey", PROJECT),
    ("repositorySlug", REPOSITORY),
    ("userSlug", MEMBER),
    ("pullRequestId", "1"),
    ("commentId", "1"),
];

/// A project with a description and three repositories.
const PROJECT: &str = "CONFORMANCE";
/// A project with neither.
pub(super) const BARE_PROJECT: &str = "BARE";
/// A repository with four branches.
const REPOSITORY: &str = "filled";
const SECOND_REPOSITORY: &str = "second";
/// A repository without a commit.
pub(super) const EMPTY_REPOSITORY: &str = "empty";
/// A user who is no administrator.
const MEMBER: &str = "member";

impl World {
    /// Makes everything that the rows need, by REST and by a push.
    ///
    /// # Errors
    /// When the server refuses something, or git does.
    pub(super) async fn make(server: &Server) -> Result<Self> {
        let (base, password) = (&server.base, new_password());
        let mut bitbucket = Bitbucket::new(base.clone(), ADMIN, &server.admin_password);
        bitbucket.create_project(PROJECT, "Conformance", "What the checks look at").await?;
        bitbucket.create_project(BARE_PROJECT, "Bare", "").await?;
        for name in [REPOSITORY, SECOND_REPOSITORY, EMPTY_REPOSITORY] {
            bitbucket.create_repository(PROJECT, name).await?;
        }
        bitbucket.create_user(MEMBER, &password, "A Member", "member@example.com").await?;
        let url = format!("{base}/scm/{}/{REPOSITORY}.git", PROJECT.to_lowercase());
        push(&server.folder().join("clone"), &url, &server.admin_password).await?;
        let session = || HttpSession::new(base.clone());
        let mut world = Self {
            admin: session().with_basic(ADMIN, &server.admin_password),
            member: session().with_basic(MEMBER, &password),
            nobody: session(),
            impostor: session().with_basic(MEMBER, &Secret::new("not the password")),
        };
        // Only who looked at a repository's page has visited it.
        let page = format!("/projects/{PROJECT}/repos/{REPOSITORY}/browse");
        world.send(Who::Admin, Request::get(page).header("accept", "text/html")).await?;
        Ok(world)
    }

    /// Sends a row's request to a target.
    ///
    /// # Errors
    /// When no answer comes in time.
    pub(super) async fn ask(&mut self, operation: &Operation, target: &str) -> Result<Answer> {
        let method = Method::from_bytes(operation.method.as_bytes()).context("the row's method is none")?;
        let mut request = Request::new(method, target).header("accept", operation.accept);
        if !operation.body.is_empty() {
            request = request.header("content-type", "application/json").body(operation.body);
        }
        self.send(operation.who, request).await
    }

    /// Returns the server's description of itself.
    ///
    /// # Errors
    /// When it does not come, or is no JSON.
    pub(super) async fn own_description(&mut self) -> Result<serde_json::Value> {
        let answer = self.send(Who::Nobody, Request::get("/rest/openapi.json")).await?;
        serde_json::from_slice(&answer.body).context("githost's own description is no JSON")
    }

    async fn send(&mut self, who: Who, request: Request) -> Result<Answer> {
        let session = match who {
            Who::Admin => &mut self.admin,
            Who::Member => &mut self.member,
            Who::Nobody => &mut self.nobody,
            Who::Impostor => &mut self.impostor,
        };
        // A cookie would make the next request that of a session.
        session.clear_cookies();
        let asked = format!("{} {}", request.method, request.path);
        let Ok(sent) = timeout(ANSWER, session.send(request)).await else {
            bail!("{asked}: no answer within {ANSWER:?}");
        };
        let response = sent.with_context(|| asked)?;
        Ok(Answer { status: response.status, headers: response.headers, body: response.body.to_vec() })
    }
}

/// Pushes branches with real git; the credentials go by its environment.
async fn push(clone: &Path, url: &str, password: &Secret) -> Result<()> {
    std::fs::create_dir(clone).with_context(|| format!("cannot make {}", clone.display()))?;
    let credentials = STANDARD.encode(format!("{ADMIN}:{}", password.expose()));
    // What is written before a command is run.
    const NOTHING: (&str, &str) = ("", "");
    let readme = ("README.md", "What the checks look at.\n");
    for (arguments, (file, text)) in [
        (&["init", "--quiet", "--initial-branch=main"][..], NOTHING),
        (&["add", "--all"], readme),
        (&["commit", "--quiet", "--message=Say what this is"], NOTHING),
        (&["switch", "--quiet", "--create", "feature/one"], NOTHING),
        (&["commit", "--quiet", "--allow-empty", "--message=Begin a feature"], NOTHING),
        // Brings a file.
        (&["switch", "--quiet", "--create", "feature/two", "main"], NOTHING),
        (&["add", "--all"], ("two.txt", "one\ntwo\n")),
        (&["commit", "--quiet", "--message=Bring a file"], NOTHING),
        // Says otherwise than its target.
        (&["switch", "--quiet", "--create", "feature/three", "main"], NOTHING),
        (&["commit", "--quiet", "--all", "--message=Say it so"], ("README.md", "So.\n")),
        (&["switch", "--quiet", "main"], NOTHING),
        (&["commit", "--quiet", "--all", "--message=Say it otherwise"], ("README.md", "Otherwise.\n")),
        (&["push", "--quiet", url, "main", "feature/one", "feature/two", "feature/three"], NOTHING),
    ] {
        if !file.is_empty() {
            std::fs::write(clone.join(file), text).context("cannot write a file")?;
        }
        let mut git = Command::new("git");
        git.args(arguments).current_dir(clone).env_clear().kill_on_drop(true).stdin(Stdio::null());
        git.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        git.envs(GIT.iter().copied());
        // Source: git-config(1), GIT_CONFIG_COUNT, since git 2.31.
        git.env("GIT_CONFIG_VALUE_0", format!("Authorization: Basic {credentials}"));
        let output = timeout(PUSH, git.output());
        let output = output.await.with_context(|| format!("git {arguments:?} took more than {PUSH:?}"))?;
        let output = output.context("cannot start git")?;
        if !output.status.success() {
            bail!("git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
    }
    Ok(())
}

const ADMIN: &str = "admin";
const GIT: &[(&str, &str)] = &[
    ("LC_ALL", "C"),
    ("HOME", "/nonexistent"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_CONFIG_COUNT", "1"),
    ("GIT_CONFIG_KEY_0", "http.extraHeader"),
    ("GIT_AUTHOR_NAME", "A Member"),
    ("GIT_AUTHOR_EMAIL", "member@example.com"),
    ("GIT_COMMITTER_NAME", "A Member"),
    ("GIT_COMMITTER_EMAIL", "member@example.com"),
];
const ANSWER: Duration = Duration::from_secs(20);
const PUSH: Duration = Duration::from_secs(60);
