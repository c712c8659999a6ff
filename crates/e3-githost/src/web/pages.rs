//! The templates, embedded, and how a page is made of one.

use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, Output, State, Value, context};
use serde::Serialize;

use super::browse::Looked;
use crate::auth::Account;
use crate::failure::Failure;

/// The templates of one node.
pub(crate) struct Pages {
    environment: Environment<'static>,
    pub(super) looked: Looked,
}

/// What the top of every page shows.
#[derive(Serialize)]
struct Top<'a> {
    user: Option<&'a str>,
    display_name: Option<&'a str>,
    admin: bool,
    atl_token: &'a str,
    version: &'static str,
}

impl Pages {
    pub(crate) fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_formatter(write_escaped);
        environment.add_filter("segment", segment);
        environment.add_filter("path", path);
        environment.add_filter("day", day);
        for (name, source) in TEMPLATES {
            // A template that does not parse shows on every page that uses it; a test renders them all.
            if let Err(error) = environment.add_template(name, source) {
                tracing::error!(%error, name, "a template does not parse");
            }
        }
        Self { environment, looked: Looked::default() }
    }

    /// Returns the page made of the template and put into the frame of all pages, or the failure that prevented it.
    pub(crate) fn page(
        &self,
        account: Option<&Account>,
        (name, title): (&'static str, &str),
        content: impl Serialize,
    ) -> Result<Response, Failure> {
        let user = account.map(|account| &account.user);
        let top = Top {
            user: user.map(|user| user.name.as_str()),
            display_name: user.map(|user| user.display_name.as_str()),
            admin: user.is_some_and(|user| user.admin),
            atl_token: account
                .and_then(|account| account.session.as_ref())
                .map_or("", |session| &session.atl_token),
            version: env!("CARGO_PKG_VERSION"),
        };
        let top = Value::from(Serde(top));
        let render = |name, values| self.environment.get_template(name)?.render(values);
        let text = render(name, context! { top => top.clone(), page => Value::from(Serde(content)) })
            .and_then(|content| {
                // It has been escaped once, where the template put each value in.
                render("base.html", context! { top, title, content => Value::from_safe_string(content) })
            })
            .map_err(|error| Failure::internal("render a page", &format!("{name}: {error:#}")))?;
        Ok(Html(text).into_response())
    }

    /// Returns the page that says why there is no other.
    pub(crate) fn failure(&self, account: Option<&Account>, status: StatusCode, message: &str) -> Response {
        #[derive(Serialize)]
        struct Content<'a> {
            status: u16,
            reason: &'a str,
            message: &'a str,
        }
        let reason = status.canonical_reason().unwrap_or("");
        let content = Content { status: status.as_u16(), reason, message };
        match self.page(account, ("failure.html", reason), content) {
            Ok(page) => (status, page).into_response(),
            Err(failure) => failure.into_response(),
        }
    }
}

/// Writes every value escaped, unless it is a page's content. Unlike the default it leaves slashes as they are, which
/// keeps links and files readable.
fn write_escaped(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = value.to_string();
    let mut rest = text.as_str();
    let failed = |_| Error::from(ErrorKind::WriteFailure);
    if value.is_safe() {
        return out.write_str(rest).map_err(failed);
    }
    while let Some((before, special, after)) = next_special(rest) {
        out.write_str(before).map_err(failed)?;
        out.write_str(special).map_err(failed)?;
        rest = after;
    }
    out.write_str(rest).map_err(failed)
}

/// Splits before and after the first character that HTML would not take as it is; gives what stands for it.
fn next_special(text: &str) -> Option<(&str, &'static str, &str)> {
    let (at, found) = text.char_indices().find_map(|(at, c)| {
        let special = match c {
            '<' => "&lt;",
            '>' => "&gt;",
            '&' => "&amp;",
            '"' => "&quot;",
            '\'' => "&#39;",
            _ => return None,
        };
        Some((at, special))
    })?;
    let (before, after) = text.split_at_checked(at)?;
    Some((before, found, after.get(1..)?))
}

/// Encodes a text as one segment of a path, or as a query's value.
#[expect(clippy::needless_pass_by_value, reason = "the signature that filters have")]
fn segment(text: String) -> String {
    percent_encoding::utf8_percent_encode(&text, SEGMENT).to_string()
}

/// Encodes each step of a relative path.
#[expect(clippy::needless_pass_by_value, reason = "the signature that filters have")]
fn path(text: String) -> String {
    let steps: Vec<String> = text.split('/').map(|step| segment(step.to_owned())).collect();
    steps.join("/")
}

/// Shows seconds since 1970 as a day in UTC.
fn day(seconds: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp(seconds)
        .map_or_else(|_| String::new(), |at| at.date().to_string())
}

const SEGMENT: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const TEMPLATES: [(&str, &str); 10] = [
    ("base.html", include_str!("../../templates/base.html")),
    ("login.html", include_str!("../../templates/login.html")),
    ("dashboard.html", include_str!("../../templates/dashboard.html")),
    ("projects.html", include_str!("../../templates/projects.html")),
    ("project.html", include_str!("../../templates/project.html")),
    ("browse.html", include_str!("../../templates/browse.html")),
    ("branches.html", include_str!("../../templates/branches.html")),
    ("create_project.html", include_str!("../../templates/create_project.html")),
    ("create_repository.html", include_str!("../../templates/create_repository.html")),
    ("failure.html", include_str!("../../templates/failure.html")),
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
        let response = Pages::new().failure(None, StatusCode::NOT_FOUND, "<script>alert(1)</script>");
        let body = axum::body::to_bytes(response.into_body(), 1 << 20);
        let text = futures_util::future::FutureExt::now_or_never(body).unwrap().unwrap();
        let text = String::from_utf8(text.to_vec()).unwrap();
        assert!(text.contains("&lt;script&gt;"), "{text}");
        assert!(!text.contains("<script>"));
    }

    #[test]
    fn filters_encode_and_format() {
        assert_eq!(segment("a b/ü".to_owned()), "a%20b%2F%C3%BC");
        assert_eq!(path("a b/ü?".to_owned()), "a%20b/%C3%BC%3F");
        assert_eq!(day(1_700_000_000), "2023-11-14");
        assert_eq!(day(i64::MAX), "");
    }
}
