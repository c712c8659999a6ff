//! Looks for the git programs that an experiment names for its githosts, before anything is created.

use std::process::Stdio;
use std::time::Duration;

use e3_model::{Plan, ProviderName, ThreadPlan};
use tokio::process::Command;
use tokio::time::timeout;

use crate::app::App;
use crate::exit::Exit;
use crate::failure::Failure;

/// Asks every git that a githost of the plan is to run for its version, and tells it.
///
/// # Errors
/// When one of them is not there, or is no git.
pub(super) async fn check(app: &App, plan: &Plan) -> Result<(), Failure> {
    for thread in plan.threads.iter().filter(|thread| thread.instance.provider == ProviderName::Local) {
        let Some(program) = thread.instance.properties.get(PROPERTY) else { continue };
        let version = version(program).await.map_err(|why| missing(app, plan, thread, program, &why))?;
        app.printer.progress("check", &format!("{}: {program} is {version}", thread.name));
    }
    Ok(())
}

/// Returns what a git says of itself, such as `git version 2.51.0`.
async fn version(program: &str) -> Result<String, String> {
    let asked = Command::new(program)
        .arg("version")
        .env_clear()
        .envs(e3_node::base_environment())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = match timeout(BOUND, asked).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(format!("it cannot be started: {error}")),
        Err(_) => return Err(format!("`{program} version` says nothing within {} s", BOUND.as_secs())),
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().unwrap_or_default().trim();
    // Source: git-version(1).
    if output.status.success() && line.starts_with("git version ") {
        Ok(line.to_owned())
    } else {
        let said: String = line.chars().take(LONGEST_QUOTE).collect();
        Err(format!("`{program} version` ended with {} and said {said:?}", output.status))
    }
}

fn missing(app: &App, plan: &Plan, thread: &ThreadPlan, program: &str, why: &str) -> Failure {
    let missing = anyhow::anyhow!("{why}").context(format!(
        "the githost of {:?} is to run the git at {program}, which this machine does not have",
        thread.name
    ));
    let copy = app.at_home(&format!("e3 new experiment NAME --from {}", plan.experiment));
    Failure::new(Exit::Provision, missing).hint(format!(
        "nothing was created; install a second git there, such as by `make prefix=/opt/git-next install` in the source of \
         Git, or name yours: `{copy}` makes a copy whose line {PROPERTY:?} you can edit"
    ))
}

/// Which program a githost runs as git.
///
/// Source: Bitbucket Server's configuration properties, "SCM - git".
const PROPERTY: &str = "plugin.bitbucket-git.path.executable";
const BOUND: Duration = Duration::from_secs(10);
const LONGEST_QUOTE: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_git_is_told_from_what_is_none() {
        let git = version("git").await.unwrap();
        assert!(git.starts_with("git version "), "{git}");
        for (program, reason, why) in [
            ("/nowhere/git", "cannot be started", "nothing there"),
            ("true", "said \"\"", "a program that is no git"),
            ("false", "ended with", "a program that fails"),
        ] {
            let error = version(program).await.unwrap_err();
            assert!(error.contains(reason), "{why}: {error}");
        }
    }
}
