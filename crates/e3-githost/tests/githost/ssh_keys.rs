//! Users' keys by REST: whose, what is refused, what is told.

use http::Request;
use serde_json::{Value, json};

use crate::harness::{Answer, PASSWORD, Place, Server, authorization};

const ONE: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti one@example.com";

/// Makes a key and returns its public half.
async fn key(place: &Place, name: &str, kind: &[&str]) -> String {
    let path = place.path(name);
    let mut command = tokio::process::Command::new("ssh-keygen");
    command.args(["-q", "-N", "", "-C", name]).args(kind).arg("-f").arg(&path);
    assert!(command.status().await.unwrap().success(), "ssh-keygen {kind:?}");
    std::fs::read_to_string(path.with_extension("pub")).unwrap().trim().to_owned()
}

async fn ask(server: &Server, who: &str, method: &str, path: &str, body: &Value) -> Answer {
    let password = if who == "admin" { PASSWORD } else { "secret" };
    let request = Request::builder().method(method).uri(server.url(&format!("/rest/ssh/{path}")));
    let request = request.header("authorization", authorization(who, password));
    let body = if body.is_null() { String::new() } else { body.to_string() };
    server.send(request.header("content-type", "application/json"), body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_look_after_their_own_keys_and_the_administrator_after_all() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    server.create_user("ada", "secret").await;
    server.create_user("bob", "secret").await;
    let none = &Value::Null;
    let added = ask(&server, "ada", "POST", "1.0/keys", &json!({"text": ONE})).await;
    assert_eq!(added.status, 201, "{}", added.text());
    let added = added.json();
    assert_eq!((&added["text"], &added["label"]), (&json!(ONE), &json!("one@example.com")));
    assert_eq!((&added["algorithmType"], &added["bitLength"]), (&json!("ED25519"), &json!(256)));
    assert_eq!(added["fingerprint"], "UCUiLr7Pjs9wFFJMDByLgc3NrtdU344OgUM45wZPcIQ");
    let page = ask(&server, "ada", "GET", "latest/keys", none).await.json();
    assert_eq!((&page["size"], &page["isLastPage"], &page["values"][0]), (&json!(1), &json!(true), &added));

    // The same key, by anybody and with another comment, is taken.
    let again = ONE.replace("one@example.com", "again");
    for (who, path) in [("ada", "1.0/keys"), ("bob", "1.0/keys"), ("admin", "latest/keys?user=bob")] {
        let answer = ask(&server, who, "POST", path, &json!({"text": again})).await;
        assert_eq!(answer.status, 409, "{who} {path}: {}", answer.text());
        assert_eq!(answer.json()["errors"][0]["context"], "text");
    }
    let two = key(&place, "two", &["-t", "ecdsa", "-b", "384"]).await;
    let answer =
        ask(&server, "admin", "POST", "1.0/keys?user=Bob", &json!({"text": two, "label": "mine"})).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["label"]), (201, &json!("mine")));
    let id = answer.json()["id"].to_string();
    for (who, method, path, status) in [
        ("bob", "GET", "1.0/keys?user=ada".to_owned(), 401),
        ("bob", "GET", "1.0/keys?user=nobody".to_owned(), 401),
        ("bob", "POST", "1.0/keys?user=ada".to_owned(), 401),
        ("bob", "DELETE", "1.0/keys?user=ada".to_owned(), 401),
        ("ada", "GET", format!("1.0/keys/{id}"), 401),
        ("ada", "DELETE", format!("1.0/keys/{id}"), 401),
        ("bob", "GET", format!("1.0/keys/{id}"), 200),
        ("bob", "GET", "1.0/keys?user=bob".to_owned(), 200),
        ("admin", "GET", format!("latest/keys/{id}"), 200),
        ("admin", "GET", "1.0/keys?user=nobody".to_owned(), 404),
        ("admin", "GET", "1.0/keys/999".to_owned(), 404),
        ("admin", "GET", "1.0/keys/x".to_owned(), 404),
        ("admin", "DELETE", "1.0/keys/999".to_owned(), 204),
        ("bob", "DELETE", format!("1.0/keys/{id}"), 204),
        ("bob", "GET", format!("1.0/keys/{id}"), 404),
        ("admin", "DELETE", "1.0/keys?user=ada".to_owned(), 204),
    ] {
        let body = if method == "POST" { json!({"text": "x"}) } else { Value::Null };
        let answer = ask(&server, who, method, &path, &body).await;
        assert_eq!(answer.status, status, "{who} {method} {path}: {}", answer.text());
    }
    assert_eq!(ask(&server, "ada", "GET", "1.0/keys", none).await.json()["size"], 0);
    assert_eq!(server.fetch_anonymous("/rest/ssh/1.0/keys").await.status, 401);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_supported_key_is_refused() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    let short = key(&place, "short", &["-t", "rsa", "-b", "1024"]).await;
    let texts = [
        "",
        "x",
        "ssh-ed25519 AAAA",
        "ssh-rsa AAAAB3NzaC1yc2E=",
        &short,
        &format!("{ONE}\n{ONE}"),
        &format!("command=\"sh\" {ONE}"),
        "'; DROP TABLE ssh_keys; --",
        &"A".repeat(100_000),
        "ssh-dss AAAAB3NzaC1kc3MAAACBAP",
    ];
    for text in texts {
        let answer = ask(&server, "admin", "POST", "1.0/keys", &json!({"text": text})).await;
        assert_eq!(answer.status, 400, "{text:.60}: {}", answer.text());
        assert_eq!(answer.json()["errors"][0]["context"], "text", "{text:.60}");
    }
    for body in [json!({}), json!(null), json!({"text": 1}), json!([])] {
        let answer = ask(&server, "admin", "POST", "1.0/keys", &body).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
    }
    for kind in [&["-t", "rsa", "-b", "2048"][..], &["-t", "ecdsa", "-b", "521"], &["-t", "ed25519"]] {
        let text = key(&place, &kind.join("-"), kind).await;
        let answer = ask(&server, "admin", "POST", "1.0/keys", &json!({"text": text})).await;
        assert_eq!(answer.status, 201, "{kind:?}: {}", answer.text());
    }
    let page = ask(&server, "admin", "GET", "1.0/keys?limit=2", &Value::Null).await.json();
    assert_eq!(
        (&page["size"], &page["isLastPage"], &page["nextPageStart"]),
        (&json!(2), &json!(false), &json!(2))
    );
    server.stop().await.unwrap();
}
