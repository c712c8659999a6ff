//! Whom clients log in as, and how: never from what other users of the machine can see, without a warning.

use std::path::Path;

use anyhow::Context as _;
use e3_model::{Protocol, ScriptDescriptor, Secret};

use super::arguments::LoadArguments;
use crate::app::App;
use crate::exit::Exit;
use crate::failure::Failure;

/// The user whom clients log in as, as far as the flags name one.
#[derive(Debug, Clone, Default)]
pub(super) struct Account {
    /// The login name; none when nobody logs in.
    pub(super) name: Option<String>,
    /// The password; none where a key is enough.
    pub(super) password: Option<Secret>,
    /// The private SSH key, in OpenSSH's form.
    pub(super) private_key: Option<Secret>,
}

impl Account {
    /// Reads the account: the password from its file, from the flag, or from the environment.
    ///
    /// # Errors
    /// When a file cannot be read, or a name comes without a password where one is needed.
    pub(super) fn of(
        app: &App,
        arguments: &LoadArguments,
        script: Option<&ScriptDescriptor>,
    ) -> Result<Self, Failure> {
        let private_key = arguments.ssh_key.as_deref().map(private_key).transpose()?;
        let over_ssh = script.is_some_and(|script| script.protocol == Protocol::GitSsh);
        let Some(name) = arguments.username.clone() else {
            // Over SSH everybody is the user git, and the key says who it really is.
            let name = private_key.as_ref().map(|_| "git".to_owned()).filter(|_| over_ssh);
            return Ok(Self { name, password: None, private_key });
        };
        let password = match (&arguments.password_file, &arguments.password) {
            (Some(file), _) => Some(password(file)?),
            (None, Some(password)) => {
                app.printer.warn("--password can be seen by other users of this machine; better is --password-file or $E3_PASSWORD");
                Some(Secret::new(password.clone()))
            }
            (None, None) => std::env::var(VARIABLE).ok().filter(|it| !it.is_empty()).map(Secret::new),
        };
        if password.is_none() && !over_ssh {
            let missing = anyhow::anyhow!("--username {name} comes without a password");
            return Err(Failure::new(Exit::Usage, missing)
                .hint(format!("--password-file FILE names the file that holds it, or ${VARIABLE} has it")));
        }
        Ok(Self { name: Some(name), password, private_key })
    }
}

fn private_key(file: &Path) -> Result<Secret, Failure> {
    read(file, "the private key").map(Secret::new)
}

fn password(file: &Path) -> Result<Secret, Failure> {
    let text = read(file, "the password")?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        let empty =
            anyhow::anyhow!("the first line of {} is empty; it should be the password", file.display());
        return Err(Failure::new(Exit::Usage, empty));
    }
    Ok(Secret::new(line))
}

fn read(file: &Path, what: &str) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .with_context(|| format!("{what} cannot be read from {}", file.display()))
        .map_err(|error| Failure::new(Exit::Usage, error))
}

const VARIABLE: &str = "E3_PASSWORD";
