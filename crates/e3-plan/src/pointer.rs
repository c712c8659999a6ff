//! JSON pointers (RFC 6901) as text.

/// Returns the pointer to a member or an entry of what `parent` points to.
pub(crate) fn join(parent: &str, token: impl std::fmt::Display) -> String {
    let token = token.to_string();
    if token.contains(['~', '/']) {
        format!("{parent}/{}", token.replace('~', "~0").replace('/', "~1"))
    } else {
        format!("{parent}/{token}")
    }
}

/// Returns the pointer to what holds the value, and the last token as it is in the document; none for the root.
pub(crate) fn split(pointer: &str) -> Option<(&str, String)> {
    let (parent, token) = pointer.rsplit_once('/')?;
    Some((parent, unescape(token)))
}

/// Returns every token from the root on.
pub(crate) fn tokens(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(unescape)
}

/// Returns the pointer itself, then that of each value that holds it, the root last.
pub(crate) fn and_ancestors(pointer: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(pointer), |pointer| pointer.rsplit_once('/').map(|(parent, _)| parent))
}

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_whole() {
        for key in ["a", "", "a/b", "~", "~1", "ü", "0"] {
            let pointer = join("/threads/0", key);
            assert_eq!(split(&pointer), Some(("/threads/0", key.to_owned())));
            assert_eq!(tokens(&pointer).last().as_deref(), Some(key));
        }
        assert_eq!(split(""), None);
        assert_eq!(and_ancestors("/a/b").collect::<Vec<_>>(), ["/a/b", "/a", ""]);
    }
}
