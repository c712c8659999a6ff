//! A pack that is taken for whole has the checksum that it ends with, however it was cut; one that is not verified is
//! found to be the same but for that.
#![no_main]

use e3_fuzz::Input;
use e3_git_wire::{Fault, Pack, PackDrain};
use libfuzzer_sys::fuzz_target;
use sha1::{Digest, Sha1};

fn drain<'a>(mut drain: PackDrain, mut pieces: impl Iterator<Item = &'a [u8]>) -> Result<Pack, Fault> {
    pieces.try_for_each(|piece| drain.push(piece))?;
    drain.finish()
}

fn is_same(one: &Result<Pack, Fault>, other: &Result<Pack, Fault>) -> bool {
    matches!((one, other), (Err(Fault::Protocol(_)), Err(Fault::Protocol(_)))) || one == other
}

fuzz_target!(|data: &[u8]| {
    let input = Input::new(data);
    // Few inputs end with their checksum by chance: the second round has it.
    let mut sealed = input.bytes.to_vec();
    sealed.extend_from_slice(&Sha1::digest(input.bytes));
    for bytes in [input.bytes, &sealed] {
        let whole = drain(PackDrain::discarding(true), std::iter::once(bytes));
        assert!(is_same(&drain(PackDrain::discarding(true), bytes.chunks(19)), &whole));
        let unverified = drain(PackDrain::discarding(false), bytes.chunks(7));
        match &whole {
            Ok(pack) => {
                let (body, trailer) = bytes.split_at(bytes.len() - 20);
                assert_eq!(&Sha1::digest(body)[..], trailer);
                assert_eq!(pack.bytes, bytes.len() as u64);
                assert_eq!(unverified, Ok(Pack { is_verified: false, ..pack.clone() }));
                let kept = drain(PackDrain::keeping(bytes.len()), bytes.chunks(33)).expect("it is whole");
                assert_eq!(kept.kept, bytes);
                assert!(drain(PackDrain::keeping(bytes.len() - 1), bytes.chunks(33)).is_err());
            }
            Err(Fault::Checksum) => assert!(unverified.is_ok_and(|pack| !pack.is_verified)),
            Err(_) => assert!(is_same(&unverified, &whole)),
        }
    }
    assert!(is_same(
        &drain(PackDrain::discarding(true), input.pieces()),
        &drain(PackDrain::discarding(true), std::iter::once(input.bytes))
    ));
});
