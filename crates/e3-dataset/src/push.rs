//! The contents of a repository, pushed as a person would push them.

use std::ffi::OsString;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e3_http::BaseUrl;
use e3_model::Secret;

use crate::git::Git;
use crate::{DatasetError, GeneratedRepository};

/// Pushes all branches and tags but those of `without`, full refs; what is there already is not sent again, and never
/// replaced by something else.
///
/// # Errors
/// When the push is refused, breaks, or takes too long.
pub(crate) async fn push(
    repository: &GeneratedRepository,
    base: &BaseUrl,
    user: &str,
    password: &Secret,
    without: &[String],
) -> Result<(), DatasetError> {
    let call = call(repository, base, user, password);
    without.iter().fold(call, |call, name| call.arg(format!("^{name}"))).run().await.map(drop)
}

/// Returns the call of git; credentials go by its environment, which only its owner can read.
///
/// Source: git-config(1), GIT_CONFIG_COUNT, since git 2.31; git-push(1), negative refspecs, since git 2.29.
fn call(repository: &GeneratedRepository, base: &BaseUrl, user: &str, password: &Secret) -> Git {
    let GeneratedRepository { project, slug, path } = repository;
    let credentials = STANDARD.encode(format!("{user}:{}", password.expose()));
    let mut git_dir = OsString::from("--git-dir=");
    git_dir.push(path);
    Git::to(format!("push {project}/{slug} to {base}"), BOUND)
        .variable("GIT_CONFIG_COUNT", "1")
        .variable("GIT_CONFIG_KEY_0", "http.extraHeader")
        .variable("GIT_CONFIG_VALUE_0", format!("Authorization: Basic {credentials}"))
        .arg(git_dir)
        .arg("push")
        .arg("--quiet")
        .arg(format!("{base}{}", e3_bitbucket::path::scm(project, slug)))
        .arg("refs/heads/*:refs/heads/*")
        .arg("refs/tags/*:refs/tags/*")
}

/// How long one push may take.
const BOUND: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_sees_the_password_in_the_list_of_processes() {
        let repository = GeneratedRepository {
            project: "A".to_owned(),
            slug: "b".to_owned(),
            path: "/cache/b.git".into(),
        };
        let base = BaseUrl::parse("http://localhost:7990/bitbucket").unwrap();
        let call = call(&repository, &base, "admin", &Secret::new("hunter2"));
        let arguments = call.arguments();
        assert!(arguments.contains(&"http://localhost:7990/bitbucket/scm/A/b.git".into()), "{arguments:?}");
        // Basic credentials of admin:hunter2.
        for secret in ["hunter2", "YWRtaW46aHVudGVyMg=="] {
            assert!(
                arguments.iter().all(|argument| !argument.to_string_lossy().contains(secret)),
                "{arguments:?}"
            );
        }
    }
}
