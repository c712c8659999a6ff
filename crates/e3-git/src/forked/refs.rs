//! Refs as git prints and writes them.

use crate::{ObjectId, Ref};

/// Reads what `git ls-remote --symref` prints; none if it is something else.
///
/// Source: git-ls-remote(1), section OUTPUT: a peeled tag follows its tag.
pub(super) fn listed(printed: &[u8]) -> Option<Vec<Ref>> {
    let mut refs: Vec<Ref> = Vec::new();
    let mut target = None;
    for line in String::from_utf8_lossy(printed).lines() {
        let (first, name) = line.split_once('\t')?;
        if let Some(of) = first.strip_prefix("ref: ") {
            target = Some(of.to_owned());
            continue;
        }
        let oid = ObjectId::parse(first.as_bytes())?;
        match name.strip_suffix("^{}") {
            Some(tag) => refs.last_mut().filter(|last| last.name == tag)?.peeled = Some(oid),
            None => refs.push(Ref { name: name.to_owned(), oid, symref_target: target.take(), peeled: None }),
        }
    }
    Some(refs)
}

/// Reads the file `packed-refs` of a fresh clone; none if it is something else.
///
/// Source: the comment on the format in git's refs/packed-backend.c.
pub(super) fn packed(text: &[u8]) -> Option<Vec<Ref>> {
    let mut refs: Vec<Ref> = Vec::new();
    for line in String::from_utf8_lossy(text).lines().filter(|line| !line.starts_with('#')) {
        if let Some(peeled) = line.strip_prefix('^') {
            refs.last_mut()?.peeled = Some(ObjectId::parse(peeled.as_bytes())?);
            continue;
        }
        let (oid, name) = line.split_once(' ')?;
        let oid = ObjectId::parse(oid.as_bytes())?;
        refs.push(Ref { name: name.to_owned(), oid, symref_target: None, peeled: None });
    }
    Some(refs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "85040fff6e688f9148600929555048056b27bb97";
    const B: &str = "da53d653ef22623e93bfc44c61ef6f09dae8c217";

    #[test]
    fn a_printed_list_has_targets_and_peeled_tags() {
        let text = format!(
            "ref: refs/heads/main\tHEAD\n{A}\tHEAD\n{A}\trefs/heads/main\n{B}\trefs/tags/v1\n{A}\trefs/tags/v1^{{}}\n"
        );
        let refs = listed(text.as_bytes()).unwrap();
        let names: Vec<_> = refs.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(names, ["HEAD", "refs/heads/main", "refs/tags/v1"]);
        assert_eq!(refs[0].symref_target.as_deref(), Some("refs/heads/main"));
        assert_eq!((refs[1].symref_target.as_deref(), refs[2].peeled), (None, Some(refs[0].oid)));
        assert_eq!(listed(b"").unwrap(), []);
    }

    #[test]
    fn packed_refs_have_peeled_tags() {
        let text = format!("# pack-refs with: peeled \n{A} refs/heads/main\n{B} refs/tags/v1\n^{A}\n");
        let refs = packed(text.as_bytes()).unwrap();
        assert_eq!((refs.len(), refs[0].peeled, refs[1].peeled), (2, None, Some(refs[0].oid)));
    }

    #[test]
    fn anything_else_is_none() {
        for text in ["x", "85040f\tHEAD", &format!("{A}\trefs/tags/v1^{{}}"), &format!("{A} HEAD")] {
            assert_eq!(listed(text.as_bytes()), None, "{text}");
        }
        for text in ["x", &format!("^{A}"), &format!("{A}\tHEAD")] {
            assert_eq!(packed(text.as_bytes()), None, "{text}");
        }
    }
}
