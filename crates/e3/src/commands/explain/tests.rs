//! What can be explained, and how it is found.

use e3_model::Honesty;

use super::*;

#[test]
fn everything_is_explained_and_found_by_each_of_its_names() {
    let entries = entries();
    for entry in &entries {
        assert!(!entry.names.is_empty() && entry.meaning.len() > 10, "{entry:?}");
        for name in &entry.names {
            assert!(find(&entries, name).contains(&entry), "{name}");
        }
    }
    for exit in Exit::ALL {
        assert_eq!(find(&entries, &(exit.0 as u8).to_string()).len(), 1, "{exit:?}");
    }
    for kind in ["exit code", "word", "statistics", "finding"] {
        let names: Vec<_> =
            entries.iter().filter(|entry| entry.kind == kind).flat_map(|entry| &entry.names).collect();
        let mut plainly: Vec<_> = names.iter().map(|name| plain(name)).collect();
        plainly.sort();
        plainly.dedup();
        assert_eq!(plainly.len(), names.len(), "{kind}: each name once");
    }
}

#[test]
fn subjects_are_found_as_people_write_them() {
    let entries = entries();
    for (subject, title) in [
        ("32", "32"),
        ("exit code 32", "32"),
        ("co-located", "co-located"),
        ("Co Located", "co-located"),
        ("CLIENT_BOUND", "client-bound"),
        ("p99", "percentile"),
        ("error[weights]", "weights"),
        ("warning[no-effect]", "no-effect"),
        ("e3-home", "e3-home"),
        ("coordinated omission", "coordinated omission"),
        ("Concurrency bound", "concurrency-bound"),
        ("event loop delay", "event-loop delay"),
        ("arrival", "arrival rate"),
    ] {
        let found = find(&entries, subject);
        assert!(found.iter().any(|entry| entry.names[0] == title), "{subject}: {found:?}");
    }
    assert_eq!(find(&entries, "workload").len(), 2, "a word and a finding");
    assert_eq!(find(&entries, "nonsense"), Vec::<&Entry>::new());
}

#[test]
fn client_bound_and_the_guide_name_each_limit_as_it_is() {
    let percent = |share: f64| format!("{} %", (share * 100.0).round());
    let lag = format!("{} ms", Honesty::SCHEDULING_LAG_LIMIT_MS);
    let limits = [
        ("scheduling lag", lag.clone()),
        ("event-loop delay", lag),
        ("CPU", percent(Honesty::WORKER_CPU_LIMIT)),
        ("steal", percent(Honesty::STEAL_LIMIT)),
        ("descriptors", percent(Honesty::DESCRIPTOR_LIMIT)),
        ("retransmi", percent(Honesty::RETRANSMIT_LIMIT)),
    ];
    let entries = entries();
    let glossary = find(&entries, "client-bound")[0].meaning.as_str();
    let concepts = include_str!("../../../../../docs/guide/src/concepts.md");
    for (what, limit) in limits {
        for (page, text) in [("glossary", glossary), ("concepts", concepts)] {
            let mut parts = text.split([';', '\n']);
            assert!(
                parts.any(|part| part.contains(what) && part.contains(&limit)),
                "{what}: {limit} in the {page}"
            );
        }
    }
}

#[test]
fn explanations_read_well() {
    let entries = entries();
    let shown = |subject| {
        let found = find(&entries, subject);
        found.iter().map(|entry| entry.shown(80, Style::PLAIN)).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(["3", "workload", "no evidence"].map(shown).join("\n"));
    insta::assert_snapshot!(list(&entries, 80, Style::PLAIN));
}
