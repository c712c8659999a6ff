//! The templates, embedded, and how a page is made of them.

use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use minijinja::value::Serde;
use minijinja::{Environment, Error, Value, context};
use serde::Serialize;

use super::browse::Looked;
use super::{escape, filters};
use crate::auth::Account;
use crate::failure::Failure;

/// The templates of one node.
pub(crate) struct Pages {
    environment: Environment<'static>,
    pub(super) looked: Looked,
}

/// A template with what it shows; put around another one, it shows that as its content.
pub(super) struct Frame {
    name: &'static str,
    page: Value,
}

/// What the top of every page shows.
#[derive(Serialize)]
struct Top<'a> {
    user: Option<&'a str>,
    slug: Option<&'a str>,
    display_name: Option<&'a str>,
    admin: bool,
    atl_token: &'a str,
    version: &'static str,
}

impl Frame {
    pub(super) fn new(name: &'static str, page: impl Serialize) -> Self {
        Self { name, page: Value::from(Serde(page)) }
    }
}

impl Pages {
    pub(crate) fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_formatter(escape::write_value);
        filters::add(&mut environment);
        for (name, source) in TEMPLATES {
            // A template that does not parse shows on every page that uses it; a test renders them all.
            if let Err(error) = environment.add_template(name, source) {
                tracing::error!(%error, name, "a template does not parse");
            }
        }
        Self { environment, looked: Looked::default() }
    }

    /// Returns the page made of the template and put into the frame of all pages, or the failure that prevented it.
    pub(super) fn page(
        &self,
        account: Option<&Account>,
        (name, title): (&'static str, &str),
        content: impl Serialize,
    ) -> Result<Response, Failure> {
        self.framed(account, title, &[Frame::new(name, content)])
    }

    /// Returns the page made of the first frame, put into the others in their order, then into the one of all pages.
    pub(super) fn framed(
        &self,
        account: Option<&Account>,
        title: &str,
        frames: &[Frame],
    ) -> Result<Response, Failure> {
        let top = Value::from(Serde(Top::of(account)));
        let mut content = Value::from("");
        for frame in frames {
            let page = frame.page.clone();
            content = self.render(frame.name, context! { top => top.clone(), content, page })?;
        }
        let whole = self.render("base.html", context! { top, title, content })?;
        Ok(Html(whole.as_str().unwrap_or_default().to_owned()).into_response())
    }

    /// Returns the page that says why there is no other.
    pub(crate) fn failure(&self, account: Option<&Account>, failure: &Failure) -> Response {
        #[derive(Serialize)]
        struct Content<'a> {
            status: u16,
            reason: &'a str,
            message: &'a str,
        }
        let (status, message) = (shown_status(account, failure), failure.message.as_str());
        let reason = match status {
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::FORBIDDEN => "Not allowed",
            StatusCode::CONFLICT => "Not possible",
            other => other.canonical_reason().unwrap_or("Not possible"),
        };
        let content = Content { status: status.as_u16(), reason, message };
        match self.page(account, ("failure.html", reason), content) {
            Ok(page) => (status, page).into_response(),
            Err(failure) => failure.into_response(),
        }
    }

    fn render(&self, name: &str, values: Value) -> Result<Value, Failure> {
        let rendered = self.environment.get_template(name).and_then(|template| template.render(values));
        let failed = |error: Error| Failure::internal("render a page", &format!("{name}: {error:#}"));
        // Each value has been escaped where its template put it in.
        rendered.map(Value::from_safe_string).map_err(failed)
    }
}

impl<'a> Top<'a> {
    fn of(account: Option<&'a Account>) -> Self {
        let user = account.map(|account| &account.user);
        let session = account.and_then(|account| account.session.as_ref());
        Self {
            user: user.map(|user| user.name.as_str()),
            slug: user.map(|user| user.slug.as_str()),
            display_name: user.map(|user| user.display_name.as_str()),
            admin: user.is_some_and(|user| user.admin),
            atl_token: session.map_or("", |session| session.atl_token.as_str()),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// REST says 401 to a user who may not; a browser would take that for a reason to ask for another password.
fn shown_status(account: Option<&Account>, failure: &Failure) -> StatusCode {
    match failure.status {
        StatusCode::UNAUTHORIZED if account.is_some() => StatusCode::FORBIDDEN,
        status => status,
    }
}

const TEMPLATES: [(&str, &str); 25] = [
    ("base.html", include_str!("../../templates/base.html")),
    ("branches.html", include_str!("../../templates/branches.html")),
    ("browse.html", include_str!("../../templates/browse.html")),
    ("commit.html", include_str!("../../templates/commit.html")),
    ("commits.html", include_str!("../../templates/commits.html")),
    ("compare.html", include_str!("../../templates/compare.html")),
    ("create_project.html", include_str!("../../templates/create_project.html")),
    ("create_pull_request.html", include_str!("../../templates/create_pull_request.html")),
    ("create_repository.html", include_str!("../../templates/create_repository.html")),
    ("dashboard.html", include_str!("../../templates/dashboard.html")),
    ("dashboard_pull_requests.html", include_str!("../../templates/dashboard_pull_requests.html")),
    ("diff.html", include_str!("../../templates/diff.html")),
    ("failure.html", include_str!("../../templates/failure.html")),
    ("login.html", include_str!("../../templates/login.html")),
    ("project.html", include_str!("../../templates/project.html")),
    ("projects.html", include_str!("../../templates/projects.html")),
    ("pull_request.html", include_str!("../../templates/pull_request.html")),
    ("pull_request_commits.html", include_str!("../../templates/pull_request_commits.html")),
    ("pull_request_overview.html", include_str!("../../templates/pull_request_overview.html")),
    ("pull_requests.html", include_str!("../../templates/pull_requests.html")),
    ("repository.html", include_str!("../../templates/repository.html")),
    ("tables.html", include_str!("../../templates/tables.html")),
    ("tags.html", include_str!("../../templates/tags.html")),
    ("user.html", include_str!("../../templates/user.html")),
    ("users_pull_requests.html", include_str!("../../templates/users_pull_requests.html")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_parses() {
        let pages = Pages::new();
        for (name, _) in TEMPLATES {
            assert!(pages.environment.get_template(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn what_users_write_is_escaped() {
        let failure = Failure::no_project("<script>alert(1)</script>");
        let response = Pages::new().failure(None, &failure);
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        let body = axum::body::to_bytes(response.into_body(), 1 << 20);
        let text = futures_util::future::FutureExt::now_or_never(body).unwrap().unwrap();
        let text = String::from_utf8(text.to_vec()).unwrap();
        assert!(text.contains("&lt;script&gt;"), "{text}");
        assert!(!text.contains("<script>"));
    }
}
