//! Who may do what: permissions of projects and repositories, groups, administrators, access tokens.

use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Answer, Place, Server, authorization, basic};

const PASSWORD: &str = "secret-enough";

/// One who asks with an `Authorization` of their own.
struct Client<'a> {
    server: &'a Server,
    authorization: String,
}

impl Client<'_> {
    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let url = self.server.url(&format!("/rest{path}"));
        let mut request =
            Request::builder().method(method).uri(url).header("authorization", &self.authorization);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        self.server.send(request, body.map(|body| body.to_string()).unwrap_or_default()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    async fn put(&self, path: &str) -> StatusCode {
        self.ask(Method::PUT, path, None).await.status
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(body)).await
    }

    async fn delete(&self, path: &str) -> StatusCode {
        self.ask(Method::DELETE, path, None).await.status
    }
}

fn admin(server: &Server) -> Client<'_> {
    Client { server, authorization: basic() }
}

async fn user<'a>(server: &'a Server, name: &str) -> Client<'a> {
    server.create_user(name, PASSWORD).await;
    Client { server, authorization: authorization(name, PASSWORD) }
}

async fn with_repository(place: &Place) -> Server {
    let server = Server::start(&place.home(), "1").await;
    server.create_project("OPEN").await;
    server.create_project("SHUT").await;
    for key in ["OPEN", "SHUT"] {
        server.create_repository(key, "repo").await;
    }
    place.history("work", 2).await;
    let url = server.clone_url("shut", "repo");
    place.git(&["-C", "work", "push", "--quiet", &url, "main"]).await;
    server
}

fn keys(page: &Value) -> Vec<&str> {
    page["values"].as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_is_open_to_all_until_it_is_shut() {
    let place = Place::new();
    let server = with_repository(&place).await;
    let (admin, ada) = (admin(&server), user(&server, "ada").await);
    assert_eq!(keys(&ada.get("/api/latest/projects").await.json()), ["OPEN", "SHUT"]);
    let default = "/api/latest/projects/SHUT/permissions/PROJECT_WRITE/all";
    assert_eq!(admin.get(default).await.json(), json!({"permitted": true}));
    assert_eq!(ada.get(default).await.status, 401, "only who administers a project sees its permissions");
    let made = ada
        .post(
            "/branch-utils/1.0/projects/SHUT/repos/repo/branches",
            json!({"name": "a", "startPoint": "main"}),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text());

    let shut = admin.ask(Method::POST, &format!("{default}?allow=false"), None).await;
    assert_eq!(shut.status, 204, "{}", shut.text());
    assert_eq!(admin.get(default).await.json(), json!({"permitted": false}));
    assert_eq!(keys(&ada.get("/api/latest/projects").await.json()), ["OPEN"]);
    assert_eq!(ada.get("/api/latest/repos").await.json()["size"], 1);
    let exception = "com.atlassian.bitbucket.AuthorisationException";
    for path in [
        "projects/SHUT",
        "projects/SHUT/repos",
        "projects/SHUT/repos/repo",
        "projects/SHUT/repos/repo/commits",
    ] {
        let refused = ada.get(&format!("/api/latest/{path}")).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["errors"][0]["exceptionName"]),
            (401, &exception.into())
        );
    }
    let page = Request::get(server.url("/projects/SHUT/repos/repo/browse"));
    let page = server.send(page.header("authorization", &ada.authorization), "").await;
    assert_eq!(page.status, 403, "a page, unlike REST, tells who signed in from who may not");
    assert!(!page.text().contains("file-0.txt"));
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grants_let_users_and_groups_in_level_by_level() {
    let place = Place::new();
    let server = with_repository(&place).await;
    let (admin, ada, bob) = (admin(&server), user(&server, "ada").await, user(&server, "bob").await);
    let shut = "/api/latest/projects/SHUT/permissions/PROJECT_READ/all?allow=false";
    assert_eq!(admin.ask(Method::POST, shut, None).await.status, 204);
    let repo = "/api/latest/projects/SHUT/repos/repo";
    let users = format!("{repo}/permissions/users");
    let branches = "/branch-utils/latest/projects/SHUT/repos/repo/branches";
    let branch = |name: &str| json!({"name": name, "startPoint": "main"});

    assert_eq!(admin.put(&format!("{users}?name=ada&permission=REPO_READ")).await, 204);
    assert_eq!(ada.get(repo).await.status, 200);
    assert_eq!(
        keys(&ada.get("/api/latest/projects").await.json()),
        ["OPEN", "SHUT"],
        "one of its repositories is hers"
    );
    assert_eq!(ada.get("/api/latest/projects/SHUT").await.status, 200);
    assert_eq!(ada.post(branches, branch("a")).await.status, 401, "she may only read");
    let listed = admin.get(&users).await.json();
    assert_eq!((&listed["values"][0]["permission"], &listed["size"]), (&"REPO_READ".into(), &1.into()));

    let clone = |name: &str| format!("http://{name}:{PASSWORD}@{}/scm/shut/repo.git", server.host());
    let (cloned, _, stderr) = place.try_git(&["clone", "--quiet", &clone("ada"), "hers"], &[]).await;
    assert!(cloned, "{stderr}");
    let (pushed, _, stderr) = place.try_git(&["-C", "work", "push", &clone("ada"), "main:x"], &[]).await;
    assert!(!pushed && stderr.contains("403"), "{stderr}");
    let (cloned, _, stderr) = place.try_git(&["clone", "--quiet", &clone("bob"), "his"], &[]).await;
    assert!(!cloned && stderr.contains("not found"), "{stderr}");

    assert_eq!(admin.put(&format!("{users}?name=ada&permission=REPO_WRITE")).await, 204);
    assert_eq!(ada.post(branches, branch("a")).await.status, 201);
    assert_eq!(ada.get(&users).await.status, 401);
    assert_eq!(admin.delete(&format!("{users}?name=ada")).await, 204);
    assert_eq!(ada.get(repo).await.status, 401);

    assert_eq!(admin.ask(Method::POST, "/api/latest/admin/groups?name=crew", None).await.status, 200);
    let member = json!({"context": "crew", "itemName": "bob"});
    assert_eq!(admin.post("/api/latest/admin/groups/add-user", member.clone()).await.status, 200);
    let groups = "/api/latest/projects/SHUT/permissions/groups";
    assert_eq!(admin.put(&format!("{groups}?name=crew&permission=PROJECT_ADMIN")).await, 204);
    let members = admin.get("/api/latest/admin/groups/more-members?context=crew").await.json();
    assert_eq!(members["values"][0]["name"], "bob");
    assert_eq!(
        bob.put(&format!("{groups}?name=crew&permission=PROJECT_WRITE")).await,
        204,
        "he administers it"
    );
    assert_eq!(bob.put(&format!("{groups}?name=crew&permission=PROJECT_ADMIN")).await, 401, "no more");
    assert_eq!(bob.post(branches, branch("b")).await.status, 201);
    assert_eq!(admin.post("/api/latest/admin/groups/remove-user", member).await.status, 200);
    assert_eq!(bob.get(repo).await.status, 401);
    for (path, status) in [
        (format!("{users}?name=nobody&permission=REPO_READ"), 404),
        (format!("{users}?name=ada&permission=PROJECT_READ"), 400),
        (format!("{users}?name=ada"), 400),
        (format!("{groups}?name=none&permission=PROJECT_READ"), 404),
    ] {
        assert_eq!(admin.put(&path).await, status, "{path}");
    }
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administrators_are_made_and_the_last_one_stays() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    let (admin, ada) = (admin(&server), user(&server, "ada").await);
    let users = "/api/latest/admin/permissions/users";
    assert_eq!(ada.get(users).await.status, 401);
    assert_eq!(admin.delete(&format!("{users}?name=admin")).await, 409);
    assert_eq!(admin.get(users).await.json()["values"][0]["permission"], "SYS_ADMIN");

    let project = |key: &str| json!({"key": key, "name": key});
    assert_eq!(ada.post("/api/latest/projects", project("MINE")).await.status, 401);
    assert_eq!(admin.put(&format!("{users}?name=ada&permission=PROJECT_CREATE")).await, 204);
    assert_eq!(ada.post("/api/latest/projects", project("MINE")).await.status, 201);
    let made = ada.post("/api/latest/projects/MINE/repos", json!({"name": "one"})).await;
    assert_eq!(made.status, 201, "who makes a project administers it: {}", made.text());
    let renamed =
        ada.ask(Method::PUT, "/api/latest/projects/MINE/repos/one", Some(json!({"name": "two"}))).await;
    assert_eq!((renamed.status.as_u16(), &renamed.json()["slug"]), (201, &"two".into()));
    assert_eq!(ada.get("/api/latest/projects/MINE/repos/one").await.status, 404);

    let group = "/api/latest/admin/permissions/groups?name=stash-users&permission=ADMIN";
    assert_eq!(admin.put(group).await, 204);
    assert_eq!(ada.get(users).await.status, 200, "by her group");
    assert_eq!(ada.delete("/api/latest/admin/users?name=ada").await, 409, "nobody deletes oneself");
    assert_eq!(ada.delete("/api/latest/admin/users?name=admin").await, 200);
    assert_eq!(admin.get(users).await.status, 401, "deleted");
    assert_eq!(ada.delete("/api/latest/admin/groups?name=stash-users").await, 409, "she is the last one");
    server.stop().await.unwrap();
    let server = Server::start(&place.home(), "1").await;
    let answer = server.get("/rest/api/latest/admin/users").await;
    assert_eq!(answer.status, 200, "the administrator of the start is one again: {}", answer.text());
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_tokens_do_what_they_were_made_for() {
    let place = Place::new();
    let server = with_repository(&place).await;
    let (admin, ada) = (admin(&server), user(&server, "ada").await);
    let tokens = "/access-tokens/latest/users/ada";
    let wish = |permissions: Value| json!({"name": format!("for {permissions}"), "permissions": permissions});
    let make = async |permissions: Value| {
        let made = ada.ask(Method::PUT, tokens, Some(wish(permissions))).await;
        assert_eq!(made.status, 200, "{}", made.text());
        made.json()
    };
    let (reads, writes) = (make(json!(["REPO_READ"])).await, make(json!(["REPO_WRITE"])).await);
    let secret = |made: &Value| made["token"].as_str().unwrap().to_owned();
    let bearer = |made: &Value| Client { server: &server, authorization: format!("Bearer {}", secret(made)) };
    let listed = ada.get(tokens).await;
    assert_eq!(listed.json()["size"], 2);
    assert!(!listed.text().contains(&secret(&reads)), "a token is told once");

    let branches = "/branch-utils/latest/projects/SHUT/repos/repo/branches";
    let branch = |name: &str| json!({"name": name, "startPoint": "main"});
    assert_eq!(bearer(&reads).get("/api/latest/projects/SHUT/repos/repo").await.status, 200);
    assert_eq!(bearer(&reads).post(branches, branch("a")).await.status, 401);
    assert_eq!(bearer(&writes).post(branches, branch("a")).await.status, 201);
    assert_eq!(bearer(&writes).get(tokens).await.status, 401, "no token sees tokens");
    let basic = Client { server: &server, authorization: authorization("ada", &secret(&writes)) };
    assert_eq!(basic.get("/api/latest/projects").await.status, 200);
    let other = Client { server: &server, authorization: authorization("admin", &secret(&writes)) };
    assert_eq!(other.get("/api/latest/projects").await.status, 401, "it is not his");

    let url = |made: &Value| format!("http://ada:{}@{}/scm/shut/repo.git", secret(made), server.host());
    let (pushed, _, stderr) =
        place.try_git(&["-C", "work", "push", "--quiet", &url(&writes), "main:x"], &[]).await;
    assert!(pushed, "{stderr}");
    let (pushed, _, _) = place.try_git(&["-C", "work", "push", "--quiet", &url(&reads), "main:y"], &[]).await;
    assert!(!pushed);

    let page =
        |authorization: &str| Request::get(server.url("/projects")).header("authorization", authorization);
    let answer = server.send(page(&bearer(&writes).authorization), "").await;
    assert_eq!((answer.status.as_u16(), answer.header("location").starts_with("/login")), (302, true));
    assert_eq!(server.send(page(&basic.authorization), "").await.status, 401);

    let one = format!("{tokens}/{}", writes["id"].as_str().unwrap());
    assert_eq!(ada.get(&one).await.json()["permissions"], json!(["REPO_WRITE"]));
    assert_eq!(admin.delete(&one).await, 204);
    assert_eq!(bearer(&writes).get("/api/latest/projects").await.status, 401, "on the spot");
    assert_eq!(ada.get(&one).await.status, 404);
    assert_eq!(ada.get("/access-tokens/latest/users/admin").await.status, 401);
    let file = std::fs::read(place.home().join("data/githost.sqlite")).unwrap_or_default();
    let needle = secret(&reads);
    assert!(!file.windows(needle.len()).any(|window| window == needle.as_bytes()), "only its hash is kept");
    let made = make(json!(["PROJECT_ADMIN"])).await;
    assert_eq!(bearer(&made).get("/api/latest/admin/users").await.status, 401);
    server.stop().await.unwrap();
}
