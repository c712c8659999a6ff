use e3_model::ProcessIdentity;
use proptest::prelude::*;

use super::*;

fn process(name: u8, pid: Option<u32>) -> Resource {
    Resource::Process {
        name: format!("thread-001-githost-{name}"),
        mark: format!("run/thread-001/githost-{name}/ä\n\"{name}"),
        program: "/usr/bin/e3".into(),
        identity: pid.map(|pid| ProcessIdentity { pid, started: 7, boot_id: "boot".to_owned() }),
    }
}

fn directory(name: u8) -> Resource {
    Resource::Directory { path: format!("/home/ä b/tmp/run/thread-{name:03}").into() }
}

fn lines(events: &[(Event, Resource)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (seq, (event, resource)) in (1..).zip(events) {
        let time = "2026-01-02T03:04:05Z".to_owned();
        let entry = Entry { seq, time, event: *event, resource: resource.clone() };
        bytes.extend(serde_json::to_vec(&entry).unwrap());
        bytes.push(b'\n');
    }
    bytes
}

#[test]
fn an_intent_is_open_until_it_is_abandoned_or_removed() {
    let history = [
        (Event::Intent, directory(1)),
        (Event::Created, directory(1)),
        (Event::Intent, process(1, None)),
        (Event::Created, process(1, Some(4711))),
        (Event::Intent, process(2, None)),
        (Event::Intent, process(3, None)),
        (Event::Abandoned, process(3, None)),
        (Event::Removed, process(1, Some(4711))),
    ];
    let ledger = Ledger::of(&lines(&history));
    assert_eq!(ledger.open_resources(), [directory(1), process(2, None)]);
    assert_eq!(ledger.removed_resources(), [process(1, Some(4711))]);
    assert_eq!((ledger.missing_lines(), ledger.next_seq()), (0, 9));
    assert_eq!(Ledger::of(&lines(&history[..4])).open_resources(), [directory(1), process(1, Some(4711))]);
}

#[test]
fn an_identity_once_known_is_kept() {
    let history = [(Event::Created, process(1, Some(4711))), (Event::Intent, process(1, None))];
    assert_eq!(Ledger::of(&lines(&history)).open_resources(), [process(1, Some(4711))]);
}

#[test]
fn a_lost_line_is_noticed_and_a_torn_one_is_not_counted() {
    let whole = lines(&[
        (Event::Intent, process(1, None)),
        (Event::Created, process(1, Some(4711))),
        (Event::Intent, directory(1)),
    ]);
    let mut damaged = whole.clone();
    damaged[3] = b'X';
    let ledger = Ledger::of(&damaged);
    assert_eq!(ledger.missing_lines(), 1);
    assert_eq!(ledger.open_resources().len(), 2, "the line after the damaged one tells the resource whole");
    assert_eq!(Ledger::of(&whole[..whole.len() - 5]).missing_lines(), 0);
    assert_eq!(Ledger::of(b"no journal\n\xff\n{}\n"), Ledger::default());
}

fn events() -> impl Strategy<Value = Vec<(Event, Resource)>> {
    let resource =
        (any::<bool>(), 0_u8..6, prop::option::of(1_u32..9)).prop_map(|(is_process, name, pid)| {
            if is_process { process(name, pid) } else { directory(name) }
        });
    let event = prop::sample::select(vec![Event::Intent, Event::Created, Event::Abandoned, Event::Removed]);
    prop::collection::vec((event, resource), 0..40)
}

/// Returns what may exist after these events, reckoned from their end instead of their beginning.
fn may_exist(events: &[(Event, Resource)]) -> Vec<&Resource> {
    let mut settled: Vec<&Resource> = Vec::new();
    let mut open = Vec::new();
    for (event, resource) in events.iter().rev() {
        if settled.iter().any(|other| other.is_same(resource)) {
            continue;
        }
        settled.push(resource);
        if matches!(event, Event::Intent | Event::Created) {
            open.push(resource);
        }
    }
    open
}

proptest! {
    #[test]
    fn a_journal_cut_at_any_byte_still_tells_what_may_exist(
        events in events(),
        share in 0.0..=1.0_f64,
        again in events(),
    ) {
        let bytes = lines(&events);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a small length")]
        let cut = (bytes.len() as f64 * share) as usize;
        let whole = bytes[..cut].iter().filter(|byte| **byte == b'\n').count();
        // The last line counts, too, when it lacks nothing but its end.
        let whole = whole + usize::from(bytes.get(cut) == Some(&b'\n') && cut > 0 && bytes[cut - 1] != b'\n');
        let ledger = Ledger::of(&bytes[..cut]);
        let expected = may_exist(&events[..whole]);
        prop_assert_eq!(ledger.open_resources().len(), expected.len());
        for resource in &expected {
            prop_assert!(ledger.open_resources().iter().any(|open| open.is_same(resource)), "{} is lost", resource);
        }
        prop_assert_eq!(ledger.missing_lines(), 0);

        // What a later e3 appends on a fresh line counts as if nothing had been torn.
        let mut repaired = bytes[..cut].to_vec();
        repaired.push(b'\n');
        let mut later = ledger;
        for (event, resource) in again {
            let entry = Entry { seq: later.next_seq(), time: String::new(), event, resource };
            later.apply(&entry);
            repaired.extend(serde_json::to_vec(&entry).unwrap());
            repaired.push(b'\n');
        }
        prop_assert_eq!(Ledger::of(&repaired), later);
    }

    #[test]
    fn no_bytes_crash_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let ledger = Ledger::of(&bytes);
        prop_assert!(ledger.open_resources().len() <= bytes.len());
    }
}
