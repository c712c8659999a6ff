//! The session against real sockets: keep-alive, cookies, bounds, and servers that misbehave.

use std::{
    error::Error,
    io::Write,
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use e3_http::{BaseUrl, HttpError, HttpSession, Request};
use e3_model::{Outcome, Secret};
use e3_testkit::{Loopback, answer, wait_for};
use flate2::{Compression, write::GzEncoder};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::{io::AsyncWriteExt, time::timeout};

use super::{read_request, scripted, session};

/// Answers with what arrived: method, target, and the headers that the session itself sets.
async fn echo() -> Loopback {
    Loopback::serve(|request| async move {
        let header =
            |name| request.headers().get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
        let text = format!(
            "{} {} host={} cookie={} authorization={} agent={} body={}",
            request.method(),
            request.uri(),
            header("host"),
            header("cookie"),
            header("authorization"),
            header("user-agent"),
            String::from_utf8_lossy(request.body()),
        );
        answer(200, &[], text)
    })
    .await
}

#[tokio::test]
async fn requests_share_one_connection() {
    let server = echo().await;
    let mut session = session(&server);
    for number in 0..20 {
        let response = session.send(Request::get(format!("/page/{number}"))).await.unwrap();
        assert_eq!(response.status, 200);
        let text = response.text().unwrap();
        assert!(text.starts_with(&format!("GET /page/{number} host=127.0.0.1:")), "{text}");
        assert!(text.contains("cookie=- authorization=- agent=e3/"), "{text}");
        assert_eq!(response.bytes_in, text.len() as u64);
    }
    assert_eq!((server.connections(), server.requests()), (1, 20));
}

#[tokio::test]
async fn a_body_is_sent_and_counted() {
    let server = echo().await;
    let response = session(&server).send(Request::form("/login", &[("user", "a b")])).await.unwrap();
    assert!(response.text().unwrap().ends_with("body=user=a+b"));
    assert_eq!(response.bytes_out, 8);
}

#[tokio::test]
async fn basic_credentials_go_with_every_request() {
    let server = echo().await;
    let mut session = session(&server).with_basic("admin", &Secret::new("pass:word"));
    let text = session.send(Request::get("/")).await.unwrap().text().unwrap();
    // Source: `printf admin:pass:word | base64`.
    assert!(text.contains("authorization=Basic YWRtaW46cGFzczp3b3Jk "), "{text}");
}

#[tokio::test]
async fn paths_lie_below_the_context_path_and_absolute_urls_do_not() {
    let server = echo().await;
    let base = BaseUrl::parse(&format!("{}/bitbucket/", server.url())).unwrap();
    let mut session = HttpSession::new(base);
    let text = session.send(Request::get("/dashboard?a=1")).await.unwrap().text().unwrap();
    assert!(text.starts_with("GET /bitbucket/dashboard?a=1 "), "{text}");
    let absolute = format!("{}/other", server.url());
    let text = session.send(Request::get(absolute)).await.unwrap().text().unwrap();
    assert!(text.starts_with("GET /other "), "{text}");
    let error = session.send(Request::get("http://127.0.0.1:1/")).await.unwrap_err();
    assert!(matches!(error, HttpError::ForeignOrigin { .. }), "{error}");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn cookies_are_kept_sent_scoped_and_deleted_as_a_browser_does() {
    let server = Loopback::serve(|request| async move {
        let cookies = request.headers().get("cookie").map_or("-", |value| value.to_str().unwrap()).to_owned();
        let set: &[(&str, &str)] = match request.uri().path() {
            "/app/login" => &[
                ("set-cookie", "SESSION=abc; Path=/app; HttpOnly"),
                ("set-cookie", "atl.xsrf.token=x%2By; Path=/app"),
                ("set-cookie", "elsewhere=1; Path=/other"),
                ("set-cookie", "gone=1; Max-Age=0"),
                ("set-cookie", "foreign=1; Domain=example.com"),
            ],
            "/app/logout" => &[("set-cookie", "SESSION=; Path=/app; Expires=Thu, 01 Jan 1970 00:00:00 GMT")],
            _ => &[],
        };
        answer(200, set, cookies)
    })
    .await;
    let mut session = HttpSession::new(BaseUrl::parse(&format!("{}/app", server.url())).unwrap());
    let mut cookies = async |path: &str, clear: bool| {
        if clear {
            session.clear_cookies();
        }
        let text = session.send(Request::get(path)).await.unwrap().text().unwrap();
        let mut cookies: Vec<_> = text.split("; ").map(str::to_owned).collect();
        cookies.sort();
        (cookies.join("; "), session.cookie("SESSION"), session.cookie("gone"))
    };
    assert_eq!(cookies("/login", false).await, ("-".to_owned(), Some("abc".to_owned()), None));
    assert_eq!(cookies("/page", false).await.0, "SESSION=abc; atl.xsrf.token=x%2By");
    assert_eq!(cookies("/logout", false).await.1, None);
    assert_eq!(cookies("/page", false).await.0, "atl.xsrf.token=x%2By");
    assert_eq!(cookies("/page", true).await.0, "-");
}

#[tokio::test]
async fn redirects_are_the_callers() {
    let server = Loopback::serve(|_| async { answer(302, &[("location", "/login?next=%2F")], "") }).await;
    let response = session(&server).send(Request::get("/dashboard")).await.unwrap();
    assert_eq!((response.status, response.header("location")), (302, Some("/login?next=%2F")));
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_replaced() {
    let server = Loopback::raw(|mut stream, _| async move {
        if read_request(&mut stream).await {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        }
    })
    .await;
    let mut session = session(&server);
    for _ in 0..3 {
        assert_eq!(session.send(Request::get("/")).await.unwrap().body, "ok");
    }
    assert_eq!(server.connections(), 3);
}

/// Answers each connection's first request, and hangs up on its second without a byte.
async fn hangs_up_on_the_second(seen: Arc<AtomicUsize>) -> Loopback {
    Loopback::raw(move |mut stream, _| {
        let seen = Arc::clone(&seen);
        async move {
            if read_request(&mut stream).await {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
                if read_request(&mut stream).await {
                    seen.fetch_add(1, Ordering::AcqRel);
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn an_unanswered_request_on_a_kept_connection_is_repeated_only_if_that_does_no_harm() {
    let unanswered = Arc::new(AtomicUsize::new(0));
    let server = hangs_up_on_the_second(Arc::clone(&unanswered)).await;
    let mut session = session(&server);
    session.send(Request::get("/")).await.unwrap();
    assert_eq!(session.send(Request::get("/")).await.unwrap().body, "ok");
    assert_eq!((server.connections(), unanswered.load(Ordering::Acquire)), (2, 1));

    let error = session.send(Request::post("/", "")).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Connection, "{error}");
    assert_eq!((server.connections(), unanswered.load(Ordering::Acquire)), (2, 2));

    session.send(Request::get("/")).await.unwrap();
    assert_eq!(session.send(Request::post("/", "").repeatable()).await.unwrap().body, "ok");
    assert_eq!((server.connections(), unanswered.load(Ordering::Acquire)), (4, 3));
}

#[tokio::test]
async fn a_fresh_connection_is_not_tried_twice() {
    let server = scripted(b"").await;
    let error = session(&server).send(Request::get("/")).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Connection, "{error}");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_refused_connection_is_refused() {
    let address = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let mut session = HttpSession::new(BaseUrl::parse(&format!("http://{address}")).unwrap());
    let error = session.send(Request::get("/")).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Refused, "{error}");
    assert_eq!(error.to_string(), format!("cannot connect to {address}"));
}

#[tokio::test]
async fn what_is_not_http_is_a_protocol_error() {
    for bytes in [
        &b"SSH-2.0-OpenSSH_9.2\r\n\r\n"[..],
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
    ] {
        let server = scripted(bytes).await;
        let error = session(&server).send(Request::get("/")).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Protocol, "{:?}: {error:?}", String::from_utf8_lossy(bytes));
        assert!(error.source().is_some());
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_a_connection_error() {
    for bytes in [
        &b"HTTP/1.1 200 OK\r\ncontent-len"[..],
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n",
    ] {
        let server = scripted(bytes).await;
        let mut session = session(&server);
        let error = session.send(Request::get("/")).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Connection, "{:?}: {error:?}", String::from_utf8_lossy(bytes));
        assert_eq!(session.send(Request::get("/")).await.unwrap_err().outcome(), Outcome::Connection);
        assert_eq!(server.connections(), 2);
    }
}

#[tokio::test]
async fn a_body_over_its_bound_is_refused_announced_or_not() {
    let server = Loopback::serve(|request| async move {
        let body = Bytes::from(vec![b'x'; 1000]);
        if request.uri().path() == "/announced" {
            return answer(200, &[], body);
        }
        let frames = StreamBody::new(Frames((0..10).map(|_| Bytes::from(vec![b'x'; 100])).collect()));
        http::Response::new(frames.boxed_unsync())
    })
    .await;
    let mut session = session(&server);
    for path in ["/announced", "/chunked"] {
        assert_eq!(session.send(Request::get(path).max_body(1000)).await.unwrap().body.len(), 1000, "{path}");
        let error = session.send(Request::get(path).max_body(999)).await.unwrap_err();
        assert!(matches!(&error, HttpError::BodyTooLarge { limit: 999, .. }), "{path}: {error}");
        assert_eq!(error.outcome(), Outcome::Protocol);
    }
}

#[tokio::test]
async fn gzip_text_is_inflated_within_the_bound() {
    let zipped = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let (greeting, bomb) = (zipped("Grüße"), zipped(&"0".repeat(100_000)));
    let server = Loopback::serve(move |request| {
        let (encoding, body) = match request.uri().path() {
            "/greeting" => ("gzip", greeting.clone()),
            "/bomb" => ("gzip", bomb.clone()),
            "/broken" => ("gzip", b"no gzip".to_vec()),
            _ => ("br", b"?".to_vec()),
        };
        async move { answer(200, &[("content-encoding", encoding)], body) }
    })
    .await;
    let mut session = session(&server);
    let mut text = async |path: &str| {
        let request = Request::get(path).header("accept-encoding", "gzip").max_body(50_000);
        session.send(request).await.unwrap().text()
    };
    assert_eq!(text("/greeting").await.unwrap(), "Grüße");
    for path in ["/bomb", "/broken", "/brotli"] {
        assert_eq!(text(path).await.unwrap_err().outcome(), Outcome::Protocol, "{path}");
    }
}

#[tokio::test]
async fn a_body_streams_and_its_connection_is_kept_only_when_drained() {
    let server = Loopback::serve(|_| async {
        let frames = (0..200).map(|_| Bytes::from(vec![b'x'; 10_000])).collect();
        http::Response::new(StreamBody::new(Frames(frames)).boxed_unsync())
    })
    .await;
    let mut session = session(&server);
    let before = Instant::now();
    let mut streaming = session.start(Request::get("/")).await.unwrap();
    assert_eq!((streaming.status, streaming.first_byte()), (200, None));
    let mut size = 0;
    while let Some(chunk) = streaming.chunk().await.unwrap() {
        size += chunk.len() as u64;
    }
    assert!(streaming.chunk().await.unwrap().is_none());
    assert_eq!((size, streaming.bytes_in()), (2_000_000, 2_000_000));
    let first_byte = streaming.first_byte().unwrap();
    assert!(before <= streaming.sent_at() && streaming.sent_at() <= streaming.head_at());
    assert!(streaming.head_at() <= first_byte && first_byte <= Instant::now());
    drop(streaming);

    let mut early = session.start(Request::get("/")).await.unwrap();
    assert!(early.chunk().await.unwrap().is_some());
    drop(early);
    assert_eq!(server.connections(), 1);
    assert_eq!(session.send(Request::get("/")).await.unwrap().body.len(), 2_000_000);
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn an_empty_body_need_not_be_read() {
    let server = Loopback::serve(|_| async { answer(204, &[], "") }).await;
    let mut session = session(&server);
    for _ in 0..3 {
        assert_eq!(session.start(Request::delete("/")).await.unwrap().status, 204);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn an_exchange_cut_short_by_its_caller_closes_the_connection_only() {
    let closed = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&closed);
    let server = Loopback::raw(move |mut stream, number| {
        let counted = Arc::clone(&counted);
        async move {
            read_request(&mut stream).await;
            if number > 0 {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            }
            if !read_request(&mut stream).await {
                counted.fetch_add(1, Ordering::AcqRel);
            }
        }
    })
    .await;
    let mut session = session(&server);
    timeout(Duration::from_millis(50), session.send(Request::get("/slow"))).await.unwrap_err();
    wait_for("the end of the first connection", Duration::from_secs(10), || {
        let closed = closed.load(Ordering::Acquire);
        std::future::ready(if closed == 1 { Ok(()) } else { Err(format!("{closed} closed")) })
    })
    .await;
    assert_eq!(session.send(Request::get("/")).await.unwrap().body, "ok");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_session_moves_into_a_spawned_task() {
    let server = echo().await;
    let mut session = session(&server);
    let task = tokio::spawn(async move {
        let mut streaming = session.start(Request::get("/")).await?;
        while streaming.chunk().await?.is_some() {}
        drop(streaming);
        session.send(Request::get("/")).await
    });
    assert_eq!(task.await.unwrap().unwrap().status, 200);
    assert_eq!(server.connections(), 1);
}

/// A body of unknown length, frame by frame.
struct Frames(Vec<Bytes>);

impl futures_util::Stream for Frames {
    type Item = Result<Frame<Bytes>, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.pop().map(|bytes| Ok(Frame::data(bytes))))
    }
}
