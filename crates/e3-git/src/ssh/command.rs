//! What the server is told to run.

use e3_git_wire::Service;

use crate::RepositoryPath;

/// Returns the command that starts a service on a repository, quoted as git quotes it.
pub(super) fn command(service: Service, repository: &RepositoryPath) -> String {
    format!("{} {}", service.name(), quoted(&repository.over_ssh()))
}

/// Quotes a word for a POSIX shell.
///
/// Source: `sq_quote_buf` in git's quote.c, which escapes `!` too, for C shells.
fn quoted(word: &str) -> String {
    let mut quoted = String::with_capacity(word.len() + 2);
    quoted.push('\'');
    for character in word.chars() {
        match character {
            '\'' | '!' => {
                quoted.push_str("'\\");
                quoted.push(character);
                quoted.push('\'');
            }
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_command_is_what_git_sends() {
        let repository = RepositoryPath::new("P", "it's");
        assert_eq!(command(Service::UploadPack, &repository), r"git-upload-pack '/P/it'\''s.git'");
        assert_eq!(
            command(Service::ReceivePack, &RepositoryPath::new("~a", "b!")),
            r"git-receive-pack '/~a/b'\!'.git'"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn a_shell_reads_back_every_word(word in "[^\0]{0,40}") {
            let script = format!("printf %s {}", quoted(&word));
            let output = Command::new("sh").args(["-c", &script]).env_clear().output().unwrap();
            prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), word);
        }
    }
}
