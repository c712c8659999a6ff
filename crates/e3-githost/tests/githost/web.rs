//! Signing in and out, the pages, and requests that mean no good.

use http::Request;
use serde_json::json;

use crate::harness::{PASSWORD, Place, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_form_opens_a_session_and_logout_ends_it() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    let form = server.fetch_anonymous("/login").await;
    assert_eq!(form.status, 200);
    assert!(form.text().contains("id=\"j_username\"") && form.text().contains("id=\"j_password\""));
    let page = server.fetch_anonymous("/projects?limit=5").await;
    assert_eq!((page.status.as_u16(), page.header("location")), (302, "/login?next=%2Fprojects%3Flimit%3D5"));

    let fields = [("j_username", "admin"), ("j_password", "wrong")];
    let refused = server.post_form("/j_atl_security_check", &fields, "").await;
    assert_eq!(refused.status, 302);
    assert!(refused.header("location").starts_with("/login"), "{}", refused.header("location"));
    assert_eq!(refused.header("set-cookie"), "");
    let shown = server.fetch_anonymous(refused.header("location")).await.text();
    assert!(shown.contains("Please check your credentials"));

    let fields = [("j_username", "admin"), ("j_password", PASSWORD), ("next", "/projects?limit=5")];
    let entered = server.post_form("/j_atl_security_check", &fields, "").await;
    assert_eq!((entered.status.as_u16(), entered.header("location")), (302, "/projects?limit=5"));
    let cookie = entered.header("set-cookie");
    assert!(cookie.starts_with("BITBUCKETSESSIONID="), "{cookie}");
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax") && cookie.contains("Path=/"));
    let cookie = cookie.split(';').next().unwrap();
    assert!(!place_holds(&place, cookie.split_once('=').unwrap().1), "the token itself is stored nowhere");

    let page = server.fetch_with_cookie("/dashboard", cookie).await;
    assert_eq!((page.status.as_u16(), page.header("x-ausername")), (200, "admin"));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(server.fetch_with_cookie("/rest/api/1.0/projects", cookie).await.status, 200);
    let left = server.fetch_with_cookie("/j_atl_security_logout", cookie).await;
    assert_eq!((left.status.as_u16(), left.header("location")), (302, "/login"));
    assert!(left.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(server.fetch_with_cookie("/rest/api/1.0/projects", cookie).await.status, 401);
    assert_eq!(server.fetch_with_cookie("/dashboard", cookie).await.status, 302);
    let fields = [("j_username", "admin"), ("j_password", PASSWORD), ("next", "//evil.example/")];
    let entered = server.post_form("/j_atl_security_check", &fields, "").await;
    assert_eq!(entered.header("location"), "/dashboard", "nobody is sent elsewhere");
    server.stop().await.unwrap();
}

/// Returns whether any file of the data directory holds the text.
fn place_holds(place: &Place, text: &str) -> bool {
    let files = std::fs::read_dir(place.home().join("data")).unwrap();
    files
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .any(|content| content.windows(text.len()).any(|window| window == text.as_bytes()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_site_cannot_write_with_the_session() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    let cookie = server.sign_in("admin", PASSWORD).await;
    let post = |key: &str| {
        let request = Request::post(server.url("/rest/api/1.0/projects")).header("cookie", &cookie);
        (request.header("content-type", "application/json"), json!({"key": key}).to_string())
    };
    let (request, body) = post("A");
    let answer = server.send(request, body).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json()["errors"][0]["message"], "XSRF check failed");
    let (request, body) = post("A");
    assert_eq!(server.send(request.header("origin", "http://evil.example"), body).await.status, 403);
    let (request, body) = post("A");
    assert_eq!(server.send(request.header("origin", &server.base), body).await.status, 201);
    let (request, body) = post("B");
    assert_eq!(server.send(request.header("x-atlassian-token", "no-check"), body).await.status, 201);
    let delete = Request::delete(server.url("/rest/api/1.0/projects/B")).header("cookie", &cookie);
    assert_eq!(server.send(delete, "").await.status, 403);

    let fields = [("name", "Formed"), ("key", "FORM")];
    assert_eq!(server.post_form("/projects?create", &fields, &cookie).await.status, 403);
    let page = server.fetch_with_cookie("/projects?create", &cookie).await.text();
    let token =
        page.split("name=\"atl_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(token.len(), 43);
    let fields = [("name", "Formed"), ("key", "FORM"), ("atl_token", &token)];
    let made = server.post_form("/projects?create", &fields, &cookie).await;
    assert_eq!((made.status.as_u16(), made.header("location")), (302, "/projects/FORM"));
    let again = server.post_form("/projects?create", &fields, &cookie).await;
    assert!(again.status == 200 && again.text().contains("<div class=\"error\""), "{}", again.text());
    let fields = [("name", "My repo"), ("scmId", "git"), ("forkable", "true"), ("atl_token", &token)];
    let made = server.post_form("/projects/FORM/repos?create", &fields, &cookie).await;
    assert_eq!((made.status.as_u16(), made.header("location")), (302, "/projects/FORM/repos/my-repo/browse"));
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_show_the_data_and_visits_are_remembered() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    server.create_project("PROJ").await;
    server.create_repository("PROJ", "one").await;
    server.create_repository("PROJ", "two").await;
    server.create_user("ada", "secret").await;
    place.history("work", 2).await;
    std::fs::create_dir_all(place.path("work").join("src dir/deep")).unwrap();
    std::fs::write(place.path("work").join("src dir/deep/<b>.rs"), "fn main() { /* <&> */ }\n").unwrap();
    std::fs::write(place.path("work").join("binary"), [0, 1, 2]).unwrap();
    place.git(&["-C", "work", "add", "."]).await;
    place.git(&["-C", "work", "commit", "--quiet", "-m", "Add <deep> things"]).await;
    place
        .git(&["-C", "work", "push", "--quiet", &server.clone_url("PROJ", "one"), "main", "main:feature/x"])
        .await;

    let cookie = server.sign_in("ada", "secret").await;
    let page = async |path: &str| {
        let answer = server.fetch_with_cookie(path, &cookie).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.text()
    };
    assert!(page("/projects").await.contains("<td class=\"project-key\">PROJ"));
    for path in ["/projects/PROJ", "/projects/proj/repos?start=0&limit=50"] {
        assert!(page(path).await.contains("data-repository-id=\"1\">one</a>"), "{path}");
    }
    assert!(page("/projects/PROJ/repos/two/browse").await.contains("empty-repository-instructions"));
    let root = page("/projects/PROJ/repos/one/browse").await;
    assert!(!root.contains("empty-repository-instructions"));
    assert!(
        root.contains("/projects/PROJ/repos/one/browse/src%20dir")
            && root.contains("Add &lt;deep&gt; things")
    );
    let deep = page("/projects/PROJ/repos/one/browse/src%20dir/deep").await;
    assert!(deep.contains("/browse/src%20dir/deep/%3Cb%3E.rs"), "{deep}");
    let file =
        page("/projects/PROJ/repos/one/browse/src%20dir/deep/%3Cb%3E.rs?at=refs%2Fheads%2Ffeature%2Fx").await;
    assert!(file.contains("fn main() { /* &lt;&amp;&gt; */ }"), "{file}");
    assert!(page("/projects/PROJ/repos/one/browse/binary").await.contains("3 bytes"));
    let branches = page("/projects/PROJ/repos/one/branches").await;
    assert!(branches.contains("id=\"branch-name-column\"") && branches.contains(">feature/x<"), "{branches}");
    assert!(branches.contains("badge"), "the default branch is marked");

    let recent =
        server.fetch_with_cookie("/rest/api/latest/profile/recent/repos?limit=1", &cookie).await.json();
    assert_eq!(recent["size"], 1);
    let recent = server.fetch_with_cookie("/rest/api/latest/profile/recent/repos", &cookie).await.json();
    assert_eq!(recent["values"].as_array().unwrap().len(), 2);
    let dashboard = page("/dashboard").await;
    assert!(
        dashboard.contains("/projects/PROJ/repos/two/browse")
            && dashboard.contains("class=\"project-key\">PROJ")
    );
    let admins = server.get("/rest/api/latest/profile/recent/repos").await.json();
    assert_eq!(admins["size"], 0, "the visits are those of each user; a push is none");

    for path in [
        "/projects/NONE",
        "/projects/PROJ/repos/none/browse",
        "/nothing",
        "/projects/PROJ/repos/one/browse/none",
    ] {
        assert_eq!(server.fetch_with_cookie(path, &cookie).await.status, 404, "{path}");
    }
    let style = server.fetch_anonymous("/s/githost.css").await;
    assert_eq!((style.status.as_u16(), style.header("content-type")), (200, "text/css;charset=UTF-8"));
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tricky_paths_reach_nothing() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    server.create_project("PROJ").await;
    server.create_repository("PROJ", "repo").await;
    place.history("work", 1).await;
    place.git(&["-C", "work", "push", "--quiet", &server.clone_url("PROJ", "repo"), "main"]).await;
    let tricks = [
        "..%2f..%2fdata",
        "..%2F",
        "%2e%2e",
        "..",
        "%00",
        "repo%00",
        "repo%2f..",
        "%2fetc%2fpasswd",
        "repo%5c..",
        "repo%0a",
        "-x",
        "%ff%fe",
        "1",
        "repo%252f",
        ".git",
        "repo.git.git",
        "%C0%AE%C0%AE",
    ];
    for trick in tricks {
        for path in [
            format!("/scm/PROJ/{trick}/info/refs?service=git-upload-pack"),
            format!("/scm/{trick}/repo.git/info/refs?service=git-upload-pack"),
            format!("/rest/api/1.0/projects/{trick}"),
            format!("/rest/api/1.0/projects/{trick}/repos"),
            format!("/rest/api/1.0/projects/PROJ/repos/{trick}"),
            format!("/rest/api/1.0/projects/PROJ/repos/{trick}/branches"),
            format!("/projects/{trick}/repos/repo/browse"),
            format!("/projects/PROJ/repos/{trick}/browse"),
            format!("/projects/PROJ/repos/repo/browse/{trick}"),
            format!("/projects/PROJ/repos/repo/browse/file-0.txt/{trick}"),
        ] {
            let answer = server.get(&path).await;
            assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        }
    }
    // As git would send it if it did not tidy the URL first.
    let raw = server.get("/scm/PROJ/repo.git/../../../home/data/githost.sqlite").await;
    assert_eq!(raw.status, 404);
    for at in ["..%2F..%2Fdata", "HEAD:..", "--all", "%00"] {
        let path = format!("/projects/PROJ/repos/repo/browse?at={at}");
        assert_eq!(server.get(&path).await.status, 404, "{path}");
    }
    assert_eq!(server.get("/status").await.status, 200);
    server.stop().await.unwrap();
}
