//! An advertisement means the same however it is cut, and every ref that is counted was handed on, in order.
#![no_main]

use std::cell::RefCell;

use e3_fuzz::Input;
use e3_git_wire::{AdvertisementReader, ListedRef, Ref, Service, Version};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let input = Input::new(data);
    for service in [Some(Service::UploadPack), Some(Service::ReceivePack), None] {
        let readings = RefCell::new(Vec::new());
        let found = input.read(|| {
            readings.borrow_mut().push(Vec::new());
            let each = |listed: &ListedRef<'_>| {
                readings.borrow_mut().last_mut().expect("a reading is under way").push(Ref::from(listed));
            };
            match service {
                Some(service) => AdvertisementReader::new(service, each),
                None => AdvertisementReader::plain(each),
            }
        });
        let readings = readings.into_inner();
        assert!(readings.iter().all(|refs| *refs == readings[0]), "cuts change no ref");
        if let Ok(advertisement) = found {
            assert_eq!(advertisement.refs, readings[0].len() as u64);
            assert!(advertisement.version == Version::V0 || advertisement.refs == 0);
            assert!(readings[0].iter().all(|found| !found.name.is_empty() && !found.name.ends_with("^{}")));
        }
    }
});
