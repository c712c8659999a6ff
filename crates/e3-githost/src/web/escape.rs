//! Text as HTML: in templates by the formatter, and in the long parts of a page that are written without one.

use std::fmt::{self, Write};

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Output, State, Value};

/// Writes every value escaped, unless it is HTML already. Unlike the default it leaves slashes as they are, which keeps
/// links and files readable.
pub(super) fn write_value(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let failed = |_| Error::from(ErrorKind::WriteFailure);
    match value.as_str() {
        Some(html) if value.is_safe() => out.write_str(html).map_err(failed),
        Some(text) => write(out, text).map_err(failed),
        // Written as `none`, a value that is missing would look like one that is there.
        None if matches!(value.kind(), ValueKind::None | ValueKind::Undefined) => Ok(()),
        None => write(out, &value.to_string()).map_err(failed),
    }
}

/// Writes a text so that HTML shows it, in an element or in a quoted attribute.
pub(super) fn write(out: &mut impl Write, text: &str) -> fmt::Result {
    let mut rest = text;
    while let Some((before, special, after)) = next_special(rest) {
        out.write_str(before)?;
        out.write_str(special)?;
        rest = after;
    }
    out.write_str(rest)
}

/// Appends a text so that HTML shows it.
pub(super) fn push(html: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = write(html, text);
}

/// Splits before and after the first byte that HTML would not take as it is; gives what stands for it.
fn next_special(text: &str) -> Option<(&str, &'static str, &str)> {
    let (at, special) = text.bytes().enumerate().find_map(|(at, byte)| {
        let special = match byte {
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'&' => "&amp;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            _ => return None,
        };
        Some((at, special))
    })?;
    Some((text.get(..at)?, special, text.get(at.saturating_add(1)..)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(text: &str) -> String {
        let mut html = String::new();
        push(&mut html, text);
        html
    }

    #[test]
    fn only_what_html_would_read_is_replaced() {
        assert_eq!(escaped("a/b \u{e4} <i x='1'>&\""), "a/b \u{e4} &lt;i x=&#39;1&#39;&gt;&amp;&quot;");
        assert_eq!(escaped(""), "");
    }

    proptest! {
        #[test]
        fn no_text_opens_a_tag_or_ends_an_attribute(text in any::<String>()) {
            let html = escaped(&text);
            prop_assert!(!html.contains(['<', '>', '"', '\'']));
            let back = html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
            prop_assert_eq!(back.replace("&#39;", "'").replace("&amp;", "&"), text);
        }
    }
}
