//! A client's private directory: its configuration, its secrets, and the environment that leads git there and nowhere else.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use e3_http::BaseUrl;
use e3_model::{HttpVersion, Secret, SshEndpoint};
use tempfile::TempDir;
use url::Url;

use super::{ForkedError, ForkedOptions};
use crate::{RepositoryPath, SshKey};

/// One client's private directory, and how git is called there.
pub(super) struct Place {
    root: TempDir,
    base: String,
    is_ssh: bool,
    environment: Vec<(&'static str, OsString)>,
    bound: Duration,
    used: AtomicU64,
}

impl Place {
    /// Makes the place of a client over HTTP.
    ///
    /// The password goes to git in a configuration file that nobody else can read: a header that every request has.
    /// Source: git-config(1), `http.<url>.extraHeader`.
    pub(super) fn http(
        base: &BaseUrl,
        credentials: Option<(&str, &Secret)>,
        options: &ForkedOptions<'_>,
    ) -> Result<Self, ForkedError> {
        let mut config = QUIET.to_owned();
        let version = match options.http {
            HttpVersion::Http1 => "HTTP/1.1",
            HttpVersion::Http2 => "HTTP/2",
        };
        config.push_str(&format!("[http]\n\tversion = {version}\n"));
        if let Some((user, password)) = credentials {
            let encoded = BASE64_STANDARD.encode(format!("{user}:{}", password.expose()));
            config.push_str(&format!(
                "[http {}]\n\textraHeader = Authorization: Basic {encoded}\n",
                quoted(&base.to_string())
            ));
        }
        let place = Self::new(base.to_string(), false, options)?;
        place.written(place.write_http(config, options.ca))?;
        Ok(place)
    }

    /// Makes the place of a client over SSH, which knows one server's key and nothing of its user's.
    pub(super) fn ssh(
        endpoint: &SshEndpoint,
        key: &SshKey,
        options: &ForkedOptions<'_>,
    ) -> Result<Self, ForkedError> {
        let mut place = Self::new(as_somebody(&endpoint.url), true, options)?;
        let files = |place: &mut Self| -> io::Result<()> {
            let key = place.write("key", key.to_openssh().expose())?;
            let known = place.write("known_hosts", &format!("{ALIAS} {}\n", endpoint.host_key.trim()))?;
            place.environment.push(("GIT_SSH_COMMAND", ssh_command(&key, &known).into()));
            place.configure(QUIET)
        };
        let written = files(&mut place);
        place.written(written)?;
        Ok(place)
    }

    fn new(base: String, is_ssh: bool, options: &ForkedOptions<'_>) -> Result<Self, ForkedError> {
        let temporary = std::env::temp_dir();
        let made = || -> io::Result<TempDir> {
            let private = fs::Permissions::from_mode(0o700);
            let root =
                tempfile::Builder::new().prefix("e3-git-").permissions(private).tempdir_in(&temporary)?;
            fs::DirBuilder::new().mode(0o700).create(root.path().join(HOME))?;
            Ok(root)
        };
        let root = made().map_err(|source| ForkedError::Files { path: temporary.clone(), source })?;
        let path = |name: &str| root.path().join(name).into_os_string();
        let mut environment: Vec<(&'static str, OsString)> =
            ["PATH", "TMPDIR"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))).collect();
        environment.extend([
            ("HOME", path(HOME)),
            ("LC_ALL", "C".into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("GIT_CONFIG_GLOBAL", path(CONFIG)),
            ("GIT_ATTR_NOSYSTEM", "1".into()),
            ("GIT_TERMINAL_PROMPT", "0".into()),
            // A repository around the temporary directory is none of git's concern.
            ("GIT_CEILING_DIRECTORIES", temporary.into_os_string()),
        ]);
        Ok(Self { root, base, is_ssh, environment, bound: options.bound, used: AtomicU64::new(0) })
    }

    /// Returns the repository's address.
    pub(super) fn url(&self, repository: &RepositoryPath) -> String {
        let path = repository.over_http();
        let path = if self.is_ssh { path.strip_prefix("/scm").unwrap_or(&path) } else { &path };
        format!("{}{path}", self.base)
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    pub(super) fn path(&self) -> &Path {
        self.root.path()
    }

    pub(super) fn bound(&self) -> Duration {
        self.bound
    }

    pub(super) fn environment(&self) -> impl Iterator<Item = (&'static str, &OsString)> {
        self.environment.iter().map(|(name, value)| (*name, value))
    }

    /// Returns a path that nothing has, and nothing had.
    pub(super) fn unused(&self) -> PathBuf {
        let number = self.used.fetch_add(1, Ordering::Relaxed);
        self.root.path().join(format!("{number}"))
    }

    fn write_http(&self, mut config: String, ca: Option<&str>) -> io::Result<()> {
        if let Some(ca) = ca {
            let file = self.write("ca.pem", ca)?;
            // An empty directory instead of the machine's, so that only those count.
            for (name, path) in [("sslCAInfo", file), ("sslCAPath", self.root.path().join(HOME))] {
                config.push_str(&format!("[http]\n\t{name} = {}\n", quoted(&path.display().to_string())));
            }
        }
        self.configure(&config)
    }

    fn configure(&self, config: &str) -> io::Result<()> {
        self.write(CONFIG, config).map(drop)
    }

    /// Writes a file that only its owner can read.
    fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.root.path().join(name);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(text.as_bytes())?;
        Ok(path)
    }

    fn written(&self, written: io::Result<()>) -> Result<(), ForkedError> {
        written.map_err(|source| ForkedError::Files { path: self.root.path().to_owned(), source })
    }
}

/// Returns an SSH address with a user: `git` if it names none.
fn as_somebody(url: &str) -> String {
    let mut shown = url.to_owned();
    if let Ok(mut parsed) = Url::parse(url)
        && parsed.username().is_empty()
        && parsed.set_username("git").is_ok()
    {
        shown = parsed.into();
    }
    shown.trim_end_matches('/').to_owned()
}

/// Returns the command by which git calls ssh: it reads no configuration, asks no agent and nobody, and trusts one key.
///
/// Source: ssh(1), ssh_config(5); git runs the command by a shell.
fn ssh_command(key: &Path, known: &Path) -> String {
    // ssh reads `%` as the beginning of a token, and quotes as a shell does, in options.
    let option = |path: &Path| path.display().to_string().replace('%', "%%");
    let key = format!("IdentityFile=\"{}\"", option(key));
    let known = format!("UserKnownHostsFile=\"{}\"", option(known));
    let alias = format!("HostKeyAlias={ALIAS}");
    let options = [
        &key,
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        &known,
        "GlobalKnownHostsFile=/dev/null",
        &alias,
        "StrictHostKeyChecking=yes",
        "BatchMode=yes",
    ];
    let mut command = "ssh -F none".to_owned();
    for option in options {
        command.push_str(" -o ");
        command.push_str(&for_shell(option));
    }
    command
}

fn for_shell(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Quotes a text for git's configuration.
///
/// Source: git-config(1), section Syntax.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

const HOME: &str = "home";
const CONFIG: &str = "config";
/// The name under which the server's key is known, whatever its host and port.
const ALIAS: &str = "e3-pinned";
/// Nothing runs on in the background.
const QUIET: &str = "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n";

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn an_address_has_a_user() {
        for (url, expected) in [
            ("ssh://127.0.0.1:7999", "ssh://git@127.0.0.1:7999"),
            ("ssh://ada@h:1/", "ssh://ada@h:1"),
            ("ssh://[::1]:22", "ssh://git@[::1]:22"),
        ] {
            assert_eq!(as_somebody(url), expected);
        }
    }

    #[test]
    fn ssh_reads_back_whatever_the_directory_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("a b'c%d");
        fs::create_dir(&odd).unwrap();
        let (key, known) = (odd.join("key"), odd.join("known_hosts"));
        fs::write(&key, "").unwrap();
        let shown = Command::new("sh").arg("-c").arg(ssh_command(&key, &known) + " -G h").output().unwrap();
        let shown = String::from_utf8(shown.stdout).unwrap();
        let value = |name: &str| shown.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        assert_eq!(value("userknownhostsfile "), known.display().to_string(), "{shown}");
        // Shown as it will be read: a token that stands for a sign.
        assert_eq!(value("identityfile "), key.display().to_string().replace('%', "%%"), "{shown}");
        assert_eq!((value("hostkeyalias "), value("batchmode ")), (ALIAS, "yes"));
    }

    #[test]
    fn secrets_are_in_files_of_their_owner_only() {
        let secret = Secret::new("pa\"ss");
        let base = BaseUrl::parse("http://127.0.0.1:1/x").unwrap();
        let place = Place::http(&base, Some(("ada", &secret)), &ForkedOptions::default()).unwrap();
        let key = SshKey::generate().unwrap();
        let endpoint = SshEndpoint { url: "ssh://127.0.0.1:1".to_owned(), host_key: key.public() };
        let ssh = Place::ssh(&endpoint, &key, &ForkedOptions::default()).unwrap();
        for (place, name) in [(&place, "config"), (&ssh, "key")] {
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(place.path()), 0o700);
            assert_eq!(mode(&place.path().join(name)), 0o600, "{name}");
            let environment: Vec<_> =
                place.environment().map(|(name, value)| format!("{name}={value:?}")).collect();
            let environment = environment.join("\n");
            assert!(!environment.contains("Basic") && !environment.contains("PRIVATE"), "{environment}");
        }
        let url = place.url(&RepositoryPath::new("P", "r"));
        assert_eq!(url, "http://127.0.0.1:1/x/scm/P/r.git");
        assert_eq!(ssh.url(&RepositoryPath::new("~a", "b c")), "ssh://git@127.0.0.1:1/~a/b%20c.git");
        let gone = place.path().to_owned();
        drop(place);
        assert!(!gone.exists());
    }
}
