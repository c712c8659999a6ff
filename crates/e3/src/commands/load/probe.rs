//! A look at the system before its load: whether it answers, and which branches its repositories have.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use e3_git::{GitError, GitOptions, LsRemote, Remote, RepositoryPath, SshKey};
use e3_http::{HttpSession, HttpWay, Request};
use e3_model::{Connections, HttpVersion, Protocol, ScriptDescriptor, SshEndpoint};

use super::existing::System;
use super::known_hosts;
use crate::exit::Exit;
use crate::failure::Failure;

/// Asks the system once, over the protocol that the script speaks; finds the default branches of the repositories.
///
/// # Errors
/// When the system does not answer, or a repository cannot be read over Git.
pub(super) async fn probe(system: &mut System, script: Option<&ScriptDescriptor>) -> Result<(), Failure> {
    let protocol = script.map_or(Protocol::Http, |script| script.protocol);
    if protocol != Protocol::GitSsh {
        answers(system).await?;
    }
    let remote = remote(system, protocol)?;
    let mut repositories = std::mem::take(&mut system.repositories);
    for named in &mut repositories {
        let path = RepositoryPath::new(&named.project, &named.slug);
        match listed(&remote, &path).await {
            Ok(listed) => named.default_branch = default_branch(&listed),
            // Pages and REST may well be there where Git over HTTP is not; then the load itself shows what is missing.
            Err(_) if protocol == Protocol::Http => {}
            Err(error) => return Err(error),
        }
    }
    system.repositories = repositories;
    Ok(())
}

/// Returns whether anything speaks HTTP there; what it says does not matter.
async fn answers(system: &System) -> Result<(), Failure> {
    let base = &system.place.base;
    let is_guess = system.transport.http == HttpVersion::Http2 && !base.is_tls();
    let hint = if is_guess {
        "is the system up, is --url right, and does it speak HTTP/2 without TLS? Nothing was begun"
    } else {
        "is the system up, and is --url right? Nothing was begun"
    };
    let unreachable = |error: anyhow::Error| {
        Failure::new(Exit::Provision, error.context(format!("{base} does not answer"))).hint(hint)
    };
    let mut session = HttpSession::new(base.clone()).with_way(&way(system));
    match tokio::time::timeout(BOUND, session.start(Request::get(""))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(unreachable(error.into())),
        Err(_) => Err(unreachable(anyhow::anyhow!("no answer within {} s", BOUND.as_secs()))),
    }
}

/// Returns how HTTP is spoken: as the clients will, so that what cannot be spoken is found before they try.
fn way(system: &System) -> HttpWay {
    HttpWay {
        version: system.transport.http,
        connections: Connections::PerOp,
        trust: system.trusted.trust.clone(),
    }
}

fn remote(system: &System, protocol: Protocol) -> Result<Remote, Failure> {
    let account = &system.account;
    let usage = |error: GitError| Failure::new(Exit::Usage, error);
    match (protocol, &system.ssh, &account.private_key) {
        (Protocol::GitSsh, Some(endpoint), Some(key)) => {
            Remote::ssh(endpoint, SshKey::parse(key).map_err(usage)?).map_err(usage)
        }
        _ => {
            let remote = match (&account.name, &account.password) {
                (Some(name), Some(password)) => Remote::http(system.place.base.clone(), name, password),
                _ => Remote::anonymous_http(system.place.base.clone()),
            };
            Ok(remote.with_options(&GitOptions { way: way(system), ..GitOptions::default() }))
        }
    }
}

async fn listed(remote: &Remote, path: &RepositoryPath) -> Result<LsRemote, Failure> {
    let failed = |error: anyhow::Error| {
        Failure::new(Exit::Provision, error.context(format!("the repository {path} cannot be read over Git")))
            .hint("are --repo, the user and the key right? Nothing was begun")
    };
    match tokio::time::timeout(BOUND, e3_git::ls_remote(remote, path)).await {
        Ok(Ok(listed)) => Ok(listed),
        Ok(Err(error)) => Err(failed(error.into())),
        Err(_) => Err(failed(anyhow::anyhow!("no end within {} s", BOUND.as_secs()))),
    }
}

/// Returns the short name of the branch that HEAD stands for: by what the server says, else by its commit.
fn default_branch(listed: &LsRemote) -> Option<String> {
    let short = |name: &str| name.strip_prefix("refs/heads/").map(str::to_owned);
    let head = listed.refs.iter().find(|reference| reference.name == "HEAD")?;
    if let Some(target) = &head.symref_target {
        return short(target);
    }
    let mut same = listed.refs.iter().filter(|reference| reference.oid == head.oid);
    same.find_map(|reference| short(&reference.name))
}

/// Returns where Git over SSH is served, with the key by which the server is known.
///
/// # Errors
/// When the URL is none, or the key is not known.
pub(super) fn endpoint(url: &str, host_key: Option<&str>) -> Result<SshEndpoint, Failure> {
    let (host, port) = host_and_port(url).ok_or_else(|| {
        let wrong = anyhow::anyhow!("--ssh-url {url:?} is not ssh://HOST:PORT");
        Failure::new(Exit::Usage, wrong).hint("such as --ssh-url ssh://git.example.com:7999")
    })?;
    let host_key = match host_key {
        Some(given) => given_key(given)?,
        None => known_key(host, port)?,
    };
    Ok(SshEndpoint { url: url.trim_end_matches('/').to_owned(), host_key })
}

fn host_and_port(url: &str) -> Option<(&str, u16)> {
    let authority = url.strip_prefix("ssh://")?.trim_end_matches('/');
    let authority = authority.rsplit_once('@').map_or(authority, |(_, authority)| authority);
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            (host, port.strip_prefix(':'))
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map_or(Some(22), |port| port.parse().ok())?;
    (!host.is_empty() && !host.contains('/')).then_some((host, port))
}

/// Returns a key as it was given: itself, or the file that holds it.
fn given_key(given: &str) -> Result<String, Failure> {
    let text = if given.contains(' ') {
        given.to_owned()
    } else {
        std::fs::read_to_string(given)
            .with_context(|| format!("the host key cannot be read from {given}"))
            .map_err(|error| Failure::new(Exit::Usage, error))?
    };
    let mut words = text.split_whitespace();
    match (words.next(), words.next()) {
        (Some(kind), Some(key)) => Ok(format!("{kind} {key}")),
        _ => {
            let wrong = anyhow::anyhow!("--ssh-host-key has no key such as \"ssh-ed25519 AAAA…\"");
            Err(Failure::new(Exit::Usage, wrong))
        }
    }
}

fn known_key(host: &str, port: u16) -> Result<String, Failure> {
    let file = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default().join(".ssh/known_hosts");
    let text = std::fs::read(&file).unwrap_or_default();
    known_hosts::find(&String::from_utf8_lossy(&text), host, port).ok_or_else(|| {
        let unknown = anyhow::anyhow!("the key of the SSH server {host}:{port} is not in {}", file.display());
        Failure::new(Exit::Usage, unknown).hint(format!(
            "`ssh-keyscan -p {port} {host} >> {}` adds it: compare it with what the server's administrator says; or give it with --ssh-host-key",
            file.display()
        ))
    })
}

/// How long one look may take.
const BOUND: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_ssh_servers_are_understood() {
        for (url, expected) in [
            ("ssh://git.example.com:7999", Some(("git.example.com", 7999))),
            ("ssh://git@git.example.com", Some(("git.example.com", 22))),
            ("ssh://[::1]:22022/", Some(("::1", 22022))),
            ("ssh://", None),
            ("http://git.example.com", None),
            ("git.example.com:7999", None),
            ("ssh://h:port", None),
            ("ssh://h/path", None),
        ] {
            assert_eq!(host_and_port(url), expected, "{url}");
        }
    }

    #[test]
    fn a_given_key_loses_its_comment() {
        assert_eq!(given_key("ssh-ed25519 AAAA me@here").unwrap(), "ssh-ed25519 AAAA");
        assert!(given_key("/no/such/file").is_err());
    }
}
