//! Lines of a properties file, as far as a server's settings need them.

/// Why a line is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PropertyLineError {
    /// There is no name, or nothing between it and the value.
    #[error("{0:?} is not a line such as \"throttle.resource.scm-hosting.strategy=fixed\"")]
    Form(String),
    /// It goes on in the next line, or has escapes, which nothing here needs.
    #[error("{0:?} has a backslash, which e3 does not understand in a property")]
    Backslash(String),
    /// The name was given before.
    #[error("{0:?} is given twice")]
    Twice(String),
}

/// Reads one line, `NAME=VALUE` or `NAME: VALUE`; blanks around both are left out.
///
/// # Errors
/// Whatever is not one line with a name.
pub fn property_line(line: &str) -> Result<(String, String), PropertyLineError> {
    if line.contains('\\') {
        return Err(PropertyLineError::Backslash(line.to_owned()));
    }
    let form = || PropertyLineError::Form(line.to_owned());
    if line.chars().any(char::is_control) {
        return Err(form());
    }
    let (name, value) = line.split_once(['=', ':']).ok_or_else(form)?;
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err(form());
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// Reads the lines of a file by their names; empty ones and comments (`#`, `!`) are passed over.
///
/// # Errors
/// The first line that is none, or whose name was there before.
///
/// Source: the Java class `Properties`, method `load`, as far as it goes without escapes.
pub fn property_lines(text: &str) -> Result<std::collections::BTreeMap<String, String>, PropertyLineError> {
    let mut lines = std::collections::BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let (name, value) = property_line(line)?;
        if lines.insert(name.clone(), value).is_some() {
            return Err(PropertyLineError::Twice(name));
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_file_are_read_by_their_names() {
        let text = "# how it is throttled\n\n a.b = 1*cpu\n! and\nc:d=e\r\nf=\n";
        let pairs = [("a.b", "1*cpu"), ("c", "d=e"), ("f", "")];
        let expected = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert_eq!(property_lines(text), Ok(expected));
    }

    #[test]
    fn what_is_no_line_is_said() {
        for (line, wrong) in [
            ("a", PropertyLineError::Form("a".into())),
            ("=a", PropertyLineError::Form("=a".into())),
            ("a b=c", PropertyLineError::Form("a b=c".into())),
            ("a=b\nc=d", PropertyLineError::Form("a=b\nc=d".into())),
            ("a=b\\", PropertyLineError::Backslash("a=b\\".into())),
        ] {
            assert_eq!(property_line(line), Err(wrong), "{line}");
        }
        assert_eq!(property_lines("a=1\na=1"), Err(PropertyLineError::Twice("a".into())));
    }
}
