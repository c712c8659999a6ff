//! Names that come from outside: a value of these types cannot be a path, a header break or an option.

use std::fmt;

/// A project's key: a letter, then letters, digits and `_`, at most 128, kept in upper case.
///
/// Source: the recorded refusal "Project keys must start with a letter and may only consist of ASCII letters, numbers
/// and underscores".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProjectKey(String);

/// A repository's slug: lower-case letters, digits, `-`, `_` and `.`, at most 128, starting with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slug(String);

/// A repository's name as people write it; its slug follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RepositoryName(String);

/// A login name: letters, digits and `-_.@+`, at most 255, starting with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserName(String);

/// A project's name or a user's display name: 1 to `LONGEST` characters, none of them a control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Title<const LONGEST: usize>(String);

impl ProjectKey {
    /// Returns the key in upper case, or none if the text cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let starts = text.bytes().next().is_some_and(|first| first.is_ascii_alphabetic());
        let rest = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (starts && rest && text.len() <= 128).then(|| Self(text.to_ascii_uppercase()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Slug {
    /// Returns the slug in lower case, or none if the text cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let starts = text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
        let rest = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let slug = text.to_ascii_lowercase();
        let whole = !slug.ends_with(".git") && !slug.contains("..");
        (starts && rest && whole && slug.len() <= 128).then_some(Self(slug))
    }

    /// Returns the slug in a clone path, where `.git` may follow it.
    pub(crate) fn parse_clone(text: &str) -> Option<Self> {
        Self::parse(text.strip_suffix(".git").unwrap_or(text))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl RepositoryName {
    /// Returns the name and its slug, or none if the text cannot be a repository's name.
    pub(crate) fn parse(text: &str) -> Option<(Self, Slug)> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || " -_.".contains(c);
        if !text.chars().all(allowed) || text.len() > 128 || text.trim() != text {
            return None;
        }
        let slug = Slug::parse(&text.replace(' ', "-"))?;
        Some((Self(text.to_owned()), slug))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl UserName {
    /// Returns the name in lower case, as names are compared, or none if the text cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let starts = text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
        let rest = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.@+".contains(&byte));
        (starts && rest && text.len() <= 255).then(|| Self(text.to_ascii_lowercase()))
    }

    /// Returns the name as a path segment.
    pub(crate) fn slug(&self) -> String {
        self.0.replace(['@', '+'], "_")
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const LONGEST: usize> Title<LONGEST> {
    /// Returns the trimmed text, or none if it is empty, too long or holds control characters.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = !text.is_empty() && text.chars().count() <= LONGEST;
        (fits && !text.chars().any(char::is_control)).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns whether the text may be a path inside a Git tree: relative, no empty, `.` or `..` step, no control characters.
pub(crate) fn is_tree_path(path: &str) -> bool {
    path.len() <= 4096
        && !path.chars().any(char::is_control)
        && path.split('/').all(|step| !step.is_empty() && step != "." && step != "..")
}

/// Returns whether the text may be the name of a branch or tag, without what it begins with in full.
///
/// Source: git-check-ref-format(1); beyond it, no name is an option or longer than a file's may be.
pub(crate) fn is_ref_name(name: &str) -> bool {
    let special = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    let step = |step: &str| {
        !step.is_empty() && step.len() <= 240 && !step.starts_with('.') && !step.ends_with(".lock")
    };
    name.len() <= 1024
        && name != "@"
        && name != "HEAD"
        && !name.starts_with('-')
        && !name.ends_with('.')
        && !name.contains(special)
        && !name.contains("..")
        && !name.contains("@{")
        && name.split('/').all(step)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRICKS: [&str; 16] = [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "a\0",
        "a\nb",
        "-rf",
        "--upload-pack=x",
        "a b/..",
        "a%2f",
        "~",
        "é",
        "a..b",
        "/etc",
    ];

    #[test]
    fn tricks_are_no_names() {
        for trick in TRICKS {
            assert_eq!(ProjectKey::parse(trick), None, "{trick:?}");
            assert_eq!(Slug::parse(trick), None, "{trick:?}");
            assert_eq!(RepositoryName::parse(trick), None, "{trick:?}");
            assert_eq!(UserName::parse(trick).filter(|_| trick != "a..b"), None, "{trick:?}");
        }
    }

    #[test]
    fn names_take_their_stored_form() {
        assert_eq!(ProjectKey::parse("proj_1").unwrap().as_str(), "PROJ_1");
        assert_eq!(ProjectKey::parse("1proj"), None, "a key starts with a letter");
        assert_eq!(Slug::parse("My-Repo.js").unwrap().as_str(), "my-repo.js");
        assert_eq!(Slug::parse_clone("repo.git"), Slug::parse("repo"));
        assert_eq!(Slug::parse("repo.git"), None, "a slug never ends like a clone path");
        let (name, slug) = RepositoryName::parse("My Cool repo").unwrap();
        assert_eq!((name.as_str(), slug.as_str()), ("My Cool repo", "my-cool-repo"));
        assert_eq!(UserName::parse("Jo@Example.com").unwrap().slug(), "jo_example.com");
        assert_eq!(ProjectKey::parse(&"a".repeat(129)), None);
    }

    #[test]
    fn ref_names_are_those_that_git_takes() {
        for good in ["main", "release/1.0", "a_b-c", "ä/ö", "v1.0-rc+1", "@x", "feature/JIRA-1#2"] {
            assert!(is_ref_name(good), "{good}");
        }
        for bad in [
            "", "-x", "a..b", "a.lock", "a.lock/b", "/a", "a/", "a//b", ".a", "a/.b", "a b", "a~1", "a\n",
            "a.", "@", "a@{1}", "a:b", "a?", "a*", "a[", "a\\b", "HEAD", "a\0b",
        ] {
            assert!(!is_ref_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn tree_paths_stay_in_their_tree() {
        for good in ["a", "a/b.txt", "..a/b", "sp ace/é"] {
            assert!(is_tree_path(good), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", "../a", "a/../b", "./a", "a\nb", "a\0b"] {
            assert!(!is_tree_path(bad), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_one_safe_path_segment(text in any::<String>()) {
            let accepted = [
                ProjectKey::parse(&text).map(|key| key.0),
                Slug::parse(&text).map(|slug| slug.0),
                Slug::parse_clone(&text).map(|slug| slug.0),
                RepositoryName::parse(&text).map(|(_, slug)| slug.0),
                UserName::parse(&text).map(|name| name.slug()),
            ];
            for segment in accepted.into_iter().flatten() {
                let path = std::path::Path::new(&segment);
                prop_assert_eq!(path.components().count(), 1);
                prop_assert!(matches!(path.components().next(), Some(std::path::Component::Normal(_))));
                prop_assert!(segment.bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert!(!segment.starts_with('-'));
            }
        }

        #[test]
        fn stored_forms_are_fixed_points(text in "[A-Za-z][A-Za-z0-9_.-]{0,40}") {
            if let Some(key) = ProjectKey::parse(&text) {
                prop_assert_eq!(ProjectKey::parse(key.as_str()), Some(key));
            }
            if let Some(slug) = Slug::parse(&text) {
                prop_assert_eq!(Slug::parse(slug.as_str()), Some(slug.clone()));
                prop_assert_eq!(Slug::parse_clone(&format!("{slug}.git")), Some(slug));
            }
        }
    }
}
