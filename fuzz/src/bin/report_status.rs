//! The report of a push means the same however it is cut, and only a report that says so is a success.
#![no_main]

use e3_fuzz::Input;
use e3_git_wire::ReportReader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let input = Input::new(data);
    if let Ok(statuses) = input.read(ReportReader::default) {
        let has = |text: &[u8]| input.bytes.windows(text.len()).any(|window| window == text);
        assert!(has(b"0000"), "without its end a report is none");
        for status in statuses.iter().filter(|status| status.refused.is_none()) {
            // A long line may lie in several bands.
            assert!(input.bytes.len() >= "ok ".len() + status.name.len());
        }
    }
});
