//! What resources read from a request: where links begin, what the path names, what the body says.

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::auth::Known;
use crate::failure::Failure;
use crate::names::{ProjectKey, Slug};
use crate::state::App;
use crate::store::{Project, Repository};
use crate::xsrf;

/// The URL before every link: where this client reached the server.
#[derive(Debug, Clone)]
pub(crate) struct Base(String);

/// The project that the path names; 404 if there is none.
pub(super) struct OfProject(pub(super) Project);

/// The repository that the path names; 404 if there is none.
pub(super) struct OfRepository(pub(super) Repository);

/// The JSON body of a write that passed the check against cross-site requests.
pub(super) struct Write<T>(pub(super) T);

/// The permission of a write without a body of interest.
pub(super) struct MayWrite;

impl Base {
    /// Takes the host that the client named, and the scheme that a proxy before us says it used.
    pub(crate) fn of(headers: &HeaderMap, address: &str) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let plain = |host: &&str| {
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
        };
        let host = text(header::HOST.as_str()).filter(plain).unwrap_or(address);
        let scheme = if text("x-forwarded-proto") == Some("https") { "https" } else { "http" };
        Self(format!("{scheme}://{host}"))
    }

    /// Returns the absolute URL of a path that begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl FromRequestParts<App> for Base {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, host: &App) -> Result<Self, Failure> {
        Ok(Self::of(&parts.headers, &host.address))
    }
}

impl FromRequestParts<App> for OfProject {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, host: &App) -> Result<Self, Failure> {
        Known::from_request_parts(parts, host).await?;
        let [key] = named(parts, host, ["key"]).await?;
        let project = match ProjectKey::parse(&key) {
            Some(parsed) => host.store.project(&parsed).await?,
            None => None,
        };
        project.map(Self).ok_or_else(|| Failure::no_project(&key))
    }
}

impl FromRequestParts<App> for OfRepository {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, host: &App) -> Result<Self, Failure> {
        Known::from_request_parts(parts, host).await?;
        let [key, slug] = named(parts, host, ["key", "slug"]).await?;
        let Some(parsed_key) = ProjectKey::parse(&key) else { return Err(Failure::no_project(&key)) };
        let repository = match Slug::parse(&slug) {
            Some(slug) => host.store.repository(&parsed_key, &slug).await?,
            None => None,
        };
        if let Some(repository) = repository {
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
            Base::of(&headers, "127.0.0.1:1").url("/x")
        };
        assert_eq!(base("git.example:7990", ""), "http://git.example:7990/x");
        assert_eq!(base("git.example", "https"), "https://git.example/x");
        assert_eq!(base("evil\"><script>", "http"), "http://127.0.0.1:1/x");
    }
}
