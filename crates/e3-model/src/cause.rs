//! An error and its causes as one line, for logs and messages that cross a process.

use std::error::Error;

/// Returns an error's text and those of all its causes, joined by `: `.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_every_cause() {
        let error = crate::from_json::<crate::Plan>(b"{").err().unwrap();
        let text = with_causes(&error);
        assert!(text.starts_with("not a document of format e3/plan: EOF while parsing"), "{text}");
    }
}
