//! `http.Request` and `http.Sequence` against servers on loopback.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::http::Request;
use bytes::Bytes;
use e3_model::{Arguments, Outcome};
use e3_testkit::{Answer, Loopback, answer};
use e3_workload::Setting;
use serde_json::{Value, json};

use crate::site::{Player, setting};

const REQUEST: &str = "http.Request";
const SEQUENCE: &str = "http.Sequence";

/// A server that notes what it is asked.
struct Noting {
    server: Loopback,
    asked: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl Noting {
    async fn serve(respond: impl Fn(&Request<Bytes>) -> Answer + Send + Sync + 'static) -> Self {
        let asked: Arc<Mutex<Vec<Request<Bytes>>>> = Arc::default();
        let noted = Arc::clone(&asked);
        let server = Loopback::serve(move |request| {
            let answer = respond(&request);
            noted.lock().unwrap().push(request);
            async move { answer }
        })
        .await;
        Self { server, asked }
    }

    fn setting(&self) -> Setting {
        Setting { users: vec![], ..setting(&format!("{}/base", self.server.url())) }
    }

    fn asked(&self) -> Vec<Request<Bytes>> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    fn lines(&self) -> Vec<String> {
        self.asked().iter().map(|it| format!("{} {}", it.method(), it.uri())).collect()
    }
}

fn told(value: Value) -> Arc<Arguments> {
    Arc::new(serde_json::from_value(value).unwrap())
}

fn faults(script: &str, arguments: Value) -> Vec<(String, String)> {
    let script = e3_scripts::all().into_iter().find(|it| it.descriptor().name == script).unwrap();
    let faults = script.ops(&told(arguments)).err().unwrap_or_default();
    faults.into_iter().map(|fault| (fault.pointer, fault.message)).collect()
}

#[tokio::test]
async fn a_request_is_sent_as_it_is_told_over_one_connection() {
    let noting = Noting::serve(|_| answer(201, &[], "made")).await;
    let arguments = told(json!({
        "path": "/things?n={{client}}-{{iteration}}", "method": "POST", "headers": ["X-A: b", "x-c: {{client}}"],
        "body": {"n": "{{iteration}}", "t": "x"}, "expect": "201",
    }));
    let mut player = Player::told(REQUEST, noting.setting(), 3, &arguments).unwrap();
    for _ in 0..5 {
        player.iterate().await.unwrap();
    }
    assert_eq!(noting.server.connections(), 1, "kept alive");
    let samples = player.samples();
    assert_eq!(samples.len(), 5);
    for (op, sample) in samples {
        assert_eq!((op.as_str(), sample.outcome, sample.bytes_in), ("Request", Outcome::Ok, Some(4)));
        assert_eq!(sample.bytes_out, Some(r#"{"n":0,"t":"x"}"#.len() as u64));
        assert!(sample.first_byte_ns.is_some());
    }
    let asked = noting.asked();
    assert_eq!(asked[4].uri(), "/base/things?n=3-4");
    assert_eq!(asked[4].body(), r#"{"n":4,"t":"x"}"#);
    let header = |name: &str| asked[4].headers().get(name).map(|value| value.to_str().unwrap());
    assert_eq!((header("x-a"), header("x-c")), (Some("b"), Some("3")));
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(header("authorization"), None, "there is no user");
}

#[tokio::test]
async fn the_defaults_are_a_get_of_the_url_itself() {
    let noting = Noting::serve(|_| answer(200, &[], "")).await;
    for (arguments, expected) in [
        (json!({}), "GET /base"),
        (json!({"path": "/"}), "GET /base/"),
        (json!({"path": "?a=b"}), "GET /base?a=b"),
        (json!({"path": format!("{}/x", noting.server.url())}), "GET /x"),
    ] {
        let mut player = Player::told(REQUEST, noting.setting(), 0, &told(arguments)).unwrap();
        player.iterate().await.unwrap();
        assert_eq!(noting.lines(), [expected]);
    }
}

#[tokio::test]
async fn a_user_is_sent_unless_that_is_not_wanted() {
    let noting = Noting::serve(|_| answer(200, &[], "")).await;
    let with_user = || Setting { url: noting.server.url(), ..setting("") };
    for (arguments, sent) in [
        (json!({}), Some("Basic YWRhOnNlY3JldA==")),
        (json!({"auth": "basic"}), Some("Basic YWRhOnNlY3JldA==")),
        (json!({"auth": "none"}), None),
    ] {
        Player::told(REQUEST, with_user(), 0, &told(arguments)).unwrap().iterate().await.unwrap();
        let asked = noting.asked();
        assert_eq!(asked[0].headers().get("authorization").map(|value| value.to_str().unwrap()), sent);
    }
    let error = Player::told(REQUEST, noting.setting(), 0, &told(json!({"auth": "basic"}))).err().unwrap();
    assert!(error.contains("no user"), "{error}");
}

#[tokio::test]
async fn every_failure_has_its_outcome() {
    let noting = Noting::serve(|request| match request.uri().path().rsplit('/').next() {
        Some("429") => answer(429, &[], ""),
        Some("404") => answer(404, &[], "gone"),
        Some("302") => answer(302, &[("location", "/")], ""),
        Some("503") => answer(503, &[], ""),
        _ => answer(200, &[], "fine"),
    })
    .await;
    for (arguments, expected) in [
        (json!({"path": "/404"}), Outcome::Http4xx),
        (json!({"path": "/429"}), Outcome::Http429),
        (json!({"path": "/302"}), Outcome::Http3xx),
        (json!({"path": "/503"}), Outcome::Http5xx),
        (json!({"path": "/x", "expect": 204}), Outcome::Unexpected),
        (json!({"path": "/404", "expect": ["2xx", 404]}), Outcome::Ok),
        (json!({"path": "http://127.0.0.1:1/x"}), Outcome::Unexpected),
    ] {
        let mut player = Player::told(REQUEST, noting.setting(), 0, &told(arguments.clone())).unwrap();
        assert_eq!(player.iterate().await.is_err(), expected != Outcome::Ok);
        assert_eq!(player.samples()[0].1.outcome, expected, "{arguments}");
    }
    let gone = Setting { users: vec![], ..setting("http://127.0.0.1:1") };
    let mut player = Player::told(REQUEST, gone, 0, &told(json!({}))).unwrap();
    player.iterate().await.unwrap_err();
    assert_eq!(player.samples()[0].1.outcome, Outcome::Refused);
}

#[tokio::test]
async fn a_request_that_takes_too_long_has_failed() {
    let server = Loopback::serve(|_| async {
        std::future::pending::<()>().await;
        answer(200, &[], "")
    })
    .await;
    let setting = Setting { users: vec![], ..setting(&server.url()) };
    let mut player = Player::told(REQUEST, setting, 0, &told(json!({"timeout": "30ms"}))).unwrap();
    player.iterate().await.unwrap_err();
    let sample = player.samples()[0].1;
    assert_eq!(sample.outcome, Outcome::Timeout);
    assert!(Duration::from_nanos(sample.latency_ns()) < Duration::from_secs(10), "not the engine's 20 s");
}

/// A shop: logs in by a cookie, lists, makes and shows things.
fn shop(request: &Request<Bytes>) -> Answer {
    let knows_cookie = request.headers().get("cookie").is_some_and(|cookie| cookie == "SESSION=7");
    match (request.method().as_str(), request.uri().path()) {
        ("POST", "/base/login") => answer(302, &[("set-cookie", "SESSION=7; Path=/"), ("location", "/")], ""),
        _ if !knows_cookie => answer(401, &[], ""),
        ("POST", "/base/things") => {
            let sent: Value = serde_json::from_slice(request.body()).unwrap();
            answer(
                201,
                &[],
                json!({"id": 41, "name": sent["name"], "links": {"self": "/base/things/41?full=true"}})
                    .to_string(),
            )
        }
        ("GET", path) if path.starts_with("/base/things/") => answer(200, &[], "{\"ok\": true}"),
        ("GET", "/base/by-name/a%20b/") => answer(200, &[], ""),
        _ => answer(404, &[], "{}"),
    }
}

#[tokio::test]
async fn a_sequence_carries_values_and_cookies_from_step_to_step() {
    let noting = Noting::serve(shop).await;
    let steps = json!([
        {"name": "Log in", "method": "POST", "path": "/login", "body": "user={{user}}", "expect": "302"},
        {"name": "Make", "method": "POST", "path": "/things", "body": {"name": "n-{{random}}", "kind": ["{{user}}"]},
            "extract": {"id": "/id", "made": "/name"}},
        {"name": "Show", "path": "/things/{{id}}", "headers": {"X-Name": "{{made}}"}},
    ]);
    let arguments = told(json!({"steps": steps, "user": "ada"}));
    let mut player = Player::told(SEQUENCE, noting.setting(), 5, &arguments).unwrap();
    for _ in 0..2 {
        player.iterate().await.unwrap();
    }
    assert_eq!(player.outcomes(), ["Log in ok", "Make ok", "Show ok", "Log in ok", "Make ok", "Show ok"]);
    assert_eq!(noting.server.connections(), 1);
    let asked = noting.asked();
    assert_eq!(asked[0].body(), "user=ada");
    assert_eq!(asked[2].uri(), "/base/things/41");
    let names: Vec<Value> = [1, 4]
        .map(|made| serde_json::from_slice::<Value>(asked[made].body()).unwrap()["name"].clone())
        .to_vec();
    assert_ne!(names[0], names[1], "random differs from iteration to iteration");
    assert_eq!(asked[2].headers()["x-name"], names[0].as_str().unwrap());
    // The same seed draws the same.
    let mut again = Player::told(SEQUENCE, noting.setting(), 5, &arguments).unwrap();
    again.iterate().await.unwrap();
    assert_eq!(asked[1].body(), noting.asked()[1].body());
}

#[tokio::test]
async fn a_step_that_fails_ends_its_iteration() {
    let noting = Noting::serve(shop).await;
    let log_in = json!({"name": "Log in", "method": "POST", "path": "/login", "expect": [302]});
    let last = json!({"name": "Last", "path": "/things/1"});
    for (step, expected) in [
        (json!({"name": "Lost", "path": "/lost"}), "Lost http-4xx"),
        (
            json!({"name": "No JSON", "path": "/by-name/{{odd}}", "extract": {"a": "/a"}}),
            "No JSON unexpected",
        ),
        (
            json!({"name": "Nothing there", "path": "/things/1", "extract": {"a": "/values/0"}}),
            "Nothing there unexpected",
        ),
        (
            json!({"name": "Header", "path": "/things/1", "headers": ["x: {{odd}}{{line}}"]}),
            "Header unexpected",
        ),
    ] {
        let steps = json!([log_in, {"name": "Use", "path": "/things/{{odd}}{{line}}"}, step, last]);
        let arguments = told(json!({"steps": steps, "odd": "a b/", "line": "\n"}));
        let mut player = Player::told(SEQUENCE, noting.setting(), 0, &arguments).unwrap();
        let error = player.iterate().await.unwrap_err().to_string();
        assert_eq!(player.outcomes(), ["Log in ok", "Use ok", expected], "{error}");
    }
}

#[test]
fn the_ops_of_a_sequence_are_its_steps() {
    let script = e3_scripts::all().into_iter().find(|it| it.descriptor().name == SEQUENCE).unwrap();
    let steps = json!([{"name": "A"}, {"name": "B", "method": "PUT", "path": "/b"}]);
    let ops = script.ops(&told(json!({"steps": steps}))).unwrap();
    let ops: Vec<_> = ops.into_iter().map(|op| format!("{}: {}", op.name, op.summary)).collect();
    assert_eq!(
        ops,
        [
            "A: GET of the URL itself, from sending, or connecting, until the body's last byte",
            "B: PUT /b, from sending, or connecting, until the body's last byte"
        ]
    );
}

#[test]
fn what_cannot_be_used_is_said_with_its_place() {
    for (script, arguments, expected) in [
        (REQUEST, json!({"path": "x"}), vec![("/path", "the path \"x\" does not begin with a slash")]),
        (REQUEST, json!({"path": "/a b"}), vec![("/path", "the path \"/a b\" has the character ' '")]),
        (REQUEST, json!({"path": "/{{who}}"}), vec![("/path", "{{who}} is no variable here")]),
        (REQUEST, json!({"method": "get"}), vec![("/method", "there is no method \"get\"")]),
        (REQUEST, json!({"expect": "okay"}), vec![("/expect", "\"okay\" is no status")]),
        (REQUEST, json!({"timeout": "soon"}), vec![("/timeout", "\"soon\" is not a span of time")]),
        (REQUEST, json!({"timeout": 0}), vec![("/timeout", "a timeout is above 0")]),
        (REQUEST, json!({"auth": "digest"}), vec![("/auth", "\"digest\" is no way to log in")]),
        (
            REQUEST,
            json!({"headers": "Authorization: x"}),
            vec![("/headers", "the header \"Authorization\" would leave a secret")],
        ),
        (SEQUENCE, json!({"steps": []}), vec![("/steps", "\"steps\" is a list of 1 to")]),
        (SEQUENCE, json!({"steps": {}}), vec![("/steps", "\"steps\" is a list of 1 to")]),
        (SEQUENCE, json!({"steps": [5]}), vec![("/steps/0", "a step is an object")]),
        (
            SEQUENCE,
            json!({"steps": [{"path": "x", "pth": 1}, {"name": "b", "method": "POTS", "body": {"c": "{{c}}"}}]}),
            vec![
                ("/steps/0/pth", "the key \"pth\" is not known in a step"),
                ("/steps/0", "the step has no \"name\""),
                ("/steps/0/path", "the path \"x\" does not begin"),
                ("/steps/1/method", "there is no method \"POTS\""),
                ("/steps/1/body/c", "{{c}} is neither an argument nor extracted by an earlier step"),
            ],
        ),
        (
            SEQUENCE,
            json!({"steps": [{"name": "a", "path": "/{{id}}", "extract": {"id": "/id"}}, {"name": "a", "extract": {"b/c": "x", "random": "", "d": 5}}]}),
            vec![
                ("/steps/0/path", "{{id}} is neither"),
                ("/steps/1/name", "two steps are called \"a\""),
                ("/steps/1/extract/b~1c", "\"b/c\" is no variable's name"),
                ("/steps/1/extract/b~1c", "\"x\" is no JSON pointer"),
                ("/steps/1/extract/d", "5 is no JSON pointer"),
                ("/steps/1/extract/random", "{{random}} has its value from e3 already"),
            ],
        ),
        (
            SEQUENCE,
            json!({"steps": [{"name": "a", "extract": 5}]}),
            vec![("/steps/0/extract", "\"extract\" is an object")],
        ),
        (SEQUENCE, json!({"steps": [{"name": " "}]}), vec![("/steps/0/name", "a step's name is a text")]),
        (
            SEQUENCE,
            json!({"steps": [{"name": "a"}], "timeot": "2s"}),
            vec![(
                "/timeot",
                "http.Sequence takes no argument \"timeot\", and no step has a variable {{timeot}}",
            )],
        ),
    ] {
        let found = faults(script, arguments.clone());
        assert_eq!(found.len(), expected.len(), "{arguments}: {found:?}");
        let (found, expected) =
            (found.into_iter().collect::<BTreeSet<_>>(), expected.into_iter().collect::<BTreeSet<_>>());
        for ((pointer, message), (expected_pointer, begin)) in found.iter().zip(expected) {
            assert_eq!(pointer, expected_pointer, "{arguments}");
            assert!(message.starts_with(begin), "{message}");
        }
    }
}
