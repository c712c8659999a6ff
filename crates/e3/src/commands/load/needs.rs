//! What a script needs of its system, looked at before anything is written: its own client is asked.

use std::sync::Arc;
use std::time::Duration;

use e3_model::{ClientId, JobId, JobPlan, Need, Plan, Seed};
use e3_workload::{ClientContext, ScriptError, Seat, sample_channel};

use super::existing::System;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::registry;

/// Looks whether a client of the plan's script can be made with what the flags tell of the system.
///
/// # Errors
/// With what is missing, and the flag that gives it.
pub(super) fn check(plan: &Plan, system: &System) -> Result<(), Failure> {
    let jobs = plan.threads.iter().flat_map(|thread| &thread.stages).flat_map(|stage| &stage.jobs);
    jobs.into_iter().try_for_each(|job| check_job(job, system))
}

fn check_job(job: &JobPlan, system: &System) -> Result<(), Failure> {
    let catalogue = registry::catalogue();
    let Some(script) = catalogue.find(&job.script) else { return Ok(()) };
    // A setting always has an administrator, be it one without a name.
    if script.descriptor().needs.contains(&Need::Admin) && system.account.name.is_none() {
        return Err(missing(&ScriptError::NoUser { script: job.script.clone() }));
    }
    let (samples, _) = sample_channel(1);
    let seat = Seat { client: ClientId(0), seed: Seed(0), op_timeout: Duration::from_secs(1), samples };
    let context = ClientContext::new(seat, JobId(0), job.ops.clone(), 0);
    let mut context = context.with_arguments(Arc::new(job.arguments.clone()));
    let client = script.client(&Arc::new(system.setting()), &mut context);
    match client {
        // The system is asked for its default branches only after this.
        Err(ScriptError::NoDefaultBranch { .. }) | Ok(_) => Ok(()),
        Err(error) => Err(missing(&error)),
    }
}

/// Returns what a script misses in the words of the flags.
fn missing(error: &ScriptError) -> Failure {
    let (message, hint) = match error {
        ScriptError::NoRepository { script } => (
            format!("{script} works on repositories, and none is named"),
            "name one with --repo PROJECT/SLUG, or several by several of these",
        ),
        ScriptError::NoUser { script } => (
            format!("{script} logs in, and no user is named"),
            "name one with --username NAME, and --password-file FILE or the password in $E3_PASSWORD",
        ),
        ScriptError::NoSsh { script } => (
            format!("{script} goes over SSH, and where that is served is not said"),
            "say it with --ssh-url ssh://HOST:PORT",
        ),
        ScriptError::NoKey { script } => (
            format!("{script} goes over SSH, and there is no key to log in with"),
            "name one with --ssh-key FILE: a private key without passphrase",
        ),
        ScriptError::Key { script, reason, .. } => (
            format!("{script} cannot use the private key: {reason}"),
            "--ssh-key takes a private key in OpenSSH's form, without passphrase",
        ),
        other => (other.to_string(), "see `e3 load --help`"),
    };
    Failure::new(Exit::Usage, anyhow::Error::msg(message)).hint(hint)
}
