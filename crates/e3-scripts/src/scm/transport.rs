//! How a Git script reaches its server.

use std::sync::Arc;

use e3_git::{ForkedGit, ForkedOptions, Remote, SshKey};
use e3_model::{GitClient, Need, Protocol, with_causes};
use e3_workload::{Account, ClientContext, ScriptError, Setting};

use super::Client;
use crate::setting::{draw_account, draw_among, git_options, parse_base};

/// How a Git script reaches its server; every operation on repositories is there for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// SSH, with a user's key.
    Ssh,
    /// Smart HTTP, with a user's password.
    Http,
    /// Smart HTTP from a node itself, past the load balancer.
    HttpDirect,
}

impl Transport {
    pub(crate) fn protocol(self) -> Protocol {
        match self {
            Self::Ssh => Protocol::GitSsh,
            Self::Http | Self::HttpDirect => Protocol::GitHttp,
        }
    }

    /// Returns what a script needs that works so on such a repository.
    pub(crate) fn needs(self, repository: Need) -> [Need; 2] {
        match self {
            Self::Ssh => [Need::SshKey, repository],
            Self::Http | Self::HttpDirect => [Need::HttpUser, repository],
        }
    }

    /// Returns how it is done, as a descriptor's summary ends.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Ssh => "over SSH with a user's key",
            Self::Http => "over HTTP with a user's password",
            Self::HttpDirect => {
                "over HTTP with a user's password, from a node itself, past the load balancer"
            }
        }
    }

    /// Returns the Git client of one client, which keeps its account, drawn uniformly among those that can log in so.
    pub(crate) fn client(
        self,
        script: &str,
        setting: &Arc<Setting>,
        context: &mut ClientContext,
    ) -> Result<Client, ScriptError> {
        match self {
            Self::Ssh => over_ssh(script, setting, context),
            Self::Http => over_http(script, &setting.url, setting, &draw_account(script, setting, context)?),
            Self::HttpDirect => {
                let account = draw_account(script, setting, context)?;
                let node = node(setting, context).unwrap_or(&setting.url);
                over_http(script, node, setting, &account)
            }
        }
    }
}

/// Returns the Git client of an account over HTTP.
pub(crate) fn over_http(
    script: &str,
    url: &str,
    setting: &Setting,
    account: &Account,
) -> Result<Client, ScriptError> {
    let base = parse_base(script, url)?;
    match setting.git_client {
        GitClient::Native => {
            let remote = Remote::http(base, &account.name, &account.password);
            Ok(Client::Native(remote.with_options(&git_options(script, setting)?)))
        }
        GitClient::Git => ForkedGit::http(&base, &account.name, &account.password, &forked(setting))
            .map(Client::Forked)
            .map_err(|error| unusable(script, url, &error)),
    }
}

fn over_ssh(script: &str, setting: &Setting, context: &mut ClientContext) -> Result<Client, ScriptError> {
    let endpoint = setting.ssh.as_ref().ok_or_else(|| ScriptError::NoSsh { script: script.to_owned() })?;
    let with_key: Vec<&Account> = setting.users.iter().filter(|user| user.private_key.is_some()).collect();
    let account = draw_among(&with_key, context);
    let (account, key) = account
        .and_then(|account| Some((account, account.private_key.as_ref()?)))
        .ok_or_else(|| ScriptError::NoKey { script: script.to_owned() })?;
    let key = SshKey::parse(key).map_err(|error| ScriptError::Key {
        script: script.to_owned(),
        user: account.name.clone(),
        reason: with_causes(&error),
    })?;
    let client = match setting.git_client {
        GitClient::Native => {
            let options = git_options(script, setting)?;
            Remote::ssh(endpoint, key).map(|remote| Client::Native(remote.with_options(&options)))
        }
        GitClient::Git => ForkedGit::ssh(endpoint, &key, &forked(setting)).map(Client::Forked),
    };
    client.map_err(|error| unusable(script, &endpoint.url, &error))
}

/// Returns how the real git talks in this stage; it has no choice about connections and checksums.
fn forked(setting: &Setting) -> ForkedOptions<'_> {
    ForkedOptions {
        ca: setting.ca.as_deref(),
        http: setting.transport.http,
        bound: setting.transport.op_timeout.to_duration(),
    }
}

fn unusable(script: &str, url: &str, error: &dyn std::error::Error) -> ScriptError {
    ScriptError::Url { script: script.to_owned(), url: url.to_owned(), reason: with_causes(error) }
}

/// Returns the node of this client: clients take turns; none where no node has a URL of its own.
fn node<'a>(setting: &'a Setting, context: &ClientContext) -> Option<&'a String> {
    let count = u32::try_from(setting.nodes.len()).unwrap_or(u32::MAX);
    let turn = context.client().0.checked_rem(count)?;
    setting.nodes.get(usize::try_from(turn).ok()?)
}
