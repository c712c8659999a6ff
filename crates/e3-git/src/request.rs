//! What this client asks, word for word as `git clone -q` and `git ls-remote` ask it.
//!
//! Source: packet traces (`GIT_TRACE_PACKET`) of git 2.47; gitprotocol-v2(5) and gitprotocol-pack(5) for the grammar.

use crate::{
    ObjectId,
    advertisement::Version,
    capabilities::Capabilities,
    fetch_answer::Wrapping,
    pkt_line::{write_delimiter, write_flush, write_line},
};

/// Returns the request for the refs whose names start with one of the prefixes; without prefixes, for all.
pub(crate) fn ls_refs(server: &Capabilities, prefixes: &[&str]) -> Vec<u8> {
    let mut body = command("ls-refs", server);
    write_line(&mut body, "peel");
    write_line(&mut body, "symrefs");
    if server.has_feature("ls-refs", "unborn") {
        write_line(&mut body, "unborn");
    }
    for prefix in prefixes {
        write_line(&mut body, &format!("ref-prefix {prefix}"));
    }
    write_flush(&mut body);
    body
}

/// Returns the request for all objects that these reach, in version 2.
pub(crate) fn fetch(server: &Capabilities, wants: impl Iterator<Item = ObjectId>) -> Vec<u8> {
    let mut body = command("fetch", server);
    for argument in ["thin-pack", "no-progress", "ofs-delta"] {
        write_line(&mut body, argument);
    }
    for want in wants {
        write_line(&mut body, &format!("want {want}"));
    }
    write_line(&mut body, "done");
    write_flush(&mut body);
    body
}

/// Returns the request for all objects that these reach, in version 0, and how the pack will come.
pub(crate) fn fetch_v0(server: &Capabilities, wants: impl Iterator<Item = ObjectId>) -> (Vec<u8>, Wrapping) {
    let (mut words, wrapping) = v0_words(server, &V0_CAPABILITIES);
    let mut body = Vec::new();
    for want in wants {
        write_line(&mut body, &format!("want {want}{}", std::mem::take(&mut words)));
    }
    write_flush(&mut body);
    write_line(&mut body, "done");
    (body, wrapping)
}

/// Returns the request for one commit without its history and, where the server can filter, with no other object but
/// its root tree; and how the pack will come.
///
/// Nothing in it may lean on what is not in it, nor be named by its place: neither `thin-pack` nor `ofs-delta`.
pub(crate) fn fetch_tip(version: Version, server: &Capabilities, commit: ObjectId) -> (Vec<u8>, Wrapping) {
    match version {
        Version::V2 => {
            let mut body = command("fetch", server);
            write_line(&mut body, "no-progress");
            write_line(&mut body, &format!("want {commit}"));
            write_depth(&mut body, |feature| server.has_feature("fetch", feature));
            write_line(&mut body, "done");
            write_flush(&mut body);
            (body, Wrapping::Bands)
        }
        Version::V0 => {
            let groups = [&["side-band-64k", "side-band"][..], &["no-progress"], &["shallow"], &["filter"]];
            let (words, wrapping) = v0_words(server, &groups);
            let mut body = Vec::new();
            write_line(&mut body, &format!("want {commit}{words}"));
            write_depth(&mut body, |feature| server.has(feature));
            write_flush(&mut body);
            write_line(&mut body, "done");
            (body, wrapping)
        }
    }
}

/// Writes how much is wanted of the commits: no parents, and of trees only the root.
///
/// Source: git-rev-list(1), `--filter=tree:<depth>`.
fn write_depth(body: &mut Vec<u8>, knows: impl Fn(&str) -> bool) {
    if knows("shallow") {
        write_line(body, "deepen 1");
    }
    if knows("filter") {
        write_line(body, "filter tree:1");
    }
}

/// Returns the capabilities that the server knows, of each group the first, and how the pack will come.
fn v0_words(server: &Capabilities, groups: &[&[&str]]) -> (String, Wrapping) {
    let mut words = String::new();
    let mut wrapping = Wrapping::Bare;
    for group in groups {
        if let Some(word) = group.iter().find(|word| server.has(word)) {
            words.push(' ');
            words.push_str(word);
            if word.starts_with("side-band") {
                wrapping = Wrapping::Bands;
            }
        }
    }
    if server.has("agent") {
        words.push_str(" agent=");
        words.push_str(AGENT);
    }
    (words, wrapping)
}

fn command(name: &str, server: &Capabilities) -> Vec<u8> {
    let mut body = Vec::new();
    write_line(&mut body, &format!("command={name}"));
    if server.has("agent") {
        write_line(&mut body, &format!("agent={AGENT}"));
    }
    if server.has("object-format") {
        write_line(&mut body, "object-format=sha1");
    }
    write_delimiter(&mut body);
    body
}

/// Who asks, in Git's protocol.
const AGENT: &str = concat!("e3/", env!("CARGO_PKG_VERSION"));

const V0_CAPABILITIES: [&[&str]; 6] = [
    &["multi_ack_detailed", "multi_ack"],
    &["no-done"],
    &["side-band-64k", "side-band"],
    &["thin-pack"],
    &["no-progress"],
    &["ofs-delta"],
];

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> ObjectId {
        ObjectId::parse(digit.to_string().repeat(40).as_bytes()).unwrap()
    }

    #[test]
    fn version_2_asks_as_git_does() {
        let mut server = Capabilities::default();
        for line in ["agent=git/2.47.3", "ls-refs=unborn", "fetch=shallow", "object-format=sha1"] {
            server.add(line.as_bytes());
        }
        let agent = format!("{:04x}agent={AGENT}\n", AGENT.len() + 11);
        assert_eq!(
            String::from_utf8(ls_refs(&server, &["HEAD", "refs/heads/"])).unwrap(),
            format!(
                "0014command=ls-refs\n{agent}0017object-format=sha1\n00010009peel\n000csymrefs\n000bunborn\n\
                 0014ref-prefix HEAD\n001bref-prefix refs/heads/\n0000"
            )
        );
        assert_eq!(
            String::from_utf8(fetch(&server, [id('a'), id('b')].into_iter())).unwrap(),
            format!(
                "0012command=fetch\n{agent}0017object-format=sha1\n0001000ethin-pack\n0010no-progress\n000eofs-delta\n\
                 0032want {}\n0032want {}\n0009done\n0000",
                id('a'),
                id('b')
            )
        );
    }

    #[test]
    fn a_tip_is_asked_for_without_history_and_files_where_the_server_can() {
        let mut v2 = Capabilities::default();
        v2.add(b"fetch=shallow wait-for-done filter");
        let want = format!("0032want {}\n", id('a'));
        for (version, server, expected) in [
            (
                Version::V2,
                &v2,
                format!(
                    "0012command=fetch\n00010010no-progress\n{want}000ddeepen 1\n0012filter tree:1\n0009done\n0000"
                ),
            ),
            (
                Version::V2,
                &Capabilities::default(),
                format!("0012command=fetch\n00010010no-progress\n{want}0009done\n0000"),
            ),
            (
                Version::V0,
                &Capabilities::from_words(b"shallow side-band ofs-delta"),
                format!("0044want {} side-band shallow\n000ddeepen 1\n00000009done\n", id('a')),
            ),
        ] {
            let (body, _) = fetch_tip(version, server, id('a'));
            assert_eq!(String::from_utf8(body).unwrap(), expected);
        }
    }

    #[test]
    fn nothing_is_asked_that_the_server_does_not_know() {
        let bare = ls_refs(&Capabilities::default(), &[]);
        assert_eq!(String::from_utf8(bare).unwrap(), "0014command=ls-refs\n00010009peel\n000csymrefs\n0000");
        let (body, wrapping) =
            fetch_v0(&Capabilities::from_words(b"ofs-delta"), [id('a'), id('b')].into_iter());
        let expected = format!("003cwant {} ofs-delta\n0032want {}\n00000009done\n", id('a'), id('b'));
        assert_eq!((String::from_utf8(body).unwrap(), wrapping), (expected, Wrapping::Bare));
        let (_, wrapping) = fetch_v0(&Capabilities::from_words(b"side-band"), [id('a')].into_iter());
        assert_eq!(wrapping, Wrapping::Bands);
    }
}
