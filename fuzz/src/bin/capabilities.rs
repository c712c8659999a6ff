//! Every word of a list of capabilities is found by its name, and no other.
#![no_main]

use e3_git_wire::Capabilities;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let capabilities = Capabilities::from_words(data);
    let text = data.split(|byte| *byte == b' ').map(String::from_utf8_lossy);
    let words: Vec<_> = text.filter(|word| !word.is_empty()).collect();
    let named = |word: &str| word.split_once('=').map_or(word.to_owned(), |(name, _)| name.to_owned());
    for word in &words {
        let name = named(word);
        assert!(capabilities.has(&name), "{name:?}");
        let with_value =
            words.iter().filter(|word| word.split_once('=').is_some_and(|(other, _)| other == name));
        assert_eq!(capabilities.values(&name).count(), with_value.count(), "{name:?}");
        for feature in capabilities.values(&name).flat_map(|value| value.split(' ')) {
            assert!(capabilities.has_feature(&name, feature));
        }
    }
    assert!(!capabilities.has("no such capability"));
    let mut one_by_one = Capabilities::default();
    for word in data.split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
        one_by_one.add(word);
    }
    assert_eq!(one_by_one, capabilities);
    let formats: Vec<_> = capabilities.values("object-format").collect();
    let is_spoken = formats.is_empty() || formats.contains(&"sha1");
    assert_eq!(capabilities.check_object_format().is_ok(), is_spoken);
});
