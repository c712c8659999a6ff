//! What scripts take from their setting.

use e3_git::{GitOptions, OnNegotiated};
use e3_http::{BaseUrl, HttpSession, HttpWay, Trust};
use e3_model::{Connections, with_causes};
use e3_workload::{Account, ClientContext, ScriptError, Setting};
use rand::RngExt as _;

/// Draws one of the users that can log in.
pub(crate) fn draw_account(
    script: &str,
    setting: &Setting,
    context: &mut ClientContext,
) -> Result<Account, ScriptError> {
    draw_among(&setting.users, context)
        .cloned()
        .ok_or_else(|| ScriptError::NoUser { script: script.to_owned() })
}

/// Returns the administrator, if it is known who that is.
pub(crate) fn administrator(script: &str, setting: &Setting) -> Result<Account, ScriptError> {
    if setting.admin.name.is_empty() {
        return Err(ScriptError::NoAdmin { script: script.to_owned() });
    }
    Ok(setting.admin.clone())
}

/// Draws one of several, each as likely as the others; none where there is none.
pub(crate) fn draw_among<'a, T>(among: &'a [T], context: &mut ClientContext) -> Option<&'a T> {
    if among.is_empty() {
        return None;
    }
    among.get(context.random().random_range(0..among.len()))
}

/// Returns the system's base URL in parsed form.
pub(crate) fn parse_base(script: &str, url: &str) -> Result<BaseUrl, ScriptError> {
    BaseUrl::parse(url).map_err(|error| ScriptError::Url {
        script: script.to_owned(),
        url: url.to_owned(),
        reason: error.to_string(),
    })
}

/// Returns how HTTP is spoken with the system; `by_itself` is how long connections live unless the setting says otherwise.
pub(crate) fn http_way(
    script: &str,
    setting: &Setting,
    by_itself: Connections,
) -> Result<HttpWay, ScriptError> {
    let trust = setting.ca.as_deref().map(Trust::pem).transpose().map_err(|error| ScriptError::Url {
        script: script.to_owned(),
        url: setting.url.clone(),
        reason: with_causes(&error),
    })?;
    Ok(HttpWay {
        version: setting.transport.http,
        connections: setting.transport.connections.unwrap_or(by_itself),
        trust: trust.unwrap_or_default(),
    })
}

/// Returns how the native Git client talks with the system; by itself it opens a connection for every op, as git does.
pub(crate) fn git_options(script: &str, setting: &Setting) -> Result<GitOptions, ScriptError> {
    let way = http_way(script, setting, Connections::PerOp)?;
    let (connections, verify) = (way.connections, setting.transport.verify);
    let ciphers = setting.ciphers.clone();
    let on_negotiated = Some(OnNegotiated::new(move |negotiated| ciphers.note(&negotiated.cipher)));
    Ok(GitOptions { connections, verify, way, on_negotiated, ..GitOptions::default() })
}

/// Returns a session with the system that talks as the setting says, and keeps its connection by itself, as browsers do.
pub(crate) fn http_session(script: &str, setting: &Setting) -> Result<HttpSession, ScriptError> {
    let way = http_way(script, setting, Connections::KeepAlive)?;
    Ok(HttpSession::new(parse_base(script, &setting.url)?).with_way(&way))
}

#[cfg(test)]
mod tests {
    use e3_http::Request;
    use e3_model::{HttpVersion, Secret, Transport};
    use e3_testkit::{Authority, Secure, Speech, Validity, answer};

    use super::*;

    fn setting(url: String, ca: Option<String>, transport: Transport) -> Setting {
        let admin = Account { name: "admin".to_owned(), password: Secret::new("pass"), private_key: None };
        Setting { ca, transport, ..Setting::at(url, admin) }
    }

    #[tokio::test]
    async fn sessions_talk_as_the_setting_says() {
        let authority = Authority::new();
        let config = authority.server("127.0.0.1", Validity::Current, &["h2", "http/1.1"]);
        let server = Secure::serve(Speech::Tls(config), |request| async move {
            answer(200, &[], format!("{:?}", request.version()))
        })
        .await;
        let (url, ca) = (server.https("127.0.0.1"), Some(authority.pem().to_owned()));
        let (mut connections, kept, per_op) = (0, None, Some(Connections::PerOp));
        for (http, lives, spoken, more) in [
            (HttpVersion::Http1, kept, "HTTP/1.1", 1),
            (HttpVersion::Http2, kept, "HTTP/2.0", 1),
            (HttpVersion::Http2, per_op, "HTTP/2.0", 2),
        ] {
            let transport = Transport { http, connections: lives, ..Transport::default() };
            let mut session = http_session("x.Test", &setting(url.clone(), ca.clone(), transport)).unwrap();
            for _ in 0..2 {
                assert_eq!(session.send(Request::get("/")).await.unwrap().body, spoken);
            }
            connections += more;
            assert_eq!(server.loopback.connections(), connections, "{http:?} {lives:?}");
        }
        let broken = setting(url, Some("no certificate".to_owned()), Transport::default());
        assert!(matches!(http_session("x.Test", &broken), Err(ScriptError::Url { .. })));
    }
}
