//! One thing in which an answer is not what the evidence says, and pointers into answers.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter, Result};

/// A difference at a place in an answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Difference {
    /// The JSON pointer into the body; `header NAME` for a header, `status` or `body` for the answer as a whole.
    pub(super) pointer: String,
    /// What is so there, and what should be.
    pub(super) what: String,
}

impl Difference {
    pub(super) fn new(pointer: impl Into<String>, what: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), what: what.into() }
    }
}

impl Display for Difference {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}: {}", if self.pointer.is_empty() { "/" } else { &self.pointer }, self.what)
    }
}

/// Returns a pointer to a member or an item below a pointer. Source: RFC 6901.
pub(super) fn below(pointer: &str, step: &str) -> String {
    format!("{pointer}/{}", step.replace('~', "~0").replace('/', "~1"))
}

/// Whether a pointer ends as `tail` does, whose `*` stands for the number of an item.
pub(super) fn ends_as(pointer: &str, tail: &str) -> bool {
    let pattern = pattern(pointer);
    pattern == tail || pattern.strip_suffix(tail).is_some_and(|rest| rest.ends_with('/'))
}

/// Returns one line for what is the same in many items: the first place, and how many more there are.
pub(super) fn lines(differences: &[Difference]) -> Vec<String> {
    let mut alike: BTreeMap<(String, &str), Vec<&Difference>> = BTreeMap::new();
    for difference in differences {
        alike.entry((pattern(&difference.pointer), &difference.what)).or_default().push(difference);
    }
    let line = |group: &Vec<&Difference>| {
        let (first, rest) = group.split_first()?;
        Some(if rest.is_empty() { first.to_string() } else { format!("{first} (and {} more)", rest.len()) })
    };
    alike.values().filter_map(line).collect()
}

/// Returns a pointer with `*` for the numbers of items.
fn pattern(pointer: &str) -> String {
    let step = |step: &str| {
        let number = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
        if number { "*".to_owned() } else { step.to_owned() }
    };
    pointer.split('/').map(step).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_match_whole_steps() {
        for (pointer, tail, expected) in [
            ("/type", "type", true),
            ("/values/3/project/type", "type", true),
            ("/subtype", "type", false),
            ("/links/clone/0/name", "clone/*/name", true),
            ("/links/self/0/name", "clone/*/name", false),
            ("header x-asessionid", "header x-asessionid", true),
        ] {
            assert_eq!(ends_as(pointer, tail), expected, "{pointer} {tail}");
        }
    }

    #[test]
    fn what_many_items_share_is_one_line() {
        let at = |pointer| Difference::new(pointer, "is missing");
        let found = [at("/values/0/id"), at("/values/1/id"), at("/values/2/id"), at("/size")];
        assert_eq!(lines(&found), ["/size: is missing", "/values/0/id: is missing (and 2 more)"]);
        assert_eq!(lines(&[at("")]), ["/: is missing"]);
        assert_eq!(below("/a", "b/c~d"), "/a/b~1c~0d");
    }
}
