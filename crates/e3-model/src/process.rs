//! A process on one machine, told apart from every other that has, had or will have its number.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Identifies a process beyond its number: numbers are given again, the three together are not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ProcessIdentity {
    /// The process's number.
    pub pid: u32,
    /// When it started, in clock ticks since the machine was booted.
    ///
    /// Source: proc_pid_stat(5), field 22 (starttime).
    pub started: u64,
    /// The boot that the ticks count from.
    ///
    /// Source: random(4), `/proc/sys/kernel/random/boot_id`.
    pub boot_id: String,
}

impl fmt::Display for ProcessIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.pid)
    }
}
