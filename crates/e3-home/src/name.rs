//! Names: which text may become a file's name, which name was meant, and what a run is called.

use std::time::SystemTime;

use e3_model::RunName;
use time::OffsetDateTime;
use time::macros::format_description;

/// Returns the name of a run of an experiment that is planned now: the experiment's name, then the UTC second.
///
/// Characters that a run's name must not have become `-`.
pub fn run_name(experiment: &str, now: SystemTime) -> RunName {
    let mut stem: String = experiment
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "-_.+".contains(c) { c } else { '-' })
        .take(LONGEST_STEM)
        .collect();
    if stem.is_empty() || stem.starts_with('.') {
        stem.insert_str(0, "run");
    }
    RunName(format!("{stem}-{}", stamp(now)))
}

/// Returns whether the text can be a file's stem and nothing else: no separator, no leading dot, no control character.
pub(crate) fn is_document_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 200
        && !name.starts_with('.')
        && name.chars().all(|c| c.is_alphanumeric() || "-_.+: ".contains(c))
}

/// Returns the candidate that a mistyped name was probably meant to be.
pub(crate) fn meant<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let name = name.strip_suffix(".json").unwrap_or(name).to_lowercase();
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(&name, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// Returns the last UTC second that a run's name holds, in the form in which [`run_name`] writes it.
pub(crate) fn stamp_in(name: &str) -> Option<String> {
    (0..=name.len().checked_sub(STAMP.len())?)
        .rev()
        .filter_map(|start| name.get(start..start + STAMP.len()))
        .map(|text| text.replace(':', "-"))
        .find(|text| {
            text.chars()
                .zip(STAMP.chars())
                .all(|(c, form)| if form == '0' { c.is_ascii_digit() } else { c == form })
        })
}

/// Returns a UTC second as text that sorts by time.
pub(crate) fn stamp(at: SystemTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]-[minute]-[second]");
    OffsetDateTime::from(at).format(format).unwrap_or_else(|_| STAMP.to_owned())
}

/// The form of a stamp: every 0 stands for a digit.
const STAMP: &str = "0000-00-00T00-00-00";
const LONGEST_STEM: usize = 150;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn runs_are_named_by_experiment_and_second() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_483_228_799);
        assert_eq!(run_name("mixed-test", at).0, "mixed-test-2016-12-31T23-59-59");
        for odd in ["", "..", "a/b", "über mich", &"x".repeat(1000), "\0"] {
            let name = run_name(odd, at);
            assert!(RunName::is_valid(&name.0), "{odd:?} gives {name}");
        }
    }

    #[test]
    fn finds_the_second_in_a_name() {
        for (name, found) in [
            ("mixed-test-2016-12-31T23:59:59", Some("2016-12-31T23-59-59")), // the first E3
            ("a-2016-12-31T23-59-59", Some("2016-12-31T23-59-59")),
            ("a-2016-12-31T23-59-59-2", Some("2016-12-31T23-59-59")),
            ("a", None),
            ("2016-12-31", None),
            ("ü016-12-31T23-59-59", None),
        ] {
            assert_eq!(stamp_in(name).as_deref(), found, "{name}");
        }
    }

    #[test]
    fn names_cannot_leave_their_folder() {
        for bad in ["", "..", "../x", "a/b", "/etc/passwd", "a\\b", ".x", "a\0", "a\n"] {
            assert!(!is_document_name(bad), "{bad:?}");
        }
        for good in ["quickstart", "e3-small", "Größe 1", "v1.2"] {
            assert!(is_document_name(good), "{good:?}");
        }
    }

    #[test]
    fn guesses_what_was_meant() {
        let names = ["quickstart", "smoke"];
        for (typed, expected) in
            [("quikstart", Some("quickstart")), ("Smoke.json", Some("smoke")), ("xyz", None), ("", None)]
        {
            assert_eq!(meant(typed, names.into_iter()).as_deref(), expected, "{typed}");
        }
    }
}
