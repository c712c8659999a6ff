//! What a client wants to run: one of git's two services on one repository, and nothing else.

use crate::git::Service;
use crate::names::{ProjectKey, Slug};

/// A command that names a service; the address is none if it cannot be a repository's.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) service: Service,
    pub(super) address: Option<(ProjectKey, Slug)>,
}

impl Command {
    /// Reads a command line such as `git-upload-pack '/key/slug.git'`; none for anything that is not git's.
    ///
    /// Source: git's `connect.c` sends the service and the path in single quotes; the path may begin with a slash.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?.trim();
        let (word, rest) = line.split_once(' ')?;
        let (word, rest) = match word {
            "git" => rest.trim_start().split_once(' ')?,
            word => (word.strip_prefix("git-")?, rest),
        };
        let service = match word {
            "upload-pack" => Service::UploadPack,
            "receive-pack" => Service::ReceivePack,
            _ => return None,
        };
        Some(Self { service, address: address(unquote(rest.trim())) })
    }
}

/// Returns the text without the quotes around it. A quote or backslash inside is in no name, so need not be understood.
fn unquote(text: &str) -> &str {
    ['\'', '"'].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(text)
}

fn address(path: &str) -> Option<(ProjectKey, Slug)> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let (key, slug) = path.strip_suffix('/').unwrap_or(path).split_once('/')?;
    ProjectKey::parse(key).zip(Slug::parse_clone(slug))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commands_of_real_clients_are_understood() {
        let cases = [
            ("git-upload-pack '/PROJ/repo.git'", Service::UploadPack),
            ("git-upload-pack 'proj/repo.git'", Service::UploadPack),
            ("git-upload-pack 'PROJ/Repo'", Service::UploadPack),
            ("git upload-pack \"/PROJ/repo\"", Service::UploadPack),
            ("git-upload-pack /proj/repo.git/", Service::UploadPack),
            ("git-receive-pack '/PROJ/repo.git'", Service::ReceivePack),
            ("git receive-pack 'PROJ/repo.git'", Service::ReceivePack),
        ];
        for (line, service) in cases {
            let command = Command::parse(line.as_bytes()).unwrap();
            let (key, slug) = command.address.unwrap();
            assert_eq!((command.service, key.as_str(), slug.as_str()), (service, "PROJ", "repo"), "{line}");
        }
    }

    #[test]
    fn other_commands_are_none_and_other_paths_name_nothing() {
        for line in
            ["", "ls", "git", "git-upload-pack", "git status x", "git-upload-archive 'a/b'", "sh -c x"]
        {
            assert_eq!(Command::parse(line.as_bytes()), None, "{line}");
        }
        assert_eq!(Command::parse(b"git-upload-pack '\xff/b'"), None);
        for path in [
            "'../../etc'",
            "'/'",
            "''",
            "'a'",
            "'a/b/c'",
            "'a/../b'",
            "'a/b; rm -rf x'",
            "'a/b'\\''c'",
            "--strict 'a/b'",
            "'~admin/repo'",
        ] {
            let line = format!("git-upload-pack {path}");
            assert_eq!(Command::parse(line.as_bytes()).unwrap().address, None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_breaks_the_parser(line in proptest::collection::vec(any::<u8>(), 0..60), path in any::<String>()) {
            let _ = Command::parse(&line);
            let _ = Command::parse(format!("git-upload-pack '{path}'").as_bytes());
        }
    }
}
