//! REST: shapes, pages and errors against literal expectations.

use http::Request;
use serde_json::{Value, json};

use crate::harness::{Place, Server, authorization, basic};
use crate::pull_requests::{World, refused};

fn error(context: &Value, message: &str, exception: &Value) -> Value {
    json!({"errors": [{"context": context, "message": message, "exceptionName": exception}]})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn projects_and_repositories_have_bitbuckets_shape() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    let base = server.base.clone();
    let wish = json!({"key": "Tools", "name": "The tools", "description": "All of them"});
    let project = json!({
        "key": "TOOLS", "id": 1, "name": "The tools", "description": "All of them", "public": false, "type": "NORMAL",
        "links": {"self": [{"href": format!("{base}/projects/TOOLS")}]},
    });
    let made = server.post_json("/rest/api/1.0/projects", &wish).await;
    assert_eq!((made.status.as_u16(), made.json()), (201, project.clone()));
    assert_eq!(made.header("content-type"), "application/json;charset=UTF-8");
    assert_eq!(server.get("/rest/api/latest/projects/tools").await.json(), project);
    let mut made = server.create_repository("TOOLS", "My Repo").await;
    let hierarchy = made["hierarchyId"].take();
    assert_eq!(hierarchy.as_str().unwrap().len(), 20);
    let repository = json!({
        "slug": "my-repo", "id": 1, "name": "My Repo", "hierarchyId": null, "scmId": "git", "state": "AVAILABLE",
        "statusMessage": "Available", "forkable": true, "project": project, "public": false, "archived": false,
        "links": {
            "clone": [{"href": format!("{base}/scm/tools/my-repo.git"), "name": "http"}],
            "self": [{"href": format!("{base}/projects/TOOLS/repos/my-repo/browse")}],
        },
    });
    assert_eq!(made, repository);
    let mut page = server.get("/rest/api/1.0/projects/TOOLS/repos").await.json();
    page["values"][0]["hierarchyId"] = Value::Null;
    assert_eq!(page, json!({"size": 1, "limit": 25, "isLastPage": true, "values": [repository], "start": 0}));
    assert_eq!(server.get("/rest/api/1.0/repos?limit=5").await.json()["values"][0]["slug"], "my-repo");
    assert_eq!(server.get("/rest/api/1.0/projects/tools/repos/MY-REPO").await.json()["id"], 1);

    assert!(place.home().join("repositories/1.git/HEAD").exists());
    let refused = server.delete("/rest/api/1.0/projects/TOOLS").await;
    let message = "The project \"TOOLS\" cannot be deleted because it has repositories.";
    assert_eq!(refused.status, 409);
    assert_eq!(
        refused.json(),
        error(&Value::Null, message, &json!("com.atlassian.bitbucket.IntegrityException"))
    );
    assert_eq!(server.delete("/rest/api/1.0/projects/TOOLS/repos/my-repo").await.status, 202);
    assert!(!place.home().join("repositories/1.git").exists());
    assert_eq!(server.delete("/rest/api/1.0/projects/TOOLS/repos/my-repo").await.status, 204);
    assert_eq!(server.delete("/rest/api/1.0/projects/TOOLS").await.status, 204);
    assert_eq!(server.get("/rest/api/1.0/projects/TOOLS").await.status, 404);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_lists_come_in_pages() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    for key in ["A", "B", "C", "D", "E"] {
        server.create_project(key).await;
    }
    let keys = |page: &Value| -> Vec<String> {
        page["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| value["key"].as_str().unwrap().to_owned())
            .collect()
    };
    let page = server.get("/rest/api/1.0/projects?limit=2").await.json();
    assert_eq!(
        (&page["size"], &page["isLastPage"], &page["nextPageStart"]),
        (&json!(2), &json!(false), &json!(2))
    );
    assert_eq!(keys(&page), ["A", "B"]);
    let page = server.get("/rest/api/1.0/projects?limit=2&start=4").await.json();
    assert_eq!(
        (&page["size"], &page["isLastPage"], page.get("nextPageStart")),
        (&json!(1), &json!(true), None)
    );
    assert_eq!(keys(&page), ["E"]);
    let page = server.get("/rest/api/1.0/projects?start=99").await.json();
    assert_eq!(page, json!({"size": 0, "limit": 25, "isLastPage": true, "values": [], "start": 99}));
    assert_eq!(server.get("/rest/api/1.0/projects?limit=100000").await.json()["limit"], 1000);
    assert_eq!(server.get("/rest/api/1.0/projects?limit=x").await.status, 400);
    assert_eq!(keys(&server.get("/rest/api/1.0/projects?name=project%20c").await.json()), ["C"]);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_are_the_recorded_ones() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    server.create_project("PROJ").await;
    let authentication =
        json!("com.atlassian.plugins.rest.api.security.exception.AuthenticationRequiredException");
    for path in
        ["projects", "repos", "users", "profile/recent/repos", "inbox/pull-requests/count", "projects/NONE"]
    {
        let answer = server.fetch_anonymous(&format!("/rest/api/latest/{path}")).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(
            answer.json(),
            error(&Value::Null, "You are not permitted to access this resource", &authentication)
        );
    }
    let request = Request::get(server.url("/rest/api/latest/users"))
        .header("authorization", authorization("admin", "no"));
    let answer = server.send(request, "").await;
    let message = "Authentication failed. Please check your credentials and try again.";
    let exception = json!("com.atlassian.bitbucket.auth.IncorrectPasswordAuthenticationException");
    assert_eq!((answer.status.as_u16(), answer.json()), (401, error(&Value::Null, message, &exception)));

    let no_project = json!("com.atlassian.bitbucket.project.NoSuchProjectException");
    let no_repository = json!("com.atlassian.bitbucket.repository.NoSuchRepositoryException");
    for (path, message, exception) in [
        ("projects/NONE", "Project NONE does not exist.", &no_project),
        ("projects/NONE/repos", "Project NONE does not exist.", &no_project),
        ("projects/NONE/repos/x", "Project NONE does not exist.", &no_project),
        ("projects/PROJ/repos/none", "Repository PROJ/none does not exist.", &no_repository),
        ("projects/PROJ/repos/none/branches", "Repository PROJ/none does not exist.", &no_repository),
    ] {
        let answer = server.get(&format!("/rest/api/1.0/{path}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()),
            (404, error(&Value::Null, message, exception)),
            "{path}"
        );
    }
    for path in ["/rest/api/1.0/definitely-not-a-route", "/rest/api/2.0/projects", "/rest/x"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.json()["errors"][0]["exceptionName"], Value::Null);
    }
    let answer = server
        .send(Request::put(server.url("/rest/api/1.0/repos")).header("authorization", basic()), "")
        .await;
    assert_eq!(answer.status, 405);
    let request = Request::get(server.url("/rest/api/1.0/projects")).header("authorization", basic());
    assert_eq!(server.send(request.header("accept", "text/html"), "").await.status, 406);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wishes_that_cannot_be_met_say_why() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    server.create_project("PROJ").await;
    server.create_repository("PROJ", "repo").await;
    let projects = "/rest/api/1.0/projects";
    let key_rule = "Project keys must start with a letter and may only consist of ASCII letters, numbers and \
                    underscores (A-Z, a-z, 0-9, _)";
    let none = Value::Null;
    for (body, status, context, message) in [
        (json!({}), 400, none.clone(), "The project key must be specified when creating a project."),
        (json!(null), 400, none.clone(), "The project key must be specified when creating a project."),
        (json!({"key": "../etc"}), 400, json!("key"), key_rule),
        (json!({"key": "PROJ", "name": "x"}), 409, json!("key"), "This project key is already in use."),
        (
            json!({"key": "NEW", "name": "project proj"}),
            409,
            json!("name"),
            "This project name is already in use.",
        ),
    ] {
        let answer = server.post_json(projects, &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()),
            (status, error(&context, message, &none)),
            "{body}"
        );
    }
    let repos = "/rest/api/1.0/projects/PROJ/repos";
    let name_rule = "Repository names are limited to 128 characters. They must start with a letter or number and may \
                     contain spaces, hyphens, underscores and periods";
    for (body, status, context, message) in [
        (json!({"name": "REPO"}), 409, "name", "This repository URL is already taken."),
        (json!({"name": "../x"}), 400, "name", name_rule),
        (json!({}), 400, "name", name_rule),
        (json!({"name": "x", "scmId": "hg"}), 400, "scmId", "Only git is served."),
        (
            json!({"name": "x", "defaultBranch": "--x"}),
            400,
            "defaultBranch",
            "This is not a branch name that git accepts.",
        ),
    ] {
        let answer = server.post_json(repos, &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()),
            (status, error(&json!(context), message, &none)),
            "{body}"
        );
    }
    let request = || Request::post(server.url(projects)).header("authorization", basic());
    let json_type = "application/json";
    assert_eq!(server.send(request().header("content-type", json_type), "{\"key\":").await.status, 400);
    assert_eq!(server.send(request().header("content-type", "text/plain"), "{}").await.status, 415);
    let leftovers: Vec<_> = std::fs::read_dir(place.home().join("repositories")).unwrap().collect();
    server.stop().await.unwrap();
    let left: Vec<_> = std::fs::read_dir(place.home().join("repositories")).unwrap().collect();
    assert_eq!(left.len(), 1, "of {leftovers:?} only the one repository stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_are_made_by_administrators_only() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    server.create_user("ada", "secret").await;
    let page = server.get("/rest/api/1.0/users?limit=1000").await.json();
    let ada = json!({
        "name": "ada", "emailAddress": "ada@example.com", "active": true, "displayName": "ada", "id": 2, "slug": "ada",
        "type": "NORMAL", "links": {"self": [{"href": server.url("/users/ada")}]},
    });
    assert_eq!(page["size"], 2);
    assert_eq!(page["values"][0], ada);
    assert_eq!(page["values"][1]["name"], "admin");
    assert_eq!(server.get("/rest/api/1.0/users/ADA").await.json(), ada);
    assert_eq!(server.get("/rest/api/1.0/users/nobody").await.status, 404);
    assert_eq!(server.get("/rest/api/1.0/users?filter=ada%40ex").await.json()["size"], 1);

    let as_ada = |request: http::request::Builder| {
        request
            .header("authorization", authorization("ada", "secret"))
            .header("content-type", "application/json")
    };
    assert_eq!(server.send(as_ada(Request::get(server.url("/rest/api/1.0/users"))), "").await.status, 200);
    for (path, body) in [
        ("/rest/api/1.0/admin/users?name=eve&password=x&displayName=e&emailAddress=e%40e", ""),
        ("/rest/api/1.0/projects", "{\"key\":\"EVE\"}"),
    ] {
        let answer = server.send(as_ada(Request::post(server.url(path))), body).await;
        let exception = json!("com.atlassian.bitbucket.AuthorisationException");
        let message = "You are not permitted to access this resource";
        assert_eq!((answer.status.as_u16(), answer.json()), (401, error(&Value::Null, message, &exception)));
    }
    for (query, status) in [
        ("name=ada&password=x&displayName=a&emailAddress=a%40a", 409),
        ("name=a%2Fb&password=x&displayName=a&emailAddress=a%40a", 400),
        ("name=b&password=&displayName=a&emailAddress=a%40a", 400),
        ("name=b&password=x&displayName=&emailAddress=a%40a", 400),
        ("name=b&password=x&displayName=b&emailAddress=nowhere", 400),
        ("", 400),
    ] {
        let request = Request::post(server.url(&format!("/rest/api/1.0/admin/users?{query}")));
        assert_eq!(server.send(request.header("authorization", basic()), "").await.status, status, "{query}");
    }
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn branches_are_listed_filtered_and_ordered() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    server.create_project("PROJ").await;
    server.create_repository("PROJ", "repo").await;
    let r = "/rest/api/1.0/projects/PROJ/repos/repo";
    assert_eq!(server.get(&format!("{r}/branches")).await.json()["values"], json!([]));
    assert_eq!(server.get(&format!("{r}/branches/default")).await.status, 204);
    assert_eq!(server.get(&format!("{r}/default-branch")).await.json()["displayId"], "master");

    place.history("work", 1).await;
    place.git(&["-C", "work", "branch", "alpha"]).await;
    place.git(&["-C", "work", "checkout", "--quiet", "-b", "feature/Beta"]).await;
    let later = [("GIT_COMMITTER_DATE", "2040-01-01T00:00:00Z")];
    let (made, _, stderr) =
        place.try_git(&["-C", "work", "commit", "--allow-empty", "-m", "x"], &later).await;
    assert!(made, "{stderr}");
    let url = server.clone_url("PROJ", "repo");
    place.git(&["-C", "work", "push", "--quiet", "--all", &url]).await;
    let main = place.git(&["-C", "work", "rev-parse", "main"]).await;
    let ids = |page: &Value| -> Vec<String> {
        page["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|b| b["displayId"].as_str().unwrap().to_owned())
            .collect()
    };
    let page = server.get(&format!("{r}/branches?details=false")).await.json();
    let expected = json!({
        "id": "refs/heads/main", "displayId": "main", "type": "BRANCH", "latestCommit": main, "latestChangeset": main,
        "isDefault": true,
    });
    assert_eq!(page["values"][0], expected, "the default branch comes first");
    assert_eq!(ids(&page), ["main", "alpha", "feature/Beta"]);
    assert_eq!(server.get(&format!("{r}/branches/default")).await.json(), expected);
    assert_eq!(
        server.get(&format!("{r}/default-branch")).await.json(),
        json!({"id": "refs/heads/main", "displayId": "main", "type": "BRANCH"})
    );
    let page = server.get(&format!("{r}/branches?orderBy=ALPHABETICAL&limit=2")).await.json();
    assert_eq!(
        (ids(&page), &page["nextPageStart"]),
        (vec!["alpha".into(), "feature/Beta".into()], &json!(2))
    );
    let page = server.get(&format!("{r}/branches?orderBy=MODIFICATION&limit=1")).await.json();
    assert_eq!(ids(&page), ["feature/Beta"]);
    assert_eq!(ids(&server.get(&format!("{r}/branches?filterText=beta")).await.json()), ["feature/Beta"]);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_small_resources_answer() {
    let place = Place::new();
    let server = Server::start(&place.home(), "7").await;
    let answer = server.fetch_anonymous("/rest/api/1.0/application-properties").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["displayName"], "Bitbucket");
    assert_eq!(server.get("/rest/api/latest/inbox/pull-requests/count").await.json(), json!({"count": 0}));
    let path = "/rest/api/latest/dashboard/pull-request-suggestions?changesSince=86400&limit=3&avatarSize=16";
    let empty = json!({"size": 0, "limit": 3, "isLastPage": true, "values": [], "start": 0});
    assert_eq!(server.get(path).await.json(), empty);
    let status = server.fetch_anonymous("/status").await;
    assert_eq!((status.status.as_u16(), status.text().as_str()), (200, r#"{"state":"RUNNING"}"#));

    let answer = server.get("/rest/api/1.0/projects").await;
    let id = answer.header("x-arequestid");
    assert!(id.starts_with("@7x") && id.split('x').count() == 4, "{id}");
    assert_eq!(answer.header("x-ausername"), "admin");
    assert_eq!(answer.header("x-auserid"), "1");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let caching: Vec<_> = answer.headers.get_all("cache-control").iter().collect();
    assert_eq!(caching, ["private, no-cache", "no-cache, no-transform"]);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn audit_events_tell_administrators_what_happened_to_a_repository() {
    let world = World::new().await;
    let events = "/rest/audit/latest/projects/PROJ/repos/repo/events";
    let created = world.ask("admin", "GET", events, &Value::Null).await;
    assert_eq!(created.status, 200, "{}", created.text());
    let values = &created.json()["values"];
    assert_eq!(values.as_array().unwrap().len(), 1, "{values}");
    assert_eq!(values[0]["action"], "RepositoryCreatedEvent");
    assert!(values[0]["timestamp"].as_i64().unwrap() > 1_600_000_000_000);

    world.branch("one", "one.txt", "1").await;
    world.branch("two", "two.txt", "2").await;
    let (one, two) = (world.open("one").await, world.open("two").await);
    let merge = world.post(&format!("{}/merge?version=0", one["id"]), &json!({})).await;
    assert_eq!(merge.status, 200, "{}", merge.text());
    let decline = world.post(&format!("{}/decline?version=0", two["id"]), &json!({})).await;
    assert_eq!(decline.status, 200, "{}", decline.text());
    let page = world.ask("admin", "GET", events, &Value::Null).await.json();
    let told: Vec<_> = page["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            (word(&event["action"]), word(&event["details"]), word(&event["user"]["name"]))
        })
        .collect();
    let event = |action: &str, details: &str, user: &str| (action.into(), details.into(), user.into());
    assert_eq!(
        told,
        [
            event("PullRequestDeclinedEvent", r#"{"pullRequest":2}"#, "ada"),
            event("PullRequestMergedEvent", r#"{"pullRequest":1}"#, "ada"),
            event("PullRequestOpenedEvent", r#"{"pullRequest":2}"#, "ada"),
            event("PullRequestOpenedEvent", r#"{"pullRequest":1}"#, "ada"),
            event("RepositoryCreatedEvent", "-", "-"),
        ]
    );
    let last = world.ask("admin", "GET", &format!("{events}?start=4&limit=1"), &Value::Null).await.json();
    assert_eq!(
        (&last["values"][0]["action"], &last["isLastPage"]),
        (&json!("RepositoryCreatedEvent"), &json!(true))
    );
    let old = "/rest/audit/1.0/projects/PROJ/repos/repo/events";
    assert_eq!(world.ask("admin", "GET", old, &Value::Null).await.json(), page);

    refused(&world.ask("ada", "GET", events, &Value::Null).await, 401, "AuthorisationException");
    let permit = "/rest/api/latest/projects/PROJ/repos/repo/permissions/users?name=ada&permission=REPO_ADMIN";
    assert_eq!(world.ask("admin", "PUT", permit, &Value::Null).await.status, 204);
    assert_eq!(world.ask("ada", "GET", events, &Value::Null).await.status, 200, "who administers it may");
    assert_eq!(world.server.fetch_anonymous(events).await.status, 401);
    let none = "/rest/audit/latest/projects/PROJ/repos/none/events";
    refused(&world.ask("admin", "GET", none, &Value::Null).await, 404, "NoSuchRepositoryException");
    let bad = world.ask("admin", "GET", &format!("{events}?limit=0"), &Value::Null).await;
    assert_eq!(bad.status, 400);
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn linked_issues_are_those_of_a_pull_request_that_is_there() {
    let world = World::new().await;
    world.branch("one", "one.txt", "1").await;
    world.open("one").await;
    let issues = |id: &str| format!("/rest/jira/latest/projects/PROJ/repos/repo/pull-requests/{id}/issues");
    let none = world.ask("ada", "GET", &issues("1"), &Value::Null).await;
    assert_eq!((none.status.as_u16(), none.json()), (200, json!([])));
    for id in ["2", "0", "x"] {
        let answer = world.ask("ada", "GET", &issues(id), &Value::Null).await;
        refused(&answer, 404, "NoSuchPullRequestException");
    }
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_is_too_large_is_answered_by_a_page() {
    let world = World::new().await;
    let server = &world.server;
    let cookie = server.sign_in("ada", "secret").await;
    let text = "x".repeat(2 << 20);
    world.branch("one", "one.txt", "1").await;
    world.open("one").await;
    for path in [
        "/j_atl_security_check",
        "/projects?create",
        "/projects/PROJ/repos?create",
        "/projects/PROJ/repos/repo/pull-requests?create",
        "/projects/PROJ/repos/repo/pull-requests/1/comments",
    ] {
        let answer = server.post_form(path, &[("description", &text)], &cookie).await;
        assert_eq!(answer.status, 413, "{path}: {}", answer.text());
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
        assert!(answer.text().contains("The request&#39;s body is too large."), "{path}: {}", answer.text());
    }
    world.server.stop().await.unwrap();
}
