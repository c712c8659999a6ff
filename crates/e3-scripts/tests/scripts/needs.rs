//! Every script of the catalogue keeps what it says of its needs.

use std::sync::Arc;

use e3_git::SshKey;
use e3_model::{Arguments, Need, SshEndpoint};
use e3_workload::{Setting, check_needs};
use serde_json::json;

use crate::site::setting;

/// A setting that has everything, though nothing answers there.
fn complete() -> Setting {
    let mut setting = setting("http://127.0.0.1:1");
    let key = SshKey::generate().unwrap();
    setting.ssh = Some(SshEndpoint { url: "ssh://127.0.0.1:1".into(), host_key: key.public() });
    setting.users[0].private_key = Some(key.to_openssh());
    setting
}

/// Returns the arguments without which a script cannot be.
fn arguments(script: &str) -> Arc<Arguments> {
    match script {
        "http.Sequence" => Arc::new([("steps".to_owned(), json!([{"name": "Step", "path": "/"}]))].into()),
        _ => Arc::default(),
    }
}

#[test]
fn no_client_is_made_without_what_its_script_needs_and_none_needs_more() {
    let complete = complete();
    let mut faults = Vec::new();
    for script in e3_scripts::all() {
        let arguments = arguments(&script.descriptor().name);
        for git_client in [e3_model::GitClient::Native, e3_model::GitClient::Git] {
            let setting = Setting { git_client, ..complete.clone() };
            faults.extend(check_needs(script.as_ref(), &setting, &arguments));
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn needs_follow_from_the_names() {
    for script in e3_scripts::all() {
        let descriptor = script.descriptor();
        let (name, needs) = (descriptor.name.as_str(), descriptor.needs.as_slice());
        let (is_git, is_over_ssh) = (name.starts_with("scm."), name.contains("Ssh"));
        assert_eq!(needs.contains(&Need::SshKey), is_over_ssh, "{name}: {needs:?}");
        assert!(!is_git || is_over_ssh || needs.contains(&Need::HttpUser), "{name}: {needs:?}");
        let pushes =
            name.contains("Push") || name.contains("PullRequestWorkflow") || name.contains("Developer");
        assert_eq!(needs.contains(&Need::WritableRepository), pushes, "{name}: {needs:?}");
    }
}
