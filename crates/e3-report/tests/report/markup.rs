//! Whether a page's elements are closed.

/// Fails unless every element that has to be closed is, in order.
pub(crate) fn assert_balanced(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let end = rest.find('>').expect("a tag ends");
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        let name: &str =
            tag.trim_start_matches('/').split([' ', '/', '\n']).next().expect("split gives a first part");
        if name.starts_with('!') || tag.ends_with('/') || name == "meta" {
            continue;
        }
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> closes what was opened last");
        } else if name == "script" || name == "style" {
            rest = &rest[rest.find(&format!("</{name}>")).expect("raw text ends") + name.len() + 3..];
        } else {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}
