//! No pack harms its reader; what is packed is found again by its name; a commit changes only its directory, thin or not.
#![no_main]

use e3_git_wire::{Kind, NewCommit, Object, PackObjects, Packed, RootTree, pack};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // As it is, and with a sound beginning, which few inputs have by chance.
    let header =
        [b"PACK\0\0\0\x02\0\0\0", &data.get(..1).unwrap_or(b"\x01")[..], data.get(1..).unwrap_or_default()];
    for bytes in [data, &[&header.concat()[..], &[0; 20]].concat()] {
        let found = PackObjects::read(bytes).is_ok();
        assert_eq!(PackObjects::read(bytes).is_ok(), found);
    }

    let objects: Vec<_> = data
        .split(|byte| *byte == b'\n')
        .map(|line| match line.first().map(|byte| byte % 3) {
            Some(0) => Object::new(Kind::Commit, line.to_vec()),
            Some(1) => Object::new(Kind::Tree, line.to_vec()),
            _ => Object::new(Kind::Blob, line.to_vec()),
        })
        .take(200)
        .collect();
    let packed: Vec<_> = objects.iter().map(Packed::Whole).collect();
    let read = PackObjects::read(&pack(&packed)).expect("what was packed can be read");
    for object in &objects {
        let expected = (object.kind != Kind::Blob).then_some(object.content.as_slice());
        assert_eq!(read.find(object.id, object.kind), expected);
    }

    if let Ok(tree) = RootTree::parse(data) {
        let files = [("file".to_owned(), data.to_vec())];
        let new = NewCommit { directory: "e3", files: &files, message: "m", author: "A <a@b>", seconds: 1 };
        let base = Object::new(Kind::Commit, Vec::new()).id;
        let (whole, thin) = (new.on(base, &tree, false), new.on(base, &tree, true));
        assert_eq!(whole.commit, thin.commit);
        assert!(PackObjects::read(&thin.pack).is_ok());
        let root = PackObjects::read(&whole.pack)
            .and_then(|read| read.root_tree(whole.commit))
            .expect("it is there");
        // The same change again changes nothing.
        let directory = Object::new(Kind::Blob, data.to_vec()).id;
        let once = root.with_directory("e3", directory);
        let twice = RootTree::parse(&once).expect("it is a tree").with_directory("e3", directory);
        assert_eq!(once, twice);
    }
});
