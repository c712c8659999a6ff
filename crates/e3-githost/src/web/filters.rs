//! What templates do with values: put them into links, show times.

use minijinja::{Environment, Value};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::clock::now_ms;

/// Adds the filters of all templates.
pub(super) fn add(environment: &mut Environment<'static>) {
    environment.add_filter("segment", |text: &str| segment(text));
    environment.add_filter("path", |text: &str| path(text));
    environment.add_filter("when", |at_ms: i64| Value::from_safe_string(when(at_ms, now_ms())));
    environment.add_filter("short", |id: &str| id.chars().take(SHORT_ID).collect::<String>());
    environment
        .add_filter("branch", |name: &str| name.strip_prefix("refs/heads/").unwrap_or(name).to_owned());
}

/// Encodes a text as one segment of a path, or as a query's value. A segment of dots only would be taken for a step up the
/// path, so its dots are encoded too.
pub(super) fn segment(text: &str) -> String {
    if matches!(text, "." | "..") {
        return text.replace('.', "%2E");
    }
    percent_encoding::utf8_percent_encode(text, SEGMENT).to_string()
}

/// Encodes each step of a relative path.
pub(super) fn path(text: &str) -> String {
    let steps: Vec<String> = text.split('/').map(segment).collect();
    steps.join("/")
}

/// Shows milliseconds since 1970: how long ago, or after a week the day; the exact time in UTC is the element's title.
fn when(at_ms: i64, now_ms: i64) -> String {
    let Ok(at) = OffsetDateTime::from_unix_timestamp(at_ms.div_euclid(1000)) else { return String::new() };
    let machine = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    let exact = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    let day = format_description!("[day padding:none] [month repr:short] [year]");
    let (Ok(machine), Ok(exact), Ok(day)) = (at.format(&machine), at.format(&exact), at.format(&day)) else {
        return String::new();
    };
    let shown = ago(now_ms.saturating_sub(at_ms)).unwrap_or(day);
    format!("<time datetime=\"{machine}\" title=\"{exact}\">{shown}</time>")
}

/// Returns in words how long ago something was; none before last week, and for what is yet to come.
fn ago(elapsed_ms: i64) -> Option<String> {
    let seconds = u64::try_from(elapsed_ms).ok()? / 1000;
    let (count, unit) = match seconds {
        0..60 => return Some("just now".to_owned()),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        86_400..604_800 => (seconds / 86_400, "day"),
        _ => return None,
    };
    Some(format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" }))
}

const SEGMENT: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Source: the length of a commit's `displayId`.
const SHORT_ID: usize = 11;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_encoded_step_by_step() {
        assert_eq!(segment("a b/\u{fc}"), "a%20b%2F%C3%BC");
        assert_eq!(path("a b/\u{fc}?/.."), "a%20b/%C3%BC%3F/%2E%2E");
    }

    #[test]
    fn times_are_shown_as_people_say_them() {
        const NOW: i64 = 1_700_000_000_000;
        for (before, shown) in [
            (0, "just now"),
            (59_999, "just now"),
            (60_000, "1 minute ago"),
            (7_200_000, "2 hours ago"),
            (3 * 86_400_000, "3 days ago"),
            (8 * 86_400_000, "6 Nov 2023"),
            (-1, "14 Nov 2023"),
        ] {
            let html = when(NOW - before, NOW);
            assert!(html.ends_with(&format!(">{shown}</time>")), "{before}: {html}");
        }
        let html = when(NOW, NOW);
        assert!(html.contains("title=\"2023-11-14 22:13:20 UTC\""), "{html}");
        assert_eq!(when(i64::MAX, NOW), "");
    }
}
