//! The answer to `ls-refs` means the same however it is cut, and every ref that is counted was handed on.
#![no_main]

use std::cell::RefCell;

use e3_fuzz::Input;
use e3_git_wire::{ListedRef, Ref, RefList};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let input = Input::new(data);
    let readings = RefCell::new(Vec::new());
    let found = input.read(|| {
        readings.borrow_mut().push(Vec::new());
        RefList::new(|listed: &ListedRef<'_>| {
            readings.borrow_mut().last_mut().expect("a reading is under way").push(Ref::from(listed));
        })
    });
    let readings = readings.into_inner();
    assert!(readings.iter().all(|refs| *refs == readings[0]), "cuts change no ref");
    if let Ok(refs) = found {
        assert_eq!(refs, readings[0].len() as u64);
    }
});
