//! Requests that no honest client sends: the right status, an error in Bitbucket's shape, and the server goes on.

use http::{Method, Request};
use serde_json::json;

use crate::harness::{Place, Server, basic};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_never_paths_nor_statements() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    server.create_project("PROJ").await;
    server.create_repository("PROJ", "repo").await;
    let tricks = [
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e%2fx",
        "a%00b",
        "%27%3B%20DROP%20TABLE%20users%3B--",
        "%25",
        "%5C..%5C",
        "a%0d%0aSet-Cookie:x",
        "%F0%9F%92%A9",
        "-rf",
        "--upload-pack=x",
    ];
    for trick in tricks {
        for (path, exception) in [
            (format!("projects/{trick}"), "NoSuchProjectException"),
            (format!("projects/PROJ/repos/{trick}"), "NoSuchRepositoryException"),
            (format!("projects/{trick}/repos/x/commits"), "NoSuchProjectException"),
            (format!("users/{trick}"), "NoSuchUserException"),
            (format!("projects/PROJ/repos/repo/commits/{trick}"), "NoSuchCommitException"),
        ] {
            let answer = server.get(&format!("/rest/api/latest/{path}")).await;
            assert_eq!(answer.status, 404, "{path}: {}", answer.text());
            let name = answer.json()["errors"][0]["exceptionName"].as_str().unwrap_or_default().to_owned();
            assert!(name.ends_with(exception), "{path}: {name}");
        }
    }
    // Bytes that are no UTF-8, among them an overlong slash.
    for trick in ["%c0%af", "%ff", "%c0%ae%c0%ae"] {
        let answer = server.get(&format!("/rest/api/latest/projects/{trick}")).await;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{trick}: {}", answer.status);
        assert!(answer.json()["errors"][0]["message"].is_string());
    }
    for text in ["' OR 1=1 --", "%", "_", "\\", "\"", "a\u{0}b"] {
        let text: String = percent(text);
        for list in
            ["users?filter=", "projects?name=", "repos?name=", "admin/users?filter=", "groups?filter="]
        {
            let answer = server.get(&format!("/rest/api/latest/{list}{text}")).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["size"]), (200, &json!(0)), "{list}{text}");
        }
    }
    assert_eq!(server.get("/rest/api/latest/projects/PROJ/repos/repo").await.status, 200);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_and_bodies_have_bounds() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    server.create_project("PROJ").await;
    server.create_repository("PROJ", "repo").await;
    for (query, status) in [
        ("start=99999999999999999999", 400),
        ("start=18446744073709551615&limit=18446744073709551615", 200),
        ("limit=0", 400),
        ("limit=-1", 400),
        ("start=1e9", 400),
        ("limit=%F0%9F%92%A9", 400),
        ("limit=1000000", 200),
    ] {
        for list in [
            "projects",
            "repos",
            "users",
            "projects/PROJ/repos/repo/branches",
            "projects/PROJ/repos/repo/commits",
        ] {
            let answer = server.get(&format!("/rest/api/latest/{list}?{query}")).await;
            assert_eq!(answer.status, status, "{list}?{query}: {}", answer.text());
        }
    }
    let post = |kind: &'static str| {
        let request = Request::builder().method(Method::POST).uri(server.url("/rest/api/latest/projects"));
        request.header("authorization", basic()).header("content-type", kind)
    };
    let deep = "[".repeat(100_000);
    let long = format!("{{\"key\": \"{}\"}}", "A".repeat(2 << 20));
    for (body, kind, status) in [
        ("{", "application/json", 400),
        ("[]", "application/json", 400),
        ("\"x\"", "application/json", 400),
        ("{\"key\": 7}", "application/json", 400),
        ("{\"key\": \"A\\u0000\"}", "application/json", 400),
        ("{\"key\": \"A\", \"name\": \"\\u0007\"}", "application/json", 400),
        ("key=A", "application/x-www-form-urlencoded", 415),
        (&deep, "application/json", 400),
        (&long, "application/json", 413),
    ] {
        let answer = server.send(post(kind), body.to_owned()).await;
        assert_eq!(answer.status, status, "{:.40}: {}", body, answer.text());
        assert!(answer.json()["errors"][0]["message"].is_string());
    }
    let bytes = bytes::Bytes::from_static(b"{\"key\": \"A\xff\"}");
    assert_eq!(server.send(post("application/json"), bytes).await.status, 400);
    assert_eq!(server.get("/rest/api/latest/projects/A").await.status, 404, "none was made");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_interface_describes_itself() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    let answer = server.fetch_anonymous("/rest/openapi.json").await;
    assert_eq!(answer.status, 200);
    let document = answer.json();
    assert_eq!(document["openapi"], "3.0.3");
    assert!(document["paths"].as_object().unwrap().len() > 80);
    server.stop().await.unwrap();
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
