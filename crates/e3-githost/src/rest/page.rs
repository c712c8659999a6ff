//! Pages: how REST hands out long lists.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::Serialize;

use crate::failure::Failure;
use crate::store::{Part, Window};

/// One page. Source: the shape and order of recorded pages; `nextPageStart` only if there is a next one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<T> {
    size: usize,
    limit: u32,
    is_last_page: bool,
    values: Vec<T>,
    start: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_start: Option<u32>,
}

/// `start` and `limit` of the query, with Bitbucket's default and a bound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paged(pub(super) Window);

impl<T> Page<T> {
    pub(super) fn new<R>(part: Part<R>, window: Window, shape: impl FnMut(R) -> T) -> Self {
        let values: Vec<T> = part.rows.into_iter().map(shape).collect();
        let next = window.start.saturating_add(window.limit);
        Self {
            size: values.len(),
            limit: window.limit,
            is_last_page: !part.more,
            values,
            start: window.start,
            next_page_start: part.more.then_some(next),
        }
    }

    pub(super) fn empty(window: Window) -> Self {
        Self::new(Part { rows: Vec::<T>::new(), more: false }, window, |row| row)
    }
}

impl<S: Sync> FromRequestParts<S> for Paged {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let query = parts.uri.query().unwrap_or("");
        let start = number(query, "start")?.unwrap_or(0);
        let limit = number(query, "limit")?.unwrap_or(DEFAULT_LIMIT);
        if limit == 0 {
            return Err(Failure::invalid("limit", "The limit must be greater than 0."));
        }
        Ok(Self(Window { start, limit: limit.min(LARGEST_LIMIT) }))
    }
}

/// Returns a value of the query, decoded; the first of that name.
pub(super) fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query.unwrap_or("")).ok()?;
    pairs.into_iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value)
}

/// Returns a value of the query that must be there.
pub(super) fn required(query: Option<&str>, name: &'static str) -> Result<String, Failure> {
    let value = parameter(query, name).filter(|value| !value.is_empty());
    value.ok_or_else(|| Failure::invalid(name, format!("{name} is required.")))
}

fn number(query: &str, name: &'static str) -> Result<Option<u32>, Failure> {
    let Some(text) = parameter(Some(query), name).filter(|text| !text.is_empty()) else { return Ok(None) };
    // A number beyond what a list can hold is past its end like any other.
    let number: u64 = text
        .parse()
        .map_err(|_| Failure::invalid(name, format!("{name} must be a whole number, not negative.")))?;
    Ok(Some(u32::try_from(number.min(1 << 31)).unwrap_or(1 << 31)))
}

const DEFAULT_LIMIT: u32 = 25;
const LARGEST_LIMIT: u32 = 1000;

#[cfg(test)]
mod tests {
    use http::Request;
    use proptest::prelude::*;

    use super::*;

    async fn paged(query: &str) -> Result<Window, Failure> {
        let request = Request::get(format!("/x?{query}")).body(()).unwrap();
        Paged::from_request_parts(&mut request.into_parts().0, &()).await.map(|paged| paged.0)
    }

    #[tokio::test]
    async fn start_and_limit_have_defaults_and_bounds() {
        let cases = [
            ("", Some((0, 25))),
            ("start=3&limit=7", Some((3, 7))),
            ("limit=99999", Some((0, 1000))),
            ("start=99999999999", Some((1 << 31, 25))),
            ("start=&limit=", Some((0, 25))),
            ("limit=0", None),
            ("limit=-1", None),
            ("start=abc", None),
        ];
        for (query, expected) in cases {
            let found = paged(query).await.ok().map(|window| (window.start, window.limit));
            assert_eq!(found, expected, "{query}");
        }
    }

    #[test]
    fn a_page_has_the_recorded_shape() {
        let window = Window { start: 0, limit: 2 };
        let page = Page::new(window.of(["a", "b", "c"].iter()), window, |row| row);
        assert_eq!(
            serde_json::to_string(&page).unwrap(),
            r#"{"size":2,"limit":2,"isLastPage":false,"values":["a","b"],"start":0,"nextPageStart":2}"#
        );
        let window = Window { start: 2, limit: 2 };
        let page = Page::new(window.of(["a", "b", "c"].iter()), window, |row| row);
        assert_eq!(
            serde_json::to_string(&page).unwrap(),
            r#"{"size":1,"limit":2,"isLastPage":true,"values":["c"],"start":2}"#
        );
    }

    proptest! {
        #[test]
        fn following_the_pages_finds_every_row_once(count in 0_u32..60, limit in 1_u32..12) {
            let (mut start, mut found) = (0, Vec::new());
            loop {
                let window = Window { start, limit };
                let page = Page::new(window.of((0..usize::try_from(count).unwrap()).collect::<Vec<_>>().into_iter()), window, |row| row);
                found.extend(page.values);
                match page.next_page_start {
                    Some(next) => start = next,
                    None => break,
                }
            }
            prop_assert_eq!(found, (0..usize::try_from(count).unwrap()).collect::<Vec<_>>());
        }
    }
}
