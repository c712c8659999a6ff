//! What resources read from a request: where links begin, what the path names, what the body says.

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::auth::Known;
use crate::balance::FORWARDED_SSH;
use crate::failure::Failure;
use crate::names::{ProjectKey, Slug};
use crate::permissions::{Level, check_project, check_repository};
use crate::state::App;
use crate::store::{Project, Repository};
use crate::xsrf;

/// What every link begins with: where this client reached the server.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    http: String,
    ssh: Option<String>,
}

/// The parameters of the path, decoded.
pub(super) struct Named(Vec<(String, String)>);

/// The project that the path names; 404 if there is none, 401 for who may not see it.
pub(super) struct OfProject(pub(super) Project);

/// The repository that the path names; 404 if there is none, 401 for who may not see it.
pub(super) struct OfRepository(pub(super) Repository);

/// The JSON body of a write that passed the check against cross-site requests.
pub(super) struct Write<T>(pub(super) T);

/// The permission of a write without a body of interest.
pub(super) struct MayWrite;

impl Base {
    /// Takes the host that the client named, and the scheme and the port of SSH that a proxy before us names; the address
    /// and the port are this node's own.
    pub(crate) fn of(headers: &HeaderMap, address: &str, ssh_port: Option<u16>) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let plain = |host: &&str| {
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
        };
        let host = text(header::HOST.as_str()).filter(plain).unwrap_or(address);
        let scheme = if text("x-forwarded-proto") == Some("https") { "https" } else { "http" };
        let forwarded = text(FORWARDED_SSH.as_str()).and_then(|port| port.parse().ok());
        let name = http::uri::Authority::try_from(host).ok();
        let name = name.as_ref().map(http::uri::Authority::host).filter(|name| !name.is_empty());
        let ssh = forwarded.or(ssh_port).zip(name).map(|(port, name)| format!("ssh://git@{name}:{port}"));
        Self { http: format!("{scheme}://{host}"), ssh }
    }

    /// Returns the absolute URL of a path that begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.http)
    }

    /// Returns the SSH URL of a path that begins with a slash, if SSH is served.
    pub(crate) fn ssh_url(&self, path: &str) -> Option<String> {
        self.ssh.as_ref().map(|base| format!("{base}{path}"))
    }
}

impl FromRequestParts<App> for Base {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, host: &App) -> Result<Self, Failure> {
        Ok(Self::of(&parts.headers, &host.address, host.ssh_port))
    }
}

impl Named {
    /// Returns the parameter; empty if the path has none of that name.
    pub(super) fn one(&self, name: &str) -> &str {
        self.0.iter().find(|(candidate, _)| candidate == name).map_or("", |(_, value)| value)
    }
}

impl FromRequestParts<App> for Named {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, host: &App) -> Result<Self, Failure> {
        let given = RawPathParams::from_request_parts(parts, host).await;
        let given = given.map_err(|_| Failure::no_resource())?;
        Ok(Self(given.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
    }
}

impl FromRequestParts<App> for OfProject {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, host: &App) -> Result<Self, Failure> {
        let Known(account) = Known::from_request_parts(parts, host).await?;
        let [key] = named(parts, host, ["key"]).await?;
        let project = match ProjectKey::parse(&key) {
            Some(parsed) => host.store.project(&parsed).await?,
            None => None,
        };
        let project = project.ok_or_else(|| Failure::no_project(&key))?;
        check_project(host, &account, &project, Level::Read).await?;
        Ok(Self(project))
    }
}

impl FromRequestParts<App> for OfRepository {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, host: &App) -> Result<Self, Failure> {
        let Known(account) = Known::from_request_parts(parts, host).await?;
        let [key, slug] = named(parts, host, ["key", "slug"]).await?;
        let Some(parsed_key) = ProjectKey::parse(&key) else { return Err(Failure::no_project(&key)) };
        let repository = match Slug::parse(&slug) {
            Some(slug) => host.store.repository(&parsed_key, &slug).await?,
            None => None,
        };
        if let Some(repository) = repository {
            check_repository(host, &account, &repository, Level::Read).await?;
            return Ok(Self(repository));
        }
        match host.store.project(&parsed_key).await? {
            Some(project) => Err(Failure::no_repository(&project.key, &slug)),
            None => Err(Failure::no_project(&key)),
        }
    }
}

impl FromRequestParts<App> for MayWrite {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, host: &App) -> Result<Self, Failure> {
        let Known(account) = Known::from_request_parts(parts, host).await?;
        xsrf::check_rest(&account, &parts.headers)?;
        Ok(Self)
    }
}

impl<T: DeserializeOwned + Default> FromRequest<App> for Write<T> {
    type Rejection = Failure;

    /// An empty body and `null` count as an empty object: the first E3 sends them.
    async fn from_request(request: Request, host: &App) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        MayWrite::from_request_parts(&mut parts, host).await?;
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if kind.is_some_and(|kind| !kind.trim_start().starts_with("application/json")) {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Failure { status, ..Failure::bad_request("The body must be application/json.") });
        }
        let body =
            Bytes::from_request(Request::from_parts(parts, body), host).await.map_err(|rejection| {
                match rejection.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => Failure::too_large(),
                    _ => Failure::bad_request("The body could not be read."),
                }
            })?;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(T::default()));
        }
        let value: Option<T> = serde_json::from_slice(&body).map_err(|error| {
            Failure::bad_request(format!("The body is not the JSON that is expected here: {error}."))
        })?;
        Ok(Self(value.unwrap_or_default()))
    }
}

/// Returns the path's parameters of these names, decoded. What is no UTF-8 names nothing.
async fn named<const N: usize>(
    parts: &mut Parts,
    host: &App,
    names: [&str; N],
) -> Result<[String; N], Failure> {
    let given = RawPathParams::from_request_parts(parts, host).await.map_err(|_| Failure::no_resource())?;
    Ok(names.map(|name| {
        given
            .iter()
            .find(|(candidate, _)| *candidate == name)
            .map_or_else(String::new, |(_, value)| value.to_owned())
    }))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn links_begin_where_the_client_came_in() {
        let base = |host: &'static str, scheme: &'static str| {
            let headers = HeaderMap::from_iter([
                (header::HOST, HeaderValue::from_static(host)),
                (http::HeaderName::from_static("x-forwarded-proto"), HeaderValue::from_static(scheme)),
            ]);
            Base::of(&headers, "127.0.0.1:1", None).url("/x")
        };
        assert_eq!(base("git.example:7990", ""), "http://git.example:7990/x");
        assert_eq!(base("git.example", "https"), "https://git.example/x");
        assert_eq!(base("evil\"><script>", "http"), "http://127.0.0.1:1/x");
    }

    #[test]
    fn ssh_links_keep_the_host_and_name_the_port_of_whoever_is_in_front() {
        let link = |host: &'static str, forwarded: &'static str, own: Option<u16>| {
            let headers = HeaderMap::from_iter([
                (header::HOST, HeaderValue::from_static(host)),
                (FORWARDED_SSH, HeaderValue::from_static(forwarded)),
            ]);
            Base::of(&headers, "127.0.0.1:1", own).ssh_url("/k/r.git")
        };
        let url = |text: &str| Some(text.to_owned());
        assert_eq!(link("git.example:7990", "", Some(7999)), url("ssh://git@git.example:7999/k/r.git"));
        assert_eq!(link("git.example", "2222", Some(7999)), url("ssh://git@git.example:2222/k/r.git"));
        assert_eq!(link("[::1]:7990", "2222", None), url("ssh://git@[::1]:2222/k/r.git"));
        assert_eq!(link("git.example:7990", "70000", None), None);
    }
}
