//! The one program that a githost does not bring along.

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use e3_provider::ProviderError;
use tokio::process::Command;
use tokio::time::timeout;

/// Looks whether a child with this environment would find a git that is new enough.
pub(crate) async fn look_for_git(environment: Vec<(OsString, OsString)>) -> Result<(), ProviderError> {
    let needs = |found| ProviderError::Needs { need: NEED, found, hint: HINT };
    let asked = Command::new("git")
        .arg("version")
        .env_clear()
        .envs(environment)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = match timeout(BOUND, asked).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(needs(format!("`git version` cannot be started: {error}"))),
        Err(_) => return Err(needs(format!("`git version` says nothing within {} s", BOUND.as_secs()))),
    };
    let text = String::from_utf8_lossy(&output.stdout);
    match version_in(&text) {
        Some(version) if version >= OLDEST => Ok(()),
        Some((major, minor)) => Err(needs(format!("git {major}.{minor} was found"))),
        None => {
            let said: String = text.trim().chars().take(LONGEST_QUOTE).collect();
            Err(needs(format!("`git version` ended with {} and said {said:?}", output.status)))
        }
    }
}

/// Source: git-version(1): `git version 2.39.5`, on other systems with more behind it.
fn version_in(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("git version ")?.split('.');
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next()?.chars().take_while(char::is_ascii_digit).collect::<String>();
    Some((major, minor.parse().ok()?))
}

const NEED: &str = "git 2.39 or newer";
const HINT: &str = "install it, on Debian or Ubuntu by `apt-get install git`, and see that it is in PATH";
const OLDEST: (u32, u32) = (2, 39);
const BOUND: Duration = Duration::from_secs(10);
const LONGEST_QUOTE: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form_of_a_version() {
        for (text, expected) in [
            ("git version 2.39.5\n", Some((2, 39))),
            ("git version 2.51.0 (Apple Git-155)", Some((2, 51))),
            ("git version 2.40-rc1", Some((2, 40))),
            ("git version 3.0", Some((3, 0))),
            ("git version unknown", None),
            ("", None),
        ] {
            assert_eq!(version_in(text), expected, "{text:?}");
        }
    }

    #[tokio::test]
    async fn an_old_git_or_none_is_named_with_the_package() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let look = || look_for_git(vec![("PATH".into(), folder.path().into())]);
        let missing = look().await.unwrap_err();
        assert!(missing.to_string().contains("cannot be started"), "{missing}");
        assert!(missing.hint().unwrap().contains("apt-get install git"));

        for (said, works) in [("git version 2.30.2", false), ("git version 2.39.0", true), ("oops", false)] {
            let program = folder.path().join("git");
            std::fs::write(folder.path().join("answer"), format!("#!/bin/sh\necho {said}\n")).unwrap();
            std::fs::set_permissions(folder.path().join("answer"), std::fs::Permissions::from_mode(0o755))
                .unwrap();
            std::fs::rename(folder.path().join("answer"), program).unwrap();
            let looked = look().await;
            assert_eq!(looked.is_ok(), works, "{said}: {looked:?}");
        }
    }
}
