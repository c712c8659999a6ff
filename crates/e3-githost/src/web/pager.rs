//! Long lists in parts: which one is wanted, and the links to those before and after it.

use minijinja::Value;

use super::escape;
use crate::store::Window;

/// Reads `start` and `limit`; a page for people forgives what it cannot read.
pub(super) fn window_of(query: &str) -> Window {
    let number = |name: &str| {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(candidate, _)| *candidate == name)
            .and_then(|(_, value)| value.parse::<u32>().ok())
    };
    let start = number("start").unwrap_or(0).min(FARTHEST);
    Window { start, limit: number("limit").unwrap_or(DEFAULT_LIMIT).clamp(1, LARGEST_LIMIT) }
}

/// Returns the links to the parts before and after, as HTML; empty if this one is the whole list.
///
/// The address is that of the list, without `start` and `limit`, encoded.
pub(super) fn pager(address: &str, window: Window, more: bool) -> Value {
    if window.start == 0 && !more {
        return Value::from("");
    }
    let mut html = String::from("<nav class=\"pager\" aria-label=\"Pages\">");
    if window.start > 0 {
        link(
            &mut html,
            ("prev", "Previous"),
            address,
            window.start.saturating_sub(window.limit),
            window.limit,
        );
    }
    if more {
        link(&mut html, ("next", "Next"), address, window.start.saturating_add(window.limit), window.limit);
    }
    html.push_str("</nav>");
    Value::from_safe_string(html)
}

fn link(html: &mut String, (rel, text): (&str, &str), address: &str, start: u32, limit: u32) {
    let mark = if address.contains('?') { '&' } else { '?' };
    let limit = if limit == DEFAULT_LIMIT { String::new() } else { format!("&limit={limit}") };
    html.push_str(&format!("<a rel=\"{rel}\" href=\""));
    escape::push(html, &format!("{address}{mark}start={start}{limit}"));
    html.push_str(&format!("\">{text}</a>"));
}

const DEFAULT_LIMIT: u32 = 25;
const LARGEST_LIMIT: u32 = 100;
/// What a list can never hold.
const FARTHEST: u32 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_parts_around() {
        let window = Window { start: 30, limit: 20 };
        let html = pager("/x?state=OPEN", window, true).to_string();
        assert!(html.contains("rel=\"prev\" href=\"/x?state=OPEN&amp;start=10&amp;limit=20\""), "{html}");
        assert!(html.contains("rel=\"next\" href=\"/x?state=OPEN&amp;start=50&amp;limit=20\""), "{html}");
        let first = Window { start: 0, limit: 25 };
        assert_eq!(pager("/x", first, false).to_string(), "");
        let html = pager("/x", first, true).to_string();
        assert!(!html.contains("prev") && html.contains("href=\"/x?start=25\""), "{html}");
    }

    #[test]
    fn what_cannot_be_read_is_the_default() {
        for (query, expected) in [
            ("", (0, 25)),
            ("start=3&limit=7", (3, 7)),
            ("start=-1&limit=x", (0, 25)),
            ("limit=0", (0, 1)),
            ("limit=5000&start=4294967295", (1 << 30, 100)),
        ] {
            let window = window_of(query);
            assert_eq!((window.start, window.limit), expected, "{query}");
        }
    }
}
