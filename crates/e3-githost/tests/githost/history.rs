//! Commits, differences, files, branches and tags by REST, against what real git says.

use http::{Method, Request};
use serde_json::{Value, json};

use crate::harness::{Answer, Place, Server, basic};

const REPO: &str = "/rest/api/latest/projects/PROJ/repos/repo";

async fn world(place: &Place) -> Server {
    let server = Server::start(&place.home(), "1").await;
    server.create_project("PROJ").await;
    server.create_repository("PROJ", "repo").await;
    server.create_repository("PROJ", "empty").await;
    let path = place.history("work", 3).await;
    let write = |name: &str, text: &str| {
        let file = std::path::Path::new(&path).join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    };
    place.git(&["-C", "work", "switch", "--quiet", "--create", "feature/x"]).await;
    place.git(&["-C", "work", "mv", "file-2.txt", "moved to.txt"]).await;
    place.git(&["-C", "work", "rm", "--quiet", "file-1.txt"]).await;
    write("src/ä \"quoted\".rs", "fn main() {}\n");
    write("picture.bin", "a\0b");
    place.git(&["-C", "work", "add", "."]).await;
    place.git(&["-C", "work", "commit", "--quiet", "-m", "Change much\n\nAnd say why."]).await;
    place.git(&["-C", "work", "switch", "--quiet", "main"]).await;
    write("file-0.txt", "content 0\nand more\n");
    place.git(&["-C", "work", "commit", "--quiet", "--all", "-m", "Go on"]).await;
    let url = server.clone_url("proj", "repo");
    place.git(&["-C", "work", "push", "--quiet", "--all", &url]).await;
    server
}

async fn write(server: &Server, method: Method, path: &str, body: Value) -> Answer {
    let request = Request::builder().method(method).uri(server.url(path)).header("authorization", basic());
    server.send(request.header("content-type", "application/json"), body.to_string()).await
}

fn texts<'a>(page: &'a Value, pointer: &str) -> Vec<&'a str> {
    let values = page["values"].as_array().unwrap_or_else(|| panic!("{page}"));
    values.iter().map(|row| row.pointer(pointer).unwrap().as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_are_those_of_git() {
    let place = Place::new();
    let server = world(&place).await;
    let log = place.git(&["-C", "work", "log", "--format=%H", "main"]).await;
    let page = server.get(&format!("{REPO}/commits")).await.json();
    assert_eq!(texts(&page, "/id"), log.lines().collect::<Vec<_>>());
    let page = server.get(&format!("{REPO}/commits?until=main&limit=2&start=1")).await.json();
    assert_eq!(texts(&page, "/id"), log.lines().skip(1).take(2).collect::<Vec<_>>());
    assert_eq!((&page["isLastPage"], &page["nextPageStart"]), (&json!(false), &json!(3)));
    let page = server.get(&format!("{REPO}/commits?path=file-0.txt")).await.json();
    assert_eq!(page["size"], 2);
    let page = server.get(&format!("{REPO}/compare/commits?from=feature/x&to=refs/heads/main")).await.json();
    assert_eq!(texts(&page, "/message"), ["Change much\n\nAnd say why."]);

    let tip = log.lines().next().unwrap();
    let commit = server.get(&format!("{REPO}/commits/{tip}")).await.json();
    let parent = log.lines().nth(1).unwrap();
    assert_eq!((&commit["parents"][0]["id"], &commit["displayId"]), (&json!(parent), &json!(tip[..11])));
    assert_eq!(commit["author"], json!({"name": "a", "emailAddress": "a@example.com"}));
    assert_eq!(commit["parents"][0]["message"], "commit 2");
    assert_eq!(server.get(&format!("{REPO}/commits/{}", &tip[..8])).await.json()["id"], tip);
    server.create_user("a", "secret-enough").await;
    let commit = server.get(&format!("{REPO}/commits/{tip}")).await.json();
    assert_eq!(commit["author"]["slug"], "a", "the user with that address");

    let unknown = "0123456789012345678901234567890123456789";
    for name in [unknown, "no-such-branch", "HEAD~1", "main:file-0.txt", "-x", ":/Go", "main^{tree}"] {
        let name = name.replace('/', "%2F").replace('^', "%5E").replace('{', "%7B").replace('}', "%7D");
        let answer = server.get(&format!("{REPO}/commits/{name}")).await;
        assert_eq!(answer.status, 404, "{name}: {}", answer.text());
        let exception = "com.atlassian.bitbucket.commit.NoSuchCommitException";
        assert_eq!(answer.json()["errors"][0]["exceptionName"], exception);
    }
    let empty = "/rest/api/latest/projects/PROJ/repos/empty";
    assert_eq!(server.get(&format!("{empty}/commits")).await.json()["size"], 0);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn differences_are_those_since_the_branches_parted() {
    let place = Place::new();
    let server = world(&place).await;
    let query = "from=feature/x&to=main";
    let page = server.get(&format!("{REPO}/compare/changes?{query}")).await.json();
    let found: Vec<(&str, &str)> =
        texts(&page, "/type").into_iter().zip(texts(&page, "/path/toString")).collect();
    let expected = [
        ("DELETE", "file-1.txt"),
        ("MOVE", "moved to.txt"),
        ("ADD", "picture.bin"),
        ("ADD", "src/ä \"quoted\".rs"),
    ];
    assert_eq!(found, expected, "nothing of what main did since");
    assert_eq!(page["values"][1]["srcPath"]["toString"], "file-2.txt");
    assert_eq!(page["values"][1]["percentUnchanged"], 100);
    let limited = server.get(&format!("{REPO}/compare/changes?{query}&limit=1")).await.json();
    assert_eq!((&limited["size"], &limited["nextPageStart"]), (&json!(1), &json!(1)));

    let diff = server.get(&format!("{REPO}/compare/diff?{query}")).await.json();
    let files = diff["diffs"].as_array().unwrap();
    assert_eq!(files.len(), 4);
    assert_eq!(
        (&files[0]["destination"], &files[0]["hunks"][0]["segments"][0]["type"]),
        (&Value::Null, &json!("REMOVED"))
    );
    assert_eq!(files[2]["binary"], true);
    assert_eq!(files[3]["hunks"][0]["segments"][0]["lines"][0]["line"], "fn main() {}");
    let path = "src/%C3%A4%20%22quoted%22.rs";
    let one = server.get(&format!("{REPO}/compare/diff/{path}?{query}&contextLines=-1")).await.json();
    assert_eq!(one["diffs"].as_array().unwrap().len(), 1);
    assert_eq!(one["diffs"][0]["source"], Value::Null);
    let none = server.get(&format!("{REPO}/compare/diff/None?{query}")).await;
    assert_eq!((none.status.as_u16(), &none.json()["diffs"]), (200, &json!([])), "as the first E3 asks");

    let tip = place.git(&["-C", "work", "rev-parse", "main"]).await;
    let page = server.get(&format!("{REPO}/commits/{tip}/changes")).await.json();
    assert_eq!(texts(&page, "/path/toString"), ["file-0.txt"]);
    let diff = server.get(&format!("{REPO}/commits/{tip}/diff/file-0.txt")).await.json();
    let line = &diff["diffs"][0]["hunks"][0]["segments"][1]["lines"][0];
    assert_eq!(line, &json!({"source": 2, "destination": 2, "line": "and more", "truncated": false}));
    let root = place.git(&["-C", "work", "rev-list", "--max-parents=0", "main"]).await;
    let page = server.get(&format!("{REPO}/commits/{root}/changes")).await.json();
    assert_eq!((&page["fromHash"], &page["values"][0]["type"]), (&Value::Null, &json!("ADD")));
    let base = server.get(&format!("{REPO}/commits/main/merge-base?otherCommitId=feature/x")).await.json();
    assert_eq!(base["message"], "commit 2");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_listed_browsed_and_sent_as_they_are() {
    let place = Place::new();
    let server = world(&place).await;
    let page = server.get(&format!("{REPO}/files?at=feature/x")).await.json();
    let names: Vec<&str> =
        page["values"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(names, ["file-0.txt", "moved to.txt", "picture.bin", "src/ä \"quoted\".rs"]);
    let page = server.get(&format!("{REPO}/files/src?at=feature/x")).await.json();
    assert_eq!(page["values"], json!(["ä \"quoted\".rs"]));
    let root = server.get(&format!("{REPO}/browse?at=feature/x")).await.json();
    assert_eq!(texts(&root["children"], "/type"), ["DIRECTORY", "FILE", "FILE", "FILE"]);
    assert_eq!(root["children"]["values"][1]["size"], 10);
    let lines = server.get(&format!("{REPO}/browse/file-0.txt")).await.json();
    assert_eq!(lines["lines"], json!([{"text": "content 0"}, {"text": "and more"}]));
    assert_eq!(
        server.get(&format!("{REPO}/browse/file-0.txt?type=true")).await.json(),
        json!({"type": "FILE"})
    );
    let raw = server.get(&format!("{REPO}/raw/picture.bin?at=feature/x")).await;
    assert_eq!((&raw.body[..], raw.header("content-length")), (&b"a\0b"[..], "3"));
    assert_eq!(raw.header("x-content-type-options"), "nosniff");
    for (path, status) in [
        ("raw/none.txt", 404),
        ("raw/src?at=feature/x", 404),
        ("browse/none", 404),
        ("files/none", 404),
        ("raw/..%2f..%2fetc%2fpasswd", 400),
        ("raw/a%00b", 400),
        ("raw/a%0Ab", 400),
        ("browse/file-0.txt?at=no-such-branch", 404),
    ] {
        let answer = server.get(&format!("{REPO}/{path}")).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert!(answer.json()["errors"][0]["message"].is_string(), "{path}");
    }
    let empty = server.get("/rest/api/latest/projects/PROJ/repos/empty/browse").await.json();
    assert_eq!(empty["children"]["size"], 0);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn branches_and_tags_come_and_go() {
    let place = Place::new();
    let server = world(&place).await;
    let utils = "/rest/branch-utils/latest/projects/PROJ/repos/repo/branches";
    let branches = format!("{REPO}/branches");
    let tip = place.git(&["-C", "work", "rev-parse", "main"]).await;
    let wish = |name: &str| json!({"name": name, "startPoint": "refs/heads/main"});
    let made = write(&server, Method::POST, utils, wish("new/one")).await;
    assert_eq!((made.status.as_u16(), &made.json()["latestCommit"]), (201, &json!(tip)));
    assert_eq!(write(&server, Method::POST, &branches, wish("second")).await.status, 200);
    let again = write(&server, Method::POST, utils, wish("new/one")).await;
    let exception = "com.atlassian.bitbucket.repository.DuplicateRefException";
    assert_eq!(
        (again.status.as_u16(), &again.json()["errors"][0]["exceptionName"]),
        (400, &json!(exception))
    );
    assert_eq!(write(&server, Method::POST, utils, wish("new")).await.status, 409, "a directory is there");
    for name in ["", "a..b", "-x", "a b", "x.lock", "a\u{0}b", "../../config"] {
        let refused = write(&server, Method::POST, utils, wish(name)).await;
        assert_eq!(refused.status, 400, "{name:?}: {}", refused.text());
    }
    let details = server.get(&format!("{branches}?details=true&filterText=x")).await.json();
    let metadata = &details["values"][0]["metadata"];
    let distance =
        &metadata["com.atlassian.bitbucket.server.bitbucket-branch:ahead-behind-metadata-provider"];
    assert_eq!(distance, &json!({"ahead": 1, "behind": 1}));
    let latest = &metadata["com.atlassian.bitbucket.server.bitbucket-branch:latest-commit-metadata"];
    assert_eq!(latest["message"], "Change much\n\nAnd say why.");

    let removal = |body: Value| write(&server, Method::DELETE, utils, body);
    assert_eq!(removal(json!({"name": "refs/heads/new/one", "endPoint": "1".repeat(40)})).await.status, 400);
    assert_eq!(removal(json!({"name": "refs/heads/new/one", "dryRun": true})).await.status, 204);
    assert_eq!(server.get(&format!("{branches}?filterText=new/one")).await.json()["size"], 1);
    assert_eq!(removal(json!({"name": "refs/heads/new/one", "endPoint": tip})).await.status, 204);
    assert_eq!(server.get(&format!("{branches}?filterText=new/one")).await.json()["size"], 0);
    assert_eq!(removal(json!({"name": "refs/heads/new/one"})).await.status, 204, "gone is gone");
    assert_eq!(removal(json!({"name": "main"})).await.status, 400, "the default branch stays");
    let default = format!("{REPO}/default-branch");
    assert_eq!(write(&server, Method::PUT, &default, json!({"id": "refs/heads/second"})).await.status, 204);
    assert_eq!(server.get(&default).await.json()["displayId"], "second");
    assert_eq!(write(&server, Method::PUT, &default, json!({"id": "none"})).await.status, 404);

    let tags = format!("{REPO}/tags");
    let git_tags = "/rest/git/latest/projects/PROJ/repos/repo/tags";
    let light = write(&server, Method::POST, &tags, json!({"name": "v1", "startPoint": tip})).await;
    assert_eq!((light.status.as_u16(), &light.json()["hash"]), (200, &Value::Null), "{}", light.text());
    let wish = json!({"name": "rel/2", "startPoint": "main", "message": "Out it goes", "type": "ANNOTATED"});
    let annotated = write(&server, Method::POST, git_tags, wish).await;
    assert_eq!((annotated.status.as_u16(), &annotated.json()["latestCommit"]), (201, &json!(tip)));
    let page = server.get(&format!("{tags}?orderBy=ALPHABETICAL")).await.json();
    assert_eq!(texts(&page, "/displayId"), ["rel/2", "v1"]);
    assert_eq!(server.get(&format!("{tags}/rel/2")).await.json(), annotated.json());
    assert_eq!(server.get(&format!("{tags}/rel")).await.status, 404);
    let url = server.clone_url("proj", "repo");
    let seen = place.git(&["ls-remote", "--tags", &url]).await;
    assert!(seen.contains("refs/tags/rel/2^{}"), "{seen}");
    assert_eq!(server.delete(&format!("{git_tags}/rel/2")).await.status, 204);
    assert_eq!(server.delete(&format!("{git_tags}/rel/2")).await.status, 404);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn builds_settings_and_reviewers_are_kept() {
    let place = Place::new();
    let server = world(&place).await;
    let tip = place.git(&["-C", "work", "rev-parse", "main"]).await;
    let status = format!("/rest/build-status/1.0/commits/{tip}");
    let build = json!({"state": "INPROGRESS", "key": "K", "name": "N", "url": "https://ci.example/1", "description": "d"});
    assert_eq!(write(&server, Method::POST, &status, build.clone()).await.status, 204);
    let done = json!({"state": "SUCCESSFUL", "key": "K", "url": "https://ci.example/1"});
    assert_eq!(write(&server, Method::POST, &status, done.clone()).await.status, 204);
    let page = server.get(&status).await.json();
    assert_eq!(
        (&page["size"], &page["values"][0]["state"]),
        (&json!(1), &json!("SUCCESSFUL")),
        "the latest holds"
    );
    let counts = server.get(&format!("/rest/build-status/latest/commits/stats/{tip}")).await.json();
    assert_eq!(counts, json!({"successful": 1, "inProgress": 0, "failed": 0, "cancelled": 0, "unknown": 0}));
    let builds = format!("{REPO}/commits/{tip}/builds");
    assert_eq!(write(&server, Method::POST, &builds, build).await.status, 204);
    assert_eq!(
        server.get(&format!("{builds}?key=K")).await.json()["state"],
        "INPROGRESS",
        "the repository's own"
    );
    assert_eq!(server.delete(&format!("{builds}?key=K")).await.status, 204);
    assert_eq!(server.get(&format!("{builds}?key=K")).await.json()["state"], "SUCCESSFUL");
    let bad = json!({"state": "FINE", "key": "K", "url": "https://ci.example/1"});
    assert_eq!(write(&server, Method::POST, &status, bad).await.status, 400);

    let settings = format!("{REPO}/settings/pull-requests");
    assert_eq!(server.get(&settings).await.json()["requiredApprovers"], 0);
    let changed = write(
        &server,
        Method::POST,
        &settings,
        json!({"requiredApprovers": {"enabled": true, "count": "2"}}),
    )
    .await;
    assert_eq!((changed.status.as_u16(), &changed.json()["requiredApprovers"]), (200, &json!(2)));
    assert_eq!(server.get(&settings).await.json(), changed.json());

    server.create_user("ada", "secret-enough").await;
    let service = "/rest/default-reviewers/latest/projects/PROJ";
    let any = json!({"id": "ANY_REF_MATCHER_ID", "type": {"id": "ANY_REF"}});
    let wish = json!({"sourceMatcher": any, "targetMatcher": {"id": "refs/heads/main", "type": {"id": "BRANCH"}},
        "reviewers": [{"name": "ada"}], "requiredApprovals": 1});
    let made = write(&server, Method::POST, &format!("{service}/condition"), wish.clone()).await;
    assert_eq!(
        (made.status.as_u16(), &made.json()["scope"]["type"]),
        (200, &json!("PROJECT")),
        "{}",
        made.text()
    );
    let asked = |target: &str| {
        format!("{service}/repos/repo/reviewers?sourceRefId=refs/heads/feature/x&targetRefId={target}")
    };
    assert_eq!(server.get(&asked("refs/heads/main")).await.json()[0]["slug"], "ada");
    assert_eq!(server.get(&asked("refs/heads/other")).await.json(), json!([]));
    let id = made.json()["id"].as_i64().unwrap();
    assert_eq!(
        server.delete(&format!("{service}/repos/repo/condition/{id}")).await.status,
        404,
        "it is the project's"
    );
    assert_eq!(server.delete(&format!("{service}/condition/{id}")).await.status, 204);
    let refused = write(&server, Method::POST, &format!("{service}/repos/repo/condition"), json!({})).await;
    let message = "A sourceMatcher with ID and type is required when creating or updating a new condition.";
    assert_eq!((refused.status.as_u16(), &refused.json()["errors"][0]["message"]), (400, &json!(message)));
    server.stop().await.unwrap();
}
