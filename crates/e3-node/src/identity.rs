//! Telling a process from all others, and holding it.

use std::io;
use std::os::fd::OwnedFd;

use e3_model::ProcessIdentity;
use procfs::ProcError;
use procfs::process::{Process, Stat};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::NodeError;

/// Returns the identity of the process that has this number now; none when there is none or it has ended.
///
/// # Errors
/// When the system does not tell.
pub fn identify(pid: u32) -> Result<Option<ProcessIdentity>, NodeError> {
    let boot_id = boot_id()?;
    let stat = read_stat(pid)?.filter(|stat| !has_ended(stat));
    Ok(stat.map(|stat| ProcessIdentity { pid, started: stat.starttime, boot_id }))
}

/// Returns whether the process runs; one that has ended but was not reaped yet does not.
///
/// # Errors
/// When the system does not tell.
pub fn is_alive(process: &ProcessIdentity) -> Result<bool, NodeError> {
    Ok(identify(process.pid)?.is_some_and(|now| now == *process))
}

/// Opens a pidfd that refers to exactly this process; none when it has ended.
///
/// The pidfd is opened first: if the number then still carries the old start time, it carried it before, too.
pub(crate) fn hold(process: &ProcessIdentity) -> Result<Option<OwnedFd>, NodeError> {
    let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) else { return Ok(None) };
    let held = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(held) => held,
        // Source: pidfd_open(2): the number is nobody's, or by now a mere thread's.
        Err(Errno::SRCH | Errno::INVAL | Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(NodeError::Inspect { process: process.to_string(), source: errno.into() }),
    };
    Ok(is_alive(process)?.then_some(held))
}

/// Returns what the system says of the process with this number; none when there is none.
pub(crate) fn read_stat(pid: u32) -> Result<Option<Stat>, NodeError> {
    let Ok(number) = i32::try_from(pid) else { return Ok(None) };
    match Process::new(number).and_then(|process| process.stat()) {
        Ok(stat) => Ok(Some(stat)),
        Err(ProcError::NotFound(_)) => Ok(None),
        Err(error) => {
            Err(NodeError::Inspect { process: format!("process {pid}"), source: io::Error::other(error) })
        }
    }
}

/// Returns whether nothing of the process runs any more; a first thread that ended alone leaves others behind.
pub(crate) fn has_ended(stat: &Stat) -> bool {
    matches!(stat.state, 'Z' | 'X' | 'x') && stat.num_threads <= 1
}

/// Returns the identifier of this boot of the machine.
pub(crate) fn boot_id() -> Result<String, NodeError> {
    let path = "/proc/sys/kernel/random/boot_id";
    let text = std::fs::read_to_string(path)
        .map_err(|source| NodeError::Inspect { process: path.to_owned(), source })?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_a_namesake_is_not() {
        let own = identify(std::process::id()).unwrap().unwrap();
        assert!(is_alive(&own).unwrap());
        for other in [
            ProcessIdentity { started: own.started + 1, ..own.clone() },
            ProcessIdentity { boot_id: "another boot".to_owned(), ..own.clone() },
            ProcessIdentity { pid: 0, ..own.clone() },
            ProcessIdentity { pid: u32::MAX, ..own.clone() },
        ] {
            assert!(!is_alive(&other).unwrap(), "{other:?}");
            assert!(hold(&other).unwrap().is_none(), "{other:?}");
        }
        assert!(hold(&own).unwrap().is_some());
    }
}
