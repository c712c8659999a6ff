//! Bytes for property tests: random ones, and ones that look like Git until they do not.

use proptest::prelude::*;

/// Returns bytes of any kind: noise, or packets of plausible lines with some bytes changed or cut off.
pub(crate) fn wild_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..400),
        4 => (prop::collection::vec(packet(), 0..12), prop::collection::vec(any::<(usize, u8)>(), 0..3), 0..8_usize)
            .prop_map(|(packets, changes, cut)| damage(packets.concat(), &changes, cut)),
        2 => prop::collection::vec(packet(), 0..12).prop_map(|packets| packets.concat()),
    ]
}

/// Hands the bytes on in chunks, cut at these places modulo the length, until the reader has had enough.
pub(crate) fn in_chunks(bytes: &[u8], cuts: &[usize], mut read: impl FnMut(&[u8]) -> bool) {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).chain([bytes.len()]).collect();
    cuts.sort_unstable();
    let mut start = 0;
    for cut in cuts {
        if !read(&bytes[start..cut]) {
            return;
        }
        start = cut;
    }
}

fn packet() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        prop::sample::select(LINES.to_vec()).prop_map(<[u8]>::to_vec),
        prop::collection::vec(any::<u8>(), 0..60),
        prop::collection::vec(any::<u8>(), 0..60).prop_map(|noise| [b"\x01".to_vec(), noise].concat()),
    ];
    prop_oneof![
        1 => Just(b"0000".to_vec()),
        1 => Just(b"0001".to_vec()),
        8 => line.prop_map(|line| [format!("{:04x}", line.len() + 4).into_bytes(), line].concat()),
    ]
}

fn damage(mut bytes: Vec<u8>, changes: &[(usize, u8)], cut: usize) -> Vec<u8> {
    for (place, byte) in changes {
        if !bytes.is_empty() {
            let place = place % bytes.len();
            bytes[place] = *byte;
        }
    }
    bytes.truncate(bytes.len().saturating_sub(cut));
    bytes
}

const LINES: [&[u8]; 20] = [
    b"# service=git-upload-pack\n",
    b"version 2\n",
    b"version 1\n",
    b"agent=git/2.47.3\n",
    b"ls-refs=unborn\n",
    b"fetch=shallow wait-for-done\n",
    b"object-format=sha1\n",
    b"object-format=sha256\n",
    b"cd21257e59be89b4757d2655500853dc693b51ad HEAD symref-target:refs/heads/main\n",
    b"85040fff6e688f9148600929555048056b27bb97 refs/tags/v1 peeled:da53d653ef22623e93bfc44c61ef6f09dae8c217\n",
    b"da53d653ef22623e93bfc44c61ef6f09dae8c217 refs/tags/v1^{}\n",
    b"da53d653ef22623e93bfc44c61ef6f09dae8c217 HEAD\0side-band-64k symref=HEAD:refs/heads/main agent=git/2\n",
    b"0000000000000000000000000000000000000000 capabilities^{}\0side-band-64k\n",
    b"unborn HEAD symref-target:refs/heads/main\n",
    b"ERR no such repository\n",
    b"packfile\n",
    b"NAK\n",
    b"\x01PACK\0\0\0\x02\0\0\0\0\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e",
    b"\x02Counting objects\r",
    b"\x03fatal: out of memory\n",
];
