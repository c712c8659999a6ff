//! Which branches a condition is about.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::failure::Failure;

/// Which branches a condition is about.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Matcher {
    id: Option<String>,
    #[serde(rename = "type")]
    kind: Option<MatcherKind>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct MatcherKind {
    id: Option<String>,
}

/// Returns the matcher as it is stored. Source: the recorded refusal.
pub(super) fn checked(wish: Option<Matcher>, context: &'static str) -> Result<String, Failure> {
    let wish = wish.unwrap_or_default();
    let kind = wish.kind.clone().and_then(|kind| kind.id).unwrap_or_default();
    let whole = wish.id.as_ref().is_some_and(|id| !id.is_empty() && id.len() <= 1024);
    if !whole || !KINDS.iter().any(|(known, _)| *known == kind) {
        let message =
            format!("A {context} with ID and type is required when creating or updating a new condition.");
        let exception = "com.atlassian.bitbucket.validation.ArgumentValidationException";
        return Err(Failure { exception: Some(exception), ..Failure::bad_request(message) });
    }
    serde_json::to_string(&wish).map_err(|error| Failure::internal("write a matcher", &error))
}

/// Returns the matcher as it is answered.
pub(super) fn shape(stored: &str) -> Value {
    let matcher: Matcher = serde_json::from_str(stored).unwrap_or_default();
    let (id, kind) =
        (matcher.id.unwrap_or_default(), matcher.kind.and_then(|kind| kind.id).unwrap_or_default());
    let name = KINDS.iter().find(|(known, _)| *known == kind).map_or("", |(_, name)| *name);
    let display = id.strip_prefix("refs/heads/").unwrap_or(&id);
    json!({"active": true, "id": id, "displayId": display, "type": {"id": kind, "name": name}})
}

/// Returns whether a stored matcher is about the branch.
pub(super) fn matches(stored: &str, branch: &str) -> bool {
    let matcher: Matcher = serde_json::from_str(stored).unwrap_or_default();
    let (id, kind) =
        (matcher.id.unwrap_or_default(), matcher.kind.and_then(|kind| kind.id).unwrap_or_default());
    let short = |name: &str| name.strip_prefix("refs/heads/").unwrap_or(name).to_owned();
    let (wanted, branch) = (short(&id), short(branch));
    match kind.as_str() {
        "ANY_REF" => true,
        "BRANCH" => wanted == branch,
        "PATTERN" => fits(&wanted, &branch),
        // Source: the prefixes of Bitbucket's default branching model.
        "MODEL_CATEGORY" => branch.starts_with(&format!("{}/", wanted.to_ascii_lowercase())),
        _ => false,
    }
}

/// Matches `*` within a step and `**` over steps, anywhere at the name's end as Bitbucket does for a pattern without
/// a slash.
fn fits(pattern: &str, name: &str) -> bool {
    let anchored = pattern.contains('/');
    let last = name.rsplit('/').next().unwrap_or(name);
    glob(pattern.as_bytes(), name.as_bytes()) || (!anchored && glob(pattern.as_bytes(), last.as_bytes()))
}

/// Walks both with one place to come back to for each kind of star, so that no pattern takes long.
fn glob(pattern: &[u8], name: &[u8]) -> bool {
    // Where each prefix of the pattern can end in the name: a row for each byte of the pattern.
    let mut row = vec![false; name.len() + 1];
    if let Some(first) = row.first_mut() {
        *first = true;
    }
    let mut rest = pattern;
    while let Some((byte, after)) = rest.split_first() {
        let deep = *byte == b'*' && after.first() == Some(&b'*');
        rest = if deep { after.get(1..).unwrap_or_default() } else { after };
        let mut next = vec![false; row.len()];
        let mut reachable = false;
        for (place, ends) in row.iter().enumerate() {
            let before = place.checked_sub(1).and_then(|before| name.get(before));
            reachable = match byte {
                b'*' => *ends || (reachable && before.is_some_and(|before| deep || *before != b'/')),
                byte => {
                    let same =
                        before.is_some_and(|before| byte == before || (*byte == b'?' && *before != b'/'));
                    same && place.checked_sub(1).and_then(|before| row.get(before)) == Some(&true)
                }
            };
            if let Some(next) = next.get_mut(place) {
                *next = reachable;
            }
        }
        row = next;
    }
    row.last() == Some(&true)
}

/// The kinds of matchers, by their names for people.
const KINDS: [(&str, &str); 5] = [
    ("ANY_REF", "Any branch"),
    ("BRANCH", "Branch"),
    ("PATTERN", "Pattern"),
    ("MODEL_CATEGORY", "Branching model category"),
    ("MODEL_BRANCH", "Branching model branch"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_match_as_the_matcher_says() {
        let stored = |kind: &str, id: &str| json!({"id": id, "type": {"id": kind}}).to_string();
        for (kind, id, branch, expected) in [
            ("ANY_REF", "ANY_REF_MATCHER_ID", "refs/heads/x", true),
            ("BRANCH", "refs/heads/main", "main", true),
            ("BRANCH", "main", "refs/heads/main2", false),
            ("PATTERN", "release/*", "refs/heads/release/1.0", true),
            ("PATTERN", "release/*", "refs/heads/release/1/0", false),
            ("PATTERN", "release/**", "refs/heads/release/1/0", true),
            ("PATTERN", "fix-?", "refs/heads/team/fix-1", true),
            ("PATTERN", "*a*a*a*a*a*a*a*a*b", "refs/heads/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("MODEL_CATEGORY", "BUGFIX", "refs/heads/bugfix/1", true),
            ("MODEL_CATEGORY", "BUGFIX", "refs/heads/feature/1", false),
        ] {
            assert_eq!(matches(&stored(kind, id), branch), expected, "{kind} {id} {branch}");
        }
        assert!(!matches("", "x"));
    }
}
