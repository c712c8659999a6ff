//! What this client asks, word for word as `git clone -q` and `git ls-remote` ask it.
//!
//! Source: packet traces (`GIT_TRACE_PACKET`) of git 2.47; gitprotocol-v2(5) and gitprotocol-pack(5) for the grammar.

use crate::{
    ObjectId,
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
    let mut words = String::new();
    let mut wrapping = Wrapping::Bare;
    // Of each group, the first that the server knows.
    for group in V0_CAPABILITIES {
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
    let mut body = Vec::new();
    for want in wants {
        write_line(&mut body, &format!("want {want}{}", std::mem::take(&mut words)));
    }
    write_flush(&mut body);
    write_line(&mut body, "done");
    (body, wrapping)
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
