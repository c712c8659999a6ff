//! The user's directories for what can be made again and for what belongs to the user.

use std::ffi::OsString;
use std::path::PathBuf;

/// Returns the directory for what can be made again, such as datasets: `E3_CACHE`, else `XDG_CACHE_HOME/e3`, else
/// `~/.cache/e3`, else one in the system's temporary directory. It need not exist.
pub fn cache_directory() -> PathBuf {
    cache_directory_in(|name| std::env::var_os(name))
}

/// Returns the user's data directory: `XDG_DATA_HOME`, else `~/.local/share`; none when neither is known.
pub fn data_directory() -> Option<PathBuf> {
    data_directory_in(|name| std::env::var_os(name))
}

fn cache_directory_in(variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    if let Some(path) = variable("E3_CACHE").filter(|path| !path.is_empty()) {
        return PathBuf::from(path);
    }
    absolute(variable("XDG_CACHE_HOME"))
        .or_else(|| absolute(variable("HOME")).map(|home| home.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("e3")
}

fn data_directory_in(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    absolute(variable("XDG_DATA_HOME"))
        .or_else(|| absolute(variable("HOME")).map(|home| home.join(".local/share")))
}

/// Source: XDG Base Directory Specification: a relative path in these variables is to be ignored.
fn absolute(value: Option<OsString>) -> Option<PathBuf> {
    value.map(PathBuf::from).filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
        move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
    }

    #[test]
    fn the_most_specific_variable_wins() {
        for (pairs, expected) in [
            (&[("E3_CACHE", "/c"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")] as &[_], "/c"),
            (&[("E3_CACHE", ""), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")], "/x/e3"),
            (&[("XDG_CACHE_HOME", "relative"), ("HOME", "/h")], "/h/.cache/e3"),
        ] {
            assert_eq!(cache_directory_in(environment(pairs)), PathBuf::from(expected));
        }
        assert!(cache_directory_in(|_| None).is_absolute());
    }

    #[test]
    fn the_data_directory_follows_the_standard() {
        assert_eq!(data_directory_in(environment(&[("HOME", "/h")])), Some("/h/.local/share".into()));
        assert_eq!(
            data_directory_in(environment(&[("XDG_DATA_HOME", "/d"), ("HOME", "/h")])),
            Some("/d".into())
        );
        assert_eq!(data_directory_in(|_| None), None);
    }
}
