//! Finding processes by what they carry: a mark, or a process group.

use std::ffi::OsStr;
use std::io;

use e3_model::ProcessIdentity;
use procfs::process::{Process, Stat, all_processes};

use crate::NodeError;
use crate::identity::{boot_id, has_ended, read_stat};

/// The environment variable that carries a process's mark.
pub const MARK: &str = "E3_RESOURCE";

/// Returns the living processes that carry this mark: the one that was started with it, and those that it started
/// and handed its environment.
///
/// A process that is not this user's cannot be looked into and is passed over.
///
/// # Errors
/// When the system does not list its processes.
pub fn find_marked(mark: &str) -> Result<Vec<ProcessIdentity>, NodeError> {
    let own = std::process::id();
    living(|stat, process| {
        u32::try_from(stat.pid).is_ok_and(|pid| pid != own)
            && process
                .environ()
                .is_ok_and(|environment| environment.get(OsStr::new(MARK)).is_some_and(|value| value == mark))
    })
}

/// Returns the living members of the process group that this process led, without the leader itself.
///
/// A group's number stays taken while the group has members; if the number belongs to another process by now, the
/// group was empty before, and so is the answer. It can name strangers only when the number went to another leader
/// that has ended, too.
///
/// # Errors
/// When the system does not list its processes.
pub fn group_members(leader: &ProcessIdentity) -> Result<Vec<ProcessIdentity>, NodeError> {
    let Ok(group) = i32::try_from(leader.pid) else { return Ok(Vec::new()) };
    let taken_over = read_stat(leader.pid)?.is_some_and(|stat| stat.starttime != leader.started);
    if taken_over || boot_id()? != leader.boot_id {
        return Ok(Vec::new());
    }
    living(|stat, _| stat.pgrp == group && stat.pid != group && stat.starttime >= leader.started)
}

fn living(wanted: impl Fn(&Stat, &Process) -> bool) -> Result<Vec<ProcessIdentity>, NodeError> {
    let inspect = |error| NodeError::Inspect {
        process: "the list of processes".to_owned(),
        source: io::Error::other(error),
    };
    let boot_id = boot_id()?;
    let mut found = Vec::new();
    for process in all_processes().map_err(inspect)? {
        // One that vanished while it was looked at is gone, which is all that matters here.
        let Ok(process) = process else { continue };
        let Ok(stat) = process.stat() else { continue };
        if !has_ended(&stat)
            && wanted(&stat, &process)
            && let Ok(pid) = u32::try_from(stat.pid)
        {
            found.push(ProcessIdentity { pid, started: stat.starttime, boot_id: boot_id.clone() });
        }
    }
    Ok(found)
}
