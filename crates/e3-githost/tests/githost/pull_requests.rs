//! Pull requests as clients see them: REST beside real git, on one node and on two.

mod comments;
mod crashes;
mod life;
mod lists;
mod merges;

use http::Request;
use serde_json::{Value, json};

use crate::harness::{Answer, PASSWORD, Place, Server, authorization};

/// The repository's resource.
pub(crate) const R: &str = "/rest/api/latest/projects/PROJ/repos/repo";

/// A server with `PROJ/repo`, whose `main` has a file `shared` of ten lines, and users `ada` and `bob`.
pub(crate) struct World {
    pub(crate) place: Place,
    pub(crate) server: Server,
}

impl World {
    pub(crate) async fn new() -> Self {
        let place = Place::new();
        let server = Server::start(&place.home(), "1").await;
        server.create_project("PROJ").await;
        server.create_repository("PROJ", "repo").await;
        for name in ["ada", "bob"] {
            server.create_user(name, "secret").await;
        }
        let world = Self { place, server };
        world.git(&["init", "--quiet", "--initial-branch=main", "."]).await;
        let lines: String = (0..10).map(|n| format!("line {n}\n")).collect();
        world.commit("shared", &lines).await;
        world.push(&["main"]).await;
        world
    }

    /// Runs git in the clone.
    pub(crate) async fn git(&self, arguments: &[&str]) -> String {
        std::fs::create_dir_all(self.place.path("work")).unwrap();
        self.place.git(&[&["-C", "work"][..], arguments].concat()).await
    }

    /// Commits a file on the branch that is checked out; returns the commit.
    pub(crate) async fn commit(&self, file: &str, content: &str) -> String {
        std::fs::write(self.place.path("work").join(file), content).unwrap();
        self.git(&["add", "."]).await;
        self.git(&["commit", "--quiet", "-m", &format!("Write {file}")]).await;
        self.git(&["rev-parse", "HEAD"]).await
    }

    pub(crate) async fn push(&self, refs: &[&str]) {
        let url = self.server.clone_url("PROJ", "repo");
        self.git(&[&["push", "--quiet", "--force", &url][..], refs].concat()).await;
    }

    /// Makes a branch of `main` with one file and pushes it; returns its commit.
    pub(crate) async fn branch(&self, name: &str, file: &str, content: &str) -> String {
        self.git(&["checkout", "--quiet", "-B", name, "main"]).await;
        let commit = self.commit(file, content).await;
        self.push(&[name]).await;
        self.git(&["checkout", "--quiet", "main"]).await;
        commit
    }

    /// Returns what a branch is at on the server.
    pub(crate) async fn tip(&self, branch: &str) -> String {
        let url = self.server.clone_url("PROJ", "repo");
        let listed = self.git(&["ls-remote", &url, &format!("refs/heads/{branch}")]).await;
        listed.split('\t').next().unwrap_or("").to_owned()
    }

    pub(crate) async fn ask(&self, who: &str, method: &str, path: &str, body: &Value) -> Answer {
        ask(&self.server, who, method, path, body).await
    }

    /// Opens a pull request to `main` as ada.
    pub(crate) async fn open(&self, from: &str) -> Value {
        let wish =
            json!({"title": format!("Bring {from}"), "fromRef": {"id": from}, "toRef": {"id": "main"}});
        let answer = self.ask("ada", "POST", &format!("{R}/pull-requests"), &wish).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.ask("ada", "GET", &format!("{R}/pull-requests/{path}"), &Value::Null).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("ada", "POST", &format!("{R}/pull-requests/{path}"), body).await
    }
}

/// Asks as one of the users; no body for null.
pub(crate) async fn ask(server: &Server, who: &str, method: &str, path: &str, body: &Value) -> Answer {
    let password = if who == "admin" { PASSWORD } else { "secret" };
    let request = Request::builder().method(method).uri(server.url(path));
    let request = request.header("authorization", authorization(who, password));
    let text = if body.is_null() { String::new() } else { body.to_string() };
    server.send(request.header("content-type", "application/json"), text).await
}

/// Checks status and exception of a refusal, and returns the error.
#[track_caller]
pub(crate) fn refused(answer: &Answer, status: u16, exception: &str) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    let error = answer.json()["errors"][0].clone();
    let name = error["exceptionName"].as_str().unwrap_or("").rsplit('.').next().unwrap_or("").to_owned();
    assert_eq!(name, exception, "{error}");
    error
}

/// Returns the members of the page's rows.
pub(crate) fn ids(page: &Value) -> Vec<i64> {
    page["values"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}
