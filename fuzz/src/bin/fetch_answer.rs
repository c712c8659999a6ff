//! The answer to a fetch means the same however it is cut; who is done gets a pack or an error, and no more objects are
//! common than were named.
#![no_main]

use e3_fuzz::Input;
use e3_git_wire::{Asked, FetchAnswer, PackDrain, Version, Wrapping};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((mode, data)) = data.split_first() else { return };
    let is = |bit: u8| mode & (1 << bit) != 0;
    let version = if is(0) { Version::V2 } else { Version::V0 };
    let asked = Asked {
        version,
        wrapping: if version == Version::V0 && is(1) { Wrapping::Bare } else { Wrapping::Bands },
        is_shallow: is(2),
        haves: usize::from(mode >> 5),
        is_done: is(3),
        is_pack_early: is(4),
    };
    let input = Input::new(data);
    for is_verified in [true, false] {
        if let Ok(fetched) = input.read(|| FetchAnswer::new(asked, PackDrain::discarding(is_verified))) {
            assert!(fetched.pack.is_some() || !asked.is_done, "{asked:?}");
            assert!(fetched.common.len() <= 3 * asked.haves, "{asked:?}");
            if let Some(pack) = fetched.pack {
                assert_eq!(pack.is_verified, is_verified);
                assert!((32..=input.bytes.len() as u64).contains(&pack.bytes), "{pack:?}");
            }
        }
    }
});
