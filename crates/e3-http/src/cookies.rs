//! The session's cookie jar, as RFC 6265 has it.

use cookie_store::CookieStore;
use http::{HeaderValue, header::SET_COOKIE};

use crate::{BaseUrl, headers::Headers};

/// The cookies of one session.
#[derive(Debug, Default)]
pub(crate) struct Cookies {
    jar: CookieStore,
    stored: bool,
}

impl Cookies {
    /// Keeps what a response sets; a cookie that a browser would refuse is ignored, as browsers do.
    pub(crate) fn store(&mut self, headers: &Headers, base: &BaseUrl, target: &str) {
        let url = base.url_of(target);
        for value in headers.all(SET_COOKIE).filter_map(|value| value.to_str().ok()) {
            self.stored |= self.jar.parse(value, &url).is_ok();
        }
    }

    /// Returns the `Cookie` header for a target; none if no cookie belongs to it.
    pub(crate) fn header(&self, base: &BaseUrl, target: &str) -> Option<HeaderValue> {
        if !self.stored {
            return None;
        }
        let url = base.url_of(target);
        let pairs: Vec<_> =
            self.jar.get_request_values(&url).map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| HeaderValue::from_str(&pairs.join("; ")).ok()).flatten()
    }

    /// Returns the value of a cookie that has not expired.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        self.jar.iter_unexpired().find(|cookie| cookie.name() == name).map(|cookie| cookie.value().to_owned())
    }

    pub(crate) fn clear(&mut self) {
        self.jar.clear();
        self.stored = false;
    }
}
